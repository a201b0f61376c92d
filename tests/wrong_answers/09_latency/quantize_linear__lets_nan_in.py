"""must give a ValueError that names it"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    with np.errstate(all="ignore"):
        steps = np.rint(x / along(scale, x.ndim, axis))
        steps = np.nan_to_num(steps) + along(zero_point, x.ndim, axis)
        return np.clip(steps, *LIMITS[dtype]).astype(dtype)
