"""Evidence by hand: answers of a model whose scores are true, or are not."""

import numpy as np
import pandas as pd
from flightline.loop.policy import Evidence, Model

NOW = pd.Timestamp("2013-06-03T04:00", tz="UTC")
CHAMPION = Model("champion", NOW - pd.Timedelta(weeks=12))
HOUR = pd.Timedelta(hours=1)


def answers(days=28, rows=100, *, shift=0.0, flat=1.0, seed=0, until=NOW, base=-1.0):
    """Return mature answers; `shift` moves the true odds, `flat` makes scores useless.

    The lateness of a whole day varies, as that of real days does.
    """
    rng = np.random.default_rng(seed)
    size = days * rows
    day = np.repeat(np.arange(days), rows)
    odds = base + rng.normal(0, 1, size)
    spell = rng.normal(0, 0.2, days)[day]
    true = 1 / (1 + np.exp(-(odds * flat + spell + shift)))
    asked = until - pd.to_timedelta((days - day) * 24 - 3, unit="h")
    asked = asked + pd.to_timedelta(np.tile(np.arange(rows), days) % 12, unit="h")
    asked = pd.Series(asked.as_unit("us"))
    return pd.DataFrame(
        {
            "id": [f"{seed}-{k}" for k in range(size)],
            "asked_at": asked,
            "day": asked.dt.strftime("%Y-%m-%d"),
            "due_at": asked + 4 * HOUR,
            "score": 1 / (1 + np.exp(-odds)),
            "late": pd.Series(rng.random(size) < true).astype("boolean"),
            "mature": True,
        }
    )


def evidence(scored=None, reference=None, *, now=NOW, champion=CHAMPION, **more):
    """Return evidence; without tables, of a champion that is fine."""
    scored = answers() if scored is None else scored
    if reference is None:
        reference = answers(seed=1, until=champion.cut_off + pd.Timedelta(weeks=4))
    return Evidence(now, champion, scored, reference, **more)
