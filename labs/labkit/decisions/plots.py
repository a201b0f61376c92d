"""The two figures of the decisions lab."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd

from labkit import figures

COLORS = (figures.ORANGE, figures.BLUE, figures.GREEN, figures.GREY)


def bounds(z: pd.Series, rules: Sequence[tuple[str, pd.Series]], title: str) -> None:
    """Draw one experiment morning by morning, and the bounds that it is held against.

    Parameters
    ----------
    z : Series of float
        The statistic, by the day of the experiment.
    rules : sequence of (str, Series of float)
        A name, and the bound of |Z| by day, infinite where nobody looks. Both signs
        are drawn, as a line for every day and as dots for some days. A bound that falls
        is labelled at its beginning, others at their end, and one for every day on its
        lower side.
    title : str
        What the figure shows.
    """
    _, ax = plt.subplots()
    ax.plot(z.index, z, color="black")
    figures.label_end(ax, z.index, z, "the change", "black")
    for (name, rule), color in zip(rules, COLORS, strict=False):
        bound = rule[np.isfinite(rule)]
        daily = len(bound) == len(rule)
        style = "-" if daily else "o"
        for side in (bound, -bound):
            ax.plot(bound.index, side, style, color=color)
        place = bound if bound.iloc[0] == bound.iloc[-1] else bound[::-1]
        place = -place if daily else place
        figures.label_end(ax, place.index, place, name, color)
    ax.axhline(0, color=figures.GREY, linewidth=1)
    ax.set(xlabel="day of the experiment", ylabel="Z", title=title)
    ax.set_xlim(z.index[0] - 1, z.index[-1] * 1.25)
    ax.set_xticks(range(7, z.index[-1] + 1, 7))


def regret(
    costs: npt.ArrayLike, lines: Mapping[str, Sequence[float]], title: str
) -> None:
    """Draw what each rule loses in a year against the cost of a shipped change.

    Parameters
    ----------
    costs : array_like of float
        Points per flight.
    lines : mapping of str to sequence of float
        Thousand points per hundred experiments at each cost, by the name of a rule.
    title : str
        What the figure shows.
    """
    _, ax = plt.subplots()
    costs = np.asarray(costs, float)
    for (name, lost), color in zip(lines.items(), COLORS, strict=False):
        ax.plot(costs, lost, color=color)
        figures.label_end(ax, costs, lost, name.partition(",")[0], color)
    ax.set(
        xlabel="cost of a shipped change (points a flight)",
        ylabel="lost in a year (thousand points)",
        title=title,
        ylim=(0, None),
    )
    ax.set_xlim(0, costs[-1] * 1.5)
    ax.set_xticks(np.linspace(0, costs[-1], 5))
