"""Slices that a new model leaves worse off, beyond the noise of days."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.training.core import Floats, Integers, worse_off


def worse_slices(
    challenger: Floats,
    champion: Floats,
    late: Floats,
    day: Integers,
    slices: npt.ArrayLike,
    *,
    least_days: int = 10,
) -> list[str]:
    """Name the slices that are worse off with the challenger, beyond the noise of days.

    Parameters
    ----------
    challenger, champion : array of float64 [n]
        The scores of both models for the same rows, from 0 to 1. They are kept 1e-12
        away from both ends.
    late : array of float64 [n]
        Labels from 0 to 1.
    day : array of int64 [n]
        The day of each row.
    slices : array of str [n]
        The slice of each row, such as its carrier; rows without one are left out.
    least_days : int
        Slices with rows on fewer days are not judged: so few days say too little
        about their own noise.

    Returns
    -------
    list of str
        Sorted: slices whose mean difference in log-loss, challenger less champion, is
        above 0 by more than days explain. All of them together name a slice by
        chance in about 2.5 of 100 tables (Bonferroni, one-sided).

    Raises
    ------
    ValueError
        For arrays of different lengths, NaN, scores or labels outside 0 to 1, or
        `least_days` below 2.

    Notes
    -----
    The day is the unit: the ratio of the day's summed differences to its rows, with
    a standard error over days and Student's quantile. A slice that is not named is
    not proven well: see how wide its interval is.
    """
    if least_days < 2:
        raise ValueError(f"least_days={least_days}: one day has no noise to judge by.")
    table = pd.DataFrame({"slice": np.asarray(slices, object), "day": np.asarray(day)})
    parts = {"challenger": challenger, "champion": champion, "late": late}
    for name, values in parts.items():
        found = np.asarray(values, np.float64)
        if found.shape != (len(table),):
            raise ValueError(
                f"{name} has the shape {found.shape}, not ({len(table)},)."
            )
        if not ((found >= 0) & (found <= 1)).all():
            raise ValueError(f"{name} holds NaN, or what is outside 0 to 1.")
        table[name] = found if name == "late" else np.clip(found, 1e-12, 1 - 1e-12)
    table = table.dropna(subset=["slice", "day"])
    if not len(table):
        return []
    return worse_off(
        table["challenger"].to_numpy(),
        table["champion"].to_numpy(),
        table["late"].to_numpy(),
        table["day"].to_numpy(),
        table["slice"].astype(str).to_numpy(),
        least_days,
    )
