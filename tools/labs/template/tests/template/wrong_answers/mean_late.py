"""Wrong answers to `mean_late` (lab 00).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% keeps_missing
"""A NaN is not late: leave it out of the mean."""


def mean_late(delays_min):
    return float(delays_min[~(delays_min < LATE_MIN)].mean())


# %% mean_of_all
"""Take the mean over the late flights, not over all."""


def mean_late(delays_min):
    return float(np.nanmean(delays_min))
