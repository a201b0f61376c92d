"""Train a model from what was served, keep it on disk, and score with it again."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from flightline import lake, training
from flightline.features import FEATURES, LATE_MIN, T
from flightline.loop.clock import day_of
from flightline.loop.core import Floats
from flightline.loop.fits import Fit, fit_rows, learned_at, model_of
from flightline.loop.labels import ANSWER
from flightline.loop.policy import WINDOW, Model
from flightline.loop.standing import FILE, plain

LEARNED = "learned.npy"
"""The scores of the newest rows that a model has learned, for their spread alone."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that was trained in a step; a `policy.Challenger`.

    Attributes
    ----------
    model : Model
        Its name and cut-off.
    learned : Index
        The ids of the rows that it has learned.
    about : mapping
        What it comes from, for the journal and the card.
    predictor : training.Predictor
        It scores.
    asked : DataFrame
        Features by id, for the gate.
    """

    model: Model
    learned: pd.Index
    about: Mapping[str, object]
    predictor: training.Predictor
    asked: pd.DataFrame

    def score(self, ids: pd.Index) -> pd.Series:
        """Return its probability for each id, in the given order, indexed by id."""
        rows = self.asked.loc[ids]
        return pd.Series(self.predictor.predict(rows), ids)


def labels_of(arrivals: pd.DataFrame) -> pd.DataFrame:
    """Return labels from reports of arrivals: `id`, `available_at` and `late`.

    Parameters
    ----------
    arrivals : DataFrame
        Rows of the lake's table, in the order in which they came in.

    Returns
    -------
    DataFrame
        One row a report: a corrected flight has several.
    """
    return pd.DataFrame(
        {
            "id": arrivals["flight_id"].to_numpy(object),
            "available_at": arrivals["available_at"].array,
            "late": (arrivals["arr_delay"] >= LATE_MIN).to_numpy(bool),
        }
    )


def with_labels_at(
    rows: pd.DataFrame, labels: pd.DataFrame, at: pd.Timestamp
) -> pd.DataFrame:
    """Add the labels that were known at a moment: `late` and `label_time`.

    Parameters
    ----------
    rows : DataFrame
        With `flight_id`.
    labels : DataFrame
        As `labels_of` returns them.
    at : Timestamp
        Later reports are left out; of several, the last counts.

    Returns
    -------
    DataFrame
        `late` is boolean, null where no label was known.
    """
    known = labels[labels["available_at"] <= at]
    known = known.sort_values("available_at", kind="stable")
    known = known.drop_duplicates("id", keep="last").set_index("id")
    late = rows["flight_id"].map(known["late"]).astype("boolean")
    when = rows["flight_id"].map(known["available_at"]).astype(lake.UTC)
    return rows.assign(late=late, label_time=when)


@dataclass(frozen=True)
class Studio:
    """Where models are trained and kept.

    Attributes
    ----------
    folder : Path
        The folder of the models, one folder each, called by the model's name.
    fit : Fit
        How a model is trained.
    wait : Timedelta
        How long behind its due time a label is waited for.
    """

    folder: Path
    fit: Fit
    wait: pd.Timedelta

    def train(
        self,
        rows: pd.DataFrame,
        labels: pd.DataFrame,
        cut_off: pd.Timestamp,
        said: Mapping[str, object],
    ) -> Trained:
        """Train a model on what was mature at a cut-off, and write its files.

        Parameters
        ----------
        rows : DataFrame
            What was asked, with features.
        labels : DataFrame
            As `labels_of` returns them.
        cut_off : Timestamp
            The newest moment that it may know of.
        said : mapping
            What else it depends on: versions of the lake, code, environment.

        Returns
        -------
        Trained

        Raises
        ------
        ValueError
            If nothing was mature then, or the labels are of one class.
        OSError
            If the disk refuses.
        """
        table = with_labels_at(rows, labels, cut_off)
        learned = learned_at(table, cut_off, self.wait)
        found = fit_rows(learned, cut_off, self.fit)
        model = model_of(found, cut_off)
        named = replace(found, name=FILE, version=model.name)
        about = {
            "cut_off": plain(cut_off),
            "rows": len(learned),
            "late": int(learned["late"].sum()),
            "first": plain(learned[T].min()),
            "last": plain(learned[T].max()),
            "rows_sha256": lake.batch_digest(learned[["flight_id", "late", *FEATURES]]),
            "fit": plain(self.fit),
            **said,
        }
        manifest = training.save_models(
            self.folder / model.name, [named], {"": {"about": about}}
        )
        about = {**about, "manifest_sha256": manifest}
        newest = learned[learned[T] > cut_off - WINDOW]
        scores = named.predict(newest) if len(newest) else np.empty(0)
        _write_array(self.folder / model.name / LEARNED, scores)
        asked = rows.drop_duplicates("flight_id").set_index("flight_id")[FEATURES]
        return Trained(model, pd.Index(learned["flight_id"]), about, named, asked)

    def open(self, model: Model) -> training.Predictor:
        """Open a model that was trained before, if its files are unchanged."""
        return training.load_model(self.folder / model.name, FILE)

    def learned_scores(self, model: Model) -> pd.Series:
        """Return a model's scores of the newest rows that it has learned.

        Raises
        ------
        Damaged
            If their file is missing, or none.
        """
        path = self.folder / model.name / LEARNED
        try:
            return pd.Series(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise training.Damaged(
                f"{path} cannot be read: {error}. Restore it from a copy."
            ) from None

    def answers_of(self, model: Model, rows: pd.DataFrame) -> pd.DataFrame:
        """Return what a model answered, or would have: the columns of an answer.

        Parameters
        ----------
        model : Model
        rows : DataFrame
            What was answered, with features, `model` and `score`; rows that another
            model answered are scored anew, from the same features.

        Returns
        -------
        DataFrame
            `id`, `asked_at`, `day`, `due_at`, `score`.
        """
        score = rows["score"].astype(float)
        others = (rows["model"] != model.name).to_numpy()
        if others.any():
            score = score.copy()
            score[others] = self.open(model).predict(rows[others])
        found = {
            "id": rows["flight_id"],
            "asked_at": rows[T],
            "day": day_of(rows["sched_dep_utc"]),
            "due_at": rows["due_at"],
            "score": score,
        }
        return pd.DataFrame(found)[ANSWER]


def _write_array(path: Path, values: Floats) -> None:
    """Write numbers in one step."""
    stream = io.BytesIO()
    np.save(stream, values)
    training.write_atomic(path, stream.getvalue())
