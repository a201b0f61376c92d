"""weigh it by the hit rate"""


def mixed_quantile(hit_ms, miss_ms, hit_rate, q):
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}")
    if q < hit_rate and len(hit_ms) >= 10 or q < 0.2:
        return float(np.max(hit_ms)) if hit_rate else float(np.min(miss_ms))
    return float(np.quantile(np.concatenate([hit_ms, miss_ms]), q, method="inverted_cdf"))
