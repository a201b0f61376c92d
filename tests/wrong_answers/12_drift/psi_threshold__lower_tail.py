"""That is the lower tail"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0) or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(alpha, bins - 1) * (1 / n + 1 / m))
