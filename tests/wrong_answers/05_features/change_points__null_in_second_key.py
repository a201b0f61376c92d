"""The key is all of `by`"""


def change_points(events, by, spans, start, end):
    moved = [
        events[list(by)].assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna(subset=[by[0], T])
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates(ignore_index=True)
