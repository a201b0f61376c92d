"""Keep every key column"""


def change_points(events, by, spans, start, end):
    moved = [events[[by[0]]].assign(**{T: events[column] + delay}) for column, delay in spans]
    points = pd.concat(moved).dropna()
    return points[points[T].between(start, end)].drop_duplicates(ignore_index=True)
