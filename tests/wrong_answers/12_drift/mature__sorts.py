"""in the order of the table"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].sort_index(kind="stable")
    return old.assign(late=old["late"].where(old["label_time"] <= now))
