"""only `late` becomes null"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old[["late", "label_time"]] = old[["late", "label_time"]].where(known)
    return old
