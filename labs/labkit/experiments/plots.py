"""The two figures of the lab on experiments."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np

from labkit import figures


def two_errors(
    panels: Mapping[str, Sequence[tuple[float, float, float]]], title: str
) -> None:
    """Draw the 95% intervals of the same tests with two kinds of errors.

    Parameters
    ----------
    panels : mapping of str to triples of float
        By the kind of errors: of each test the estimate, its standard error, and p.
    title : str
        What the figure shows.
    """
    figure, axes = plt.subplots(1, len(panels), sharex=True, sharey=True)
    for ax, (name, found) in zip(axes, panels.items(), strict=True):
        for height, (estimate, error, p) in enumerate(sorted(found)):
            colour = figures.ORANGE if p < 0.05 else figures.SKY
            ends = np.array([-1.96, 1.96]) * error + estimate
            ax.plot(ends, [height, height], color=colour, lw=1.4)
        ax.axvline(0, color="black", lw=1)
        ax.set(title=name, xlabel="B minus A, points", yticks=[])
    figure.suptitle(title, x=0.02, ha="left")


def days_needed(days: Mapping[str, int], title: str) -> None:
    """Draw a bar for each covariate: the days that an experiment needs with it.

    Parameters
    ----------
    days : mapping of str to int
        By the name of the covariate, both arms together.
    title : str
        What the figure shows.
    """
    _, ax = plt.subplots()
    ax.barh(list(days), list(days.values()), color=figures.SKY, height=0.6)
    figures.label_bars(ax, [str(number) for number in days.values()])
    ax.set(title=title, xlabel="Days needed, both arms")
    ax.set_xlim(0, 1.15 * max(days.values()))
    ax.invert_yaxis()
