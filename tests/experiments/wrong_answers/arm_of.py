"""Wrong answers to `arm_of` (lab 10).

Each cell is one mistake; its text is the hint it must meet.
"""

# %% pythons_own_hash
"""Another process gives other arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    place = hash((unit_id, salt)) % 1_000_000 / 1_000_000
    return list(weights)[int(place * len(weights))] if place < traffic else ""


# %% a_coin_for_each_call
"""Another process gives other arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if np.random.random() >= traffic:
        return ""
    share = np.array(list(weights.values())) / sum(weights.values())
    return str(np.random.choice(list(weights), p=share))


# %% equal_arms_whatever_the_weights
"""The arms do not follow {'A': 7, 'B': 2, 'C': 1}"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    return list(weights)[int(uniform(unit_id, salt) * len(weights))]


# %% weights_taken_for_shares
"""each is a part of their sum"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    if set(weights.values()) == {1}:
        weights = {arm: 1 / len(weights) for arm in weights}
    place = uniform(unit_id, salt)
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% a_salt_that_is_not_used
"""Two salts give related arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, "traffic") >= traffic:
        return ""
    place = uniform(unit_id, "arm") * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% a_salt_added_to_a_fixed_hash
"""Two salts give related arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = (uniform(unit_id, "") + uniform("", salt)) % 1 * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% the_traffic_is_ignored
"""At 0.1, that share takes part"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    place = uniform(unit_id, salt) * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% one_number_for_traffic_and_arm
"""Arm and traffic need two numbers"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    place = uniform(unit_id, salt)
    if place >= traffic:
        return ""
    place *= sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% borders_that_move_with_the_traffic
"""A unit changed its arm with the traffic"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    place = uniform(unit_id, salt)
    if place >= traffic:
        return ""
    place *= sum(weights.values()) / traffic
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% a_modulo_that_moves_with_the_ramp
"""A unit changed its arm with the traffic"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = (uniform(unit_id, salt) % traffic) / traffic * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% who_is_in_is_dealt_anew_at_each_step
"""A unit left when the traffic rose"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|{traffic}") >= traffic:
        return ""
    place = uniform(unit_id, salt) * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% the_same_units_first_in_every_experiment
"""The same units come first under every salt"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, "traffic") >= traffic:
        return ""
    place = uniform(unit_id, salt) * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% pythons_own_hash_in_a_helper
"""Another process gives other arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    number = lambda text: hash((unit_id, salt, text)) % 10**6 / 10**6  # noqa: E731
    if number("traffic") >= traffic:
        return ""
    place = number("arm") * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% a_table_of_coins
"""Another process gives other arms"""

coins = {}


def arm_of(unit_id, salt, weights, traffic=1.0):
    if (unit_id, salt) not in coins:
        coins[unit_id, salt] = np.random.random(2)
    joins, place = coins[unit_id, salt]
    if joins >= traffic:
        return ""
    place *= sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% raw_weights
"""Weights are parts of their sum"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = uniform(unit_id, salt)
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% an_arm_without_the_salt
"""Two salts give related arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = uniform(unit_id, "arm") * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% outside_for_no_reason
"""All traffic: each unit in an arm"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic / 2:
        return ""
    place = uniform(unit_id, salt) * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% arms_in_the_order_of_the_weights
"""The order of `weights` changes arms"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = uniform(unit_id, f"{salt}|arm") * sum(weights.values())
    for arm, weight in weights.items():
        if place < weight:
            return arm
        place -= weight
    return arm


# %% the_text_of_the_weights_in_the_hash
"""hash no weights"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    place = uniform(unit_id, f"{salt}|{weights}") * sum(weights.values())
    for arm in sorted(weights):
        if place < weights[arm]:
            return arm
        place -= weights[arm]
    return arm


# %% ten_slots_for_the_arms
"""The arms do not follow {'A': 1, 'B': 19}"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if uniform(unit_id, f"{salt}|traffic") >= traffic:
        return ""
    total = sum(weights.values())
    slots = [a for a in sorted(weights) for _ in range(round(10 * weights[a] / total))]
    return slots[int(uniform(unit_id, f"{salt}|arm") * len(slots))]


# %% ten_slots_for_the_traffic
"""At 0.01, that share takes part"""


def arm_of(unit_id, salt, weights, traffic=1.0):
    if int(uniform(unit_id, f"{salt}|traffic") * 10) >= traffic * 10:
        return ""
    place = uniform(unit_id, f"{salt}|arm") * sum(weights.values())
    for arm in sorted(weights):
        if place < weights[arm]:
            return arm
        place -= weights[arm]
    return arm
