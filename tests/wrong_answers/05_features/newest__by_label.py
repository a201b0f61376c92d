"""choose rows by position"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return rows.loc[order.groupby(list(by)).tail(1).index]
