"""must each give a ValueError that names the argument"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if drift == 0 or not alpha < power < 1:
        raise ValueError(f"drift={drift}, power={power}")
    drift = abs(drift)
    rows = np.arange(2, 20_000)
    limit = stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(rows[found >= power][0])
