"""The key is all of `by`"""


def change_points(events, by, spans, start, end):
    moved = [
        events[list(by)].assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna()
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates([by[0], T], ignore_index=True)
