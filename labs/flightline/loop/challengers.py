"""Challengers of the replay: a model of a cut-off, and one that is calibrated anew."""

import numpy as np
import pandas as pd

from flightline import training
from flightline.loop.core import Floats
from flightline.loop.fits import learned_at
from flightline.loop.kept import Kept
from flightline.loop.labels import LabelJoin, with_labels
from flightline.loop.policy import Model
from flightline.loop.triggers import few_days
from flightline.loop.year import Year

SURE = 1e-9
"""How near to 0 and 1 a score may come before it is calibrated anew."""


class FromTable:
    """A model of a cut-off whose scores are looked up.

    Attributes
    ----------
    model : Model
    learned_scores : Series
        Its scores of the newest rows that it has learned.
    cpu_s : float
        What its training and scoring cost when they were done.
    """

    def __init__(self, year: Year, wait: pd.Timedelta, kept: Kept) -> None:
        self.model, self.cpu_s = kept.model, kept.cpu_s
        self.learned_scores = pd.Series(kept.learned)
        self._year, self._wait, self._scores = year, wait, kept.scores
        self._first = len(year.ids) - len(kept.scores)

    @property
    def learned(self) -> pd.Index:
        """The ids of all rows that it has learned from."""
        rows = learned_at(self._year.table, self.model.cut_off, self._wait)
        return pd.Index(rows["flight_id"])

    def score(self, ids: pd.Index) -> pd.Series:
        """Return its scores of requests that came after its cut-off.

        Parameters
        ----------
        ids : Index

        Returns
        -------
        Series of float64
            In the given order, indexed by id.

        Raises
        ------
        ValueError
            If an id is unknown, or was asked for before the cut-off.
        """
        places = self._year.ids.get_indexer(ids)
        early = places < self._first
        if early.any():
            odd = ids[early][0]
            raise ValueError(
                f"{int(early.sum())} of {len(ids)} requests are unknown or came before "
                f"the cut-off {self.model.cut_off} of {self.model.name} (first: "
                f"{odd!r}): it has no honest score for them."
            )
        return pd.Series(self._scores[places - self._first], ids)


class Recalibrated:
    """A model with another slope and bias, and the rows that these came from.

    Attributes
    ----------
    base : FromTable
        The model below.
    model : Model
        Named after the base, the slope and the bias.
    learned_scores : Series
        Those of the base, calibrated.
    cpu_s : float
        Nothing to speak of.
    """

    cpu_s = 0.0

    def __init__(
        self,
        base: FromTable,
        slope: float,
        bias: float,
        cut_off: pd.Timestamp,
        rows: pd.Index,
    ) -> None:
        self.base, self.slope, self.bias, self._rows = base, slope, bias, rows
        said = f"{base.model.name}|{slope!r}|{bias!r}"
        self.model = Model(training.sha256(said.encode())[:16], cut_off)

    @property
    def learned(self) -> pd.Index:
        """The ids that the base has learned, and those of the calibration."""
        return self.base.learned.union(self._rows)

    def score(self, ids: pd.Index) -> pd.Series:
        """Return the calibrated scores, as the base's `score` does."""
        return pd.Series(self._moved(self.base.score(ids)), ids)

    @property
    def learned_scores(self) -> pd.Series:
        """The base's scores of rows that it has learned, calibrated."""
        return pd.Series(self._moved(self.base.learned_scores))

    def _moved(self, scores: pd.Series) -> Floats:
        """Return scores with the slope and the bias."""
        line = self.slope * logit(scores.to_numpy()) + self.bias
        return training.sigmoid(line)


def recalibrate(
    champion: FromTable | Recalibrated,
    year: Year,
    cut_off: pd.Timestamp,
    *,
    join: LabelJoin,
    window: pd.Timedelta,
) -> FromTable | Recalibrated:
    """Return a champion with a slope and a bias from its answers of the last weeks.

    Parameters
    ----------
    champion : FromTable or Recalibrated
        If it was calibrated before, its base is calibrated anew.
    year : Year
    cut_off : Timestamp
        Labels that became known later are not used.
    join : LabelJoin
    window : Timedelta
        How much of the time before the cut-off is used; nothing that the base has
        learned.

    Returns
    -------
    FromTable or Recalibrated
        The champion itself if there are labels of fewer than seven days.
    """
    base = champion.base if isinstance(champion, Recalibrated) else champion
    places = year.between(max(cut_off - window, base.model.cut_off), cut_off)
    answers = year.requests.iloc[places]
    score = base.score(pd.Index(answers["id"])).to_numpy()
    joined = join(answers.assign(score=score), year.labels(places), cut_off)
    rows = with_labels(joined)
    if few_days(rows):
        return champion
    slope, bias = training.calibrate(
        logit(rows["score"].to_numpy()), rows["late"].to_numpy(np.float64)
    )
    return Recalibrated(base, slope, bias, cut_off, pd.Index(rows["id"]))


def logit(score: Floats) -> Floats:
    """Return the log-odds of scores, none of them infinite."""
    sure = np.clip(score, SURE, 1 - SURE)
    return np.asarray(np.log(sure / (1 - sure)), np.float64)
