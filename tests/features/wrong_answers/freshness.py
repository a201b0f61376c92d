"""Wrong answers to `freshness` (lab 05).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% in_hours
"""both in seconds"""


def freshness(stamp_s, now_s, ttl_s):
    limit = np.where(np.asarray(ttl_s) >= 3600, np.asarray(ttl_s) / 3600, ttl_s)
    old = now_s - stamp_s > limit
    return np.select([np.isnan(stamp_s), old], ["unknown", "stale"], "fresh")


# %% loops
"""The inputs broadcast"""


def freshness(stamp_s, now_s, ttl_s):
    found = []
    for stamp in stamp_s:
        if np.any(np.isnan(stamp)):
            found.append("unknown")
        else:
            found.append("stale" if np.all(now_s - stamp > ttl_s) else "fresh")
    return np.array(found)


# %% never_stale
"""A row older than the TTL is stale"""


def freshness(stamp_s, now_s, ttl_s):
    return np.where(np.isnan(stamp_s), "unknown", "fresh")


# %% no_unknown
"""it was never there"""


def freshness(stamp_s, now_s, ttl_s):
    return np.where(now_s - stamp_s > ttl_s, "stale", "fresh")


# %% strict
"""exactly as old as the TTL still counts"""


def freshness(stamp_s, now_s, ttl_s):
    old = now_s - stamp_s >= ttl_s
    return np.select([np.isnan(stamp_s), old], ["unknown", "stale"], "fresh")


# %% narrow_words
"""a word cut short"""


def freshness(stamp_s, now_s, ttl_s):
    state = np.where(now_s - stamp_s > ttl_s, "stale", "fresh")
    state[np.isnan(stamp_s)] = "unknown"
    return state


# %% arrays_only
"""A number is an input, too"""


def freshness(stamp_s, now_s, ttl_s):
    state = np.full(stamp_s.shape, "unknown")
    age = now_s - stamp_s
    state[age <= ttl_s] = "fresh"
    state[age > ttl_s] = "stale"
    return state
