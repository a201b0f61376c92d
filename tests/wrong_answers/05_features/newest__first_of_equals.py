"""Of two rows with the same time the last counts"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable", ascending=False)
    return order.drop_duplicates(list(by), keep="first")
