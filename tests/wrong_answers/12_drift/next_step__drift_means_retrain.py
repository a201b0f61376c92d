"""Drift without mature labels is a question"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    return "retrain" if drifted or worse else "continue"
