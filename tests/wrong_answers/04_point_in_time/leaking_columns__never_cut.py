"""compare the table with and without the later events"""


def leaking_columns(build, entities, events, *, entity_time, available_time, cutoff):
    asked = entities[entities[entity_time] <= cutoff]
    changed = skew(build(asked, events), build(asked, events))
    return list(changed.index[changed > 0])
