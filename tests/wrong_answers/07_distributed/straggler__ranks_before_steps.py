"""not the other way round"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(waits.argmin())
    others = np.median(np.median(np.delete(wait_s, slowest, axis=1), axis=1))
    return slowest if others >= factor * waits[slowest] and others > 0 else None
