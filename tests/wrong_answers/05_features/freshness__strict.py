"""A row exactly as old as the TTL still counts"""


def freshness(stamp_s, now_s, ttl_s):
    missing, old = np.isnan(stamp_s), now_s - stamp_s >= ttl_s
    return np.select([missing, old], ["unknown", "stale"], "fresh")
