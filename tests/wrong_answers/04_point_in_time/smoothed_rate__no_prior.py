"""One landing decided the rate"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    mean = window(
        entities, events, by=by, entity_time=entity_time, event_time=event_time,
        value=value, window=timedelta(days=days), agg="mean",
    )
    return mean.fillna(prior)
