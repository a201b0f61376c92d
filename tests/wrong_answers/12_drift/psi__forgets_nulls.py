"""keep the bin for nulls"""


def psi(reference, current, bins=10):
    if not isinstance(current, pd.DataFrame):
        current = pd.Series(current).dropna()
    p, q = shares(counts(reference, current, bins))
    return _answer(reference, ((q - p) * log_ratio(q, p)).sum(axis=-1), "psi")
