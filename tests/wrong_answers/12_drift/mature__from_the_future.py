"""A label from the future"""


def mature(scored, now, wait):
    return scored[scored["prediction_time"] <= now - wait]
