"""Wrong answers to `quantize_linear` (lab 09).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% floors
"""Divide by the scale, then round"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.floor(numbers / scales) + along(zero_point, numbers.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% multiplies
"""Divide by the scale, then round"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.rint(numbers * scales) + along(zero_point, numbers.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% halves_up
"""Halves go to the even neighbour"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.floor(numbers / scales + 0.5) + along(zero_point, numbers.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% no_zero_point
"""0.0 becomes the zero point"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    return np.clip(np.rint(numbers / scales), *LIMITS[dtype]).astype(dtype)


# %% zero_point_first
"""Round first, then add the zero point"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.rint(numbers / scales + along(zero_point, numbers.ndim, axis))
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% in_float64
"""Divide in float32, both numbers"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, float)
    scales = along(np.asarray(scale, float), numbers.ndim, axis)
    steps = np.rint(numbers / scales) + along(zero_point, numbers.ndim, axis)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% cast_wraps
"""Cut before the cast, which wraps"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.rint(numbers / scales) + along(zero_point, numbers.ndim, axis)
    return steps.astype(np.int32).astype(dtype)


# %% cut_too_early
"""Cut after adding the zero point"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.clip(np.rint(numbers / scales), *LIMITS[dtype]).astype(np.int32)
    return (steps + along(zero_point, numbers.ndim, axis)).astype(dtype)


# %% always_int8
"""The ends depend on the type"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.rint(numbers / scales) + along(zero_point, numbers.ndim, axis)
    return np.clip(steps, -128, 127).astype(np.int32).astype(dtype)


# %% last_axis_always
"""The axis counts"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers, scales = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    steps = np.rint(numbers / scales) + np.asarray(zero_point)
    return np.clip(steps, *LIMITS[dtype]).astype(dtype)


# %% still_float
"""Return whole numbers of the dtype int8"""


def quantize_linear(x, scale, zero_point=0, *, axis=None, dtype="int8"):
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.rint(numbers / scales) + along(zero_point, numbers.ndim, axis)
    return np.clip(steps, *LIMITS[dtype])
