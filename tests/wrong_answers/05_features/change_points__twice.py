"""list the pair of key and time once"""


def change_points(events, by, spans, start, end):
    moved = [events[list(by)].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved, ignore_index=True).dropna()
    return points[points[T].between(start, end)]
