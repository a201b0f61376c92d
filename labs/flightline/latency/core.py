# Do not edit: exported from labs/09_latency.ipynb.
# Change the lab, then run `make export`.

"""Lab 09: latency."""

__all__ = [
    "LIMITS",
    "BatchCost",
    "Doubles",
    "Floats",
    "Int8s",
    "Triple",
    "along",
    "batched_response",
    "dequantize_linear",
    "fit_batch_cost",
    "frontier",
    "int8_linear",
    "mixed_quantile",
    "quantize_linear",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Int8s = npt.NDArray[np.int8]
Triple = tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]


def along(values: npt.ArrayLike, ndim: int, axis: int | None) -> npt.NDArray[Any]:
    """Shape one number, or one for each place on an axis, to meet a tensor."""
    numbers = np.asarray(values)
    if axis is None or not numbers.ndim:
        return numbers
    shape = [1] * ndim
    shape[axis] = -1
    return numbers.reshape(shape)


def dequantize_linear(
    q: npt.ArrayLike,
    scale: npt.ArrayLike,
    zero_point: npt.ArrayLike = 0,
    *,
    axis: int | None = None,
) -> Floats:
    """Turn steps back into numbers: `(q - zero_point) * scale`, in float32."""
    steps = np.asarray(q, np.int32)
    scales = along(np.asarray(scale, np.float32), steps.ndim, axis)
    moved = steps - along(zero_point, steps.ndim, axis)
    return np.asarray(moved.astype(np.float32) * scales)


def quantize_linear(
    x: npt.ArrayLike,
    scale: npt.ArrayLike,
    zero_point: npt.ArrayLike = 0,
    *,
    axis: int | None = None,
    dtype: str = "int8",
) -> npt.NDArray[Any]:
    """Put numbers on the steps of a scale, as ONNX's QuantizeLinear does."""
    numbers = np.asarray(x, np.float32)
    scales = along(np.asarray(scale, np.float32), numbers.ndim, axis)
    steps = np.rint(numbers / scales) + along(zero_point, numbers.ndim, axis)
    return np.asarray(np.clip(steps, *LIMITS[dtype]).astype(dtype))


def int8_linear(
    x: Int8s, weight: Int8s, scales: Triple, zeros: Triple, bias: npt.ArrayLike = 0
) -> Int8s:
    """Multiply int8 rows by int8 weights [inputs, outputs], as QLinearMatMul does.

    `scales` and `zeros` belong to input, weight and output, in this order.
    """
    x_zero, weight_zero, y_zero = (np.asarray(zero, np.int32) for zero in zeros)
    sums = (x - x_zero) @ (weight - weight_zero) + np.asarray(bias, np.int32)
    x_scale, weight_scale, y_scale = (np.asarray(s, np.float32) for s in scales)
    steps = np.rint(sums.astype(np.float32) * (x_scale * weight_scale / y_scale))
    return np.clip(steps + y_zero, *LIMITS["int8"]).astype(np.int8)


@dataclass(frozen=True)
class BatchCost:
    """What a batch takes: `a_ms`, and `b_ms` for each row."""

    a_ms: float
    b_ms: float

    def ms(self, rows: float) -> float:
        """Return the milliseconds of a batch."""
        return self.a_ms + self.b_ms * rows

    def per_s(self, rows: float) -> float:
        """Return the rows a second, if batches of this size follow each other."""
        return 1000 * rows / self.ms(rows)


def fit_batch_cost(rows: Sequence[float], ms: Sequence[float]) -> BatchCost:
    """Fit a line to measured batches, by least relative squares."""
    took = np.asarray(ms, float)
    terms = np.column_stack([np.ones(len(took)), rows]) / took[:, None]
    a_ms, b_ms = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return BatchCost(float(a_ms), float(b_ms))


def batched_response(
    arrival_ms: npt.ArrayLike, cost: BatchCost, most_rows: int, wait_ms: float
) -> Doubles:
    """Return the milliseconds from arrival to answer of each row; arrivals ascend."""
    arrival = np.asarray(arrival_ms, float)
    response = np.empty(len(arrival))
    first, free = 0, -np.inf
    while first < len(arrival):
        ready = arrival[first] + wait_ms
        if first + most_rows <= len(arrival):
            ready = min(ready, arrival[first + most_rows - 1])  # it is full
        start = max(ready, free)
        come = int(np.searchsorted(arrival, start, side="right"))
        last = min(come, first + most_rows)
        free = start + cost.ms(last - first)
        response[first:last] = free - arrival[first:last]
        first = last
    return response


def mixed_quantile(
    hit_ms: npt.ArrayLike, miss_ms: npt.ArrayLike, hit_rate: float, q: float
) -> float:
    """Return a quantile of the latency behind a cache, of hits and misses together."""
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    each = [hit_rate / len(hits), (1 - hit_rate) / len(misses)]
    weight = np.repeat(each, [len(hits), len(misses)])
    order = np.argsort(times, kind="stable")
    times, weight = times[order], weight[order]
    reached = np.cumsum(weight) >= q - 1e-12
    return float(times[reached & (weight > 0)][0])


def frontier(
    table: pd.DataFrame, less: Sequence[str], more: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Mark the rows that no other row beats: nowhere worse, and better once."""
    costs, gains = table[list(less)].to_numpy(), table[list(more)].to_numpy()
    kept = np.ones(len(table), bool)
    for place in range(len(table)):
        no_worse = (costs <= costs[place]).all(1) & (gains >= gains[place]).all(1)
        better = (costs < costs[place]).any(1) | (gains > gains[place]).any(1)
        kept[place] = not (no_worse & better).any()
    return kept
