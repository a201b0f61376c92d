"""too young is in"""


def mature(scored, now, wait):
    return scored[scored["label_time"] <= now]
