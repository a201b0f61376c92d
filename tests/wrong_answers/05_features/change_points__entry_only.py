"""A window also changes when an event leaves it"""


def change_points(events, by, spans, start, end):
    column, _ = spans[0]
    points = events[list(by)].assign(**{T: events[column]}).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)
