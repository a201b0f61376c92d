"""Wrong answers to `newest_rows` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% last_row
"""take the latest event time"""


def newest_rows(rows, by, stored):
    return rows.drop_duplicates(list(by), keep="last")


# %% event_time_alone
"""became known last is the correction"""


def newest_rows(rows, by, stored):
    event, held = (t["event_time"].to_numpy("M8[us]") for t in (rows, stored))
    order = rows[~(event < held)].sort_values("event_time", kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% needs_a_stored_row
"""does not hold yet (NaT) must be written"""


def newest_rows(rows, by, stored):
    event, held = (t["event_time"].to_numpy("M8[us]") for t in (rows, stored))
    order = rows[event >= held].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% trusts_the_batch
"""the retry brings the past back"""


def newest_rows(rows, by, stored):
    order = rows.sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% stored_event_alone
"""compare the available times, too"""


def newest_rows(rows, by, stored):
    event, held = (t["event_time"].to_numpy("M8[us]") for t in (rows, stored))
    order = rows[~(event < held)].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% strictly_newer
"""drop older ones only"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known <= told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% no_corrections
"""A correction of the stored row must get through"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known != told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% first_of_equals
"""Of equals the last counts"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable", ascending=False)
    return order.drop_duplicates(list(by), keep="first")


# %% whole_seconds
"""A fraction of a second counts"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    rounded = {f"_{c}": rows[c].dt.floor("s") for c in CLOCKS}
    order = rows.assign(**rounded)[~older].sort_values(list(rounded), kind="stable")
    return order.drop_duplicates(list(by), keep="last")[list(rows)]


# %% by_label
"""`stored` goes by position"""


def newest_rows(rows, by, stored):
    held = stored.set_axis(range(len(stored))).reindex(rows.index)
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    was, told = (held[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < was) | ((event == was) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% fills_nulls
"""Do not fill a null from an older row"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.groupby(list(by), as_index=False).last()[list(rows.columns)]


# %% either_clock
"""The later event time wins, whenever it became known"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    order = rows[~((event < held) | (known < told))].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")


# %% sorts_first
"""compare before you sort"""


def newest_rows(rows, by, stored):
    rows = rows.sort_values(CLOCKS, kind="stable")
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    return rows[~older].drop_duplicates(list(by), keep="last")


# %% one_column_of_the_key
"""`by` is a joint key"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(by[0], keep="last")


# %% new_index
"""with the index that they came with"""


def newest_rows(rows, by, stored):
    event, known = (rows[c].to_numpy("M8[us]") for c in CLOCKS)
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last", ignore_index=True)


# %% without_a_zone
"""keep the zone"""


def newest_rows(rows, by, stored):
    rows = rows.assign(**{c: rows[c].to_numpy("M8[us]") for c in CLOCKS})
    held, told = (stored[c].to_numpy("M8[us]") for c in CLOCKS)
    event, known = (rows[c].to_numpy() for c in CLOCKS)
    older = (event < held) | ((event == held) & (known < told))
    order = rows[~older].sort_values(CLOCKS, kind="stable")
    return order.drop_duplicates(list(by), keep="last")
