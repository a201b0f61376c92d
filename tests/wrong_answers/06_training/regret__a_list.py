"""return an array"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return (np.fmin.accumulate(losses) - best).tolist()
