"""Wrong answers to `newest` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% by_index
"""stored_s goes by position, whatever the index."""


def newest(rows, by, stored_s):
    stamp = pd.Series(_seconds(rows["event_time"]), rows.index)
    stored = pd.Series(stored_s, dtype="float64").reindex(rows.index)
    order = rows[~(stamp < stored)].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% by_label
"""choose rows by position"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return rows.loc[order.groupby(list(by)).tail(1).index]


# %% every_row
"""Return at most one row a key"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    return rows[~older]


# %% fills_nulls
"""Do not fill a null from an older row."""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.groupby(list(by), as_index=False).last()[list(rows.columns)]


# %% first_key
"""The key is all columns of `by`."""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.drop_duplicates([by[0]], keep="last")


# %% first_of_equals
"""Of two rows with the same time the last counts"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable", ascending=False)
    return order.drop_duplicates(list(by), keep="first")


# %% last_row
"""take the latest event time, not the last row"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    return rows[~older].drop_duplicates(list(by), keep="last")


# %% leaks_a_column
"""Return the columns that came."""


def newest(rows, by, stored_s):
    rows = rows.assign(stored_s=np.asarray(stored_s, np.float64))
    older = _seconds(rows["event_time"]) < rows["stored_s"].to_numpy()
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% needs_a_stored_row
"""A key that the store does not hold yet (NaN) must be written"""


def newest(rows, by, stored_s):
    newer = _seconds(rows["event_time"]) >= np.asarray(stored_s, np.float64)
    order = rows[newer].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% one_unit
"""Do not assume the unit of the column"""


def newest(rows, by, stored_s):
    seconds = rows["event_time"].astype("int64").to_numpy() / 1e6
    order = rows[~(seconds < np.asarray(stored_s, np.float64))]
    order = order.sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% sorts_first
"""A row older than what the store holds was written"""


def newest(rows, by, stored_s):
    order = rows.sort_values("event_time", kind="stable")
    older = _seconds(order["event_time"]) < np.asarray(stored_s, np.float64)
    return order[~older].drop_duplicates(list(by), keep="last")


# %% strictly_newer
"""A row of the same time as the stored one may be written again"""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) <= np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% takes_us_for_ns
"""`_seconds` from above gives seconds, whatever the unit."""


def newest(rows, by, stored_s):
    stamp = rows["event_time"].astype("int64").to_numpy() / 1e9
    order = rows[~(stamp < np.asarray(stored_s, np.float64))]
    order = order.sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% trusts_the_batch
"""A row older than what the store holds was written"""


def newest(rows, by, stored_s):
    order = rows.sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% unstable
"""Sort in a stable way: the last of equals counts."""


def newest(rows, by, stored_s):
    older = _seconds(rows["event_time"]) < np.asarray(stored_s, np.float64)
    order = rows[~older].sort_values("event_time")
    return order.drop_duplicates(list(by), keep="last")
