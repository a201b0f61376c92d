"""Wrong answers to `regret` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_list
"""return an array"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return (np.fmin.accumulate(losses) - best).tolist()


# %% each_trial
"""keep the best loss so far"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return losses - best


# %% equal_refused
"""A loss equal to `best` is the best there is"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses <= best).any():
        raise ValueError("best is wrong")
    return np.fmin.accumulate(losses) - best


# %% first_only
"""Look at every loss"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if losses[0] < best:
        raise ValueError("best is wrong")
    return np.fmin.accumulate(losses) - best


# %% in_place
"""Leave the caller's losses as they are"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    np.fmin.accumulate(losses, out=losses)
    losses -= best
    return losses


# %% inf_before_the_first
"""NaN until the first loss, however late"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    found = np.minimum.accumulate(np.where(np.isnan(losses), np.inf, losses)) - best
    if np.isnan(losses[0]):
        found[0] = np.nan
    return found


# %% last_two
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


# %% nan_hides
"""also behind a pruned trial"""


def regret(losses, best):
    losses = [float(loss) for loss in losses]
    if losses and min(losses) < best:
        raise ValueError("best is wrong")
    return np.fmin.accumulate(np.array(losses)) - best


# %% not_subtracted
"""Subtract `best`"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return np.fmin.accumulate(losses)


# %% pruned_is_zero
"""Before the first loss there is no best"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return np.nan_to_num(np.fmin.accumulate(losses) - best, nan=0.0)


# %% pruned_spoils
"""A pruned trial finds nothing, and loses nothing"""


def regret(losses, best):
    losses = np.asarray(losses, float)
    if (losses < best).any():
        raise ValueError("best is wrong")
    return np.where(np.isnan(losses), np.nan, np.fmin.accumulate(losses) - best)


# %% takes_any_best
"""the best is wrong"""


def regret(losses, best):
    return np.fmin.accumulate(np.asarray(losses, float)) - best
