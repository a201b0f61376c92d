"""whatever stands there"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait]
    return old.assign(late=old["late"].mask(old["label_time"] > now))
