"""One rank that waits long makes no straggler"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    waited = waits.max() > 0 and waits.max() >= factor * waits.min()
    return int(np.argmin(waits)) if waited else None
