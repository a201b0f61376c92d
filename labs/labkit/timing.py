"""Time things side by side, so that a reader can trust the ratio.

A time in seconds says as much about the machine, and what else it does, as about the
code. The ratio of two times, taken in turns in one run, says more. Every timing in this
course is such a ratio, of medians, with the machine named.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd
import psutil

T = TypeVar("T")


def machine() -> str:
    """Name the machine that runs this: processor, cores, system, Python.

    Returns
    -------
    str
        One line, for a caption beside a timing. It holds no host name and no path.
    """
    python = f"Python {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, {python}"


class Watch:
    """Watch, from now on, how busy other processes keep the machine.

    Examples
    --------
    >>> watch = Watch()
    >>> time.sleep(0.1)
    >>> 0 <= watch.other_cores() <= os.cpu_count()
    True
    """

    def __init__(self) -> None:
        self._start = time.perf_counter(), _busy_s(), _own_s()

    def other_cores(self) -> float:
        """Return how many cores the others kept busy on average, since the start.

        Returns
        -------
        float
            0 on a quiet machine. What this process and its children used is left out.
        """
        start, busy, own = self._start
        passed = time.perf_counter() - start
        used = (_busy_s() - busy) - (_own_s() - own)
        return min(max(used / passed, 0.0), float(os.cpu_count() or 1))


def _busy_s() -> float:
    """Return the seconds that the cores were not idle, or were taken away, so far."""
    spent = psutil.cpu_times()._asdict()
    idle = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is also user time
    return float(sum(spent.values()) - sum(spent.get(name, 0) for name in idle))


def _own_s() -> float:
    """Return the seconds that this process and its children used so far."""
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            total += sum(child.cpu_times())
        except psutil.NoSuchProcess:  # it ended, and counts as a child that did
            continue
    return total


def compare(
    pieces: Mapping[str, Callable[[], object]],
    repeats: int = 5,
    *,
    narrow: float = float("inf"),
    most: int = 0,
) -> pd.DataFrame:
    """Time several functions in turns and report medians and ratios.

    Each function runs once unmeasured, to warm up. Then all run in turns, `repeats`
    times, so that a slow moment of the machine meets all of them alike. If that is not
    enough for quartiles as narrow as wanted, they go on.

    Parameters
    ----------
    pieces : mapping of str to callable
        A name and a function without arguments, at least one.
    repeats : int
        Measured rounds, at least 1.
    narrow : float
        How far apart the quartiles of each function may be, over its median.
    most : int
        Rounds after which to stop, however wide the quartiles still are.

    Returns
    -------
    pandas.DataFrame
        One row a name, in the order given: `median_ms`, `low_ms` and `high_ms` (the
        quartiles), and `ratio`, the median over the first row's median. Its
        `attrs["repeats"]` is the number of rounds.

    Raises
    ------
    ValueError
        If there is nothing to time, or `repeats` is less than 1.
    """
    if not pieces or repeats < 1:
        raise ValueError("compare needs at least one function and one repeat.")
    for piece in pieces.values():
        piece()
    rounds: list[dict[str, float]] = []
    while len(rounds) < repeats or (len(rounds) < most and _spread(rounds) > narrow):
        rounds.append({name: _seconds(piece) * 1_000 for name, piece in pieces.items()})
    low, medians, high = pd.DataFrame(rounds).quantile([0.25, 0.5, 0.75]).to_numpy()
    table = pd.DataFrame(
        {
            "median_ms": medians,
            "low_ms": low,
            "high_ms": high,
            "ratio": medians / medians[0],
        },
        index=list(pieces),
    )
    table.attrs["repeats"] = len(rounds)
    return table


def _spread(rounds: list[dict[str, float]]) -> float:
    """Return the widest distance of quartiles, over the median, of any function."""
    low, median, high = pd.DataFrame(rounds).quantile([0.25, 0.5, 0.75]).to_numpy()
    return float(((high - low) / median).max())


def each_ms(function: Callable[[T], object], inputs: Iterable[T]) -> list[float]:
    """Call a function on each input, one after another, and time every call.

    Parameters
    ----------
    function : callable
        A function of one argument; what it returns is dropped.
    inputs : iterable
        The arguments.

    Returns
    -------
    list of float
        Milliseconds of each call, in the order of the inputs.
    """
    return [_seconds(partial(function, one)) * 1_000 for one in inputs]


def _seconds(piece: Callable[[], object]) -> float:
    """Run the function once and return the wall-clock seconds it took."""
    start = time.perf_counter()
    piece()
    return time.perf_counter() - start


def _processor() -> str:
    """Return the processor's name, as well as the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
