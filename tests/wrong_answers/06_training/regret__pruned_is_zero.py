"""Before the first loss there is no best"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return np.nan_to_num(np.fmin.accumulate(losses) - best, nan=0.0)
