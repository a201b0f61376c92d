"""Take the mean over the late flights, not over all."""


def mean_late(delays_min):
    return float(np.nanmean(delays_min))
