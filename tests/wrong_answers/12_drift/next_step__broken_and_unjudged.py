"""whatever the other two say"""


def next_step(broken, drifted, worse):
    if broken and (drifted or worse is not None):
        return "investigate"
    if worse:
        return "retrain"
    return "investigate" if drifted and worse is None else "continue"
