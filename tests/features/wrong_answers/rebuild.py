"""Wrong answers to `rebuild` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% adds_label_time
"""keep the columns of the log, then `late`."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id").join(late.rename("late")).join(label_time.rename("label_time"))
    return last[(last["label_time"] <= until) & last["late"].notna()]


# %% drops_nulls
"""A feature that was served as null stays null"""


def rebuild(served, late, label_time, *, until):
    last = served.dropna().sort_values("time", kind="stable")
    last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    rows = last[label_time.reindex(last.index) <= until]
    return rows.assign(late=late.reindex(rows.index))


# %% drops_time
"""keep the columns of the log, then `late`."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id").drop(columns="time")
    known = (label_time.reindex(last.index) <= until) & late.reindex(last.index).notna()
    return last.assign(late=late.reindex(last.index))[known]


# %% every_answer
"""A flight that was asked about twice gives one row"""


def rebuild(served, late, label_time, *, until):
    rows = served.sort_values("time", kind="stable").set_index("flight_id")
    rows = rows[label_time.reindex(rows.index) <= until]
    return rows.assign(late=late.reindex(rows.index))


# %% first_answer
"""Take the last answer by its time"""


def rebuild(served, late, label_time, *, until):
    first = served.sort_values("time", kind="stable").drop_duplicates("flight_id").set_index("flight_id")
    rows = first[label_time.reindex(first.index) <= until]
    return rows.assign(late=late.reindex(rows.index))


# %% first_order
"""Sort by the time of the last answer"""


def rebuild(served, late, label_time, *, until):
    ordered = served.sort_values("time", kind="stable")
    last = ordered.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    last = last.reindex(ordered["flight_id"].drop_duplicates())
    known = (label_time.reindex(last.index) <= until) & late.reindex(last.index).notna()
    return last.assign(late=late.reindex(last.index))[known]


# %% ignores_until
"""A label that was known only after `until` is from the future"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id")
    rows = last[label_time.reindex(last.index).notna()]
    return rows.assign(late=late.reindex(rows.index))


# %% keeps_the_unlabelled
"""has no training row"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id")
    rows = last[~(label_time.reindex(last.index) > until)]
    return rows.assign(late=late.reindex(rows.index))


# %% labels_by_position
"""Match labels by flight, and keep the order of the answers"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id")
    known = label_time.reindex(last.index) <= until
    return last[known].assign(late=late.dropna().to_numpy())


# %% needs_every_label
"""A flight that the labels do not name"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable")
    last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    labels = late.loc[last.index]
    known = labels.notna() & (label_time.loc[last.index] <= until)
    return last.assign(late=labels)[known]


# %% no_time_is_known
"""A label without a time was not known"""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable")
    last = last.drop_duplicates("flight_id", keep="last").set_index("flight_id")
    labels = late.reindex(last.index)
    known = labels.notna() & ~(label_time.reindex(last.index) > until)
    return last.assign(late=labels)[known]


# %% null_label
"""No label, no row."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").drop_duplicates("flight_id", keep="last")
    last = last.set_index("flight_id")
    rows = last[label_time.reindex(last.index) <= until]
    return rows.assign(late=late.reindex(rows.index))


# %% repairs_nulls
"""A null in the last answer stays null."""


def rebuild(served, late, label_time, *, until):
    last = served.sort_values("time", kind="stable").groupby("flight_id").last().sort_values("time")
    known = (label_time.reindex(last.index) <= until) & late.reindex(last.index).notna()
    rows = last[known]
    return rows.assign(late=late.reindex(rows.index))
