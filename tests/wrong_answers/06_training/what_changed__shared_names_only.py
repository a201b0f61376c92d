"""A name that only one run has"""


def what_changed(run, other):
    changed = [n for n in run if n in other and run[n] != other[n]]
    return sorted(changed)
