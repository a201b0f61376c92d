"""Charts of the pages: Matplotlib's SVG, made to stand in a page.

Text stays text, colours are the page's own (light and dark), each chart says in words
what it shows, the same numbers give the same bytes, and nothing is asked of a host.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from flightline.drift.bins import Column
from flightline.drift.columns import Floats, Integers
from flightline.experiments import PAGE_COLOURS, SVG_SETTINGS, as_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

COLOURS = {**PAGE_COLOURS, "bar": "#9ccdea", "now": "#e69f00"}
"""The colours of a chart, by their names in the page's style."""

SETTINGS: "dict[RcKeyType, object]" = {
    **SVG_SETTINGS,
    "ytick.left": False,
    "ytick.labelcolor": COLOURS["ink"],
}
"""What Matplotlib is told while it draws; nothing of it lasts."""

WIDTH, LABELS = 7.0, 2.5
"""Inches: a chart, and the names on its left."""

WORD = 28
"""The longest name that is written out."""

TICKS = [0.01, 0.1, 1, 10, 100, 1000]
"""PSI over its threshold, as far as the axis goes."""

MOST = 12
"""The most bins of one chart."""


def plot_ratios(report: pd.DataFrame) -> str:
    """Draw the PSI of each feature over its threshold, on a logarithmic axis.

    Parameters
    ----------
    report : DataFrame
        What `drift.report` returned.

    Returns
    -------
    str
        An SVG element, or a sentence if there is nothing to draw.
    """
    known = report[report["threshold"].notna()]
    ratio = (known["psi"] / known["threshold"]).sort_values()
    if ratio.empty:
        return "<p>No feature could be compared.</p>"
    drifted = known.loc[ratio.index, "drifted"].astype(bool)

    def draw(axes: "Axes") -> None:
        axes.set_xscale("log")
        axes.set_xlim(TICKS[0], TICKS[-1])
        axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
        axes.minorticks_off()
        axes.axvline(1, color=COLOURS["limit"], linewidth=2, clip_on=False)
        axes.set_title("threshold", x=0.4, fontsize=11)
        places = np.arange(len(ratio))
        axes.set_yticks(places, [_short(name) for name in ratio.index])
        axes.grid(axis="y", color=COLOURS["line"], clip_on=False)
        for mask, mark, colour in ((~drifted, "o", "dot"), (drifted, "D", "limit")):
            x, y = ratio[mask].clip(TICKS[0], TICKS[-1]), places[mask]
            axes.plot(x, y, mark, color=COLOURS[colour], clip_on=False)

    names = ", ".join(map(str, known.index[known["drifted"].astype(bool)])) or "none"
    text = f"PSI over its threshold for {len(known)} features. Drifted: {names}."
    return _in_rows(draw, len(ratio), "PSI over threshold", text)


def plot_shares(column: Column, before: Integers, now: Integers) -> str:
    """Draw the shares of one feature's bins, before and now, as pairs of bars.

    Parameters
    ----------
    column : Column
        The feature, for the names of its bins.
    before, now : arrays of int64
        Counts by bin.

    Returns
    -------
    str
        An SVG element; of many bins, the twelve fullest.
    """
    p, q = before / before.sum(), now / now.sum()
    bins = np.flatnonzero(before + now)
    if len(bins) > MOST:
        bins = bins[np.argsort(-(p + q)[bins], kind="stable")][:MOST]
    names = [column.label(int(b)) for b in bins]

    def draw(axes: "Axes") -> None:
        places = np.arange(len(bins))[::-1]
        axes.set_yticks(places, [_short(name) for name in names])
        axes.set_xlim(0, 1.2 * max(float(p.max()), float(q.max())))
        axes.set_xticks([])
        axes.set_title(_short(column.name), loc="left", fontsize=11, fontweight="bold")
        sides = ((0.2, p, "bar", "reference"), (-0.2, q, "now", "current"))
        for shift, share, colour, label in sides:
            bars = axes.barh(
                places + shift, share[bins], 0.38, color=COLOURS[colour], clip_on=False
            )
            said = [f"{x:.0%}" for x in share[bins]]
            said[0] += f" {label}"
            axes.bar_label(bars, said, padding=3, clip_on=False)

    pairs = zip(names, p[bins], q[bins], strict=True)
    text = "; ".join(f"{name}: {x:.0%} before, {y:.0%} now" for name, x, y in pairs)
    return _in_rows(draw, 1.6 * len(bins), column.name, f"{column.name}. {text}")


def plot_track(rows: pd.DataFrame) -> str:
    """Draw one series of the metrics store, values outside their limits marked.

    Parameters
    ----------
    rows : DataFrame
        Of the store, one metric and subject, in order of time.

    Returns
    -------
    str
        An SVG element, or a sentence if no value is finite.
    """
    value = rows["value"].astype(float).to_numpy()
    outside = rows["found"].to_numpy(np.bool_)[np.isfinite(value)]
    value = value[np.isfinite(value)]
    if not len(value):
        return "<p>No value that could be drawn.</p>"
    figure = _figure(4.2, 1.0)
    _draw_track(figure.add_axes((0.02, 0.1, 0.96, 0.8)), value, outside)
    text = (
        f"{len(value)} values from {value.min():.4g} to {value.max():.4g}, "
        f"{int(outside.sum())} outside"
    )
    return as_svg(figure, "history", text, COLOURS)


def _draw_track(axes: "Axes", value: Floats, outside: np.typing.ArrayLike) -> None:
    """Draw values in their order; those outside have another mark."""
    axes.set_axis_off()
    places, out = np.arange(len(value)), np.asarray(outside)
    axes.plot(places, value, color=COLOURS["dot"], clip_on=False)
    for mask, mark, colour in ((~out, "o", "dot"), (out, "D", "limit")):
        axes.plot(places[mask], value[mask], mark, color=COLOURS[colour], clip_on=False)


def _short(name: object) -> str:
    """Return a name that fits beside a chart."""
    text = "".join(c if c.isprintable() else " " for c in str(name))
    return text if len(text) <= WORD else f"{text[: WORD - 1]}…"


def _figure(width: float, height: float) -> "Figure":
    """Return an empty figure that lets the page shine through; inches."""
    from matplotlib.figure import Figure  # takes half a second

    return Figure(figsize=(width, height), facecolor="none")


def _in_rows(draw: Callable[["Axes"], None], rows: float, title: str, text: str) -> str:
    """Draw a chart whose rows have names on the left, each 0.27 inches high."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS):
        height = 0.27 * rows + 0.7
        figure = _figure(WIDTH, height)
        box = (
            LABELS / WIDTH,
            0.35 / height,
            0.95 - LABELS / WIDTH,
            0.27 * rows / height,
        )
        axes = figure.add_axes(box, facecolor="none")
        axes.spines[:].set_visible(False)
        draw(axes)
        axes.set_ylim(-0.7, len(axes.get_yticks()) - 0.3)
        return as_svg(figure, title, text, COLOURS)
