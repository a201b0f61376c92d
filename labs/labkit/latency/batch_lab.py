"""Callers for a micro-batcher and a cache, each run in an event loop of its own."""

import asyncio
import itertools
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from flightline.latency import (
    BatchCost,
    Cached,
    MicroBatcher,
    PredictionCache,
    mixed_quantile,
)
from flightline.training import Predictor

from labkit import figures, timing
from labkit.latency import onnx_lab
from labkit.serving.http_load import in_thread, poisson

SIZES = (1, 8, 64, 512, 2048)

Batcher = type[MicroBatcher]
Run = Callable[[Sequence[int]], Sequence[float]]  # takes places of rows
Answer = Callable[[int], Awaitable[object]]  # a coroutine function of a row
AnswersOf = Callable[[Run, Sequence[int]], Sequence[object]]


def crowd(
    batcher: Batcher, rows: Sequence[int], *, bad: int, leaves: int, most_waiting: int
) -> pd.DataFrame:
    """Let callers ask at once; one row is bad, and one caller leaves.

    Parameters
    ----------
    batcher : class
        `MicroBatcher`.
    rows : sequence of int
        One row a caller.
    bad : int
        The row on which the model raises an ArithmeticError.
    leaves : int
        The row whose caller is cancelled while it waits.
    most_waiting : int
        How many rows may wait.

    Returns
    -------
    DataFrame
        By row: the `outcome`, "answered" if it got its own answer, else what was
        raised; and whether it was `scored`: whether the model ever saw it.
    """
    seen: set[int] = set()

    def double(batch: Sequence[int]) -> list[int]:
        seen.update(batch)
        if bad in batch:
            raise ArithmeticError(f"row {bad}")
        return [2 * row for row in batch]

    async def run() -> list[int | BaseException]:
        batches = batcher(double, most_rows=32, wait_s=0.05, most_waiting=most_waiting)
        tasks = [asyncio.create_task(batches.submit(row)) for row in rows]
        await asyncio.sleep(0)  # all have asked
        tasks[list(rows).index(leaves)].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        await batches.close()
        return found

    return _outcomes(rows, in_thread(run()), seen)


def late(batcher: Batcher, deadline_s: float = 1.0) -> pd.DataFrame:
    """Let two callers ask a model that hangs until both have given up, then one more.

    Parameters
    ----------
    batcher : class
        `MicroBatcher`.
    deadline_s : float
        How long a caller waits.

    Returns
    -------
    DataFrame
        As from `crowd`: row 0 is in the model, row 1 waits behind it, row 2 asks later.
    """
    seen: set[int] = set()
    both_left = threading.Event()

    def double(batch: Sequence[int]) -> list[int]:
        seen.update(batch)
        both_left.wait(60)
        return [2 * row for row in batch]

    async def run() -> list[int | BaseException]:
        batches = batcher(double, most_rows=1, wait_s=0, deadline_s=deadline_s)
        asks = (batches.submit(row) for row in (0, 1))
        found = await asyncio.gather(*asks, return_exceptions=True)
        both_left.set()
        found += await asyncio.gather(batches.submit(2), return_exceptions=True)
        await batches.close()
        return found

    return _outcomes(range(3), in_thread(run()), seen)


def _outcomes(
    rows: Sequence[int], found: Sequence[int | BaseException], seen: Collection[int]
) -> pd.DataFrame:
    """Name what each row ended in, and whether the model saw it."""
    outcome = [
        "answered" if got == 2 * row else type(got).__name__
        for row, got in zip(rows, found, strict=True)
    ]
    table = pd.DataFrame({"outcome": outcome, "scored": [row in seen for row in rows]})
    return table.set_index(pd.Index(rows, name="row"))


def calls_of(answers_of: AnswersOf, rows: int, bad: int) -> list[int]:
    """Return the rows in each call that `answers_of` makes if one row is bad."""
    calls: list[int] = []

    def run(part: Sequence[int]) -> list[int]:
        calls.append(len(part))
        if bad in part:
            raise ArithmeticError(f"row {bad}")
        return list(part)

    answers_of(run, range(rows))
    return calls


def harm_of(answers_of: AnswersOf, rows: int) -> pd.Series:
    """Count the good rows that fail beside two bad ones, for each pair of places.

    Parameters
    ----------
    answers_of : callable
        Called with its own limit of calls.
    rows : int
        In the batch.

    Returns
    -------
    Series of int
        How many pairs harm so many good rows.
    """

    def harmed(bad: Collection[int]) -> int:
        def run(part: Sequence[int]) -> list[int]:
            if any(row in bad for row in part):
                raise ArithmeticError("a bad row")
            return list(part)

        found = answers_of(run, range(rows))
        return sum(isinstance(each, Exception) for each in found) - len(bad)

    pairs = itertools.combinations(range(rows), 2)
    counts = pd.Series([harmed(pair) for pair in pairs]).value_counts().sort_index()
    return counts.rename_axis("neighbours that fail").rename("pairs")


def stampede(cache: PredictionCache, key: str, callers: int) -> dict[str, int]:
    """Let many callers ask for one key at once; count computations and answers.

    Parameters
    ----------
    cache : PredictionCache
    key : str
    callers : int

    Returns
    -------
    dict of int
        `computed` and `answered`.
    """
    computed = 0

    async def compute() -> float:
        nonlocal computed
        computed += 1
        await asyncio.sleep(0.01)
        return 0.5

    async def run() -> list[float]:
        asks = (cache.get(key, compute) for _ in range(callers))
        return list(await asyncio.gather(*asks))

    return {"answered": in_thread(run()).count(0.5), "computed": computed}


def each_wait_ms(answer: Answer, row: int, rate_s: float, seconds: float) -> np.ndarray:
    """Ask in an open loop, in this process, and time each answer.

    Parameters
    ----------
    answer : callable
        A coroutine function of a row.
    row : int
        What is asked, each time.
    rate_s, seconds : float
        Questions a second, at random moments, and for how long.

    Returns
    -------
    numpy.ndarray
        Milliseconds from the moment when each was due.
    """
    due = poisson(rate_s, seconds, seed=9)

    async def one(moment: float) -> float:
        await answer(row)
        return (time.perf_counter() - moment) * 1000

    async def run() -> list[float]:
        await answer(row)
        start, tasks = time.perf_counter(), []
        for moment in due:
            left = start + moment - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            tasks.append(asyncio.create_task(one(start + moment)))
        return list(await asyncio.gather(*tasks))

    return np.array(in_thread(run()))


def median_waits(
    answers: dict[str, Callable[[], Answer]],
    row: int,
    rate_s: float,
    seconds: float = 1.0,
    rounds: int = 2,
) -> pd.Series:
    """Return the median wait of several ways to answer, asked in turns.

    Parameters
    ----------
    answers : dict of callables
        By name, what makes a coroutine function; each run makes a new one.
    row, rate_s, seconds
        As in `each_wait_ms`.
    rounds : int
        How often each gets its turn.

    Returns
    -------
    Series of float
        Milliseconds by name.
    """
    waits: dict[str, list[float]] = {name: [] for name in answers}
    for _ in range(rounds):
        for name, make in answers.items():
            waits[name] += each_wait_ms(make(), row, rate_s, seconds).tolist()
    return pd.Series({name: float(np.median(found)) for name, found in waits.items()})


def saturated_per_s(
    batcher: Batcher,
    run: Run,
    row: int,
    most_rows: int,
    seconds: float = 0.6,
) -> float:
    """Return the rows a second of a batcher that never lacks callers.

    Parameters
    ----------
    batcher : class
        `MicroBatcher`.
    run, row, most_rows
        The model, what is asked, and the size of a batch; three times as many
        callers ask again as soon as they are answered.
    seconds : float
        For how long.
    """

    async def caller(batches: MicroBatcher, end: float) -> int:
        count = 0
        while time.perf_counter() < end:
            await batches.submit(row)
            count += 1
        return count

    async def all_of_them() -> float:
        size = {"most_rows": most_rows, "most_waiting": 4 * most_rows + 8}
        batches = batcher(run, wait_s=0.05, deadline_s=10, **size)
        start = time.perf_counter()
        callers = (caller(batches, start + seconds) for _ in range(3 * most_rows))
        counts = await asyncio.gather(*callers)
        took = time.perf_counter() - start
        await batches.close()
        return sum(counts) / took

    return float(in_thread(all_of_them()))


def saturated(
    batcher: Batcher,
    runs: Mapping[str, Run],
    counts: Sequence[int],
    rounds: int = 3,
    seconds: float = 0.3,
) -> pd.DataFrame:
    """Return `saturated_per_s` of several models and sizes, medians over rounds.

    Parameters
    ----------
    batcher : class
        `MicroBatcher`.
    runs : mapping of str to callable
        The models; all sizes of all of them take turns.
    counts : sequence of int
        Rows in a batch.
    rounds, seconds
        How often each gets its turn, and for how long.

    Returns
    -------
    DataFrame
        Rows a second; one row a size, one column a model.
    """
    turns = [
        {"rows": n, "name": name, "s": saturated_per_s(batcher, run, 0, n, seconds)}
        for _ in range(rounds)
        for n in counts
        for name, run in runs.items()
    ]
    return pd.DataFrame(turns).pivot_table("s", "rows", "name", aggfunc="median")


def busy_p50_ms(
    batcher: Batcher,
    run: Run,
    callers: int = 48,
    seconds: float = 0.4,
    rounds: int = 3,
) -> pd.Series:
    """Return the median wait of many callers that never pause, with and without.

    Without a batcher the model runs row by row in one thread, first come, first served.

    Parameters
    ----------
    batcher : class
        `MicroBatcher`; its batches take what is there, up to a third of the callers.
    run : callable
        Takes places of rows and returns scores.
    callers : int
        Each asks again as soon as it is answered.
    seconds, rounds
        How long, and how often each way gets its turn.

    Returns
    -------
    Series of float
        Milliseconds: `no batcher` and `batches`.
    """

    async def caller(answer: Answer, end: float) -> list[float]:
        waits = []
        while (begun := time.perf_counter()) < end:
            await answer(0)
            waits.append((time.perf_counter() - begun) * 1000)
        return waits

    async def all_of_them(answer: Answer) -> list[float]:
        end = time.perf_counter() + seconds
        waits = await asyncio.gather(*(caller(answer, end) for _ in range(callers)))
        return [ms for each in waits for ms in each]

    async def alone() -> list[float]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            return await all_of_them(lambda row: loop.run_in_executor(pool, run, [row]))

    async def together() -> list[float]:
        batches = batcher(run, most_rows=callers // 3, wait_s=0, deadline_s=30)
        waits = await all_of_them(batches.submit)
        await batches.close()
        return waits

    turns = [
        {
            "no batcher": np.median(in_thread(alone())),
            "batches": np.median(in_thread(together())),
        }
        for _ in range(rounds)
    ]
    return pd.DataFrame(turns).median()


def direct(run: Run) -> Answer:
    """Return a coroutine function that scores one row at once, without a batcher."""

    async def answer(row: int) -> float:
        return run([row])[0]

    return answer


def hit_and_miss_ms(model: "Predictor", row: pd.DataFrame) -> tuple[float, ...]:
    """Time a hit by a short key, a hit by all features, and the call that they save.

    Parameters
    ----------
    model : Predictor
    row : DataFrame with FEATURES
        A single row.

    Returns
    -------
    tuple of three float
        Median milliseconds.
    """
    cache = PredictionCache(3600)
    key = "2013-07-02-B6-523-JFK"
    cache.keep(key, 0.5)
    cached = Cached(model, cache)

    async def run() -> tuple[float, ...]:
        await cached.predict(row)
        begun = time.perf_counter()
        for _ in range(300):
            await cached.predict(row)
        same_ms = (time.perf_counter() - begun) * 1000 / 300
        hits = timing.compare({"hits": lambda: [cache.find(key) for _ in range(100)]})
        calls = timing.compare({"calls": lambda: model.predict(row)}, 100)
        hit_ms = float(hits["median_ms"].iloc[0]) / 100
        return hit_ms, same_ms, float(calls["median_ms"].iloc[0])

    return in_thread(run())


def p99_by_hit_rate(
    hit_ms: float, miss_ms: float, rates: Sequence[float] = (0.5, 0.98, 0.995)
) -> list[float]:
    """Return the p99 of requests that hit in so many cases, by the exercise's rule."""
    return [mixed_quantile([hit_ms], [miss_ms], rate, 0.99) for rate in rates]


def combinations(
    runners: dict[str, onnx_lab.Runner], accuracy: dict[str, float]
) -> pd.DataFrame:
    """Time every model at every batch size.

    Parameters
    ----------
    runners : dict of callables
        From `onnx_lab.runner`, by model.
    accuracy : dict of float
        The AUC of each.

    Returns
    -------
    DataFrame
        One row a combination: `model`, `rows`, `ms`, `rows_per_s` and `auc`.
    """
    times = onnx_lab.by_batch(runners, SIZES, repeats=11)
    cloud = times.stack().rename_axis(["rows", "model"]).rename("ms").reset_index()
    return cloud.assign(
        rows_per_s=1000 * cloud["rows"] / cloud["ms"],
        auc=cloud["model"].map(accuracy),
    )


def low_load(batcher: Batcher, run: Run, wait_s: float) -> pd.Series:
    """Return the median wait at 40 calls a second, with and without a batcher.

    There is no service: the callers share an event loop with the batcher, or call the
    model in it.

    Parameters
    ----------
    batcher : class
        `MicroBatcher`.
    run : callable
        Takes places of rows and returns scores.
    wait_s : float
        How long a batch may fill; a second batcher takes what is there.

    Returns
    -------
    Series of float
        Milliseconds: `no batcher`, `waits` and `takes what is there`.
    """
    ways: dict[str, Callable[[], Answer]] = {
        "no batcher": lambda: direct(run),
        "waits": lambda: batcher(run, wait_s=wait_s).submit,
        "takes what is there": lambda: batcher(run, wait_s=0).submit,
    }
    return median_waits(ways, 0, rate_s=40)


def eager_over_runtime(model: "Predictor", table: pd.DataFrame) -> pd.Series:
    """Return how many times as fast ONNX Runtime is as eager PyTorch, by batch size."""
    runners = {
        "eager": onnx_lab.torch_runner(model, table),
        "runtime": onnx_lab.runner(model, table),
    }
    times = onnx_lab.by_batch(runners, (1, 32, 512))
    return times["eager"] / times["runtime"]


def show_gain(gain: pd.Series) -> None:
    """Draw how many times as fast INT8 is as FP32, over batch sizes."""
    _, ax = plt.subplots()
    ax.plot(gain.index, gain, "o-", color=figures.BLUE)
    ax.axhline(1, color=figures.GREY, lw=1.2)
    ax.annotate("equal", (512, 1), (0, -16), textcoords="offset points")
    ax.set(xscale="log", ylim=0, xticks=gain.index, xticklabels=gain.index)
    ax.minorticks_off()
    ax.set(title="INT8 gains where there is arithmetic to save")
    ax.set(xlabel="Rows in a batch", ylabel="FP32 time / INT8 time")
    plt.show()


def show_frontier(cloud: pd.DataFrame) -> None:
    """Draw what `combinations` returns, with a column `best`, on two log axes."""
    _, ax = plt.subplots(figsize=(6.4, 4.4))
    looks = {
        "trees": (figures.ORANGE, "o-"),
        "network": (figures.GREY, "s-"),
        "network INT8": (figures.GREY, "s--"),
        "student": (figures.BLUE, "^-"),
        "student INT8": (figures.BLUE, "^--"),
    }
    lift = {"network INT8": 4, "network": -6, "student INT8": 12, "student": -6}
    for name, part in cloud.groupby("model", sort=False):
        colour, look = looks[str(name)]
        ax.plot(part["ms"], part["rows_per_s"], look, color=colour, mfc="white", lw=1.4)
        best = part[part["best"]]
        ax.plot(best["ms"], best["rows_per_s"], look[0], color=colour)
        last = part.iloc[-1]
        ax.annotate(
            f"{name} {last['auc']:.3f}",
            (last["ms"], last["rows_per_s"]),
            (8, lift.get(str(name), -4)),
            textcoords="offset points",
            color=colour,
            annotation_clip=False,
        )
    ax.set(xscale="log", yscale="log")
    ax.margins(y=0.14)
    ax.set(title="No model wins everywhere")
    rows = ", ".join(f"{size:,}" for size in SIZES)
    ax.set_xlabel(
        f"Milliseconds for a batch of {rows} rows\n"
        "filled: on the frontier; dashed: INT8; number: AUC"
    )
    ax.set_ylabel("Rows per second")
    plt.show()


def show_prediction(
    sizes: Sequence[int],
    model: "BatchCost",
    both: "BatchCost",
    measured: Sequence[float],
) -> None:
    """Draw predicted and measured throughput over batch sizes.

    Parameters
    ----------
    sizes : sequence of int
        The sizes that were measured.
    model, both : BatchCost
        The law of the model alone, and with the batcher's own.
    measured : sequence of float
        Rows a second.
    """
    _, ax = plt.subplots()
    grid = np.geomspace(sizes[0], sizes[-1], 60)
    for law, name, look, colour in (
        (model, "predicted:\nmodel alone", "--", figures.GREY),
        (both, "predicted:\nmodel + batcher", "-", figures.BLUE),
    ):
        rates = [law.per_s(size) / 1000 for size in grid]
        ax.plot(grid, rates, look, color=colour)
        figures.label_end(ax, grid, rates, name, colour)
    ax.plot(sizes, np.array(measured) / 1000, "o", color=figures.ORANGE)
    ax.annotate(
        "measured",
        (sizes[-2], measured[-2] / 1000),
        (8, -20),
        textcoords="offset points",
        color=figures.ORANGE,
    )
    ax.set(xscale="log", ylim=0, xticks=sizes, xticklabels=sizes)
    ax.minorticks_off()
    ax.set(title="Batching pays, and the batcher takes its share")
    ax.set(xlabel="Rows in a batch", ylabel="Thousand rows per second")
    plt.show()
