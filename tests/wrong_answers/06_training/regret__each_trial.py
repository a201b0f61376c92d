"""keep the best loss so far"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return losses - best
