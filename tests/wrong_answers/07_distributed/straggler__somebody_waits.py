"""also if the others do not wait at all"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(waits.argmin())
    others = np.median(np.delete(waits, slowest))
    return slowest if waits.any() and others >= factor * waits[slowest] else None
