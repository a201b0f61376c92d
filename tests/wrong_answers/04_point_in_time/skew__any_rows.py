"""Tables with other rows must give a ValueError"""


def skew(offline, served):
    missing = set(offline) ^ set(served)
    if missing:
        raise ValueError(f"no column {sorted(missing)[0]}")
    served = served.reindex(offline.index)
    shares = {}
    for name in offline:
        a, b = offline[name], served[name]
        same = (a == b) | (a.isna() & b.isna())
        if a.dtype.kind == "f":
            same = same | np.isclose(a.astype(float), b.astype(float))
        shares[name] = 1 - same.mean()
    return pd.Series(shares)
