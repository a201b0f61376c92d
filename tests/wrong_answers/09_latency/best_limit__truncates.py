"""do not cut off the fraction"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = []
    for m in limits:
        steps = np.clip(np.trunc(x / np.float32(m / 127)), -127, 127)
        errors.append(np.abs(steps * np.float32(m / 127) - x).mean())
    return float(limits[int(np.argmin(errors))])
