"""Below the hit rate a quantile is a hit"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    return float(hit_rate * np.mean(hit_ms) + (1 - hit_rate) * np.mean(miss_ms))
