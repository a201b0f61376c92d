"""Wrong answers to `mixed_quantile` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% misses_alone
"""Below the hit rate a quantile is a hit"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    return float(np.quantile(miss_ms, q))


# %% unweighted
"""Below the hit rate a quantile is a hit"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.sort(np.concatenate([hit_ms, miss_ms]))
    return float(times[max(int(np.ceil(q * len(times))) - 1, 0)])


# %% equal_weight_for_every_sample
"""The hit rate weighs, not the samples"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    hits, misses = np.sort(hit_ms), np.sort(miss_ms)
    if len(hits) > 1:
        each = [hit_rate / len(hits), (1 - hit_rate) / len(misses)]
    else:
        each = [1 / (len(hits) + len(misses))] * 2
    times = np.concatenate([hits, misses])
    weight = np.repeat(each, [len(hits), len(misses)])
    order = np.argsort(times, kind="stable")
    return float(times[order][np.argmax(np.cumsum(weight[order]) >= q - 1e-12)])


# %% mean_of_two
"""A p75 is no mean of two quantiles"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if q < hit_rate:
        return float(np.quantile(hit_ms, q))
    return float(
        hit_rate * np.quantile(hit_ms, q) + (1 - hit_rate) * np.quantile(miss_ms, q)
    )


# %% hits_first
"""Sort all times together"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    hits, misses = np.sort(hit_ms), np.sort(miss_ms)
    times = np.concatenate([hits, misses])
    each = [hit_rate / len(hits), (1 - hit_rate) / len(misses)]
    weight = np.repeat(each, [len(hits), len(misses)])
    reached = np.cumsum(weight) >= q - 1e-12
    return float(times[reached & (weight > 0)][0])


# %% misses_only_until_all_hit
"""Above 99% hits the p99 is a hit"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    found = times[order][np.argmax(np.cumsum(weight[order]) >= q - 1e-12)]
    return float(np.min(miss_ms) if q >= 0.99 and hit_rate else found)


# %% exact_sums
"""Sums of weights are rounded"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    reached = (np.cumsum(weight) >= q) & (weight > 0)
    return float(times[np.argmax(reached)])


# %% falls_short_at_one
"""At q=1 it is the slowest"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    slack = 1e-12 if q < 1 else -1e-9
    reached = (np.cumsum(weight) >= q - slack) & (weight > 0)
    return float(times[np.argmax(reached)])


# %% weightless_hits
"""Without hits no request takes a hit's time"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    return float(times[order][np.argmax(np.cumsum(weight[order]) >= q - 1e-12)])


# %% the_fastest_of_all_at_zero
"""Without hits no request takes a hit's time"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    if q == 0:
        return float(times.min())
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    reached = (np.cumsum(weight) >= q - 1e-12) & (weight > 0)
    return float(times[np.argmax(reached)])


# %% interpolates
"""do not interpolate"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    times, weight = times[weight > 0], weight[weight > 0]
    return float(np.interp(q, np.cumsum(weight), times))


# %% interpolates_within_a_kind
"""do not interpolate"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if q <= hit_rate and hit_rate:
        return float(np.quantile(hit_ms, q / hit_rate))
    return float(np.quantile(miss_ms, (q - hit_rate) / (1 - hit_rate)))


# %% more_than_the_share
"""The share q itself is enough"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    times = np.concatenate([hit_ms, miss_ms])
    each = [hit_rate / len(hit_ms), (1 - hit_rate) / len(miss_ms)]
    weight = np.repeat(each, [len(hit_ms), len(miss_ms)])
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    reached = (np.cumsum(weight) > q) & (weight > 0)
    return float(times[reached][0] if reached.any() else times[-1])
