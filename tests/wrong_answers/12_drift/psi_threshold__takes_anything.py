"""must each give a ValueError"""


def psi_threshold(n, m, bins=10, alpha=0.05):
    return float(stats.chi2.ppf(1 - alpha, bins - 1) * (1 / max(n, 1e-9) + 1 / m))
