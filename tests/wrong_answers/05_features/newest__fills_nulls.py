"""Do not fill a null from an older row."""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.groupby(list(by), as_index=False).last()[list(rows.columns)]
