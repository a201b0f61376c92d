"""there is no upper limit"""


def rows_needed(drift, bins=10, alpha=0.05, power=0.8):
    if not drift > 0:
        raise ValueError(f"drift={drift}")
    if not alpha < power < 1:
        raise ValueError(f"power={power}")
    for n in range(2, 5000):
        limit = psi_threshold(n, n, bins, alpha) * n / 2
        if stats.ncx2.sf(limit, bins - 1, drift * n / 2) >= power:
            return n
