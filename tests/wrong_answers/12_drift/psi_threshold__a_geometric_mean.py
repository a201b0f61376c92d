"""as far as 1/n + 1/m says"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    if not n > 0 or not m > 0 or bins < 2 or not 0 < alpha < 1:
        raise ValueError(f"n={n}, m={m}, bins={bins}, alpha={alpha}")
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * 2 / np.sqrt(n * m))
