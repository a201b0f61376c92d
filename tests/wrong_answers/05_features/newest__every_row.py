"""Return at most one row a key"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    return rows[~older]
