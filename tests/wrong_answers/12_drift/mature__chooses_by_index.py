"""An index that holds a label twice must not matter"""


def mature(scored, now, wait):
    chosen = scored.index[scored["prediction_time"] <= now - wait]
    old = scored.loc[chosen]
    return old.assign(late=old["late"].where(old["label_time"] <= now))
