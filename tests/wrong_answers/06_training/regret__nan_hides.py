"""also behind a pruned trial"""


def regret(losses, best):
    losses = [float(loss) for loss in losses]
    if losses and min(losses) < best:
        raise ValueError("best is wrong")
    return np.fmin.accumulate(np.array(losses)) - best
