"""The figures of this lab."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from labkit import figures


def tail(rates: Sequence[float], quantiles: Mapping[str, Sequence[float]]) -> Axes:
    """Draw quantiles of a latency over the hit rate of a cache.

    Parameters
    ----------
    rates : sequence of float
        Shares of hits, ascending.
    quantiles : mapping of str to sequence of float
        By name, milliseconds for each rate; at most three.
    """
    _, ax = plt.subplots()
    colours = (figures.BLUE, figures.ORANGE, figures.GREEN)
    for (name, values), colour in zip(quantiles.items(), colours, strict=False):
        ax.step(rates, values, where="post", color=colour)
        above = values[0] == max(each[0] for each in quantiles.values())
        ax.annotate(
            name,
            (rates[0], values[0]),
            (4, 8 if above else -18),
            textcoords="offset points",
            color=colour,
        )
    ax.set(yscale="log", xlabel="Share of requests that hit", ylabel="Milliseconds")
    ax.margins(y=0.15)
    ax.yaxis.set_major_formatter("{x:g}")
    return ax


def gains(table: pd.DataFrame) -> Axes:
    """Draw how many times as fast INT8 is as FP32, over batch sizes.

    Parameters
    ----------
    table : DataFrame
        One row a batch size; a column for each (network, how it was timed).
    """
    _, ax = plt.subplots()
    colours = dict(
        zip(table.columns.levels[0], (figures.BLUE, figures.ORANGE), strict=False)
    )
    for (network, how), values in table.items():
        look = "o-" if how == "alone" else "s--"
        ax.plot(table.index, values, look, color=colours[network], mfc="white")
        if how == "alone":
            figures.label_end(ax, table.index, values, network, colours[network])
    ax.axhline(1, color=figures.GREY, lw=1.2)
    ax.set(xscale="log", ylim=0, xticks=table.index, xticklabels=table.index)
    ax.minorticks_off()
    ax.set(xlabel="Rows in a batch", ylabel="FP32 time / INT8 time")
    return ax


def cloud(points: pd.DataFrame) -> Axes:
    """Draw models at batch sizes, on two log axes; what nothing beats is filled.

    Parameters
    ----------
    points : DataFrame
        `model`, `rows`, `ms`, `rows_per_s`, `auc` and `best`, one row a point.
    """
    _, ax = plt.subplots(figsize=(6.4, 4.4))
    looks = {
        "trees": (figures.GREEN, "o-"),
        "network": (figures.GREY, "s-"),
        "network INT8": (figures.GREY, "s--"),
        "wide": (figures.ORANGE, "D-"),
        "wide INT8": (figures.ORANGE, "D--"),
        "student": (figures.BLUE, "^-"),
        "student INT8": (figures.BLUE, "^--"),
    }
    ends = points.groupby("model")["rows_per_s"].last().sort_values()
    heights = _apart(np.log10(ends.to_numpy()), 0.2)
    for name, part in points.groupby("model", sort=False):
        colour, look = looks[str(name)]
        ax.plot(part["ms"], part["rows_per_s"], look, color=colour, mfc="white", lw=1.4)
        best = part[part["best"]]
        ax.plot(best["ms"], best["rows_per_s"], look[0], color=colour)
        height = 10 ** heights[ends.index.get_loc(name)]
        ax.annotate(
            f"{name} {part['auc'].iloc[0]:.3f}",
            (part["ms"].iloc[-1], part["rows_per_s"].iloc[-1]),
            (1.06, height),
            textcoords=("axes fraction", "data"),
            va="center",
            color=colour,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6},
        )
    sizes = ", ".join(f"{size:,}" for size in sorted(points["rows"].unique()))
    ax.set(xscale="log", yscale="log", ylabel="Rows a second")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel(
        f"Milliseconds for a batch of {sizes} rows\n"
        "filled: nothing beats it; dashed: INT8; number: AUC"
    )
    return ax


def _apart(heights: np.ndarray, least: float) -> np.ndarray:
    """Move ascending heights up until each is so far above the one before."""
    out = heights.astype(float).copy()
    for place in range(1, len(out)):
        out[place] = max(out[place], out[place - 1] + least)
    return np.asarray(out - (out - heights).mean())
