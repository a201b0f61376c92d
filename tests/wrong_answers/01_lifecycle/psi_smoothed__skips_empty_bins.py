"""keep them, do not skip them"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = p / len(reference), q / len(current)
    keep = (p > 0) & (q > 0)
    p, q = p[keep], q[keep]
    return float(np.sum((q - p) * np.log(q / p)))
