"""The interval of a metric as a drawing: Matplotlib's SVG, made to stand in a page.

Colours are the page's own (light and dark), the drawing says in words what it shows,
the same numbers give the same bytes, and nothing is asked of a host.
"""

import io
import math
import re
import warnings
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

COLOURS = {
    "ink": "#1d2530",
    "line": "#c3cad3",
    "dot": "#0072b2",
    "limit": "#b34a00",
}
"""The colours of a drawing, by their names in the page's style."""

SETTINGS: "dict[RcKeyType, object]" = {
    "svg.fonttype": "none",
    "svg.hashsalt": "experiments",
    "font.size": 11,
    "text.parse_math": False,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["line"],
    "xtick.color": COLOURS["line"],
    "xtick.labelcolor": COLOURS["ink"],
}
"""What Matplotlib is told while it draws; nothing of it lasts."""


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
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(5.0, 0.9), facecolor="none")
        axes = figure.add_axes((0.03, 0.42, 0.94, 0.5), facecolor="none")
        _draw(axes, (estimate, low, high), limit, _around(marks))
        text = f"{name}: {estimate:+.4g}, from {low:+.4g} to {high:+.4g}"
        if not math.isnan(limit):
            text += f"; the margin is at {limit:+.4g}"
        return _as_svg(figure, name, text)


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
    axes.axvline(0, color=COLOURS["ink"], linewidth=1)
    if not math.isnan(limit):
        axes.axvline(limit, color=COLOURS["limit"], linewidth=2, linestyle="--")
    axes.plot([low, high], [0, 0], color=COLOURS["dot"], linewidth=4)
    axes.plot([estimate], [0], "D", color=COLOURS["dot"])
    ticks = np.unique([0.0, low, high])
    apart = np.append(np.inf, np.diff(ticks)) > 0.16 * (ends[1] - ends[0])
    axes.set_xticks(ticks[apart], [_written(t) for t in ticks[apart]])


def _written(value: float) -> str:
    """Return the text of a tick."""
    return f"{value:+.3g}" if value else "0"


def _as_svg(figure: "Figure", title: str, text: str) -> str:
    """Return a figure as an element that a screen reader can tell."""
    file = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the reader's fonts will draw it
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    svg = file.getvalue()
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg[svg.index("<svg") :])
    svg = re.sub(r' xmlns:xlink="[^"]*"', "", svg)  # a page knows what it means
    svg = re.sub('style="[^"]*"', _with_variables, svg)
    said = f'role="img" aria-label="{escape(text)}"'
    words = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    start, rest = svg.removeprefix("<svg").split(">", 1)
    return f"<svg {said}{start}>{words}{rest}"


def _with_variables(style: re.Match[str]) -> str:
    """Return a style whose colours are those of the page."""
    text = style[0]
    for name, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    return text
