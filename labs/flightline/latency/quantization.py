"""Numbers on the steps of a scale, and quantized models."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.latency import core
from flightline.training import Predictor, Transform, open_model

if TYPE_CHECKING:
    import onnx

Floats = npt.NDArray[np.float32]
LIMITS = core.LIMITS
"""The least and the greatest step of each type."""

METHODS = ("static", "dynamic")


def _limits(dtype: str) -> tuple[int, int]:
    """Return the ends of a type; a ValueError if it holds no steps."""
    if dtype not in LIMITS:
        raise ValueError(f"dtype={dtype!r}: give one of {', '.join(LIMITS)}.")
    return LIMITS[dtype]


def _check_axis(ndim: int, axis: int | None) -> None:
    """Refuse an axis that a tensor does not have."""
    if axis is not None and not -ndim <= axis < ndim:
        raise ValueError(f"axis={axis}: the tensor has {ndim} axes.")


def _check_places(
    name: str, values: npt.ArrayLike, shape: tuple[int, ...], axis: int | None
) -> None:
    """Refuse what is neither one number nor one for each place on the axis."""
    found = np.shape(values)
    wanted = (1,) if axis is None else (shape[axis],)
    if found not in ((), wanted):
        places = "no axis is named" if axis is None else f"axis {axis} has {wanted[0]}"
        raise ValueError(
            f"{name} has the shape {found}, and {places}. Give a single number, or one "
            "for each place on the axis."
        )


def _finite(x: npt.ArrayLike) -> Floats:
    """Return numbers as float32; refuse none at all, NaN, and what float32 lacks."""
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = np.asarray(x).astype(np.float32)
        if not narrow.size or not np.isfinite(narrow).all():
            raise ValueError(
                "x is empty or holds NaN or infinity. Give finite numbers."
            )
        if np.isinf(narrow.max() - narrow.min()):
            raise ValueError(
                "the range of x is wider than float32 holds. Scale x down."
            )
    return narrow


def scale_for(
    x: npt.ArrayLike,
    *,
    symmetric: bool = True,
    axis: int | None = None,
    dtype: str = "int8",
) -> tuple[Floats, npt.NDArray[np.int32]]:
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

    Examples
    --------
    >>> scale, zero = scale_for([[-1.0, 2.54], [0.5, 0.0]], axis=1)
    >>> [f"{width:.4f}" for width in scale], zero.tolist()
    (['0.0079', '0.0200'], [0, 0])
    """
    bottom, top = _limits(dtype)
    if symmetric and dtype != "int8":
        raise ValueError(f"symmetric steps need int8, not {dtype}.")
    narrow = _finite(x)
    _check_axis(narrow.ndim, axis)
    others = tuple(
        place
        for place in range(narrow.ndim)
        if axis is None or place != axis % narrow.ndim
    )
    low, high = np.minimum(narrow.min(others), 0), np.maximum(narrow.max(others), 0)
    span = np.maximum(-low, high) / 127 if symmetric else (high - low) / (top - bottom)
    scale = np.where(span > 0, span, 1).astype(np.float32)
    if symmetric:
        return scale, np.zeros_like(scale, np.int32)
    zero = np.clip(np.rint(bottom - low / scale), bottom, top)
    return scale, zero.astype(np.int32)


def quantize_linear(
    x: npt.ArrayLike,
    scale: npt.ArrayLike,
    zero_point: npt.ArrayLike = 0,
    *,
    axis: int | None = None,
    dtype: str = "int8",
) -> npt.NDArray[Any]:
    """Put numbers on the steps of a scale, as ONNX's QuantizeLinear does.

    Parameters
    ----------
    x : array_like of float
        The tensor. Infinite values, and such that float32 cannot hold, end up on the
        last step of their side.
    scale : float or one per place on the axis
        The width of a step as float32, finite and more than zero.
    zero_point : int or one per place on the axis
        The step that stands for 0.0; a step of `dtype`.
    axis : int, optional
        Where scales belong, if there are several.
    dtype : {"int8", "uint8"}
        What the steps are stored as.

    Returns
    -------
    array of int8 or uint8, the shape of x
        `round(x / scale) + zero_point`, halves to even, cut off at the ends.

    Raises
    ------
    ValueError
        If a value is missing (NaN has no step), a scale is no positive number, a zero
        point is no step of the dtype, there is no such axis or dtype, or the numbers of
        scales or zero points and of places on the axis differ.

    Examples
    --------
    >>> quantize_linear([-1.0, 0.26, 99.0], 0.5).tolist()
    [-2, 1, 127]
    """
    bottom, top = _limits(dtype)
    with np.errstate(over="ignore"):
        values = np.asarray(x).astype(np.float32)
        widths = np.asarray(scale).astype(np.float32)
    _check_axis(values.ndim, axis)
    _check_places("scale", widths, values.shape, axis)
    _check_places("zero_point", zero_point, values.shape, axis)
    if not ((widths > 0) & np.isfinite(widths)).all():
        raise ValueError("a scale is not positive and finite. A step needs a width.")
    zeros = np.asarray(zero_point)
    if not ((zeros >= bottom) & (zeros <= top) & (zeros == np.rint(zeros))).all():
        raise ValueError(f"a zero point is no step of {dtype}: {bottom} to {top}.")
    if np.isnan(values).any():
        raise ValueError("x holds NaN, which has no step. Fill missing values first.")
    with np.errstate(over="ignore"):  # too far out is the last step
        return core.quantize_linear(
            values, widths, zeros.astype(np.int32), axis=axis, dtype=dtype
        )


def dequantize_linear(
    q: npt.ArrayLike,
    scale: npt.ArrayLike,
    zero_point: npt.ArrayLike = 0,
    *,
    axis: int | None = None,
) -> Floats:
    """Turn steps back into numbers, as ONNX's DequantizeLinear does.

    Parameters
    ----------
    q : array_like of int
        The steps.
    scale : float or one per place on the axis
        The width of a step.
    zero_point : int or one per place on the axis
        The step that stands for 0.0.
    axis : int, optional
        Where scales belong, if there are several.

    Returns
    -------
    array of float32, the shape of q
        `(q - zero_point) * scale`.

    Raises
    ------
    ValueError
        If there is no such axis, or the numbers of scales or zero points and of places
        on it differ.

    Examples
    --------
    >>> dequantize_linear([-2, 1, 127], 0.5).tolist()
    [-1.0, 0.5, 63.5]
    """
    shape = np.shape(q)
    _check_axis(len(shape), axis)
    _check_places("scale", scale, shape, axis)
    _check_places("zero_point", zero_point, shape, axis)
    return core.dequantize_linear(q, scale, zero_point, axis=axis)


class Calibration:
    """Rows for ONNX Runtime to choose the scales of activations by, part by part.

    Parameters
    ----------
    transform : Transform
        The model's.
    rows : DataFrame with FEATURES
        Rows such as the model will meet.
    size : int
        Rows in a part.
    """

    def __init__(self, transform: Transform, rows: pd.DataFrame, size: int = 256):
        self._parts = (rows.iloc[at : at + size] for at in range(0, len(rows), size))
        self._transform = transform

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        """Return what the model takes for the next part; None after the last."""
        part = next(self._parts, None)
        if part is None:
            return None
        codes, numbers = self._transform.codes(part), self._transform.numbers(part)
        return {"categorical": codes, "numeric": numbers}


def _inner_layers(graph: "onnx.GraphProto") -> dict[str, list[str]]:
    """Return the options that quantize linear layers alone, without the last."""
    last = [node.name for node in graph.node if node.op_type == "Gemm"][-1]
    return {
        "op_types_to_quantize": ["Gemm", "MatMul", "Relu"],
        "nodes_to_exclude": [last, f"{last}_MatMul"],  # the dynamic tool renames
    }


def quantize_model(
    model: Predictor,
    rows: pd.DataFrame | None = None,
    *,
    method: str = "static",
    per_channel: bool = True,
    whole: bool = False,
    version: str = "",
) -> Predictor:
    """Quantize a network to INT8 with ONNX Runtime: symmetric int8 weights.

    Parameters
    ----------
    model : Predictor
        A network, as `training.load_model` opens it.
    rows : DataFrame with FEATURES, optional
        Training rows for calibration; needed by the static method.
    method : {"static", "dynamic"}
        Scales of activations: fixed from `rows` (int8, QDQ), or new in each call.
    per_channel : bool
        One weight scale for each output, or one in all.
    whole : bool
        Quantize every operator; by default linear layers alone, without the last.
    version : str, optional
        The new model's version; by default the old one and the method.

    Returns
    -------
    Predictor
        The same name and transform; its precision is "int8".

    Raises
    ------
    ValueError
        If the model is no network, the method is unknown, or static without rows.
    """
    if model.kind != "mlp":
        raise ValueError(f"{model.name} is of kind {model.kind}: give a network (mlp).")
    static = method == "static"
    if method not in METHODS or (static and (rows is None or rows.empty)):
        raise ValueError(f"method={method!r}: static (with rows), or dynamic.")
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        source, ready, target = (str(Path(folder, f"{n}.onnx")) for n in "abc")
        Path(source).write_bytes(model.content)
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        int8 = quantization.QuantType.QInt8
        how: dict[str, Any] = {"per_channel": per_channel, "weight_type": int8}
        how |= {} if whole else _inner_layers(onnx.load(ready).graph)
        if static and rows is not None:  # in QDQ form
            reader = Calibration(model.transform, rows)
            quantization.quantize_static(
                ready, target, reader, activation_type=int8, **how
            )
        else:
            quantization.quantize_dynamic(ready, target, **how)
        content = Path(target).read_bytes()
    version = version or f"{model.version}-{method}"
    options = {"name": model.name, "version": version, "precision": "int8"}
    return open_model(content, model.kind, model.transform, **options)
