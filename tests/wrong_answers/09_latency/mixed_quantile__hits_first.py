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
