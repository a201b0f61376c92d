"""cut the events by their available time"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    asked = entities[entities[entity_time] <= cutoff]
    known = events[events["at"] <= cutoff]
    changed = skew(build(asked, events), build(asked, known))
    return list(changed.index[changed > 0])
