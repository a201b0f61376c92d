"""Unknown in both runs is not the same in both"""


def what_changed(run, other):
    return sorted(n for n in {*run, *other} if run.get(n) != other.get(n))
