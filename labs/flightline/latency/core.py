# Do not edit: exported from labs/09_latency.ipynb.
# Change the lab, then run `make export`.

"""Lab 09: latency."""

__all__ = [
    "LIMITS",
    "BatchCost",
    "Floats",
    "Int8Layer",
    "MicroBatcher",
    "Overloaded",
    "PredictionCache",
    "along",
    "answers_of",
    "batch_plan",
    "best_limit",
    "dequantize_linear",
    "fit_batch_cost",
    "fit_student",
    "frontier",
    "int8_linear",
    "mixed_quantile",
    "quantize_linear",
    "quantize_model",
    "scale_for",
]

import asyncio
import contextlib
import tempfile
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from cachetools import TTLCache

from flightline.training import Predictor, Transform, make_mlp, open_model, to_onnx

Floats = npt.NDArray[np.float32]
LIMITS = {"int8": (-128, 127), "uint8": (0, 255)}


def along(values: npt.ArrayLike, ndim: int, axis: int | None) -> npt.NDArray[Any]:
    """Shape one number, or one for each place on an axis, to meet a tensor."""
    shape = [-1 if axis is not None and p == axis % ndim else 1 for p in range(ndim)]
    return np.asarray(values).reshape(shape if np.ndim(values) else [])


def scale_for(
    x: npt.ArrayLike, *, symmetric: bool = True, axis: int | None = None,
    dtype: str = "int8",
) -> tuple[Floats, npt.NDArray[np.int32]]:  # fmt: skip
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
        If a value is not finite, or uint8 is to be symmetric.
    """
    x = np.asarray(x, np.float32)
    if not x.size or not np.isfinite(x).all():
        raise ValueError("x is empty or holds NaN or infinity. Give finite numbers.")
    if symmetric and dtype != "int8":
        raise ValueError(f"symmetric steps need int8, not {dtype}.")
    others = tuple(p for p in range(x.ndim) if axis is None or p != axis % x.ndim)
    low, high = np.minimum(x.min(others), 0), np.maximum(x.max(others), 0)
    bottom, top = LIMITS[dtype]
    span = np.maximum(-low, high) / 127 if symmetric else (high - low) / (top - bottom)
    scale = np.where(span > 0, span, 1).astype(np.float32)
    zero = np.zeros_like(scale) if symmetric else np.rint(bottom - low / scale)
    return scale, zero.astype(np.int32)


def dequantize_linear(
    q: npt.ArrayLike, scale: npt.ArrayLike, zero_point: npt.ArrayLike = 0, *,
    axis: int | None = None,
) -> Floats:  # fmt: skip
    """Turn steps back into numbers: `(q - zero_point) * scale`, float32."""
    q = np.asarray(q, np.int32)
    steps = q - along(zero_point, q.ndim, axis)
    out = steps.astype(np.float32) * along(np.asarray(scale, np.float32), q.ndim, axis)
    return np.asarray(out, np.float32)


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
        The tensor.
    scale : float or one per place on the axis
        The width of a step, more than zero.
    zero_point : int or one per place on the axis
        The step that stands for 0.0.
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
        If a scale is not positive, or a value is missing (NaN has no step).

    Examples
    --------
    >>> quantize_linear([-1.0, 0.26, 99.0], 0.5).tolist()
    [-2, 1, 127]
    """
    x, scale = np.asarray(x, np.float32), np.asarray(scale, np.float32)
    if not (scale > 0).all():
        raise ValueError("a scale is not positive. A step needs a width.")
    if np.isnan(x).any():
        raise ValueError("x holds NaN, which has no step. Fill missing values first.")
    steps = np.rint(x / along(scale, x.ndim, axis))
    steps = steps + along(zero_point, x.ndim, axis)
    out: npt.NDArray[Any] = np.clip(steps, *LIMITS[dtype]).astype(dtype)
    return out


@dataclass(frozen=True)
class Int8Layer:
    """A linear layer in integers: int8 weights, int32 sums, int8 results.

    Parameters
    ----------
    weight : array of int8 [inputs, outputs]
    weight_scale : float32, a single number or one per output
    x_scale, x_zero : the steps of the input
    y_scale, y_zero : the steps of the output
    bias : array of int32 [outputs], optional
        In steps of `x_scale * weight_scale`.
    weight_zero : int32, a single number or one per output
    """

    weight: npt.NDArray[np.int8]
    weight_scale: npt.NDArray[Any]
    x_scale: np.float32
    x_zero: int
    y_scale: np.float32
    y_zero: int
    bias: npt.NDArray[np.int32] | None = None
    weight_zero: npt.ArrayLike = 0

    def sums(self, x: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        """Return the exact sums of products, as MatMulInteger does, plus the bias."""
        total = (x.astype(np.int32) - self.x_zero) @ (
            self.weight.astype(np.int32) - np.asarray(self.weight_zero, np.int32)
        )
        return total if self.bias is None else total + self.bias


def int8_linear(x: npt.NDArray[np.int8], layer: Int8Layer) -> npt.NDArray[np.int8]:
    """Apply a linear layer to int8 rows and return int8 rows, as QLinearMatMul does.

    Parameters
    ----------
    x : array of int8 [rows, inputs]
    layer : Int8Layer

    Returns
    -------
    array of int8 [rows, outputs]

    References
    ----------
    Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, CVPR 2018.
    """
    factor = layer.x_scale * layer.weight_scale / layer.y_scale
    steps = np.rint(layer.sums(x).astype(np.float32) * factor) + layer.y_zero
    out: npt.NDArray[np.int8] = np.clip(steps, *LIMITS["int8"]).astype(np.int8)
    return out


def _calibration(how: Transform, rows: pd.DataFrame) -> Any:
    """Return what hands calibration rows to ONNX Runtime, 256 at a time."""
    parts = (rows.iloc[at : at + 256] for at in range(0, len(rows), 256))
    feeds = ({"categorical": how.codes(p), "numeric": how.numbers(p)} for p in parts)
    return SimpleNamespace(get_next=lambda: next(feeds, None))


def quantize_model(
    model: Predictor, rows: pd.DataFrame | None = None, *, method: str = "static",
    per_channel: bool = True, whole: bool = False, version: str = "",
) -> Predictor:  # fmt: skip
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
        If the method is unknown, or static without rows.
    """
    if method not in ("static", "dynamic") or (method == "static" and rows is None):
        raise ValueError(f"method={method!r}: static (with rows), or dynamic.")
    import onnx
    import onnxruntime.quantization as ort
    from onnxruntime.quantization.shape_inference import quant_pre_process

    int8 = ort.QuantType.QInt8
    with tempfile.TemporaryDirectory() as folder:
        source, ready, target = (str(Path(folder, f"{n}.onnx")) for n in "abc")
        Path(source).write_bytes(model.content)
        quant_pre_process(source, ready, skip_symbolic_shape=True)
        layers = [n for n in onnx.load(ready).graph.node if n.op_type == "Gemm"]
        last = [
            layers[-1].name,
            f"{layers[-1].name}_MatMul",
        ]  # the dynamic tool renames
        how: dict[str, Any] = {"per_channel": per_channel, "weight_type": int8}
        if not whole:
            how["op_types_to_quantize"] = ["Gemm", "MatMul", "Relu"]
            how["nodes_to_exclude"] = last
        if rows is None or method == "dynamic":
            ort.quantize_dynamic(ready, target, **how)
        else:  # in QDQ form
            reader, how["activation_type"] = _calibration(model.transform, rows), int8
            ort.quantize_static(ready, target, reader, **how)
        return open_model(
            Path(target).read_bytes(), model.kind, model.transform, name=model.name,
            version=version or f"{model.version}-{method}", precision="int8",
        )  # fmt: skip


def answers_of(
    run: Callable[[Sequence[Any]], Sequence[Any]],
    rows: Sequence[Any],
    most_calls: int = 16,
) -> list[Any]:
    """Run a batch so that a bad row fails alone.

    Parameters
    ----------
    run : callable
        Takes rows and returns one answer for each, in order; may raise.
    rows : sequence
        The batch.
    most_calls : int
        After so many calls what has no answer yet gets the last exception.

    Returns
    -------
    list
        For each row its answer, or the Exception that it ends in.

    Examples
    --------
    >>> answers_of(lambda rows: [1 / row for row in rows], [2, 0, 4])
    [0.5, ZeroDivisionError('division by zero'), 0.25]
    """
    found: list[Any] = [None] * len(rows)
    last: Exception = ValueError("most_calls allows no call.")
    parts, calls = [range(len(rows))] if len(rows) else [], 0
    while parts and calls < most_calls:
        part, calls = parts.pop(0), calls + 1  # first in, first out: the largest
        try:
            answers = list(run([rows[place] for place in part]))
            if len(answers) != len(part):
                raise ValueError(f"{len(answers)} answers for {len(part)} rows.")
        except Exception as error:
            last, half = error, len(part) // 2
            if half:
                parts += [part[:half], part[half:]]
                continue
            answers = [error]
        for place, answer in zip(part, answers, strict=True):
            found[place] = answer
    for place in (place for part in parts for place in part):
        found[place] = last
    return found


class Overloaded(RuntimeError):
    """Too many rows wait already; try again later, or elsewhere."""


@dataclass(eq=False)
class _Waiting:
    """A row that waits for its batch: since when, and who wants the answer."""

    row: Any
    since: float
    answer: asyncio.Future[Any]


class _Queue:
    """Rows that wait for one worker; a batch is ready when full, or time is up."""

    def __init__(self, most_rows: int, wait_s: float) -> None:
        self.most_rows, self.wait_s, self.closed = most_rows, wait_s, False
        self.rows: deque[_Waiting] = deque()
        self.news = asyncio.Event()

    def add(self, row: Any) -> _Waiting:
        """Let a row wait."""
        answer = asyncio.get_running_loop().create_future()
        self.rows.append(_Waiting(row, time.monotonic(), answer))
        self.news.set()
        return self.rows[-1]

    async def batch(self) -> list[_Waiting]:
        """Wait until a batch is ready, and take it; it is empty if all have left."""
        while 0 < len(self.rows) < self.most_rows and not self.closed:
            left = self.rows[0].since + self.wait_s - time.monotonic()
            if left <= 0:
                break
            self.news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self.news.wait()
        size = min(self.most_rows, len(self.rows))
        return [self.rows.popleft() for _ in range(size)]


class _Worker:
    """Take batches from a queue while rows wait, and run them in a thread."""

    def __init__(
        self, queue: _Queue, run: Callable[[Sequence[Any]], Sequence[Any]]
    ) -> None:
        self.queue, self.run = queue, run
        self.sizes: deque[int] = deque(maxlen=10_000)
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="batch")
        self.task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Start to work, if nobody does."""
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.work())

    async def work(self) -> None:
        """Run batches while rows wait; each row gets its own outcome."""
        loop = asyncio.get_running_loop()
        while self.queue.rows:
            if not (batch := await self.queue.batch()):
                continue
            self.sizes.append(len(batch))
            rows = [each.row for each in batch]
            found = await loop.run_in_executor(self.pool, answers_of, self.run, rows)
            for each, outcome in zip(batch, found, strict=True):
                if each.answer.done():  # its caller has left
                    continue
                if isinstance(outcome, StopIteration):  # a future refuses to hold it
                    outcome = RuntimeError(repr(outcome))
                if isinstance(outcome, Exception):
                    each.answer.set_exception(outcome)
                else:
                    each.answer.set_result(outcome)


class MicroBatcher:
    """Score rows of many callers together, for one event loop.

    Parameters
    ----------
    run : callable
        Takes a list of rows and returns one answer for each; runs in a thread.
    most_rows : int
        A batch starts when so many rows wait ...
    wait_s : float
        ... or when the first has waited so long. Zero takes what is there: rows
        gather only while an earlier batch runs.
    most_waiting : int
        One more row than this raises `Overloaded`.
    deadline_s : float
        After so long `submit` raises TimeoutError.

    Attributes
    ----------
    sizes : deque of int
        The sizes of the last batches, for metrics.

    Raises
    ------
    ValueError
        If a limit makes no sense.
    """

    def __init__(
        self, run: Callable[[Sequence[Any]], Sequence[Any]], *, most_rows: int = 32,
        wait_s: float = 0.002, most_waiting: int = 256, deadline_s: float = 1.0,
    ) -> None:  # fmt: skip
        if most_rows < 1 or most_waiting < 1 or wait_s < 0 or not deadline_s > 0:
            raise ValueError("limits are at least 1, times positive; wait_s may be 0.")
        self.most_waiting, self.deadline_s = most_waiting, deadline_s
        self._queue = _Queue(most_rows, wait_s)
        self._worker = _Worker(self._queue, run)
        self.sizes = self._worker.sizes

    async def submit(self, row: Any) -> Any:
        """Return the answer for one row, or raise what it ended in.

        Raises
        ------
        Overloaded
            At once, if too many rows wait.
        TimeoutError
            If the answer does not come before the deadline.
        RuntimeError
            If the batcher is closed.
        """
        queue = self._queue
        if queue.closed:
            raise RuntimeError("The batcher is closed.")
        if len(queue.rows) >= self.most_waiting:
            raise Overloaded(f"{len(queue.rows)} rows wait already.")
        waiting = queue.add(row)
        self._worker.wake()
        try:
            async with asyncio.timeout(self.deadline_s):
                return await waiting.answer
        finally:
            if waiting in queue.rows:  # cancelled, or too late: nobody wants it now
                queue.rows.remove(waiting)

    async def close(self) -> None:
        """Refuse new rows, answer those that wait, and end the thread."""
        self._queue.closed = True
        self._queue.news.set()
        if self._worker.task is not None:
            await asyncio.wait([self._worker.task])
        self._worker.pool.shutdown()


class PredictionCache:
    """Keep answers for a while: a TTLCache with a count, a lock, and one computation.

    Parameters
    ----------
    ttl_s : float
        An answer that is so old is computed again.
    most : int
        How many answers are kept; the least recently used goes first.
    clock : callable
        The time in seconds; a simulation passes its own.
    """

    def __init__(
        self, ttl_s: float, most: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._kept: TTLCache[Hashable, Any] = TTLCache(most, ttl_s, timer=clock)
        self._coming: dict[Hashable, asyncio.Task[Any]] = {}
        self._lock, self.hits, self.misses = threading.Lock(), 0, 0

    @property
    def hit_rate(self) -> float:
        """The share of questions that found a kept answer; who waits is a miss."""
        return self.hits / max(self.hits + self.misses, 1)

    def find(self, key: Hashable) -> Any:
        """Return the kept answer, or None; None itself is never kept."""
        with self._lock:
            found = self._kept.get(key)
            self.hits += found is not None
            self.misses += found is None
        return found

    def keep(self, key: Hashable, answer: Any) -> None:
        """Keep an answer; its age counts from now."""
        with self._lock:
            self._kept[key] = answer

    async def get(self, key: Hashable, compute: Callable[[], Awaitable[Any]]) -> Any:
        """Return the kept answer, or compute it once for all who ask meanwhile.

        An exception goes to all of them and is not kept. A caller who leaves does not
        stop the computation that others wait for.
        """
        if (found := self.find(key)) is not None:
            return found
        if key not in self._coming:
            self._coming[key] = asyncio.create_task(self._fetch(key, compute))
        return await asyncio.shield(self._coming[key])

    async def _fetch(self, key: Hashable, compute: Callable[[], Awaitable[Any]]) -> Any:
        """Compute and keep an answer; the computation is over in any case."""
        try:
            answer = await compute()
            self.keep(key, answer)
            return answer
        finally:
            del self._coming[key]


def fit_student(
    transform: Transform,
    table: pd.DataFrame,
    target: npt.ArrayLike,
    *,
    hidden: Sequence[int] = (64, 32),
    epochs: int = 4,
    batch: int = 512,
    rate: float = 4e-3,
    seed: int = 0,
    name: str = "delay_student",
    version: str = "1",
) -> Predictor:
    """Train a small net on targets between 0 and 1: labels, or a teacher's scores.

    Parameters
    ----------
    transform : Transform
        The teacher's, so that both can be served from the same features.
    table : DataFrame with FEATURES
    target : array_like of float [n]
        Hard labels (0 or 1), or soft ones (probabilities).
    hidden, epochs, batch, rate, seed
        The net and how it is trained.
    name, version
        Of the new model.

    Returns
    -------
    Predictor
        In FP32, opened by ONNX Runtime.

    References
    ----------
    Hinton, Vinyals, Dean, Distilling the Knowledge in a Neural Network, 2015.
    """
    import torch

    torch.manual_seed(seed)
    net = make_mlp(transform.sizes, hidden, dropout=0.0)
    inputs = transform.codes(table), transform.numbers(table)
    codes, numbers = (torch.from_numpy(array) for array in inputs)
    wanted = torch.from_numpy(np.asarray(target, np.float32))
    steps = epochs * -(-len(wanted) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    for epoch in range(epochs):
        chance = torch.Generator().manual_seed(seed + epoch)
        order = torch.randperm(len(wanted), generator=chance)
        for at in range(0, len(wanted), batch):
            rows = order[at : at + batch]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                net(codes[rows], numbers[rows]), wanted[rows]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    content = to_onnx(net.eval())
    return open_model(content, "mlp", transform, name=name, version=version)


@dataclass(frozen=True)
class BatchCost:
    """What a batch of n rows takes: `a_ms + b_ms * n` milliseconds."""

    a_ms: float
    b_ms: float

    def ms(self, rows: float) -> float:
        """Return the time of a batch."""
        return self.a_ms + self.b_ms * rows

    def per_s(self, rows: float) -> float:
        """Return the rows a second if batches of this size follow each other."""
        return 1000 * rows / self.ms(rows)


def fit_batch_cost(rows: Sequence[float], ms: Sequence[float]) -> BatchCost:
    """Fit `t(n) = a + b * n` to measured batches, by least relative squares.

    Parameters
    ----------
    rows : sequence of int
        Sizes, at least two different ones.
    ms : sequence of float
        The time of each, positive.

    Returns
    -------
    BatchCost

    Raises
    ------
    ValueError
        If there are not two sizes, or a time is not positive.

    Examples
    --------
    >>> law = fit_batch_cost([1, 10, 100], [3.0, 12.0, 102.0])
    >>> round(law.a_ms, 3), round(law.b_ms, 3), round(law.per_s(8))
    (2.0, 1.0, 800)
    """
    size, took = np.asarray(rows, float), np.asarray(ms, float)
    if len(set(size)) < 2 or not (took > 0).all():
        raise ValueError("measure at least two sizes, and positive times.")
    terms = np.column_stack([np.ones_like(size), size]) / took[:, None]
    (a_ms, b_ms), *_ = np.linalg.lstsq(terms, np.ones_like(took), rcond=None)
    return BatchCost(float(a_ms), float(b_ms))


def frontier(table: pd.DataFrame, less: Sequence[str], more: Sequence[str]) -> Any:
    """Mark the rows that no other row beats: at least as good everywhere, once better.

    Parameters
    ----------
    table : DataFrame
    less, more : sequences of str
        Columns of which less, or more, is better.

    Returns
    -------
    array of bool, one per row
    """
    worth = np.hstack([-table[list(less)].to_numpy(), table[list(more)].to_numpy()])
    beaten = [((worth >= row).all(1) & (worth > row).any(1)).any() for row in worth]
    return ~np.array(beaten, bool)


def best_limit(x: npt.ArrayLike, tries: int = 100) -> float:
    """Choose where to cut a tensor's range so that int8 steps lose least.

    Parameters
    ----------
    x : array_like of float
        The values, at least one not zero.
    tries : int
        How many limits to try, evenly from zero (left out) to the greatest size.

    Returns
    -------
    float
        The limit with the least mean absolute error; the largest among equals.

    Raises
    ------
    ValueError
        If all values are zero.
    """
    x = np.asarray(x, np.float32)
    far = float(np.abs(x).max(initial=0.0))
    if far == 0:
        raise ValueError("all values are zero: any limit will do. Give other values.")
    limits = far * np.arange(tries, 0, -1) / tries
    errors = []
    for limit in limits:
        steps = quantize_linear(np.clip(x, -limit, limit), limit / 127)
        errors.append(np.abs(dequantize_linear(steps, limit / 127) - x).mean())
    return float(limits[int(np.argmin(errors))])


def mixed_quantile(
    hit_ms: npt.ArrayLike, miss_ms: npt.ArrayLike, hit_rate: float, q: float
) -> float:
    """Return a quantile of the latency behind a cache.

    Parameters
    ----------
    hit_ms, miss_ms : array_like of float
        Times of hits and of misses, at least one each.
    hit_rate : float
        The share of requests that hit, from 0 to 1.
    q : float
        Such as 0.99.

    Returns
    -------
    float
        The least time that a share `q` of the requests does not exceed.

    Raises
    ------
    ValueError
        If a share is not between 0 and 1.
    """
    if not 0 <= hit_rate <= 1 or not 0 <= q <= 1:
        raise ValueError(f"hit_rate={hit_rate}, q={q}: shares lie between 0 and 1.")
    hits, misses = np.asarray(hit_ms, float), np.asarray(miss_ms, float)
    times = np.concatenate([hits, misses])
    weight = np.repeat(
        [hit_rate / len(hits), (1 - hit_rate) / len(misses)], [len(hits), len(misses)]
    )
    order = np.argsort(times, kind="stable")
    reached = np.cumsum(weight[order])
    real = (reached >= q - 1e-12) & (weight[order] > 0)
    return float(times[order][np.argmax(real)])


def batch_plan(
    cost: BatchCost, rate_s: float, deadline_ms: float, most: int = 256
) -> tuple[int, float]:
    """Choose the smallest batch that keeps up, and say whether it answers in time.

    Parameters
    ----------
    cost : BatchCost
        What batches take on this server.
    rate_s : float
        Requests a second.
    deadline_ms : float
        How long an answer may take.
    most : int
        The largest batch to consider.

    Returns
    -------
    rows : int
        The size of a batch.
    bound_ms : float
        The first row of a batch waits until it is full, for one whole batch ahead of
        it, and for its own.

    Raises
    ------
    ValueError
        If no size has the capacity, or the smallest that has is over the deadline.
    """
    able = [n for n in range(1, most + 1) if cost.per_s(n) >= rate_s]
    if not able:
        raise ValueError(
            f"no capacity for {rate_s:g} a second: batches of {most} give "
            f"{cost.per_s(most):.0f}. Add servers or a faster model."
        )
    n = able[0]  # a larger one fills and runs longer
    bound_ms = 1000 * (n - 1) / rate_s + 2 * cost.ms(n)
    if bound_ms > deadline_ms:
        raise ValueError(
            f"batches of {n} keep up, and {bound_ms:.1f} ms are over the deadline of "
            f"{deadline_ms:g} ms. Add servers, or allow more time."
        )
    return n, bound_ms
