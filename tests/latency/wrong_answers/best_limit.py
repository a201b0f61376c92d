"""Wrong answers to `best_limit` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% by_128
"""its own scale, limit / 127"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = [
        np.abs(dequantize_linear(quantize_linear(x, m / 128), m / 128) - x).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% first_valley_down
"""try every limit"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    best, least = None, np.inf
    for m in far * np.arange(tries, 0, -1) / tries:
        cut = np.clip(x, -m, m)
        back = dequantize_linear(quantize_linear(cut, m / 127), m / 127)
        error = np.abs(back - x).mean()
        if error > least:
            break
        best, least = (m, error) if error < least else (best, least)
    return float(best)


# %% first_valley_up
"""try every limit"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    best, least = None, np.inf
    for m in far * np.arange(1, tries + 1) / tries:
        cut = np.clip(x, -m, m)
        back = dequantize_linear(quantize_linear(cut, m / 127), m / 127)
        error = np.abs(back - x).mean()
        if error > least:
            break
        best, least = m, error
    return float(best)


# %% ignores_tries
"""Try exactly the limits"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(100, 0, -1) / 100
    errors = [
        np.abs(dequantize_linear(quantize_linear(x, m / 127), m / 127) - x).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% inside_only
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


# %% linspace
"""k from 1, and give each its own scale"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = np.linspace(0, far, max(tries, 2))[:0:-1]
    errors = [
        np.abs(dequantize_linear(quantize_linear(x, m / 127), m / 127) - x).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% minus_128
"""becomes -127, not -128"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = [
        np.abs(dequantize_linear(quantize_linear(x, m / 127), m / 127) - x).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% percentile
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


# %% root
"""Equal errors"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = [
        np.sqrt(np.abs(dequantize_linear(quantize_linear(x, m / 127), m / 127) - x)).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% signed
"""The farthest value may be negative"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(x.max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = [
        np.abs(dequantize_linear(quantize_linear(x, m / 127), m / 127) - x).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% smallest_of_equals
"""the larger limit wins"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(1, tries + 1) / tries
    errors = [
        np.abs(dequantize_linear(quantize_linear(x, m / 127), m / 127) - x).mean()
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% squared
"""take the mean absolute error"""


def best_limit(x, tries=100):
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = [
        np.mean((dequantize_linear(quantize_linear(x, m / 127), m / 127) - x) ** 2)
        for m in limits
    ]
    return float(limits[int(np.argmin(errors))])


# %% truncates
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
