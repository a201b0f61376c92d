"""A missing value is neither late nor on time"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    names = dict(by=by, entity_time=entity_time, event_time=event_time, value=value)
    filled = events.assign(**{value: events[value].fillna(0)})
    count = window(entities, filled, window=timedelta(days=days), agg="count", **names)
    total = window(entities, filled, window=timedelta(days=days), agg="sum", **names)
    return (total.fillna(0) + prior * strength) / (count + strength)
