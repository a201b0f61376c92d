"""the error is taken over all values"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = []
    for m in limits:
        inside = x[np.abs(x) <= m]
        back = dequantize_linear(quantize_linear(inside, m / 127), m / 127)
        errors.append(np.abs(back - inside).mean() if len(inside) else np.inf)
    return float(limits[int(np.argmin(errors))])
