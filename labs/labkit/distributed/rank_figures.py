"""The figures of lab 07: state a rank, a restart, the cost of an exchange, speed-up."""

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from labkit import figures

ENDS = ("_low", "", "_high")  # a median between its quartiles


def state(table: pd.DataFrame) -> Axes:
    """Draw the bytes of training state that a rank holds, one bar a layout.

    Parameters
    ----------
    table : DataFrame
        One row a layout; `parameters`, `gradients` and `optimizer` in MB.

    Returns
    -------
    Axes
    """
    _, ax = plt.subplots()
    left = np.zeros(len(table))
    colors = (figures.BLUE, figures.SKY, figures.AMBER)
    for part, color in zip(table.columns, colors, strict=True):
        ax.barh(table.index, table[part], left=left, color=color, height=0.62)
        ink = "white" if color == figures.BLUE else "black"
        at = left[0] + table[part].iloc[0] / 2
        ax.text(at, 0, part, color=ink, ha="center", va="center")
        left += table[part].to_numpy()
    ax.set(xlabel="MB on the fuller rank")
    ax.invert_yaxis()
    return ax


def restart(
    journal: pd.DataFrame, undisturbed: pd.DataFrame, killed_after: int
) -> Axes:
    """Draw the loss of a training that was killed and started again.

    Parameters
    ----------
    journal, undisturbed : DataFrame
        The lines of rank 0 of both trainings, in order of time.
    killed_after : int
        The step after which a rank was killed.

    Returns
    -------
    Axes
        The undisturbed one in grey, the other before the kill in orange, and after the
        last restart in blue.
    """
    _, ax = plt.subplots()
    whole = undisturbed[undisturbed.event == "progress"]
    ax.plot(
        whole.step, whole.loss,
        label="never killed", color=figures.GREY, lw=9, alpha=0.3,
    )  # fmt: skip
    attempt = (journal.event == "start").cumsum()
    told = journal.event == "progress"
    before = journal[told & (attempt == 1)]
    after = journal[told & (attempt == attempt.max())]
    ax.plot(
        before.step, before.loss, "o-",
        label="before the kill", color=figures.ORANGE, lw=5, ms=8,
    )  # fmt: skip
    ax.plot(
        after.step, after.loss, "s--",
        label="after the restart", color=figures.BLUE, lw=2, ms=5,
    )  # fmt: skip
    kept = journal[journal.event == "start"].step.iloc[-1]
    for step, text, ha in (
        (kept, "checkpoint ", "right"),
        (killed_after, " kill", "left"),
    ):
        ax.axvline(step, color=figures.GREY, ls=":")
        ax.text(step, 0.98, text, ha=ha, va="top", transform=ax.get_xaxis_transform())
    ax.set(xlabel="Step", ylabel="Log-loss of rank 0's half batch")
    ax.margins(y=0.15)
    ax.figure.legend(loc="outside lower center", ncols=3)
    return ax


def cost(table: pd.DataFrame, model: Callable[[np.ndarray], np.ndarray]) -> Axes:
    """Draw measured times of all-reduces and the fitted cost.

    Parameters
    ----------
    table : DataFrame
        `bytes`, and seconds of `all_reduce` and `ring`.
    model : callable
        Gives seconds for bytes.

    Returns
    -------
    Axes
        Both axes are logarithmic.
    """
    _, ax = plt.subplots()
    size = np.geomspace(table.bytes.min(), table.bytes.max(), 60)
    ax.loglog(size, 1000 * model(size), color=figures.GREY, ls="--")
    figures.label_end(ax, size, 1000 * model(size), "fit", figures.GREY)
    gloo_ms, ring_ms = 1000 * table.all_reduce, 1000 * table.ring
    ax.loglog(table.bytes, gloo_ms, "o", color=figures.BLUE, label="gloo")
    ax.loglog(table.bytes, ring_ms, "s", color=figures.ORANGE, label="our ring")
    ax.legend(loc="upper left")
    ax.set(xlabel="Bytes", ylabel="Milliseconds")
    return ax


def speed(table: pd.DataFrame, names: Sequence[str]) -> Axes:
    """Draw speed-ups over one rank, beside their ceiling.

    Parameters
    ----------
    table : DataFrame
        One row a width; a column for each name, and its quartiles, `_low` and `_high`.
    names : sequence of str
        Two columns: the ceiling and what was reached.

    Returns
    -------
    Axes
        Bars start at zero, thin lines hold the middle half of the rounds; a line marks
        two, the number of ranks.
    """
    _, ax = plt.subplots()
    place = np.arange(len(table))
    pairs = zip(names, (-0.2, 0.2), (figures.SKY, figures.BLUE), strict=True)
    for name, shift, color in pairs:
        low, middle, high = (table[f"{name}{end}"].to_numpy() for end in ENDS)
        spread = [middle - low, high - middle]
        bars = ax.bar(
            place + shift, middle, 0.36, color=color, label=name,
            yerr=spread, ecolor=figures.GREY, capsize=4,
        )  # fmt: skip
        ink = "white" if color == figures.BLUE else "black"
        ax.bar_label(bars, fmt="%.2f", label_type="center", color=ink)
    top = max(
        2.6, 1.2 * float(table[[f"{name}_high" for name in names]].max(axis=None))
    )
    ax.axhline(2, color=figures.GREY, ls="--", label="twice as fast")
    ax.set_xticks(place, [f"{width}" for width in table.index])
    ax.set(xlabel="Width of the network", ylabel="Times one rank", ylim=(0, top))
    ax.legend(loc="upper right", ncols=3)
    return ax
