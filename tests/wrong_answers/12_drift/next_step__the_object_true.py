"""NumPy's True is not the object True"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse is True:
        return "retrain"
    return "investigate" if drifted and worse is not False else "continue"
