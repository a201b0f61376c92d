"""with the natural logarithm"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1) / np.log(2), "psi")
