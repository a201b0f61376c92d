"""a null key or a null time is no change point"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved)
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)
