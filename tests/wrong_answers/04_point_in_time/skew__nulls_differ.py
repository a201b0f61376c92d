"""Two nulls are the same value"""


def skew(offline, served):
    for name in offline.columns.symmetric_difference(served.columns):
        raise ValueError(f"the column {name!r} is in one table only.")
    return (offline != served).mean()
