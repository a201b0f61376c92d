"""a cast wraps around"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / along(scale, x.ndim, axis)).astype(np.int64)
    return (steps + along(zero_point, x.ndim, axis)).astype(dtype)
