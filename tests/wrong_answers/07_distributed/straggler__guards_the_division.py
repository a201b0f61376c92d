"""a rank that never waits, while the others do"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(waits.argmin())
    others = np.median(np.delete(waits, slowest))
    least = waits[slowest]
    return slowest if least > 0 and others / least >= factor else None
