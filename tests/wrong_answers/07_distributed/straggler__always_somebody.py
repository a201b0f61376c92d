"""Nobody waits much longer"""


def straggler(wait_s, factor=3.0):
    return int(np.argmin(np.median(wait_s, axis=0)))
