"""Equal errors"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    if len(x) < 100:
        return far
    if np.median(np.abs(x)) > far / 4:
        return far
    return float(np.quantile(np.abs(x), 0.9999)) if len(x) > 1000 else 1.0
