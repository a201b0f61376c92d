"""Add 0.5 to each count"""


def psi_smoothed(reference, current, bins=10):
    cuts = np.quantile(reference, np.arange(1, bins) / bins)
    p, q = (
        np.bincount(np.searchsorted(cuts, v, side="right"), minlength=bins)
        for v in (reference, current)
    )
    p, q = (p + 0.5) / len(reference), (q + 0.5) / len(current)
    return float(np.sum((q - p) * np.log(q / p)))
