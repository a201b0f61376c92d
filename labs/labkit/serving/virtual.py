"""An event loop whose clock jumps: hours of waiting take a moment, and never vary.

A program of asyncio that only waits for its own timers, locks and tasks behaves here
as it would on a computer that works in no time. When nothing is left to do, the clock
goes to the next timer. Sockets, threads and processes belong to the real time, and do
not work here.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
MOST_TURNS = 1_000_000
"""Turns of the loop after which a run is stopped: it may never come to an end."""


class Forever(RuntimeError):
    """A run that would not end: nothing is left to wake it, or it wakes for ever."""


class _Clock(selectors.DefaultSelector):
    """A selector that moves a clock where another one would sleep."""

    def __init__(self, late_s: float) -> None:
        super().__init__()
        self.now, self.late_s, self.turns = 0.0, late_s, 0

    def select(self, timeout: float | None = None) -> list[Any]:
        """Go to the next timer; a `Forever` says that there is none."""
        self.turns += 1
        if timeout is None:
            raise Forever(
                "everybody waits, and nobody is left to wake them. Something waits "
                "for a lock, a queue or an answer that never comes."
            )
        if self.turns > MOST_TURNS:
            raise Forever(
                f"after {MOST_TURNS:,} turns of the loop it is {self.now:g} s, and no "
                "end. Does something ask again and again without waiting?"
            )
        if timeout > 0:
            self.now += timeout + self.late_s
        return []


class Loop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which begins at 0.

    Parameters
    ----------
    late_s : float
        How late each timer wakes its sleeper, as real ones do.
    """

    def __init__(self, late_s: float = 0.0) -> None:
        self.clock = _Clock(late_s)
        super().__init__(self.clock)
        self._clock_resolution = 1e-7  # timers so close are one

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self.clock.now


def run(work: Coroutine[Any, Any, T], *, late_s: float = 0.0) -> T:
    """Run a coroutine in virtual time, to its end.

    It may be called in a notebook, where a loop runs already: that one rests meanwhile.

    Parameters
    ----------
    work : coroutine
        What is run; `asyncio.get_running_loop().time()` is its clock.
    late_s : float
        As for `Loop`.

    Returns
    -------
    object
        What the coroutine returns.

    Raises
    ------
    Forever
        If it would not end.
    """
    outer = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    loop = Loop(late_s)
    try:
        main = loop.create_task(work)
        try:
            return loop.run_until_complete(main)
        finally:
            _let_go(loop)
    finally:
        loop.close()
        asyncio._set_running_loop(outer)


def _let_go(loop: Loop) -> None:
    """Cancel what still waits, so that no task complains later that it was lost."""
    loop.clock.turns = 0
    for _ in range(3):
        tasks = asyncio.all_tasks(loop)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        try:
            loop.run_until_complete(asyncio.wait(tasks, timeout=1.0))
        except Forever:
            return
