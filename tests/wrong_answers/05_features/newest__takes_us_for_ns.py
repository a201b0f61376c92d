"""`_seconds` from above gives seconds, whatever the unit."""


def newest(rows, by, stored_s):
    stamp = rows["event_time"].astype("int64").to_numpy() / 1e9
    order = rows[~(stamp < np.asarray(stored_s, np.float64))]
    order = order.sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
