"""Send rows to the package's micro-batcher, in this process."""

import asyncio
import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline.latency import MicroBatcher

from labkit.serving.http_load import in_thread

Run = Callable[[Sequence[int]], Sequence[float]]  # takes places of rows


def through_batcher(
    run: Run, due_s: npt.ArrayLike, *, most_rows: int, wait_ms: float
) -> npt.NDArray[np.float64]:
    """Let rows come at given times, whatever became of the others, and time each.

    Nothing is refused and nobody gives up: a queue that grows shows.

    Parameters
    ----------
    run : callable
        Takes places of rows, returns their scores; runs in the batcher's thread.
    due_s : array_like of float [n]
        When each row comes, in seconds after the start, ascending.
    most_rows, wait_ms
        As for `MicroBatcher`; one row and no wait is no batching at all.

    Returns
    -------
    numpy.ndarray [n]
        Milliseconds from the moment when each was due to its answer.
    """
    moments = np.asarray(due_s, float)

    async def one(batcher: MicroBatcher, due: float) -> float:
        await batcher.submit(0)
        return (time.perf_counter() - due) * 1000

    async def work() -> list[float]:
        batcher = MicroBatcher(
            run,
            most_rows=most_rows,
            wait_s=wait_ms / 1000,
            most_waiting=len(moments) + 1,
            deadline_s=600,
        )
        await batcher.submit(0)  # starts the thread
        start, tasks = time.perf_counter(), []
        for due in start + moments:
            left = due - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            tasks.append(asyncio.create_task(one(batcher, due)))
        found = list(await asyncio.gather(*tasks))
        await batcher.close()
        return found

    return np.array(in_thread(work()))


def batch_ms(run: Run, counts: Sequence[int], repeats: int = 60) -> pd.Series:
    """Time batches through the batcher: so many rows at once, until the last answer.

    Parameters
    ----------
    run : callable
        As for `through_batcher`.
    counts : sequence of int
        Rows in a batch.
    repeats : int
        How many batches of each size.

    Returns
    -------
    Series of float
        Median milliseconds by size.
    """

    async def one(batcher: MicroBatcher, rows: int) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(batcher.submit(0) for _ in range(rows)))
        return (time.perf_counter() - begun) * 1000

    async def work(rows: int) -> float:
        batcher = MicroBatcher(run, most_rows=rows, wait_s=60, deadline_s=600)
        times = [await one(batcher, rows) for _ in range(repeats)]
        await batcher.close()
        return float(np.median(times))

    return pd.Series({rows: in_thread(work(rows)) for rows in counts})
