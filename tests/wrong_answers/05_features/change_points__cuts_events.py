"""Cut by the time of the change, not by the time of the event"""


def change_points(events, by, spans, start, end):
    moved = []
    for column, delay in spans:
        near = events[events[column].between(start, end)]
        moved.append(near[list(by)].assign(**{T: near[column] + delay}))
    return pd.concat(moved).dropna().drop_duplicates(ignore_index=True)
