"""keep its columns"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    old = old[["prediction_time", "label_time", "late"]]
    return old.assign(late=old["late"].where(old["label_time"] <= now))
