"""Wrong answers to `step_after` (lab 11).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% any_guardrail
"""A guardrail that is not shown"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    safe = any(guards.values()) or not guards
    return "ship" if low > cost and safe else "iterate"


# %% no_guardrail
"""A guardrail that is not shown"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    return "ship" if low > cost else "iterate"


# %% counts_names
"""A guardrail that is not shown"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    return "ship" if low > cost and all(guards) else "iterate"


# %% guardrails_wait_for_ever
"""It surely does harm, guardrails or none"""


def step_after(low, high, guards, cost):
    if not all(guards.values()):
        return "iterate"
    if high < cost:
        return "kill"
    return "ship" if low > cost else "iterate"


# %% needs_a_guardrail
"""No guardrail was named"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    safe = guards and all(guards.values())
    return "ship" if low > cost and safe else "iterate"


# %% zero_instead_of_cost
"""surely below its cost"""


def step_after(low, high, guards, cost):
    if high < 0:
        return "kill"
    return "ship" if low > 0 and all(guards.values()) else "iterate"


# %% significant_ships
"""Its middle does not pay"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    return "ship" if low > 0 and all(guards.values()) else "iterate"


# %% kills_what_is_not_proven
"""Its middle pays: do not kill"""


def step_after(low, high, guards, cost):
    return "ship" if low > cost and all(guards.values()) else "kill"


# %% never_kills
"""It surely does harm"""


def step_after(low, high, guards, cost):
    return "ship" if low > cost and all(guards.values()) else "iterate"


# %% upper_end_ships
"""Its middle does not pay"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    return "ship" if high > cost and all(guards.values()) else "iterate"


# %% estimate_without_guardrail
"""No estimate opens a guardrail"""


def step_after(low, high, guards, cost):
    safe = all(guards.values())
    if low > cost:
        return "ship" if safe else "iterate"
    return "ship" if low + high > 2 * cost else "kill"


# %% the_object_true
"""NumPy's True is not the object True"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    safe = all(shown is True for shown in guards.values())
    return "ship" if low > cost and safe else "iterate"


# %% kills_what_may_lose
"""It may lose; its middle pays"""


def step_after(low, high, guards, cost):
    if high < cost or low < 0:
        return "kill"
    return "ship" if low > cost and all(guards.values()) else "iterate"


# %% a_high_end_ships
"""A high end is no middle"""


def step_after(low, high, guards, cost):
    if high < cost:
        return "kill"
    pays = low > cost or high > 2 * cost
    return "ship" if pays and all(guards.values()) else "iterate"


# %% takes_the_cost_twice
"""Its middle pays, by a little"""


def step_after(low, high, guards, cost):
    low, high = low - cost, high - cost
    if low + high < 2 * cost:
        return "kill"
    return "ship" if low > 0 and all(guards.values()) else "iterate"


# %% cost_twice
"""It surely beats its cost"""


def step_after(low, high, guards, cost):
    if not all(guards.values()):
        return "kill" if high < cost else "iterate"
    if low > 2 * cost:
        return "ship"
    return "kill" if high < cost else "iterate"
