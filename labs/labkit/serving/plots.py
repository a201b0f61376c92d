"""The figures of lab 08."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from labkit.figures import AMBER, BLUE, GREY, ORANGE


def freeze(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    frozen: tuple[float, float],
) -> Axes:
    """Draw each request of two load generators, by when it was due.

    Parameters
    ----------
    runs : mapping of str to two sequences
        The closed loop, then the open one: when each request was due, in seconds, and
        its response time in ms.
    frozen : pair of float
        When the freeze began and ended.
    """
    _, ax = plt.subplots()
    ax.axvspan(*frozen, color=AMBER, alpha=0.3, lw=0)
    looks = ((ORANGE, "^", 8.0, 2), (BLUE, "o", 4.0, 3))
    for (name, (due_s, ms)), (color, mark, size, front) in zip(
        runs.items(), looks, strict=True
    ):
        ax.plot(due_s, ms, mark, color=color, ms=size, label=name, zorder=front)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ax.set_xlabel("when the request was due, s")
    ax.set_ylabel("response time, ms")
    return ax


def load_curve(table: pd.DataFrame, target_ms: float) -> Axes:
    """Draw p50 and p99 against the offered load, and the target.

    Parameters
    ----------
    table : DataFrame
        By the load offered, in requests a second: `p50` and `p99` in ms.
    target_ms : float
        A dotted line.
    """
    _, ax = plt.subplots()
    for name, color, mark, up in (("p50", GREY, "o", -10), ("p99", BLUE, "s", 10)):
        ax.plot(table.index, table[name], color=color, marker=mark)
        end = table.index[-1], table[name].iloc[-1]
        ax.annotate(
            name,
            end,
            (8, up),
            textcoords="offset points",
            va="center",
            color=color,
            annotation_clip=False,
        )
    ax.axhline(target_ms, color="black", lw=1, ls=":")
    place = table.index[0], target_ms
    ax.annotate(f"{target_ms:g} ms", place, (0, 4), textcoords="offset points")
    ax.set_xscale("log")
    names = [f"{load:g}" for load in table.index]
    ax.set_xticks(list(table.index), names, rotation=45, ha="right")
    ax.minorticks_off()
    ax.set_yscale("log")
    ax.set_xlabel("offered load, requests/s")
    ax.set_ylabel("response time, ms")
    return ax
