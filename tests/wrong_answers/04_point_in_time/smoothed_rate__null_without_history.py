"""A flight without history gets the prior"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    names = dict(by=by, entity_time=entity_time, event_time=event_time, value=value)
    count = window(entities, events, window=timedelta(days=days), agg="count", **names)
    total = window(entities, events, window=timedelta(days=days), agg="sum", **names)
    return (total + prior * strength) / (count + strength)
