"""Never retrain on a broken feed"""


def next_step(broken, drifted, worse):
    if worse:
        return "retrain"
    return "investigate" if broken or (drifted and worse is None) else "continue"
