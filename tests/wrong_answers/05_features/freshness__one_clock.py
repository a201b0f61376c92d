"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    now = np.asarray(now_s).ravel()[0]
    state = np.where(now - stamp_s > ttl_s, "stale", "fresh")
    return np.where(np.isnan(stamp_s), "unknown", state)
