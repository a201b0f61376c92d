"""A row older than the TTL is stale"""


def freshness(stamp_s, now_s, ttl_s):
    return np.where(np.isnan(stamp_s), "unknown", "fresh")
