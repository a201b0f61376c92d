"""A micro-batcher: rows of many callers in one call, and nobody harmed by a neighbour.

A batch starts when it is full or its first row has waited long enough. A row that
fails does so alone, a caller who leaves or is too late is not scored, and what does
not fit is refused at once.
"""

import asyncio
import contextlib
import operator
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

Run = Callable[[Sequence[Any]], Sequence[Any]]
"""A model: it takes rows, whatever they are, and returns one answer for each."""


def answers_of(run: Run, rows: Sequence[Any], most_calls: int = 16) -> list[Any]:
    """Run a batch so that a bad row fails alone.

    A batch that raises is cut into halves, and those again, the largest first.

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
            answers = _call(run, [rows[place] for place in part])
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


def _call(run: Run, rows: Sequence[Any]) -> list[Any]:
    """Call a model; a ValueError if it does not return one answer for each row."""
    answers = list(run(rows))
    if len(answers) != len(rows):
        raise ValueError(f"{len(answers)} answers for {len(rows)} rows.")
    return answers


class Overloaded(RuntimeError):
    """Too many rows wait already; try again later, or elsewhere."""


@dataclass(eq=False)
class Waiting:
    """A row that waits for its batch: since when, and who wants the answer."""

    row: Any
    since: float
    answer: asyncio.Future[Any]

    def end(self, outcome: Any) -> None:
        """Hand over an answer, or raise it there if it is an exception."""
        if self.answer.done():  # its caller has left
            return
        if isinstance(outcome, StopIteration):  # a future refuses to hold it
            outcome = RuntimeError(repr(outcome))
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class Queue:
    """Rows that wait for one worker; a batch is ready when full, or time is up.

    Parameters
    ----------
    most_rows : int
        A batch is full with so many.
    wait_s : float
        How long the first row of a batch waits for others, in seconds.
    """

    def __init__(self, most_rows: int, wait_s: float) -> None:
        self.most_rows, self.wait_s, self.closed = most_rows, wait_s, False
        self.rows: deque[Waiting] = deque()
        self.news = asyncio.Event()

    def add(self, row: Any) -> Waiting:
        """Let a row wait."""
        answer = asyncio.get_running_loop().create_future()
        self.rows.append(Waiting(row, time.monotonic(), answer))
        self.news.set()
        return self.rows[-1]

    async def batch(self) -> list[Waiting]:
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


class Worker:
    """Take batches from a queue while rows wait, and run them in a thread.

    Parameters
    ----------
    queue : Queue
    run : callable
        As `answers_of` takes it.
    """

    def __init__(self, queue: Queue, run: Run) -> None:
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
                each.end(outcome)


def _check(most_rows: int, wait_s: float, most_waiting: int, deadline_s: float) -> None:
    """Refuse limits that make no sense; NaN is none either."""
    for name, value in (("most_rows", most_rows), ("most_waiting", most_waiting)):
        try:
            whole = operator.index(value)
        except TypeError:
            whole = 0
        if whole < 1:
            raise ValueError(f"limits are whole numbers from 1 on: {name}={value!r}.")
    if not wait_s >= 0 or not deadline_s > 0:
        raise ValueError(
            f"limits of time are positive, and wait_s may be 0: wait_s={wait_s}, "
            f"deadline_s={deadline_s}."
        )


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

    Examples
    --------
    >>> async def ask_three():
    ...     batcher = MicroBatcher(lambda rows: [10 * row for row in rows], most_rows=3)
    ...     found = await asyncio.gather(*(batcher.submit(row) for row in (1, 2, 3)))
    ...     await batcher.close()
    ...     return found, list(batcher.sizes)
    >>> asyncio.run(ask_three())
    ([10, 20, 30], [3])
    """

    def __init__(
        self,
        run: Run,
        *,
        most_rows: int = 32,
        wait_s: float = 0.002,
        most_waiting: int = 256,
        deadline_s: float = 1.0,
    ) -> None:
        _check(most_rows, wait_s, most_waiting, deadline_s)
        self.most_waiting, self.deadline_s = most_waiting, deadline_s
        self._queue = Queue(most_rows, wait_s)
        self._worker = Worker(self._queue, run)
        self.sizes = self._worker.sizes

    async def submit(self, row: Any) -> Any:
        """Return the answer for one row, or raise what it ended in.

        Parameters
        ----------
        row
            Whatever `run` takes in a list.

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
