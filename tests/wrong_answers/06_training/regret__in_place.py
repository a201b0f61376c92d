"""Leave the caller's losses as they are"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    np.fmin.accumulate(losses, out=losses)
    losses -= best
    return losses
