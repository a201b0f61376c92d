"""Look at every loss"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if losses[0] < best:
        raise ValueError("best is wrong")
    return np.fmin.accumulate(losses) - best
