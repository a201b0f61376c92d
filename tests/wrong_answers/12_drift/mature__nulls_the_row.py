"""only `late` becomes null"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.where(old["label_time"] <= now)
