"""Wrong answers to `leaking_columns` (lab 04).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all_entities
"""ask only about entities up to the cutoff"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    known = events[events[available_time] <= cutoff]
    changed = skew(build(entities, events), build(entities, known))
    return list(changed.index[changed > 0])


# %% by_event_time
"""cut the events by their available time"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    asked = entities[entities[entity_time] <= cutoff]
    known = events[events["at"] <= cutoff]
    changed = skew(build(asked, events), build(asked, known))
    return list(changed.index[changed > 0])


# %% never_cut
"""compare the table with and without the later events"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    asked = entities[entities[entity_time] <= cutoff]
    changed = skew(build(asked, events), build(asked, events))
    return list(changed.index[changed > 0])


# %% nulls_leak
"""Two nulls agree"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    asked = entities[entities[entity_time] <= cutoff]
    full = build(asked, events)
    cut = build(asked, events[events[available_time] <= cutoff])
    return [c for c in full.columns if (full[c] != cut[c]).any()]
