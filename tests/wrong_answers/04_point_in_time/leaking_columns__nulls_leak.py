"""Two nulls agree"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    asked = entities[entities[entity_time] <= cutoff]
    full = build(asked, events)
    cut = build(asked, events[events[available_time] <= cutoff])
    return [c for c in full.columns if (full[c] != cut[c]).any()]
