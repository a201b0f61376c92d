"""The year again, by look-ups: a model for each cut-off is trained once and kept.

Whatever the policy, the model of a cut-off is the same. So each is trained once, its
scores of all later requests are written to disk, and a policy becomes a walk through
the weeks that decides which scores were served. What decides is `policy.decide` and
`canary.review`, the same functions that the full path calls.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from flightline.loop import canary
from flightline.loop.challengers import FromTable, Recalibrated, recalibrate
from flightline.loop.clock import DAY
from flightline.loop.fits import Fit, fit_rows, learned_at, model_of
from flightline.loop.kept import Kept, Shelf
from flightline.loop.labels import LabelJoin, must_be_a_moment
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
from flightline.loop.year import Year


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
        As in `gather`; also, how much of what a model has learned is scored again for
        `Evidence.learned_scores`.

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
        self.year = Year(table)
        self._shelf = Shelf(
            folder, self.year.digest, self.fit, self.join.wait, self.window
        )
        self._kept: dict[pd.Timestamp, Kept] = {}
        self._known: dict[str, Challenger] = {}
        self._decided: dict[tuple[Policy, Model, Model | None, str], Decision] = {}

    def at(self, cut_off: pd.Timestamp) -> FromTable:
        """Return the model of a cut-off, trained now or at any time before."""
        must_be_a_moment(cut_off, "cut_off")
        if cut_off not in self._kept:
            self._kept[cut_off] = self._shelf.read(cut_off) or self._train(cut_off)
        found = FromTable(self.year, self.join.wait, self._kept[cut_off])
        self._known[found.model.name] = found
        return found

    def train(
        self, cut_off: pd.Timestamp, remedy: Remedy, evidence: Evidence
    ) -> Challenger:
        """Train a challenger, or calibrate the champion anew, as `decide` asks."""
        if remedy == "retrain":
            return self.at(cut_off)
        champion = self._known[evidence.champion.name]
        if not isinstance(champion, FromTable | Recalibrated):
            raise ValueError(
                f"{champion.model.name} was trained elsewhere: this replay cannot "
                "calibrate it anew. Use the remedy 'retrain'."
            )
        return recalibrate(
            champion, self.year, cut_off, join=self.join, window=self.window
        )

    def evidence(
        self, now: pd.Timestamp, champion: Challenger, on_trial: Model | None = None
    ) -> Evidence:
        """Return what is known at a moment about a champion."""
        since = champion.model.cut_off
        year, window = self.year, self.window
        first = year.between(since, min(since + window, now))
        places = np.union1d(first, year.between(max(now - window, since), now))
        answers = year.requests.iloc[places]
        score = champion.score(pd.Index(answers["id"])).to_numpy()
        return gather(
            now,
            champion.model,
            answers.assign(score=score),
            self.year.labels(places),
            join=self.join,
            window=self.window,
            on_trial=on_trial,
            learned_scores=getattr(champion, "learned_scores", None),
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
        end = self.year.end if until is None else until
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
        places = self.year.between(trial.since, now)
        answers = self.year.requests.iloc[places]
        ids = pd.Index(answers["id"])
        both = {
            name: self._known[model.name].score(ids).to_numpy()
            for name, model in (
                ("champion", trial.champion),
                ("challenger", trial.challenger),
            )
        }
        paired = canary.pair(
            answers.assign(**both), self.year.labels(places), now, self.join
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
        part = self.year.between(since, until)
        rows = self.year.requests.iloc[part].drop(columns="due_at")
        ids = pd.Index(rows["id"])
        champion, trial = state.champion, state.trial
        score = self._known[champion.name].score(ids).to_numpy(copy=True)
        name = np.full(len(rows), champion.name, dtype=object)
        if trial is not None:
            tried = np.array([trial.answers(i) == trial.challenger for i in ids], bool)
            other = self._known[trial.challenger.name]
            score[tried] = other.score(ids[tried]).to_numpy()
            name[tried] = trial.challenger.name
        late = self.year.table["late"].iloc[part].astype("boolean")
        return rows.assign(score=score, model=name, late=late)

    def _train(self, cut_off: pd.Timestamp) -> Kept:
        """Train the model of a cut-off, score what comes later, and keep the scores."""
        began = time.process_time()
        table = self.year.table
        learned = learned_at(table, cut_off, self.join.wait)
        predictor = fit_rows(learned, cut_off, self.fit)
        later = table.iloc[self.year.between(cut_off, self.year.end)]
        scores = predictor.predict(later) if len(later) else np.empty(0)
        cost = time.process_time() - began
        newest = learned[learned["prediction_time"] > cut_off - self.window]
        before = predictor.predict(newest) if len(newest) else np.empty(0)
        kept = Kept(model_of(predictor, cut_off), scores, before, cost)
        self._shelf.write(kept)
        return kept


class _State:
    """Where a run stands."""

    def __init__(self, champion: Model) -> None:
        self.champion = champion
        self.trial: canary.Trial | None = None
        self.decisions: list[Decision] = []
        self.reviews: list[canary.Review] = []
        self.served: list[pd.DataFrame] = []
