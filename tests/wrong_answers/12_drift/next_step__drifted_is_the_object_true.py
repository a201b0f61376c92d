"""`broken` and `drifted` come from NumPy"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse is None:
        return "investigate" if drifted is True else "continue"
    return "retrain" if worse else "continue"
