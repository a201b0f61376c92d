"""A NaN is no arrival: leave it out of both counts."""


def late_share(delays_min):
    return float(np.mean(delays_min >= LATE_MIN))
