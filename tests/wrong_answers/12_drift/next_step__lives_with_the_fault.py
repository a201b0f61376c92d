"""even while the model holds out"""


def next_step(broken, drifted, worse):
    if broken and worse is not False:
        return "investigate"
    if worse:
        return "retrain"
    return "investigate" if drifted and worse is None else "continue"
