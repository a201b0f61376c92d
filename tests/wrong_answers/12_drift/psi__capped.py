"""has no upper limit"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    values = ((q - p) * log_ratio(q, p)).sum(axis=-1)
    return _answer(reference, np.minimum(values, 2.0), "psi")
