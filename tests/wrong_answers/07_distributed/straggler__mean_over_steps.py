"""Two odd steps decided"""


def straggler(wait_s, factor=3.0):
    waits = np.mean(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None
