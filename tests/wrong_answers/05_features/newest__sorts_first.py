"""A row older than what the store holds was written"""


def newest(rows, by, stored_s):
    order = rows.sort_values("event_time", kind="stable")
    older = _seconds(order["event_time"]) < np.asarray(stored_s, np.float64)
    return order[~older].drop_duplicates(list(by), keep="last")
