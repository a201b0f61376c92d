"""the same way round"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(p, q)).sum(axis=-1), "psi")
