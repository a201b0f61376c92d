"""The year again, by look-ups: a model for each cut-off is trained once and kept.

Whatever the policy, the model of a cut-off is the same. So each is trained once, its
scores of all later requests are written to disk, and a policy becomes a walk through
the weeks that decides which scores were served. What decides is `policy.decide` and
`canary.review`, the same functions that the full path calls.
"""

import io
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline import training
from flightline.features import FEATURES
from flightline.loop import canary
from flightline.loop.core import Floats
from flightline.loop.fits import Fit, due_at, fit_at, learned_at, model_of
from flightline.loop.labels import LabelJoin, must_be_a_moment, with_labels
from flightline.loop.policy import (
    WINDOW,
    Challenger,
    Decision,
    Evidence,
    Model,
    Policy,
    Remedy,
    Train,
    decide,
    gather,
)
from flightline.loop.triggers import few_days

DAY = pd.Timedelta(days=1)
SURE = 1e-9
"""How near to 0 and 1 a score may come before it is calibrated anew."""


class _Kept(NamedTuple):
    """A model of a cut-off: its name, its scores of later rows, what it cost."""

    model: Model
    scores: Floats
    cpu_s: float


@dataclass(frozen=True, eq=False)
class Run:
    """What a policy did in a replay.

    Attributes
    ----------
    policy : Policy
    decisions : tuple of Decision
        One a week, from the second week on.
    reviews : tuple of Review
        One for each day of each trial.
    served : DataFrame
        What users got: `id`, `asked_at`, `day`, `score`, `model` (the name), and `late`
        as it became known in the end (boolean; null: never).
    trainings : int
        How many models were trained behind the first one.
    cpu_s : float
        Seconds of CPU of these trainings and of the first one, scoring included, as
        measured when each was done.
    """

    policy: Policy
    decisions: tuple[Decision, ...]
    reviews: tuple[canary.Review, ...]
    served: pd.DataFrame
    trainings: int
    cpu_s: float

    @property
    def judged(self) -> pd.DataFrame:
        """The served rows whose label became known, `late` as bool."""
        rows = self.served[self.served["late"].notna()]
        return rows.assign(late=rows["late"].astype(bool))


class Replay:
    """A table of the year, and the models that were trained on parts of it.

    Parameters
    ----------
    table : DataFrame
        What `features.training_table` returned for the whole time, in any order.
    folder : path, optional
        Where scores are kept from run to run; in memory alone without it. An entry that
        is damaged, or was made by other code, rows or settings, is made again.
    fit : Fit, optional
        What is trained.
    join : LabelJoin, optional
        How long labels are waited for.
    window : Timedelta, optional
        As in `gather`.

    Raises
    ------
    ValueError
        If a column is missing, or an id comes twice.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        folder: Path | str | None = None,
        *,
        fit: Fit | None = None,
        join: LabelJoin | None = None,
        window: pd.Timedelta = WINDOW,
    ) -> None:
        self.fit, self.join, self.window = fit or Fit(), join or LabelJoin(), window
        self.folder = None if folder is None else Path(folder)
        self.table = table.sort_values(
            ["prediction_time", "flight_id"], ignore_index=True
        )
        local = self.table["sched_dep_utc"].dt.tz_convert("America/New_York")
        self.requests = pd.DataFrame(
            {
                "id": self.table["flight_id"],
                "asked_at": self.table["prediction_time"],
                "day": local.dt.strftime("%Y-%m-%d"),
                "due_at": due_at(self.table),
            }
        )
        self.ids = pd.Index(self.requests["id"])
        if self.ids.has_duplicates:
            twice = self.ids[self.ids.duplicated()][0]
            raise ValueError(f"{twice!r} stands twice in the table.")
        self._digest = self._digest_of_rows()
        self._kept: dict[pd.Timestamp, _Kept] = {}
        self._known: dict[str, Challenger] = {}
        self._decided: dict[tuple[Policy, Model, Model | None, str], Decision] = {}

    def between(self, since: pd.Timestamp, until: pd.Timestamp) -> slice:
        """Return the places of the requests in (since, until]."""
        asked = self.requests["asked_at"]
        low, high = (int(asked.searchsorted(t, side="right")) for t in (since, until))
        return slice(low, max(low, high))

    def labels(self, places: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Return the labels of requests, with the time at which each was known."""
        rows = self.table.iloc[places]
        rows = rows[rows["late"].notna()]
        columns = {"flight_id": "id", "label_time": "available_at", "late": "late"}
        return rows[list(columns)].rename(columns=columns)

    def at(self, cut_off: pd.Timestamp) -> "FromTable":
        """Return the model of a cut-off, trained now or at any time before."""
        must_be_a_moment(cut_off, "cut_off")
        if cut_off not in self._kept:
            self._kept[cut_off] = self._read(cut_off) or self._train(cut_off)
        kept = self._kept[cut_off]
        found = FromTable(self, kept.model, kept.scores, kept.cpu_s)
        self._known[kept.model.name] = found
        return found

    def train(
        self, cut_off: pd.Timestamp, remedy: Remedy, evidence: Evidence
    ) -> Challenger:
        """Train a challenger, or calibrate the champion anew, as `decide` asks."""
        if remedy == "retrain":
            return self.at(cut_off)
        return self._calibrated(cut_off, self._known[evidence.champion.name])

    def evidence(
        self, now: pd.Timestamp, champion: Challenger, on_trial: Model | None = None
    ) -> Evidence:
        """Return what is known at a moment about a champion."""
        since = champion.model.cut_off
        parts = [
            self.between(since, min(since + self.window, now)),
            self.between(max(now - self.window, since), now),
        ]
        places = np.unique(np.concatenate([np.r_[part] for part in parts]))
        places = places.astype(np.int64)
        answers = self.requests.iloc[places]
        score = champion.score(pd.Index(answers["id"])).to_numpy()
        return gather(
            now,
            champion.model,
            answers.assign(score=score),
            self.labels(places),
            join=self.join,
            window=self.window,
            on_trial=on_trial,
        )

    def run(
        self,
        policy: Policy,
        start: pd.Timestamp,
        until: pd.Timestamp | None = None,
        *,
        plan: canary.Plan | None = None,
        train: Train | None = None,
    ) -> Run:
        """Let a policy run from a moment on.

        Parameters
        ----------
        policy : Policy
        start : Timestamp
            With a zone. The first model has the cut-off `start` less the policy's
            holdout, and decisions follow each week from then on.
        until : Timestamp, optional
            The last request that is served; by default the last of the table.
        plan : Plan, optional
            Of trials, if the policy has them.
        train : Train, optional
            What trains challengers instead of this replay: a bad one, for example.

        Returns
        -------
        Run

        Raises
        ------
        ValueError
            If nothing was asked in this time, or as `decide`.
        """
        must_be_a_moment(start, "start")
        end = self.requests["asked_at"].iloc[-1] if until is None else until
        if not end > start:
            raise ValueError(f"nothing to replay: start {start} lies behind {end}.")
        first = self.at(start - policy.holdout)
        state = _State(first.model)
        cpu_s, now, tick = first.cpu_s, start, 0
        while now < end:
            if state.trial is not None:
                self._review(state, now)
            if tick and tick % 7 == 0:
                decision = self._decide(policy, state, now, train)
                state.decisions.append(decision)
                state.champion = decision.champion_after
                if decision.outcome == "trial" and decision.challenger is not None:
                    state.trial = canary.Trial(
                        state.champion, decision.challenger, now, plan or canary.Plan()
                    )
                cpu_s += self._cost(decision)
            state.served.append(self._serve(state, now, min(now + DAY, end)))
            now, tick = now + DAY, tick + 1
        return Run(
            policy,
            tuple(state.decisions),
            tuple(state.reviews),
            pd.concat(state.served, ignore_index=True),
            sum(d.challenger is not None for d in state.decisions),
            cpu_s,
        )

    def _decide(
        self, policy: Policy, state: "_State", now: pd.Timestamp, train: Train | None
    ) -> Decision:
        """Decide, or recall what was decided on the same evidence."""
        on_trial = None if state.trial is None else state.trial.challenger
        key = policy, state.champion, on_trial, now.isoformat()
        if train is None and key in self._decided:
            return self._decided[key]

        def known(
            cut_off: pd.Timestamp, remedy: Remedy, evidence: Evidence
        ) -> Challenger:
            """Train, and remember who answers under which name."""
            challenger = (train or self.train)(cut_off, remedy, evidence)
            self._known[challenger.model.name] = challenger
            return challenger

        champion = self._known[state.champion.name]
        decision = decide(self.evidence(now, champion, on_trial), policy, known)
        if train is None:
            self._decided[key] = decision
        return decision

    def _cost(self, decision: Decision) -> float:
        """Return the CPU seconds of the training that a decision asked for."""
        if decision.challenger is None:
            return 0.0
        return getattr(self._known[decision.challenger.name], "cpu_s", 0.0)

    def _review(self, state: "_State", now: pd.Timestamp) -> None:
        """Look at the trial under way, and end it if it is over."""
        trial = state.trial
        if trial is None:
            return
        places = np.r_[self.between(trial.since, now)].astype(np.int64)
        answers = self.requests.iloc[places]
        ids = pd.Index(answers["id"])
        both = {
            name: self._known[model.name].score(ids).to_numpy()
            for name, model in (
                ("champion", trial.champion),
                ("challenger", trial.challenger),
            )
        }
        paired = canary.pair(
            answers.assign(**both), self.labels(places), now, self.join
        )
        found = canary.review(trial, paired, now)
        state.reviews.append(found)
        if found.action != "go on":
            state.trial = None
        if found.action == "promote":
            state.champion = trial.challenger

    def _serve(
        self, state: "_State", since: pd.Timestamp, until: pd.Timestamp
    ) -> pd.DataFrame:
        """Return what was answered in (since, until], and how it came out."""
        part = self.between(since, until)
        rows = self.requests.iloc[part].drop(columns="due_at")
        ids = pd.Index(rows["id"])
        champion, trial = state.champion, state.trial
        score = self._known[champion.name].score(ids).to_numpy(copy=True)
        name = np.full(len(rows), champion.name, dtype=object)
        if trial is not None:
            tried = np.array([trial.answers(i) == trial.challenger for i in ids], bool)
            other = self._known[trial.challenger.name]
            score[tried] = other.score(ids[tried]).to_numpy()
            name[tried] = trial.challenger.name
        late = self.table["late"].iloc[part].astype("boolean")
        return rows.assign(score=score, model=name, late=late)

    def _train(self, cut_off: pd.Timestamp) -> _Kept:
        """Train the model of a cut-off, score what comes later, and keep both."""
        import time

        began = time.process_time()
        predictor = fit_at(self.table, cut_off, self.fit, wait=self.join.wait)
        later = self.table.iloc[self.between(cut_off, self.table_end)]
        scores = predictor.predict(later) if len(later) else np.empty(0)
        cost = time.process_time() - began
        kept = _Kept(model_of(predictor, cut_off), scores, cost)
        if self.folder is not None:
            self._write(kept)
        return kept

    @property
    def table_end(self) -> pd.Timestamp:
        """The moment of the last request."""
        return self.requests["asked_at"].iloc[-1]

    def _calibrated(self, cut_off: pd.Timestamp, champion: Challenger) -> Challenger:
        """Return the champion's base with a slope and a bias of the last weeks."""
        base = champion.base if isinstance(champion, Recalibrated) else champion
        since = max(cut_off - self.window, base.model.cut_off)
        places = np.r_[self.between(since, cut_off)].astype(np.int64)
        answers = self.requests.iloc[places]
        score = base.score(pd.Index(answers["id"])).to_numpy()
        joined = self.join(answers.assign(score=score), self.labels(places), cut_off)
        rows = with_labels(joined)
        if few_days(rows):
            return champion
        slope, bias = training.calibrate(
            logit(rows["score"].to_numpy()), rows["late"].to_numpy(np.float64)
        )
        return Recalibrated(base, slope, bias, cut_off, pd.Index(rows["id"]))

    def _digest_of_rows(self) -> str:
        """Return a digest of all that a model or a score can depend on."""
        columns = ["flight_id", "prediction_time", "label_time", "late", *FEATURES]
        hashed = pd.util.hash_pandas_object(self.table[columns], index=False)
        return training.sha256(hashed.to_numpy().tobytes())

    def _key(self, cut_off: pd.Timestamp) -> str:
        """Return the name under which a cut-off is kept."""
        said = {
            "rows": self._digest,
            "cut_off": cut_off.isoformat(),
            "wait": str(self.join.wait),
            "fit": repr(self.fit),
            "lightgbm": version("lightgbm"),
            "scikit-learn": version("scikit-learn"),
        }
        return training.sha256(json.dumps(said).encode())[:24]

    def _path(self, cut_off: pd.Timestamp) -> Path:
        """Return the file in which a cut-off is kept."""
        return (self.folder or Path()) / f"{self._key(cut_off)}.scores"

    def _write(self, kept: _Kept) -> None:
        """Keep the scores of a cut-off, under a digest of their own."""
        path = self._path(kept.model.cut_off)
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        np.savez(stream, scores=kept.scores, cpu_s=kept.cpu_s, name=kept.model.name)
        content = stream.getvalue()
        training.write_atomic(path, training.sha256(content).encode() + content)

    def _read(self, cut_off: pd.Timestamp) -> _Kept | None:
        """Return what was kept of a cut-off; None if it is not there, or damaged."""
        if self.folder is None or not self._path(cut_off).is_file():
            return None
        stored = self._path(cut_off).read_bytes()
        digest, content = stored[:64], stored[64:]
        if training.sha256(content).encode() != digest:
            return None
        found = np.load(io.BytesIO(content), allow_pickle=False)
        model = Model(str(found["name"]), cut_off)
        return _Kept(model, found["scores"], float(found["cpu_s"]))


class _State:
    """Where a run stands."""

    def __init__(self, champion: Model) -> None:
        self.champion = champion
        self.trial: canary.Trial | None = None
        self.decisions: list[Decision] = []
        self.reviews: list[canary.Review] = []
        self.served: list[pd.DataFrame] = []


class FromTable:
    """A model of a cut-off whose scores are looked up.

    Attributes
    ----------
    model : Model
    cpu_s : float
        What its training and scoring cost when they were done.
    """

    def __init__(
        self, replay: Replay, model: Model, scores: Floats, cpu_s: float
    ) -> None:
        self.model, self.cpu_s = model, cpu_s
        self._replay, self._scores = replay, scores
        self._first = len(replay.ids) - len(scores)

    @property
    def learned(self) -> pd.Index:
        """The ids of all rows that it has learned from."""
        rows = learned_at(
            self._replay.table, self.model.cut_off, self._replay.join.wait
        )
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
        places = self._replay.ids.get_indexer(ids)
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
    base : Challenger
        The model below.
    model : Model
        Named after the base, the slope and the bias.
    cpu_s : float
        Nothing to speak of.
    """

    cpu_s = 0.0

    def __init__(
        self,
        base: Challenger,
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
        line = self.slope * logit(self.base.score(ids).to_numpy()) + self.bias
        return pd.Series(1 / (1 + np.exp(-line)), ids)


def logit(score: Floats) -> Floats:
    """Return the log-odds of scores, none of them infinite."""
    sure = np.clip(score, SURE, 1 - SURE)
    return np.asarray(np.log(sure / (1 - sure)), np.float64)
