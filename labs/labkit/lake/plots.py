"""The figure of the lake lab."""

import matplotlib.pyplot as plt
import pandas as pd

from labkit import figures


def july(late: pd.Series, never: pd.Series, limit: float, wait_min: int) -> None:
    """Draw for each day the share of late flights, and of those that never come.

    Parameters
    ----------
    late, never : Series of float
        In percent, by day of the month.
    limit : float
        The share of late flights that was promised, in percent.
    wait_min : int
        The wait that was chosen for it.
    """
    _, ax = plt.subplots()
    ax.bar(late.index, late, color=figures.SKY, label="too late for their hour")
    ax.bar(never.index, never, bottom=late, color="#BDBDBD", label="never come")
    ax.axhline(limit, color=figures.ORANGE, linestyle="--", label="promised at most")
    failed = int((late > limit).sum())
    ax.set_title(f"A wait of {wait_min} minutes fails on {failed} of {len(late)} days")
    ax.set(xlabel="day of July", ylabel="departures (%)")
    ax.grid(visible=False, axis="x")
    ax.legend(loc="upper right")
    plt.show()
