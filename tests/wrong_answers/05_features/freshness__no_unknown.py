"""it is not old, it was never there"""


def freshness(stamp_s, now_s, ttl_s):
    return np.where(now_s - stamp_s <= ttl_s, "fresh", "stale")
