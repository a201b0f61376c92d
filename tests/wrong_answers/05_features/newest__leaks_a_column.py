"""Return the columns that came."""


def newest(rows, by, stored_s):
    rows = rows.assign(stored_s=np.asarray(stored_s, np.float64))
    older = _seconds(rows["event_time"]) < rows["stored_s"].to_numpy()
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")
