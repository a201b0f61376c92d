"""Wrong answers to `warn_threshold` (lab 01).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% plain_ratio
"""forgets that the cost falls due only if the flight is on time"""


def warn_threshold(benefit, cost, fee=0.0):
    return (cost + fee) / benefit


# %% takes_anything
"""Refuse a benefit or a cost"""


def warn_threshold(benefit, cost, fee=0.0):
    return (cost + fee) / (benefit + cost)


# %% upside_down
"""You have it upside down"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return (benefit + fee) / (benefit + cost)


# %% weighs_the_fee
"""does not get a weight"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return (cost + fee) / (benefit + cost + fee)


# %% right_for_a_cost_of_one
"""With other prices the answer is off"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return cost * (1 + fee) / (benefit + cost)


# %% right_for_a_sum_of_four
"""With other prices the answer is off"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return cost / (benefit + cost) + fee / 4


# %% takes_a_negative_cost
"""Refuse a benefit or a cost"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost != 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return (cost + fee) / (benefit + cost)


# %% caps_at_one_half
"""neither refuse it nor cap it"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return min((cost + fee) / (benefit + cost), 0.5)


# %% refuses_a_cost_above_the_benefit
"""neither refuse it nor cap it"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > cost > 0 and fee >= 0):
        raise ValueError("a warning must be worth more than it costs")
    return (cost + fee) / (benefit + cost)


# %% caps_below_one
"""return 1 or more"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    return min((cost + fee) / (benefit + cost), 0.99)


# %% wants_a_fee
"""no fee is fine"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee > 0):
        raise ValueError("prices must be positive")
    return (cost + fee) / (benefit + cost)


# %% refuses_zero_alone
"""Refuse a benefit or a cost"""


def warn_threshold(benefit, cost, fee=0.0):
    if not benefit or not cost or fee < 0:
        raise ValueError("prices must not be zero")
    return (cost + fee) / (benefit + cost)


# %% prints_it
"""Return one number"""


def warn_threshold(benefit, cost, fee=0.0):
    if not (benefit > 0 and cost > 0 and fee >= 0):
        raise ValueError("prices must be positive")
    print((cost + fee) / (benefit + cost))


# %% asserts_instead_of_refusing
"""with a ValueError"""


def warn_threshold(benefit, cost, fee=0.0):
    assert benefit > 0 and cost > 0 and fee >= 0
    return (cost + fee) / (benefit + cost)
