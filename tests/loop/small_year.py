"""A small year: random flights whose lateness follows one feature, and then another."""

import numpy as np
import pandas as pd
from flightline.features import CATEGORICAL, NUMERIC

FIRST = pd.Timestamp("2013-01-01T04:00", tz="UTC")
START = pd.Timestamp("2013-02-04T04:00", tz="UTC")


def small_year(days=84, rows=40, *, turns=None, seed=0, never=0.02):
    """Return a training table of so many flights a day.

    `precip_3h` decides who is late; from day `turns` on its sign is the other one. A
    share `never` of the flights has no label.
    """
    rng = np.random.default_rng(seed)
    size = days * rows
    day = np.repeat(np.arange(days), rows)
    minute = np.tile(np.linspace(360, 1260, rows).astype(int), days)
    left = FIRST + pd.to_timedelta(day * 1440 + minute, unit="min")
    left = pd.Series(left.as_unit("us"))
    table = pd.DataFrame(rng.normal(size=(size, len(NUMERIC))), columns=NUMERIC)
    for name in CATEGORICAL:
        table[name] = rng.choice(["a", "b", "c"], size)
    table["block_min"] = 120.0
    sign = np.where(day < (days if turns is None else turns), 1, -1)
    chance = 1 / (1 + np.exp(1 - 2 * sign * table["precip_3h"]))
    late = pd.Series(rng.random(size) < chance).astype("boolean")
    lost = rng.random(size) < never
    landed = left + pd.to_timedelta(120 + rng.integers(0, 60, size), unit="min")
    return table.assign(
        flight_id=[f"{d:03d}-{k:03d}" for d, k in zip(day, minute, strict=True)],
        prediction_time=left - pd.Timedelta(hours=2),
        sched_dep_utc=left,
        month=left.dt.month,
        late=late.mask(lost),
        label_time=landed.mask(lost),
    )
