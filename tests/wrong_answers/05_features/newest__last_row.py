"""take the latest event time, not the last row"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    return rows[~older].drop_duplicates(list(by), keep="last")
