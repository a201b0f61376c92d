"""at or before now - wait"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] < now - wait]
    return old.assign(late=old["late"].where(old["label_time"] <= now))
