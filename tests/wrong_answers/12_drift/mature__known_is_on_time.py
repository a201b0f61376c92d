"""a label as it is if it becomes known"""


def mature(scored, now, wait):
    old = scored[scored["prediction_time"] <= now - wait].copy()
    known = old["label_time"] <= now
    old["late"] = pd.array([False if k else pd.NA for k in known], dtype="boolean")
    return old
