"""Train a model on all that was known at a cut-off: the same rows, the same bytes.

The full path trains on rows from the log of what it served, the fast replay on a table
of the year. Both call `learned_at` and `fit_rows`, which are
`fit_at` in two parts, so that the same rows give a model of the same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from flightline import training
from flightline.features import CATEGORICAL, FEATURES
from flightline.loop.labels import WAIT, must_be_a_moment, must_have, whole
from flightline.loop.policy import Model

NEEDED = ["flight_id", "prediction_time", "sched_dep_utc", "label_time", "late"]
"""What a row needs beside the features."""


@dataclass(frozen=True)
class Fit:
    """What is trained.

    Attributes
    ----------
    kind : {"lightgbm", "logistic", "constant"}
        As in `training.fit`.
    rounds : int
        How many trees, chosen beforehand: of 50 to 400, a model of January to May did
        best on June with 200. Rows that stop a training early cannot be learned from,
        and the newest rows are worth most.
    seed : int
        Decides all that is random.
    settings : mapping
        LightGBM's own, or `strength` of the logistic regression.
    """

    kind: str = "lightgbm"
    rounds: int = 200
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a kind that this stage does not train."""
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r} is none of {', '.join(KINDS)}.")
        if not whole(self.rounds, 1):
            raise ValueError(
                f"rounds={self.rounds}: a model has at least one tree, and whole ones."
            )


KINDS = ("lightgbm", "logistic", "constant")


def due_at(table: pd.DataFrame) -> pd.Series:
    """Return when each flight is due: its departure by the timetable and its duration.

    Parameters
    ----------
    table : DataFrame
        `sched_dep_utc` and the feature `block_min`; or `due_at` itself.
    """
    if "due_at" in table:
        return table["due_at"]
    minutes = pd.to_timedelta(table["block_min"].astype("int64"), unit="min")
    return table["sched_dep_utc"] + minutes.astype("timedelta64[us]")


def learned_at(
    table: pd.DataFrame, cut_off: pd.Timestamp, wait: pd.Timedelta = WAIT
) -> pd.DataFrame:
    """Return the rows that may be learned from at a cut-off, in one order.

    Parameters
    ----------
    table : DataFrame
        Rows as `features.training_table` makes them, in any order.
    cut_off : Timestamp
        With a zone.
    wait : Timedelta
        As in `LabelJoin`: a row that is too young to be judged is too young to be
        learned from, since those labels that have come early are not like the others.

    Returns
    -------
    DataFrame
        Mature rows whose label was known, sorted by prediction time and flight: what
        is drawn at random in a training depends on the order.

    Raises
    ------
    ValueError
        If a column is missing, an id comes twice, or there is no such row.
    """
    must_be_a_moment(cut_off, "cut_off")
    must_have(table, [*NEEDED, *FEATURES], "table")
    known = table["late"].notna() & (table["label_time"] <= cut_off)
    rows = table[known & (due_at(table) + wait <= cut_off)]
    if not len(rows):
        raise ValueError(
            f"none of {len(table)} rows had a mature label at {cut_off}: there is "
            "nothing to learn from. Start later, or mend the label feed."
        )
    if rows["flight_id"].duplicated().any():
        twice = rows.loc[rows["flight_id"].duplicated(), "flight_id"].iloc[0]
        raise ValueError(f"{twice!r} stands twice in the table. Keep one row of each.")
    return rows.sort_values(["prediction_time", "flight_id"], ignore_index=True)


def fit_at(
    table: pd.DataFrame,
    cut_off: pd.Timestamp,
    fit: Fit | None = None,
    *,
    wait: pd.Timedelta = WAIT,
) -> training.Predictor:
    """Train on all mature rows that were known at a cut-off.

    Parameters
    ----------
    table, cut_off, wait
        As in `learned_at`.
    fit : Fit, optional
        What is trained.

    Returns
    -------
    Predictor
        On one thread; the same rows and settings give the same bytes with the same
        version of the library.

    Raises
    ------
    ValueError
        As `learned_at`, or if all labels are of one class.
    """
    return fit_rows(learned_at(table, cut_off, wait), cut_off, fit or Fit())


def fit_rows(rows: pd.DataFrame, cut_off: pd.Timestamp, fit: Fit) -> training.Predictor:
    """Train on the rows of a cut-off, as `fit_at` does once it has found them.

    Parameters
    ----------
    rows : DataFrame
        What `learned_at` returned.
    cut_off : Timestamp
        For the message.
    fit : Fit

    Returns
    -------
    Predictor

    Raises
    ------
    ValueError
        If all labels are of one class.
    """
    if rows["late"].astype(bool).nunique() < 2:
        raise ValueError(
            f"all {len(rows)} labels known at {cut_off} are of one class: there is "
            "nothing to learn. Is the label feed broken?"
        )
    if fit.kind != "lightgbm":
        return training.fit(fit.kind, rows, rows, seed=fit.seed, **fit.settings)
    transform = training.Transform.fit(rows)
    content = _trees(transform, rows, fit)
    return training.open_model(content, "lightgbm", transform)


def _trees(transform: training.Transform, rows: pd.DataFrame, fit: Fit) -> bytes:
    """Return so many trees, as LightGBM's text."""
    import lightgbm

    data = lightgbm.Dataset(
        transform.matrix(rows),
        training.labels(rows),
        categorical_feature=list(range(len(CATEGORICAL))),
    )
    settings = training.TREES | {"seed": fit.seed} | dict(fit.settings)
    trees = lightgbm.train(settings, data, fit.rounds)
    return str(trees.model_to_string()).encode()


def model_of(predictor: training.Predictor, cut_off: pd.Timestamp) -> Model:
    """Return the name of a model, from its bytes and its transform, and its cut-off."""
    content = predictor.transform.to_json().encode() + predictor.content
    return Model(training.sha256(content)[:16], cut_off)
