"""A change read in twelve segments, when it acts at one airport alone."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from labkit.decisions.pairs import Pair

HOURS = {"early": 9, "midday": 14, "afternoon": 18, "evening": 24}
"""Parts of the day, and the hour that each one ends before."""


def names(replay: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Return the segment of each flight: airport and part of the day.

    Parameters
    ----------
    replay : DataFrame
        As `labkit.replay.load` returns it, with `origin` and `hour` of departure.

    Returns
    -------
    array of str, shape (flights,)
        "JFK early", say.
    """
    ends = [0, *HOURS.values()]
    part = pd.cut(replay["hour"], ends, right=False, labels=list(HOURS))
    return np.asarray(replay["origin"] + " " + part.astype(str), np.str_)


def changes(
    replay: pd.DataFrame, segment: npt.NDArray[np.str_], airport: str
) -> tuple[pd.DataFrame, list[Pair]]:
    """Return a useless change and one that acts at an airport, in each segment.

    The reward of a segment is counted per flight of the whole day: a flight outside of
    it brings nothing. So the segments of a day add up to the reward of the day.

    Parameters
    ----------
    replay : DataFrame
        As `labkit.replay.load` returns it.
    segment : array of str, shape (flights,)
        As `names` returns it.
    airport : str
        Where the change puts the full model in service.

    Returns
    -------
    earned : DataFrame
        One row per flight, indexed by its `day`, and two columns of points per segment:
        with the policy in service, and with the change.
    pairs : list of Pair
        The useless change in each segment, in alphabetical order, then the one that
        acts at `airport`. Their effects are left null.
    """
    old = replay["reward_a"]
    new = replay["reward_b"].where(replay["origin"] == airport, old)
    found = np.unique(segment)
    columns = {
        f"{name}, {policy}": points.where(segment == name, 0.0)
        for name in found
        for policy, points in (("old", old), ("new", new))
    }
    earned = pd.DataFrame(columns).set_index(replay["day"])
    useless = [Pair(f"{name}, old", f"{name}, old", np.nan) for name in found]
    acting = [Pair(f"{name}, old", f"{name}, new", np.nan) for name in found]
    return earned, useless + acting
