"""The interval of a metric as a drawing of the page."""

import math
from typing import TYPE_CHECKING

import numpy as np

from flightline.experiments.svg import PAGE_COLOURS, SVG_SETTINGS, as_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_interval(
    name: str, estimate: float, low: float, high: float, limit: float = math.nan
) -> str:
    """Draw an effect and its interval on a line with 0, and with a limit if any.

    Parameters
    ----------
    name : str
        Of the metric and its arm.
    estimate, low, high : float
        All finite.
    limit : float
        The margin of a guardrail, on the side of a loss; NaN if there is none.

    Returns
    -------
    str
        An SVG element.
    """
    import matplotlib
    from matplotlib.figure import Figure  # takes half a second

    marks = [mark for mark in (0.0, low, high, limit) if not math.isnan(mark)]
    with matplotlib.rc_context(SVG_SETTINGS):
        figure = Figure(figsize=(5.0, 0.9), facecolor="none")
        axes = figure.add_axes((0.03, 0.42, 0.94, 0.5), facecolor="none")
        _draw(axes, (estimate, low, high), limit, _around(marks))
        text = f"{name}: {estimate:+.4g}, from {low:+.4g} to {high:+.4g}"
        if not math.isnan(limit):
            text += f"; the margin is at {limit:+.4g}"
        return as_svg(figure, name, text)


def _around(marks: list[float]) -> tuple[float, float]:
    """Return ends of an axis that leave room beside all marks."""
    room = 0.08 * (max(marks) - min(marks) or 1.0)
    return min(marks) - room, max(marks) + room


def _draw(
    axes: "Axes",
    interval: tuple[float, float, float],
    limit: float,
    ends: tuple[float, float],
) -> None:
    """Draw the interval as a bar with a dot, 0 and the limit as lines across."""
    estimate, low, high = interval
    axes.set_xlim(*ends)
    axes.set_ylim(-1, 1)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.axvline(0, color=PAGE_COLOURS["ink"], linewidth=1)
    if not math.isnan(limit):
        axes.axvline(limit, color=PAGE_COLOURS["limit"], linewidth=2, linestyle="--")
    axes.plot([low, high], [0, 0], color=PAGE_COLOURS["dot"], linewidth=4)
    axes.plot([estimate], [0], "D", color=PAGE_COLOURS["dot"])
    ticks = np.unique([0.0, low, high])
    apart = np.append(np.inf, np.diff(ticks)) > 0.16 * (ends[1] - ends[0])
    axes.set_xticks(ticks[apart], [_written(t) for t in ticks[apart]])


def _written(value: float) -> str:
    """Return the text of a tick."""
    return f"{value:+.3g}" if value else "0"
