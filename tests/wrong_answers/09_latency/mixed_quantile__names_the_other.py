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
