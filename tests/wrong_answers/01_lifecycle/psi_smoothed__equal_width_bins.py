"""Cut at the reference"""


def psi_smoothed(reference, current, bins=10):
    edges = np.linspace(reference.min(), reference.max(), bins + 1)
    p, q = (np.histogram(v, edges)[0] + 0.5 for v in (reference, current))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))
