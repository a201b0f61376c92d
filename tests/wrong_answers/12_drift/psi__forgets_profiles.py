"""and the profile of a table, give a Series"""


def psi(reference, current, bins=10):
    p, q = shares(counts(reference, current, bins))
    values = ((q - p) * log_ratio(q, p)).sum(axis=-1)
    if isinstance(reference, pd.DataFrame):
        return pd.Series(values, list(reference), name="psi")
    return float(values[0])
