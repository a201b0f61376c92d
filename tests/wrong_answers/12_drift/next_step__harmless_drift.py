"""no reason to act"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse:
        return "retrain"
    return "investigate" if drifted else "continue"
