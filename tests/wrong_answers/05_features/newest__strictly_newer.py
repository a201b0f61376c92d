"""A row of the same time as the stored one may be written again"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) <= np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
