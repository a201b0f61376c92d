"""must each give a ValueError that names the argument"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if n == 0 or m == 0 or bins == 1 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins} or alpha={alpha} is wrong")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / n + 1 / m))
