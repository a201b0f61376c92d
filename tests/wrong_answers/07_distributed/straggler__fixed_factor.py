"""take it from the argument"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= 3 * waits[slowest] and others > 0 else None
