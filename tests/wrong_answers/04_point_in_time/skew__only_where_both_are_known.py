"""missing on one side only is skew"""


def skew(offline, served):
    for name in offline.columns.symmetric_difference(served.columns):
        raise ValueError(f"the column {name!r} is in one table only.")
    known = offline.notna() & served.notna()
    return ((offline != served) & known).mean()
