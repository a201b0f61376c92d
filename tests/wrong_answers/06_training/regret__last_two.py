"""not of the last two"""


def regret(losses, best):
    found, last, now = [], np.nan, np.nan
    for loss in losses:
        if loss < best:
            raise ValueError("best is wrong")
        if not np.isnan(loss):
            now, last = np.fmin(last, loss), loss
        found.append(now - best)
    return np.array(found)
