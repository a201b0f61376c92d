"""nine degrees of freedom"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not (n > 0 and m > 0):
        raise ValueError(f"n={n} and m={m}: both samples need rows.")
    if bins < 2:
        raise ValueError(f"bins={bins}: too few.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} is no probability.")
    return float(stats.chi2.ppf(1 - alpha, bins) * (1 / n + 1 / m))
