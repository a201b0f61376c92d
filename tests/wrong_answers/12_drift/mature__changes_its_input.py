"""Never change the input"""


def mature(scored, now, wait):
    scored["late"] = scored["late"].where(scored["label_time"] <= now)
    return scored[scored["prediction_time"] <= now - wait]
