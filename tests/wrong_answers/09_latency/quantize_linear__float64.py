"""Divide in float32"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, float), np.asarray(scale, float)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / along(scale, x.ndim, axis)) + along(zero_point, x.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)
