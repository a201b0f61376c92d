"""Wrong answers to `chance_threshold` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% as_many_degrees_as_bins
"""nine degrees of freedom"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float((1 / n + 1 / m) * stats.chi2.ppf(1 - alpha, bins))


# %% lower_tail
"""That is the lower tail"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float((1 / n + 1 / m) * stats.chi2.ppf(alpha, bins - 1))


# %% one_sample
"""Both samples are random"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float(stats.chi2.ppf(1 - alpha, bins - 1) / n)


# %% two_sided
"""The quantile at 1 - alpha"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float((1 / n + 1 / m) * stats.chi2.ppf(1 - alpha / 2, bins - 1))


# %% a_geometric_mean
"""no mean of n and m"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float(2 / np.sqrt(n * m) * stats.chi2.ppf(1 - alpha, bins - 1))


# %% of_the_sum
"""no mean of n and m"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float(4 / (n + m) * stats.chi2.ppf(1 - alpha, bins - 1))


# %% the_smaller_sample_twice
"""A large reference helps"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float(2 / min(n, m) * stats.chi2.ppf(1 - alpha, bins - 1))


# %% the_first_sample_twice
"""no mean of n and m"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float(2 / n * stats.chi2.ppf(1 - alpha, bins - 1))


# %% always_ten_bins
"""Use the `bins` that are asked for"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float((1 / n + 1 / m) * stats.chi2.ppf(1 - alpha, 9))


# %% always_five_in_a_hundred
"""Use the `alpha` that is asked for"""


def chance_threshold(n, m, bins=10, alpha=0.05):
    return float((1 / n + 1 / m) * stats.chi2.ppf(0.95, bins - 1))
