"""The three figures of the loop lab."""

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd

from labkit import figures


def ages(table: pd.DataFrame, title: str) -> None:
    """Draw how much an older model loses against a new one, by its age.

    Parameters
    ----------
    table : DataFrame
        By age in weeks: `difference` of the log-loss, and its interval `low`, `high`.
    title : str
        What the figure shows.
    """
    _, ax = plt.subplots()
    ax.fill_between(table.index, table["low"], table["high"], color=figures.SKY)
    ax.plot(table.index, table["difference"], color=figures.BLUE)
    ax.axhline(0, color=figures.GREY, ls=":")
    ax.set(
        title=title,
        xlabel="Age of the model in weeks; band: 95% interval by weeks",
        ylabel="Log-loss more than a new model",
    )


def policies(table: pd.DataFrame, title: str) -> None:
    """Draw the difference of each policy from the schedule, with its interval.

    Parameters
    ----------
    table : DataFrame
        By policy, the first on top: `difference`, `low`, `high`.
    title : str
        What the figure shows.
    """
    _, ax = plt.subplots()
    ends = np.abs(table[["low", "high"]].sub(table["difference"], axis=0)).T
    ax.errorbar(
        table["difference"], table.index, xerr=ends, fmt="o", color=figures.BLUE,
        capsize=4,
    )  # fmt: skip
    ax.axvline(0, color=figures.ORANGE, ls="--")
    ax.invert_yaxis()
    ax.set(title=title, xlabel="Log-loss less that of every 4 weeks")


def night(
    clock: pd.DatetimeIndex,
    rates: dict[str, npt.NDArray[np.float64]],
    factor: float,
    title: str,
) -> None:
    """Draw burn rates over some hours, and the line above which they page.

    Parameters
    ----------
    clock : DatetimeIndex
        Local time, by minute.
    rates : dict of array
        The burn rate of each window, by its name; at most three.
    factor : float
        The line.
    title : str
        What the figure shows.
    """
    _, ax = plt.subplots()
    hours = (clock - clock[0].normalize()) / pd.Timedelta("1h")
    colours = (figures.BLUE, figures.GREEN, figures.GREY)
    heights = (0.93, 0.5, 0.3)
    for (name, rate), colour, height in zip(
        rates.items(), colours, heights, strict=False
    ):
        ax.plot(hours, rate, color=colour)
        last = int(np.flatnonzero(rate >= height * rate.max())[-1])
        ax.annotate(
            name, (hours[last], height * rate.max()), (8, 0), va="center",
            textcoords="offset points", color=colour,
        )  # fmt: skip
    ax.axhline(factor, color=figures.ORANGE, ls="--")
    ax.annotate(
        "pages above", (hours[0], factor), (0, 4), textcoords="offset points",
        color=figures.ORANGE,
    )  # fmt: skip
    ax.set(title=title, xlabel="Hour of the day, New York", ylabel="Burn rate")
