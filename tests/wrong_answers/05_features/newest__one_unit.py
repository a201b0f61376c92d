"""Do not assume the unit of the column"""


def newest(rows, by, stored_s):
    seconds = rows["event_time"].astype("int64").to_numpy() / 1e6
    order = rows[~(seconds < np.asarray(stored_s, np.float64))]
    order = order.sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
