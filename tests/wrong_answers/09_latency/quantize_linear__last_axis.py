"""The axis counts"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / scale) + np.asarray(zero_point)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)
