"""leave the straggler itself out"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(waits))
    return slowest if others >= factor * waits[slowest] and others > 0 else None
