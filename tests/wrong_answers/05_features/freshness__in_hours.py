"""Ages and TTL are both in seconds"""


def freshness(stamp_s, now_s, ttl_s):
    missing = np.isnan(stamp_s)
    limit = ttl_s / 3600 if ttl_s >= 3600 and np.isfinite(ttl_s) else ttl_s
    old = now_s - stamp_s > limit
    return np.select([missing, old], ["unknown", "stale"], "fresh")
