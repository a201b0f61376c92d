"""`broken` and `drifted` come from NumPy"""


def next_step(broken, drifted, worse):
    if broken is True:
        return "investigate"
    if worse is None:
        return "investigate" if drifted else "continue"
    return "retrain" if worse else "continue"
