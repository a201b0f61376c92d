"""must each give a ValueError"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    rows, limit = np.arange(2, 20_000), stats.chi2.ppf(1 - alpha, bins - 1)
    found = stats.ncx2.sf(limit, bins - 1, drift * rows / 2)
    return int(np.append(rows[found >= power], 20_000)[0])
