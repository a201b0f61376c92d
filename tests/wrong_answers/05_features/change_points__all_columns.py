"""no other column but `prediction_time`"""


def change_points(events, by, spans, start, end):
    moved = [
        events.assign(**{T: events[column] + delay})
        for column, delay in spans
    ]
    points = pd.concat(moved).dropna(subset=[*by, T])
    inside = points[T].between(start, end)
    return points[inside].drop_duplicates([*by, T], ignore_index=True)
