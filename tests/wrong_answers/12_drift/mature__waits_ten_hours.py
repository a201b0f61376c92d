"""Use the wait that is asked for"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - pd.Timedelta("10h")]
    return old.assign(late=old["late"].where(old["label_time"] <= now))
