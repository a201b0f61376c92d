"""One look for every figure: a colour-blind-safe palette, large text, no clutter.

The colours are those of Okabe and Ito. Lines use the three dark ones, filled areas
the two light ones, and grey is for context. A figure keeps its white card on a dark
page, so that the contrast of its colours is the same in both schemes.
"""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib_inline.backend_inline import set_matplotlib_formats

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#595959"
AMBER, SKY = "#E69F00", "#56B4E9"

_STYLE: dict[str, object] = {
    "figure.figsize": (6.0, 3.7),
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelcolor": "black",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=[BLUE, ORANGE, GREEN, GREY, AMBER]),
    "grid.color": "#E3E3E3",
    "lines.linewidth": 2.2,
    "legend.frameon": False,
    "svg.fonttype": "none",
}


def use_style() -> None:
    """Set the course's figure style, and PNG at double density in notebooks.

    Call it once, in the set-up cell of a lab. Calling it again changes nothing.
    """
    plt.style.use(["default", _STYLE])
    set_matplotlib_formats("retina")  # type: ignore[no-untyped-call]


def label_end(
    ax: Axes, x: Iterable[float], y: Iterable[float], text: str, color: str
) -> None:
    """Write a line's name beside its last point, which needs no legend.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes that hold the line.
    x, y : array_like
        The line's points; the label stands right of the last one.
    text : str
        The label.
    color : str
        The line's colour.
    """
    last_x, last_y = list(x)[-1], list(y)[-1]
    ax.annotate(
        text,
        (last_x, last_y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=color,
        annotation_clip=False,
    )


def label_bars(ax: Axes, labels: list[str]) -> None:
    """Write one text at the end of each bar of a bar chart.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes; their first bar container is labelled.
    labels : list of str
        One text a bar, in the order of the bars.

    Raises
    ------
    ValueError
        If the axes hold no bars, or another number of bars than of labels.
    """
    if not ax.containers:
        raise ValueError("label_bars: the axes hold no bars; draw them first.")
    bars = ax.containers[0]
    if len(bars) != len(labels):
        raise ValueError(f"label_bars: {len(labels)} labels for {len(bars)} bars.")
    ax.bar_label(bars, labels=labels, padding=4)  # type: ignore[arg-type]


def range_bars(
    ranges: Mapping[str, Sequence[float]], notes: Sequence[str] = ()
) -> Axes:
    """Draw one horizontal bar a row, from one end of a range to the other.

    Parameters
    ----------
    ranges : mapping of str to three numbers
        A name, and one end, the likely value and the other end. The first is on top.
    notes : sequence of str
        One text for the right end of each bar; none if it is empty.

    Returns
    -------
    matplotlib.axes.Axes
        Axes of a new figure. A dot marks the likely value; the axis starts at zero.

    Raises
    ------
    ValueError
        If there are notes, but not one for each row.
    """
    if notes and len(notes) != len(ranges):
        raise ValueError(f"range_bars: {len(notes)} notes for {len(ranges)} rows.")
    _, ax = plt.subplots()
    names = list(ranges)
    likely = [ranges[name][1] for name in names]
    left = [min(ranges[name][0], ranges[name][2]) for name in names]
    right = [max(ranges[name][0], ranges[name][2]) for name in names]
    ax.barh(names, np.subtract(right, left), left=left, color=SKY, height=0.6)
    ax.plot(likely, names, "o", color=BLUE)
    for end, name, note in zip(right, names, notes, strict=False):
        ax.annotate(note, (end, name), (6, 0), textcoords="offset points", va="center")
    ax.set_xlim(0, max(right) * (1.25 if notes else 1.05))
    ax.invert_yaxis()
    return ax
