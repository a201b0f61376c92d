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


def compare(
    pieces: Mapping[str, Callable[[], object]], repeats: int = 5
) -> pd.DataFrame:
    """Time several functions in turns and report medians and ratios.

    Each function runs once unmeasured, to warm up. Then all run in turns, `repeats`
    times, so that a slow moment of the machine meets all of them alike.

    Parameters
    ----------
    pieces : mapping of str to callable
        A name and a function without arguments, at least one.
    repeats : int
        Measured rounds, at least 1.

    Returns
    -------
    pandas.DataFrame
        One row a name, in the order given: `median_ms`, `low_ms` and `high_ms` (the
        quartiles), and `ratio`, the median over the first row's median.

    Raises
    ------
    ValueError
        If there is nothing to time, or `repeats` is less than 1.
    """
    if not pieces or repeats < 1:
        raise ValueError("compare needs at least one function and one repeat.")
    for piece in pieces.values():
        piece()
    rounds = [
        {name: _seconds(piece) * 1_000 for name, piece in pieces.items()}
        for _ in range(repeats)
    ]
    times = pd.DataFrame(rounds)
    medians = times.median()
    return pd.DataFrame(
        {
            "median_ms": medians,
            "low_ms": times.quantile(0.25),
            "high_ms": times.quantile(0.75),
            "ratio": medians / medians.iloc[0],
        }
    )


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
