"""Wrong answers to `change_points` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_columns
"""no other column"""


def change_points(events, by, spans, start, end):
    moved = [events.assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna(subset=[*by, "prediction_time"])
    inside = points["prediction_time"].between(start, end)
    return points[inside].drop_duplicates([*by, "prediction_time"])


# %% entries_only
"""A null in one column of times drops that change only"""


def change_points(events, by, spans, start, end):
    events = events.dropna()
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved)
    inside = points["prediction_time"].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


# %% first_span
"""use all spans"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[spans[0][0]])]
    points = pd.concat(moved).dropna()
    inside = points["prediction_time"].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


# %% cuts_events
"""Cut by the time of the change"""


def change_points(events, by, spans, start, end):
    moved = []
    for column, delay in spans:
        near = events[events[column].between(start, end)]
        moved.append(near[list(by)].assign(prediction_time=near[column] + delay))
    points = pd.concat(moved).dropna()
    inside = points["prediction_time"].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


# %% no_start
"""Cut at `start` and `end`"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna()
    return points[points["prediction_time"] <= end].drop_duplicates(ignore_index=True)


# %% twice
"""each pair of key and time once"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna()
    return points[points["prediction_time"].between(start, end)]


# %% null_keys
"""a null key has no change point"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna(subset=["prediction_time"])
    inside = points["prediction_time"].between(start, end)
    return points[inside].fillna({"origin": "?"}).drop_duplicates(ignore_index=True)


# %% open_borders
"""Both borders belong to the period"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna()
    inside = (points["prediction_time"] > start) & (points["prediction_time"] < end)
    return points[inside].drop_duplicates(ignore_index=True)


# %% half_open
"""Both borders belong to the period"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna()
    inside = points["prediction_time"].between(start, end, inclusive="left")
    return points[inside].drop_duplicates(ignore_index=True)


# %% one_column_of_the_key
"""may name several columns"""


def change_points(events, by, spans, start, end):
    moved = [events[["origin"]].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna()
    inside = points["prediction_time"].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)


# %% labels_repeat
"""Labels repeat"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(prediction_time=events[c] + d) for c, d in spans]
    points = pd.concat(moved).dropna()
    return points[points["prediction_time"].between(start, end)].drop_duplicates()
