"""Scales for quantization, with the refusals that the lab's version leaves out."""

import numpy as np
import numpy.typing as npt

from flightline.latency import core


def scale_for(
    x: npt.ArrayLike,
    *,
    symmetric: bool = True,
    axis: int | None = None,
    dtype: str = "int8",
) -> tuple[core.Floats, npt.NDArray[np.int32]]:
    """Choose scale and zero point so that a tensor's range fits, and 0.0 is exact.

    Parameters
    ----------
    x : array_like of float
        The tensor, finite and not empty.
    symmetric : bool
        Zero point 0, and steps from -127 to 127; only for int8. Otherwise affine: the
        steps span from the least to the greatest value.
    axis : int, optional
        One scale for each place on this axis (per channel); by default one in all.
    dtype : {"int8", "uint8"}
        What the steps are stored as.

    Returns
    -------
    scale : float32, a single number or one per channel
    zero_point : int32, likewise

    Raises
    ------
    ValueError
        If a value is not finite as float32, its range is wider than float32, there is
        no such axis or dtype, or uint8 is to be symmetric.
    """
    if dtype not in core.LIMITS:
        raise ValueError(f"dtype={dtype!r}: give one of {', '.join(core.LIMITS)}.")
    values = np.asarray(x)
    if axis is not None and not -values.ndim <= axis < values.ndim:
        raise ValueError(f"axis={axis}: the tensor has {values.ndim} axes.")
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = values.astype(np.float32)
        wide = narrow.size and np.isinf(narrow.max() - narrow.min())
    if np.isfinite(narrow).all() and wide:
        raise ValueError("the range of x is wider than float32 holds. Scale x down.")
    return core.scale_for(narrow, symmetric=symmetric, axis=axis, dtype=dtype)
