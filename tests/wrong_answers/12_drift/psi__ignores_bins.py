"""Hand all three on to `counts`"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")
