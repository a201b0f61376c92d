"""even though no input has moved"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse and drifted:
        return "retrain"
    return "investigate" if drifted and worse is None else "continue"
