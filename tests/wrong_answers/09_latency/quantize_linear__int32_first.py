"""a huge number does not fit int32"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    with np.errstate(all="ignore"):
        steps = np.rint(x / along(scale, x.ndim, axis)).astype(np.int32)
    steps = steps + along(zero_point, x.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)
