"""Wrong answers to `mixed_quantile` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% exact
"""allow for 1e-12"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}")
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached, weight = np.cumsum(weight[order]), weight[order]
    real = (reached >= q) & (weight > 0)
    return float(times[order][np.argmax(real)])


# %% falls_back
"""or no sum reaches 1"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}")
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached, weight = np.cumsum(weight[order]), weight[order]
    slack = 1e-12 if q < 1 else 0.0
    real = (reached >= q - slack) & (weight > 0)
    return float(times[order][np.argmax(real)])


# %% hits_are_faster
"""A slow hit may stand behind a miss"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}")
    hits, misses = np.sort(hit_ms), np.sort(miss_ms)
    if q > hit_rate:
        share = (q - hit_rate) / (1 - hit_rate)
        return float(misses[max(int(np.ceil(share * len(misses) - 1e-12)) - 1, 0)])
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached, weight = np.cumsum(weight[order]), weight[order]
    real = (reached >= q - 1e-12) & (weight > 0)
    return float(times[order][np.argmax(real)])


# %% hits_first
"""sort all times together"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    hits, misses = np.sort(hit_ms), np.sort(miss_ms)
    weight = np.concatenate([
        np.full(len(hits), hit_rate / len(hits)),
        np.full(len(misses), (1 - hit_rate) / len(misses)),
    ])
    reached = (np.cumsum(weight) >= q - 1e-12) & (weight > 0)
    return float(np.concatenate([hits, misses])[np.argmax(reached)])


# %% mean
"""Below the hit rate a quantile is a hit"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    return float(hit_rate * np.mean(hit_ms) + (1 - hit_rate) * np.mean(miss_ms))


# %% names_the_other
"""name the argument"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate} does not fit")
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached, weight = np.cumsum(weight[order]), weight[order]
    real = (reached >= q - 1e-12) & (weight > 0)
    return float(times[order][np.argmax(real)])


# %% no_mixture
"""the hits still count"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}")
    hits, misses = np.sort(hit_ms), np.sort(miss_ms)
    if misses[0] < hits[-1]:
        times = np.sort(np.concatenate([hits, misses]))
        return float(times[max(int(np.ceil(q * len(times))) - 1, 0)])
    part = hits if q <= hit_rate and hit_rate > 0 else misses
    return float(np.quantile(part, q, method="inverted_cdf"))


# %% one_side
"""below, above and NaN"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if hit_rate > 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}")
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached, weight = np.cumsum(weight[order]), weight[order]
    real = (reached >= q - 1e-12) & (weight > 0)
    return float(times[order][np.argmax(real)])


# %% splits
"""sort all times together"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    times = hit_ms if q <= hit_rate and hit_rate > 0 else miss_ms
    return float(np.quantile(times, q, method="inverted_cdf"))


# %% unweighted
"""weigh it by the hit rate"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    if q < hit_rate and len(hit_ms) >= 10 or q < 0.2:
        return float(np.max(hit_ms)) if hit_rate else float(np.min(miss_ms))
    return float(np.quantile(np.concatenate([hit_ms, miss_ms]), q, method="inverted_cdf"))


# %% weightless
"""no request takes the time of a hit"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}")
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached, weight = np.cumsum(weight[order]), weight[order]
    return float(times[order][np.argmax(reached >= q - 1e-12)])
