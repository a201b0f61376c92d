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
