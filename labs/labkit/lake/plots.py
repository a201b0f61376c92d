"""The figure of the lake lab."""

import matplotlib.pyplot as plt
import pandas as pd

from labkit import figures


def july(late: pd.Series, never: pd.Series, limit: float, wait_min: int) -> None:
    """Draw for each day the share of late flights, and of those that never leave.

    Parameters
    ----------
    late : Series of float
        Of the flights that left, in percent, by day of the month.
    never : Series of float
        Of all scheduled flights, in percent, by day of the month.
    limit : float
        The share of late flights that was promised, in percent.
    wait_min : int
        The wait that was chosen for it.
    """
    _, ax = plt.subplots()
    ax.bar(late.index, late, color=figures.SKY, label="too late, of those that left")
    ax.plot(never.index, never, "D", color=figures.GREY, label="cancelled, of all")
    ax.axhline(limit, color=figures.ORANGE, linestyle="--", label="promised at most")
    failed = int((late > limit).sum())
    ax.set_title(f"A wait of {wait_min} minutes fails on {failed} of {len(late)} days")
    ax.set(xlabel="day of July", ylabel="flights (%)", ylim=(0, 1.5 * late.max()))
    ax.grid(visible=False, axis="x")
    ax.legend(loc="upper right")
    plt.show()
