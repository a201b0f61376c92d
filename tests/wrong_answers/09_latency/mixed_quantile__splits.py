"""sort all times together"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    times = hit_ms if q <= hit_rate and hit_rate > 0 else miss_ms
    return float(np.quantile(times, q, method="inverted_cdf"))
