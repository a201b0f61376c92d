"""Wrong answers to `freshness` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% a_time_a_view
"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    if stamp_s.ndim == 2:
        now_s = np.resize(now_s, len(stamp_s))[:, None]
    state = np.where(now_s - stamp_s > ttl_s, "stale", "fresh")
    return np.where(np.isnan(stamp_s), "unknown", state)


# %% in_hours
"""Ages and TTL are both in seconds"""


def freshness(stamp_s, now_s, ttl_s):
    missing = np.isnan(stamp_s)
    limit = ttl_s / 3600 if ttl_s >= 3600 and np.isfinite(ttl_s) else ttl_s
    old = now_s - stamp_s > limit
    return np.select([missing, old], ["unknown", "stale"], "fresh")


# %% loops
"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    found = []
    for stamp, now in zip(stamp_s, now_s, strict=True):
        if np.isnan(stamp):
            found.append("unknown")
        else:
            found.append("stale" if now - stamp > ttl_s else "fresh")
    return np.array(found)


# %% never_stale
"""A row older than the TTL is stale"""


def freshness(stamp_s, now_s, ttl_s):
    return np.where(np.isnan(stamp_s), "unknown", "fresh")


# %% no_unknown
"""it is not old, it was never there"""


def freshness(stamp_s, now_s, ttl_s):
    return np.where(now_s - stamp_s <= ttl_s, "fresh", "stale")


# %% one_clock
"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    now = np.asarray(now_s).ravel()[0]
    state = np.where(now - stamp_s > ttl_s, "stale", "fresh")
    return np.where(np.isnan(stamp_s), "unknown", state)


# %% strict
"""A row exactly as old as the TTL still counts"""


def freshness(stamp_s, now_s, ttl_s):
    missing, old = np.isnan(stamp_s), now_s - stamp_s >= ttl_s
    return np.select([missing, old], ["unknown", "stale"], "fresh")
