"""who waits least in most steps"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.bincount(np.asarray(wait_s).argmin(axis=1)).argmax())
    others = np.median(np.delete(waits, slowest))
    return slowest if others >= factor * waits[slowest] and others > 0 else None
