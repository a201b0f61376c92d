"""or nobody waits at all"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] else None
