"""not with their longest or mean wait"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.mean(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None
