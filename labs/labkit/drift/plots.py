"""The two figures of the drift lab."""

from calendar import month_abbr

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from labkit import figures


def thresholds(table: pd.DataFrame, title: str) -> None:
    """Draw the PSI of features beside their thresholds by rows and by days.

    Parameters
    ----------
    table : DataFrame
        By feature, `PSI`, `line by rows` and `line by days`.
    title : str
        What the figure shows.
    """
    table = table.sort_values("PSI")
    _, ax = plt.subplots()
    top = len(table) - 1
    for column, marker, colour in (
        ("line by rows", "|", figures.ORANGE),
        ("line by days", "|", figures.GREEN),
        ("PSI", "o", figures.BLUE),
    ):
        size = 18 if marker == "|" else 8
        ax.plot(table[column], table.index, marker, ms=size, mew=3, color=colour)
        ax.annotate(
            column.replace(" by", "\nby"),
            (table[column].iloc[-1], top),
            (0, 14),
            textcoords="offset points",
            ha="center",
            color=colour,
        )
    ax.set_xscale("log")
    ax.set_ylim(-0.6, top + 1.2)
    ax.set(title=title, xlabel="PSI (logarithmic)")


def months(table: pd.DataFrame) -> None:
    """Draw the PSI of the score above the change of the AUC, month by month.

    Parameters
    ----------
    table : DataFrame
        By month (1 to 12): `PSI of score`, `AUC`, and `change since March` with its
        interval, `from` and `to`.
    """
    names = [month_abbr[int(month)] for month in table.index]
    _, (top, bottom) = plt.subplots(2, 1, sharex=True, figsize=(6, 5))
    top.bar(names, table["PSI of score"], color=figures.SKY)
    top.axhline(0.2, color=figures.ORANGE, ls="--")
    top.annotate(
        "0.2", (-0.4, 0.2), (0, 3), textcoords="offset points", color=figures.ORANGE
    )
    top.set_ylabel("PSI of score")
    change = table["change since March"]
    ends = np.abs(table[["from", "to"]].sub(change, axis=0)).T
    bottom.errorbar(names, change, ends, fmt="o", color=figures.BLUE, capsize=4)
    bottom.axhline(0, color=figures.GREY, ls=":")
    bottom.set_ylabel("AUC since March")
    bottom.set_xlabel("Whiskers: 95% interval by days")
    highest, lowest = table["PSI of score"].idxmax(), table["AUC"].idxmin()
    top.set_title(
        f"PSI peaks in {month_abbr[int(highest)]}, "
        f"the AUC is lowest in {month_abbr[int(lowest)]}"
    )
