"""Made-up carriers, to try a rule that says who is worse off."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline.training import Floats, Integers

Asked = tuple[Floats, Floats, Floats, Integers, npt.NDArray[np.object_]]


def flights(name: str, towards: npt.ArrayLike, days: int = 40) -> pd.DataFrame:
    """Return thirty flights a day of one carrier, scored by two models.

    The share of late flights differs from day to day. The champion always says 0.3;
    the challenger misses by `towards` more, a number for all days or one for each.
    """
    rng, made = np.random.default_rng(6), []
    for day, by in enumerate(np.broadcast_to(towards, days)):
        late = (rng.random(30) < rng.uniform(0.05, 0.6)).astype(float)
        columns = {"challenger": 0.3 - by * (2 * late - 1), "champion": 0.3}
        made.append(pd.DataFrame({**columns, "late": late, "day": day}))
    return pd.concat(made, ignore_index=True).assign(carrier=name)


BETTER = flights("better", -0.05)
"""Better on each day."""

RARE = tuple(flights("rare", 0.02, days=days) for days in (1, 2))
"""Worse, on one day and on two: too few to judge by."""

NOISY = flights("noisy", np.where(np.arange(40) == 3, 0.05, -0.0008))
"""One terrible day of 40, and a little better on the others."""

_LUCK = np.random.default_rng(2).normal(size=40)
STORMY = flights("stormy", 0.03 * ((_LUCK - _LUCK.mean()) / _LUCK.std() + 0.19))
"""Good and bad days, a little more bad than good; flights of a day share their luck."""

WAVERING = flights("wavering", 0.03 * ((_LUCK - _LUCK.mean()) / _LUCK.std() + 1))
"""Good and bad days as well, but worse by about six standard errors of their mean."""

SPARED = flights("spared", np.where(np.arange(40) < 35, 0.002, -0.1))
"""A little worse on 35 days and much better on five: a lower loss over all."""


def _bold() -> pd.DataFrame:
    """Return a carrier with a higher log-loss and a lower squared error."""
    made = flights("bold", -0.05)
    first = made[made["late"] == 1].groupby("day").head(1).index
    made.loc[first, "challenger"] = 0.001  # quite sure, and wrong
    return made


BOLD = _bold()
"""Better on most flights, and quite wrong about one late flight a day."""


def columns(*tables: pd.DataFrame) -> Asked:
    """Return challenger, champion, late, day and carrier of several carriers."""
    rows = pd.concat(tables)
    numbers = (
        rows[name].to_numpy(float) for name in ("challenger", "champion", "late")
    )
    challenger, champion, late = numbers
    return (
        challenger,
        champion,
        late,
        rows["day"].to_numpy(),
        rows["carrier"].to_numpy(),
    )


def alike(rng: np.random.Generator) -> Asked:
    """Return a table of sixteen carriers, for which two models are equally good."""
    day, carrier = np.divmod(np.arange(12 * 160), 160)
    gap = (0.05 * rng.normal(size=(12, 16)))[day, carrier % 16]
    late = (rng.random(len(day)) < 0.5).astype(float)
    names = np.array([f"c{number:02d}" for number in range(16)], object)
    return 0.5 + gap, 0.5 - gap, late, day, names[carrier % 16]
