"""Wrong answers to `smoothed_rate` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_of_history
"""older than the window still counts"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    names = dict(by=by, entity_time=entity_time, event_time=event_time, value=value)
    count = window(entities, events, window=timedelta(days=36500), agg="count", **names)
    total = window(entities, events, window=timedelta(days=36500), agg="sum", **names)
    return (total.fillna(0) + prior * strength) / (count + strength)


# %% missing_is_on_time
"""A missing value is neither late nor on time"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    names = dict(by=by, entity_time=entity_time, event_time=event_time, value=value)
    filled = events.assign(**{value: events[value].fillna(0)})
    count = window(entities, filled, window=timedelta(days=days), agg="count", **names)
    total = window(entities, filled, window=timedelta(days=days), agg="sum", **names)
    return (total.fillna(0) + prior * strength) / (count + strength)


# %% no_prior
"""One landing decided the rate"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    mean = window(
        entities, events, by=by, entity_time=entity_time, event_time=event_time,
        value=value, window=timedelta(days=days), agg="mean",
    )
    return mean.fillna(prior)


# %% null_without_history
"""A flight without history gets the prior"""


def smoothed_rate(entities, events, *, by, entity_time, event_time, value, days, prior, strength):
    names = dict(by=by, entity_time=entity_time, event_time=event_time, value=value)
    count = window(entities, events, window=timedelta(days=days), agg="count", **names)
    total = window(entities, events, window=timedelta(days=days), agg="sum", **names)
    return (total + prior * strength) / (count + strength)
