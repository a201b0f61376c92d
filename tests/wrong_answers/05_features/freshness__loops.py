"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    found = []
    for stamp, now in zip(stamp_s, now_s, strict=True):
        if np.isnan(stamp):
            found.append("unknown")
        else:
            found.append("stale" if now - stamp > ttl_s else "fresh")
    return np.array(found)
