"""That is KL, one direction only"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, (q * log_ratio(q, p)).sum(axis=-1), "psi")
