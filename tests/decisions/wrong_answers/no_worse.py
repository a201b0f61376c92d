"""Wrong answers to `no_worse` (lab 11).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% not_significant_is_safe
"""Not significant is not safe"""


def no_worse(estimate, se, margin, alpha=0.05):
    return abs(estimate / se) < stats.norm.ppf(1 - alpha / 2)


# %% no_significant_loss
"""Not significant is not safe"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate / se > -stats.norm.ppf(1 - alpha)


# %% estimate_alone
"""Not significant is not safe"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate > -margin


# %% upper_end
"""Not significant is not safe"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate + stats.norm.ppf(1 - alpha) * se > -margin


# %% must_gain_the_margin
"""A proven loss may be small"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate - stats.norm.ppf(1 - alpha) * se > margin


# %% a_loss_is_positive
"""Mind the margin's sign"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate + stats.norm.ppf(1 - alpha) * se < margin


# %% must_not_lose
"""A proven loss may be small"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate - stats.norm.ppf(1 - alpha) * se > 0


# %% interval_holds_zero_and_not_the_margin
"""A proven loss may be small"""


def no_worse(estimate, se, margin, alpha=0.05):
    reach = stats.norm.ppf(1 - alpha) * se
    return estimate - reach > -margin and estimate + reach > 0


# %% both_sides
"""the normal quantile at 1 - alpha"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate - stats.norm.ppf(1 - alpha / 2) * se > -margin


# %% one_error
"""1.645 errors"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate - 1.5 * se > -margin


# %% always_five_percent
"""Use the `alpha` that is asked for"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate - 1.645 * se > -margin


# %% students_quantile
"""the normal quantile at 1 - alpha"""


def no_worse(estimate, se, margin, alpha=0.05):
    return estimate - stats.t.ppf(1 - alpha, 27) * se > -margin
