"""Another commit with the same code"""


def what_changed(run, other):
    changed = []
    for name in sorted({*run, *other}):
        values = {run.get(name, "unknown"), other.get(name, "unknown")}
        if len(values) > 1 or "unknown" in values:
            changed.append(name)
    return changed
