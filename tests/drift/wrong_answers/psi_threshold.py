"""Wrong answers to `psi_threshold` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_geometric_mean
"""as far as 1/n + 1/m says"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * 2 / np.sqrt(n * m))


# %% always_ten_bins
"""Fewer bins lower the threshold"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0) or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, 9) * (1 / n + 1 / m))


# %% an_alpha_of_one
"""must each give a ValueError that names the argument"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or alpha == 0:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / n + 1 / m))


# %% as_many_degrees_as_bins
"""nine degrees of freedom"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0):
        raise ValueError(f"n={n} and m={m}: both samples need rows.")
    if bins < 2:
        raise ValueError(f"bins={bins}: too few.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is no probability.")
    return float(stats.chi2.ppf(1 - alpha, bins) * (1 / n + 1 / m))


# %% lower_tail
"""That is the lower tail"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0) or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(alpha, bins - 1) * (1 / n + 1 / m))


# %% nine_degrees_scaled
"""take the quantile at bins - 1 degrees"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, 9) * (bins - 1) / 9 * (1 / n + 1 / m))


# %% of_the_sum
"""as far as 1/n + 1/m says"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * 4 / (n + m))


# %% one_sample
"""Both samples are random"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0) or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) / n)


# %% refuses_only_the_border
"""must each give a ValueError that names the argument"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if n == 0 or m == 0 or bins == 1 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins} or alpha={alpha} is wrong")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / n + 1 / m))


# %% takes_anything
"""must each give a ValueError"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / max(n, 1e-9) + 1 / m))


# %% the_current_sample_twice
"""as far as 1/n + 1/m says"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * 2 / m)


# %% the_larger_sample_twice
"""as far as 1/n + 1/m says"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * 2 / max(n, m))


# %% the_smaller_sample_twice
"""A large reference helps"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0) or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * 2 / min(n, m))


# %% trusts_the_current_sample
"""must each give a ValueError that names the argument"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / n + 1 / m))
