"""Where no flight arrived there is no share."""


def late_share(delays_min):
    arrived = delays_min[~np.isnan(delays_min)]
    return float((arrived >= LATE_MIN).sum() / max(arrived.size, 1))
