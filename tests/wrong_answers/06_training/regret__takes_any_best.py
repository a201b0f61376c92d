"""the best is wrong"""


def regret(losses, best):
    return np.fmin.accumulate(np.asarray(losses, float)) - best
