"""A null in one column of times drops that change only"""


def change_points(events, by, spans, start, end):
    events = events.dropna(subset=[*by, *(column for column, _ in spans)])
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)
