"""A name that only the other run has"""


def what_changed(run, other):
    return sorted(name for name in run if run[name] != other.get(name))
