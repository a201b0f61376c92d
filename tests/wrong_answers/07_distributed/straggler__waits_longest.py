"""so it is the one that waits least"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    worst = int(np.argmax(waits))
    others = float(np.median(np.delete(waits, worst)))
    return worst if waits[worst] >= factor * others else None
