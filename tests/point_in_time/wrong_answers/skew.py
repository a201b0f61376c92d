"""Wrong answers to `skew` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% any_rows
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


# %% exact
"""Rounding is no skew"""


def skew(offline, served):
    for name in offline.columns.symmetric_difference(served.columns):
        raise ValueError(f"the column {name!r} is in one table only.")
    return ((offline != served) & ~(offline.isna() & served.isna())).mean()


# %% nulls_differ
"""Two nulls are the same value"""


def skew(offline, served):
    for name in offline.columns.symmetric_difference(served.columns):
        raise ValueError(f"the column {name!r} is in one table only.")
    return (offline != served).mean()


# %% only_where_both_are_known
"""missing on one side only is skew"""


def skew(offline, served):
    for name in offline.columns.symmetric_difference(served.columns):
        raise ValueError(f"the column {name!r} is in one table only.")
    known = offline.notna() & served.notna()
    return ((offline != served) & known).mean()
