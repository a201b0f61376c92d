"""A delay of exactly LATE_MIN is late: compare with >=."""


def late_share(delays_min):
    arrived = delays_min[~np.isnan(delays_min)]
    return float(np.mean(arrived > LATE_MIN)) if arrived.size else float("nan")
