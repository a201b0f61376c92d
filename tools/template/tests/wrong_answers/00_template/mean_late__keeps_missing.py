"""A NaN is not late: leave it out of the mean."""


def mean_late(delays_min):
    return float(delays_min[~(delays_min < LATE_MIN)].mean())
