"""each span uses its own column"""


def change_points(events, by, spans, start, end):
    first = events[spans[0][0]]
    moved = [events[list(by)].assign(**{T: first + delay}) for _, delay in spans]
    points = pd.concat(moved).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)
