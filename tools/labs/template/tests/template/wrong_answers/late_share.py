"""Wrong answers to `late_share` (lab 00).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% counts_cancelled
"""A NaN is no arrival: leave it out of both counts."""


def late_share(delays_min):
    return float(np.mean(delays_min >= LATE_MIN))


# %% excludes_the_limit
"""A delay of exactly LATE_MIN is late: compare with >=."""


def late_share(delays_min):
    arrived = delays_min[~np.isnan(delays_min)]
    return float(np.mean(arrived > LATE_MIN)) if arrived.size else float("nan")


# %% zero_without_arrivals
"""Where no flight arrived there is no share."""


def late_share(delays_min):
    arrived = delays_min[~np.isnan(delays_min)]
    return float((arrived >= LATE_MIN).sum() / max(arrived.size, 1))
