"""A key that the store does not hold yet (NaN) must be written"""


def newest(rows, by, stored_s):
    newer = _seconds(rows["event_time"]) >= np.asarray(stored_s, np.float64)
    order = rows[newer].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
