"""ask only about entities up to the cutoff"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    known = events[events[available_time] <= cutoff]
    changed = skew(build(entities, events), build(entities, known))
    return list(changed.index[changed > 0])
