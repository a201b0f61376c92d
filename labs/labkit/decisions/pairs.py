"""Pairs of policies whose true effect is known, as a source of many experiments.

Every policy answers every flight of the replay (`labkit.replay`), so that its reward is
known without an experiment. An experiment then draws whole days with replacement,
assigns the flights of each day to two arms, and sees one difference a day. Because days
are drawn evenly, the truth that it looks for is the mean of the daily differences.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from labkit.replay import GAIN, LOSS, THRESHOLD

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

USELESS = 0.0002
"""A smaller effect counts as nil: points per flight."""

LARGE = 0.03
"""From here on an effect is large: points per flight."""

KINDS = ("nil", "negative", "small", "large")
"""The kinds of pairs, in the order of a table."""

CHANGES = (
    ("timetable", "timetable"),
    ("full", "full"),
    ("full", "pays the same"),
    ("full", "timetable"),
    ("full", "three quarters full"),
    ("full", "warns above .2"),
    ("full", "warns above .5"),
    ("full", "a tenth at random"),
    ("full", "a tenth forgotten"),
    ("full", "warns above .25"),
    ("timetable", "timetable above .25"),
    ("timetable", "a tenth full"),
    ("timetable", "a fifth full"),
    ("timetable", "timetable above .35"),
    ("warns above .2", "full"),
    ("warns above .5", "full"),
    ("a tenth at random", "full"),
    ("a tenth forgotten", "full"),
    ("timetable", "full"),
    ("timetable", "three quarters full"),
    ("never", "full"),
)
"""Control and treatment of each pair; what is nil, small or large is measured."""


@dataclass(frozen=True)
class Pair:
    """A policy in service, one that might replace it, and the true difference.

    Parameters
    ----------
    control, treated : str
        Names of policies.
    effect : float
        Points per flight that the treatment gains, the mean over days.
    """

    control: str
    treated: str
    effect: float

    @property
    def name(self) -> str:
        """Control and treatment, in words."""
        return f"{self.control} -> {self.treated}"

    @property
    def kind(self) -> str:
        """Nil, negative, small or large, by the true effect."""
        if abs(self.effect) < USELESS:
            return "nil"
        if self.effect < 0:
            return "negative"
        return "large" if self.effect >= LARGE else "small"


def warnings_of(replay: pd.DataFrame, seed: int = 11) -> dict[str, Flags]:
    """Return which flights each policy warns of.

    Parameters
    ----------
    replay : DataFrame
        As `labkit.replay.load` returns it.
    seed : int
        Of the policies that mix or forget at random.

    Returns
    -------
    dict of str to array of bool
        By the name of the policy, a value for each flight.
    """
    rng = np.random.default_rng(seed)
    mixed, kept, coin = rng.random((3, len(replay)))
    timetable, full = (replay[f"score_{name}"].to_numpy(float) for name in "ab")
    old, new = timetable > THRESHOLD, full > THRESHOLD
    warns = {
        "timetable": old,
        "full": new,
        "never": np.zeros(len(replay), bool),
        "a tenth full": np.where(mixed < 0.1, new, old),
        "a fifth full": np.where(mixed < 0.2, new, old),
        "three quarters full": np.where(mixed < 0.75, new, old),
        "a tenth at random": np.where(kept < 0.1, coin < 0.5, new),
        "a tenth forgotten": new & (kept >= 0.1),
    }
    for limit in (0.2, 0.25, 0.5):
        warns[f"warns above {limit:g}".replace("0.", ".")] = full > limit
    for limit in (0.25, 0.35):
        warns[f"timetable above {limit:g}".replace("0.", ".")] = timetable > limit
    return warns | {"pays the same": full > _same_pay(replay)}


def _same_pay(replay: pd.DataFrame) -> float:
    """Return the higher threshold at which the full policy earns what it earns now.

    It is chosen on the replay itself: a change that does something and is worth
    nothing, which nobody could have chosen beforehand.
    """
    limits = np.linspace(0.32, 0.45, 131)
    full = replay["score_b"].to_numpy(float)
    now = _daily(replay, full > THRESHOLD).mean()
    gains = [abs(_daily(replay, full > limit).mean() - now) for limit in limits]
    return float(limits[int(np.argmin(gains))])


def _points(replay: pd.DataFrame, warns: Flags) -> Floats:
    """Return the reward of each flight: `GAIN` if a warning is right, or a loss."""
    right = np.where(replay["late"].to_numpy(bool), GAIN, -LOSS)
    return np.where(warns, right, 0.0)


def _daily(replay: pd.DataFrame, warns: Flags) -> Floats:
    """Return the mean reward of each day."""
    points = pd.Series(_points(replay, warns))
    means = points.groupby(replay["day"].to_numpy()).mean()
    return np.asarray(means, np.float64)


def rewards(replay: pd.DataFrame, seed: int = 11) -> pd.DataFrame:
    """Return what every policy earns on every flight.

    Parameters
    ----------
    replay : DataFrame
        As `labkit.replay.load` returns it.
    seed : int
        Of the policies that mix or forget at random.

    Returns
    -------
    DataFrame
        One row per flight, indexed by its `day`, and one column of points per policy.
    """
    warns = warnings_of(replay, seed)
    points = {name: _points(replay, each) for name, each in warns.items()}
    return pd.DataFrame(points, index=pd.Index(replay["day"], name="day"))


def known(earned: pd.DataFrame) -> list[Pair]:
    """Return the pairs with their true effects.

    Parameters
    ----------
    earned : DataFrame
        As `rewards` returns it.

    Returns
    -------
    list of Pair
        Nil first, then negative, small and large, each in rising order.
    """
    days = earned.groupby(level="day").mean().mean()
    pairs = [Pair(old, new, float(days[new] - days[old])) for old, new in CHANGES]
    return sorted(pairs, key=lambda pair: (KINDS.index(pair.kind), pair.effect))


def experiments(
    earned: pd.DataFrame,
    pairs: Sequence[Pair],
    runs: int,
    days: int = 28,
    seed: int = 11,
) -> Floats:
    """Run every pair as an experiment many times, assigned by flight.

    Parameters
    ----------
    earned : DataFrame
        As `rewards` returns it.
    pairs : sequence of Pair
        What to try. One assignment serves all pairs of a run, so that runs are
        independent of each other and pairs of one run are not.
    runs : int
        Experiments a pair.
    days : int
        Days of an experiment, drawn with replacement.
    seed : int
        Of days and assignments.

    Returns
    -------
    array of float64, shape (pairs, runs, days)
        Mean reward of the treated arm less that of the control arm, in points per
        flight, for each day.
    """
    rng = np.random.default_rng(seed)
    blocks = [block for _, block in earned.groupby(level="day", sort=True)]
    drawn = rng.integers(len(blocks), size=(runs, days))
    controls, treated = (
        [earned.columns.get_loc(getattr(pair, arm)) for pair in pairs]
        for arm in ("control", "treated")
    )
    found = np.empty((len(pairs), runs, days))
    for number, block in enumerate(blocks):
        where = drawn == number
        points = block.to_numpy(np.float64)
        arms = rng.integers(2, size=(int(where.sum()), len(points))).astype(np.float64)
        sizes = arms.sum(axis=1, keepdims=True)
        inside = arms @ points
        outside = points.sum(axis=0) - inside
        means = inside / sizes, outside / (len(points) - sizes)
        found[:, where] = (means[0][:, treated] - means[1][:, controls]).T
    return found


def looks(daily: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return what the dashboard shows each morning: estimate and standard error.

    Parameters
    ----------
    daily : array_like of float, shape (..., days)
        One difference a day.

    Returns
    -------
    estimates, ses : arrays of float64, shape (..., days)
        Mean of the days so far, and its standard error from these days, null on day 1.
    """
    values = np.asarray(daily, np.float64)
    count = np.arange(1, values.shape[-1] + 1)
    means = values.cumsum(axis=-1) / count
    squares = (values**2).cumsum(axis=-1) - count * means**2
    with np.errstate(divide="ignore", invalid="ignore"):
        variances = np.maximum(squares, 0) / (count - 1)
        return means, np.where(count > 1, np.sqrt(variances / count), np.nan)


def table(pairs: Sequence[Pair]) -> pd.DataFrame:
    """Return the pairs as a table: `control`, `treated`, `effect` and `kind`."""
    names = ("control", "treated", "effect", "kind")
    return pd.DataFrame({name: [getattr(p, name) for p in pairs] for name in names})
