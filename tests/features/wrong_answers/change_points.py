"""Wrong answers to `change_points` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_columns
"""no other column but `prediction_time`"""


def change_points(events, by, spans, start, end):
    moved = [
        events.assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna(subset=[*by, T])
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates([*by, T], ignore_index=True)


# %% cuts_events
"""Cut by the time of the change, not by the time of the event"""


def change_points(events, by, spans, start, end):
    moved = []
    for column, delay in spans:
        near = events[events[column].between(start, end)]
        moved.append(near[list(by)].assign(**{T: near[column] + delay}))
    return pd.concat(moved).dropna().drop_duplicates(ignore_index=True)


# %% drops_any_null
"""A null in one column of times drops that change only"""


def change_points(events, by, spans, start, end):
    events = events.dropna()
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved)
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)


# %% drops_cancelled
"""A null in one column of times drops that change only"""


def change_points(events, by, spans, start, end):
    events = events.dropna(subset=[*by, *(column for column, _ in spans)])
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)


# %% entry_only
"""A window also changes when an event leaves it"""


def change_points(events, by, spans, start, end):
    column, _ = spans[0]
    points = events[list(by)].assign(**{T: events[column]}).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)


# %% first_column
"""each span uses its own column"""


def change_points(events, by, spans, start, end):
    first = events[spans[0][0]]
    moved = [events[list(by)].assign(**{T: first + delay}) for _, delay in spans]
    points = pd.concat(moved).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)


# %% first_key
"""Keep every key column"""


def change_points(events, by, spans, start, end):
    moved = [events[[by[0]]].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)


# %% keeps_nulls
"""a null key or a null time is no change point"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved)
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)


# %% null_in_second_key
"""The key is all of `by`"""


def change_points(events, by, spans, start, end):
    moved = [
        events[list(by)].assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna(subset=[by[0], T])
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


# %% one_key_at_a_time
"""The key is all of `by`"""


def change_points(events, by, spans, start, end):
    moved = [
        events[list(by)].assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna()
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates([by[0], T], ignore_index=True)


# %% twice
"""list the pair of key and time once"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved, ignore_index=True).dropna()
    return points[points[T].between(start, end)]
