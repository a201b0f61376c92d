"""however many rows there are"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")
