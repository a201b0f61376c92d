"""NaN until the first loss, however late"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    found = np.minimum.accumulate(np.where(np.isnan(losses), np.inf, losses)) - best
    if np.isnan(losses[0]):
        found[0] = np.nan
    return found
