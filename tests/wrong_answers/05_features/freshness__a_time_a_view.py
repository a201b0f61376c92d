"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    if stamp_s.ndim == 2:
        now_s = np.resize(now_s, len(stamp_s))[:, None]
    state = np.where(now_s - stamp_s > ttl_s, "stale", "fresh")
    return np.where(np.isnan(stamp_s), "unknown", state)
