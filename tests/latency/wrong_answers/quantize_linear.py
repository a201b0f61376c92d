"""Wrong answers to `quantize_linear` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% clips_early
"""Cut off after adding the zero point"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.clip(np.rint(x / along(scale, x.ndim, axis)), *LIMITS[dtype])
    return (steps + along(zero_point, x.ndim, axis)).astype(np.int64).astype(dtype)


# %% float64
"""Divide in float32"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, float), np.asarray(scale, float)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / along(scale, x.ndim, axis)) + along(zero_point, x.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% floor
"""use np.rint, not floor"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.floor(x / along(scale, x.ndim, axis) + 0.5)
    steps = steps + along(zero_point, x.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% int32_first
"""a huge number does not fit int32"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    with np.errstate(all="ignore"):
        steps = np.rint(x / along(scale, x.ndim, axis)).astype(np.int32)
    steps = steps + along(zero_point, x.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% last_axis
"""The axis counts"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / scale) + np.asarray(zero_point)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% lets_nan_in
"""must give a ValueError that names it"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    with np.errstate(all="ignore"):
        steps = np.rint(x / along(scale, x.ndim, axis))
        steps = np.nan_to_num(steps) + along(zero_point, x.ndim, axis)
        return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% multiplies
"""Divide by the scale"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x * along(1 / scale, x.ndim, axis))
    steps = steps + along(zero_point, x.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% one_type
"""The ends depend on the type"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / along(scale, x.ndim, axis)) + along(zero_point, x.ndim, axis)
    return np.clip(steps, -128, 127).astype(np.int16).astype(dtype)


# %% only_zero
"""A scale that is not more than zero"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if np.ndim(scale) == 0 and scale == 0 or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    with np.errstate(all="ignore"):
        steps = np.rint(x / along(scale, x.ndim, axis))
        steps = np.nan_to_num(steps) + along(zero_point, x.ndim, axis)
        return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% uint8_uncut
"""is cut off below 0 and above 255"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / along(scale, x.ndim, axis)) + along(zero_point, x.ndim, axis)
    if dtype == "int8":
        steps = np.clip(steps, -128, 127)
    return steps.astype(np.int64).astype(dtype)


# %% wraps
"""a cast wraps around"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = np.rint(x / along(scale, x.ndim, axis)).astype(np.int64)
    return (steps + along(zero_point, x.ndim, axis)).astype(dtype)


# %% zero_before_rounding
"""Round first"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all() or np.isnan(x).any():
        raise ValueError("a scale is not positive, or x holds NaN.")
    steps = x / along(scale, x.ndim, axis) + along(zero_point, x.ndim, axis)
    return np.clip(np.rint(steps), *LIMITS[dtype]).astype(dtype)
