"""older than the window still counts"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    names = dict(by=by, entity_time=entity_time, event_time=event_time, value=value)
    count = window(entities, events, window=timedelta(days=36500), agg="count", **names)
    total = window(entities, events, window=timedelta(days=36500), agg="sum", **names)
    return (total.fillna(0) + prior * strength) / (count + strength)
