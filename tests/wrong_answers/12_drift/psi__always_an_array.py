"""let _answer decide"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    return ((q - p) * log_ratio(q, p)).sum(axis=-1)
