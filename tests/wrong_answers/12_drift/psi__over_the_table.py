"""add up over the last axis only"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    total = ((q - p) * log_ratio(q, p)).sum()
    return _answer(reference, np.full(len(p), total), "psi")
