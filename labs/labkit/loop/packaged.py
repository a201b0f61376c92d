"""The package's decisions on scores that the lab has made."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import loop

WINDOW = pd.Timedelta(weeks=4)


@dataclass(frozen=True, eq=False)
class Scored:
    """A model whose scores have been made before."""

    model: loop.Model
    scores: pd.Series

    @property
    def learned(self) -> pd.Index:
        """Nothing that anybody asks about: these policies have no gate."""
        return pd.Index([], dtype=object)

    def score(self, ids: pd.Index) -> pd.Series:
        """Return its scores by id."""
        return self.scores.loc[ids]


def decisions(
    trigger: loop.Trigger,
    requests: pd.DataFrame,
    known: pd.DataFrame,
    scores: npt.NDArray[np.float64],
    mondays: Sequence[pd.Timestamp],
) -> list[loop.Decision]:
    """Let `flightline.loop` decide on each Monday behind the first.

    Parameters
    ----------
    trigger : Trigger
        One that looks at the last four weeks.
    requests : DataFrame
        `id`, `asked_at`, `day` and `due_at`, in the order of `asked_at`.
    known : DataFrame
        Labels: `id`, `available_at` and `late`.
    scores : array of float64 [mondays, requests]
        Of the model that was trained at each Monday.
    mondays : sequence of Timestamp

    Returns
    -------
    list of Decision
    """
    names = [f"{monday:%Y-%m-%d}" for monday in mondays]
    plan = loop.Policy("lab", trigger)
    by_id = known.set_index("id", drop=False)
    champion, found = loop.Model(names[0], mondays[0]), []
    for week, now in enumerate(mondays[1:], start=1):
        asked = requests["asked_at"]
        rows = requests[(asked > now - WINDOW) & (asked <= now)]
        k = names.index(champion.name)
        evidence = loop.gather(
            now,
            champion,
            rows.assign(score=scores[k, rows.index]),
            by_id.loc[by_id.index.intersection(rows["id"])],
            join=loop.LabelJoin(),
        )
        new = Scored(loop.Model(names[week], now), pd.Series(dtype=float))
        decision = loop.decide(evidence, plan, lambda *_, new=new: new)
        champion = decision.champion_after
        found.append(decision)
    return found
