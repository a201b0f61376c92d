"""the type boolean of `late`"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old["late"] = np.where(known, old["late"].astype(float), np.nan)
    return old
