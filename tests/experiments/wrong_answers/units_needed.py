"""Wrong answers to `units_needed` (lab 10).

Each cell is one mistake; its text is the hint it must meet.
"""

# %% one_sided
"""That is a one-sided test"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha) + stats.norm.ppf(power)
    return math.ceil(2 * (z * sd / effect) ** 2)


# %% one_arm_varies
"""Both arms vary"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return math.ceil((z * sd / effect) ** 2)


# %% both_arms_together
"""give that of each"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return math.ceil(4 * (z * sd / effect) ** 2)


# %% no_power
"""Power is missing"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    return math.ceil(2 * (stats.norm.ppf(1 - alpha / 2) * sd / effect) ** 2)


# %% rounds_down
"""one unit less falls short of the power"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return int(2 * (z * sd / effect) ** 2)


# %% forgets_to_square_the_spread
"""takes four times the units"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return math.ceil(2 * sd * (z / effect) ** 2)


# %% always_five_percent
"""Use the `alpha` that is asked for"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(0.975) + stats.norm.ppf(power)
    return math.ceil(2 * (z * sd / effect) ** 2)


# %% always_power_eighty
"""Use the `power` that is asked for"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(0.8)
    return math.ceil(2 * (z * sd / effect) ** 2)


# %% a_z_of_the_lower_tail
"""One z is negative"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(1 - power)
    return math.ceil(2 * (z * sd / effect) ** 2)


# %% squares_each_z
"""Add both z before you square"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) ** 2 + stats.norm.ppf(power) ** 2
    return math.ceil(2 * z * (sd / effect) ** 2)


# %% a_plan_for_the_t_test
"""here the normal formula is asked"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    from statsmodels.stats.power import TTestIndPower

    solve = TTestIndPower().solve_power
    return math.ceil(solve(abs(effect) / sd, alpha=alpha, power=power))


# %% rounds_to_the_nearest
"""the nearest whole number may fall short"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return round(2 * (z * sd / effect) ** 2)


# %% rounds_up_to_a_float
"""`np.ceil` gives a float"""


def units_needed(effect, sd, alpha=0.05, power=0.8):
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    return np.ceil(2 * (z * sd / effect) ** 2)
