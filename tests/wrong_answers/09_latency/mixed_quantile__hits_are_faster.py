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
