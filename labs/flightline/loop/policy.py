"""One decision: what is known, what a policy makes of it, and what comes of that.

`decide` is the only place where a challenger is asked for, judged and let in. The full
path and the fast replay both call it, with evidence of the same form, so that what is
learned from a thousand replays holds for the system that runs.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Protocol

import pandas as pd

from flightline.loop.labels import (
    ANSWER,
    LabelJoin,
    must_be_a_moment,
    must_be_instants,
    must_have,
    probabilities,
    with_labels,
)

Outcome = Literal["keep", "refused", "trial", "promoted"]
Remedy = Literal["retrain", "recalibrate"]

NO_TIME = pd.Timedelta(0)


@dataclass(frozen=True)
class Model:
    """A model by its name, and until when it has learned.

    `name` follows from the bytes of the model, so that two models of one name give the
    same answers. `cut_off` is in UTC: it has learned from no row that was not mature,
    with a known label, at this moment.
    """

    name: str
    cut_off: pd.Timestamp

    def __post_init__(self) -> None:
        """Refuse a moment without a zone."""
        must_be_a_moment(self.cut_off, "cut_off")


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known at a moment about the model that answers.

    Attributes
    ----------
    now : Timestamp
        The moment, with a zone.
    champion : Model
        The model that answers.
    scored : DataFrame
        The champion's answers to the requests of the last weeks, none of which it has
        learned from: `id`, `asked_at`, `day`, `due_at`, `score`, `late` (boolean, null
        as long as the label is not known) and `mature` (old enough to be judged).
    reference : DataFrame
        Its answers in the first weeks behind its cut-off, in the same form. Empty as
        long as these weeks are not over, or not mature.
    on_trial : Model, optional
        A challenger that gets a part of the traffic at the moment.
    learned_scores : Series, optional
        The champion's scores of the newest rows that it has learned, for their spread
        alone; None if nobody has computed them.
    """

    now: pd.Timestamp
    champion: Model
    scored: pd.DataFrame
    reference: pd.DataFrame
    on_trial: Model | None = None
    learned_scores: pd.Series | None = None

    def __post_init__(self) -> None:
        """Refuse a moment without a zone, a champion from the future, odd tables."""
        must_be_a_moment(self.now, "now")
        if self.champion.cut_off > self.now:
            raise ValueError(
                f"the champion's cut_off {self.champion.cut_off} lies behind now="
                f"{self.now}: it has learned from the future. Is the clock right?"
            )
        for name in ("scored", "reference"):
            table: pd.DataFrame = getattr(self, name)
            must_have(table, SCORED, name)
            _must_be_scores(table["score"], f"{name}['score']")
        if self.learned_scores is not None:
            _must_be_scores(self.learned_scores, "learned_scores")

    @property
    def judged(self) -> pd.DataFrame:
        """The rows of `scored` that are mature and have a label."""
        return with_labels(self.scored)


def _must_be_scores(score: pd.Series, name: str) -> None:
    """Refuse what a trigger would overlook: a NaN is above no limit."""
    if len(score) and not pd.api.types.is_numeric_dtype(score.dtype):
        raise ValueError(f"{name} holds {score.dtype}: give probabilities as float64.")
    probabilities(score, name)


SCORED = [*ANSWER, "late", "mature"]
"""The columns of an answer that may be judged."""

WINDOW = pd.Timedelta(weeks=4)
"""How much of the past is looked at, and how long the reference lasts."""


def gather(
    now: pd.Timestamp,
    champion: Model,
    answers: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    join: LabelJoin,
    window: pd.Timedelta = WINDOW,
    on_trial: Model | None = None,
    learned_scores: pd.Series | None = None,
) -> Evidence:
    """Make evidence of a champion's answers and of the labels that are known.

    Parameters
    ----------
    now : Timestamp
        The moment of the decision, with a zone.
    champion : Model
        The model that answers.
    answers : DataFrame
        Its own answers, as in `LabelJoin`, whether they were given or computed
        afterwards from the same features. Those to requests before its cut-off and
        after now are left out.
    labels : DataFrame
        As in `LabelJoin`.
    join : LabelJoin
        How long labels are waited for.
    window : Timedelta
        How much of the newest time is `scored`, and how much behind the cut-off is the
        `reference`.
    on_trial, learned_scores
        As in `Evidence`.

    Returns
    -------
    Evidence

    Raises
    ------
    ValueError
        As `LabelJoin` and `Evidence`, or if the window is no positive duration.
    """
    if not isinstance(window, timedelta) or not window > NO_TIME:
        raise ValueError(f"window={window} must be longer than nothing.")
    must_be_a_moment(now)
    must_have(answers, ANSWER, "answers")
    must_be_instants(answers, "answers", ["asked_at"])
    asked = answers["asked_at"]
    own = answers[(asked > champion.cut_off) & (asked <= now)]
    joined = join(own, labels, now)
    first = joined[joined["asked_at"] <= champion.cut_off + window]
    over = now >= champion.cut_off + window and bool(first["mature"].all())
    return Evidence(
        now,
        champion,
        joined[joined["asked_at"] > now - window],
        first if over else first.iloc[:0],
        on_trial,
        learned_scores,
    )


class Trigger(Protocol):
    """Says why a new model is wanted now, in a sentence, or None if it is not."""

    def __call__(self, evidence: Evidence) -> str | None:
        """Return the reason, or None."""


class Challenger(Protocol):
    """A trained model that wants to answer."""

    @property
    def model(self) -> Model:
        """Its name and cut-off."""

    @property
    def learned(self) -> pd.Index:
        """The ids of all rows that it has learned from, or was calibrated on."""

    def score(self, ids: pd.Index) -> pd.Series:
        """Return its probability for each id, in the given order, indexed by id."""


class Train(Protocol):
    """Trains a challenger on all mature rows that were known at a cut-off."""

    def __call__(
        self, cut_off: pd.Timestamp, remedy: Remedy, evidence: Evidence
    ) -> Challenger:
        """Return the challenger; the same arguments give the same model."""


@dataclass(frozen=True)
class Verdict:
    """What a gate found: the challenger's log-loss less the champion's, and why.

    `difference`, `low` and `high` are None where nothing could be compared.
    """

    passed: bool
    why: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    days: int = 0


class Gate(Protocol):
    """Judges a challenger before any traffic reaches it."""

    def __call__(self, challenger: Challenger, evidence: Evidence) -> Verdict:
        """Return whether it may go on, and why."""


@dataclass(frozen=True)
class Policy:
    """When to ask for a new model, and what it must pass.

    Attributes
    ----------
    name : str
        What tables and journals call it.
    trigger : Trigger
        Asked at each decision.
    gate : Gate, optional
        Asked about each challenger. Without one, each goes on.
    trial : bool
        Whether a challenger that goes on is first tried on a part of the traffic
        (`canary.review` ends the trial), or takes over at once.
    holdout : Timedelta
        How much of the newest time the challenger must not learn, so that a gate finds
        rows that are new to it.
    remedy : {"retrain", "recalibrate"}
        Whether the challenger is a new model, or the champion with new calibration.
    """

    name: str
    trigger: Trigger
    gate: Gate | None = None
    trial: bool = False
    holdout: pd.Timedelta = NO_TIME
    remedy: Remedy = "retrain"

    def __post_init__(self) -> None:
        """Refuse a policy that can never let a challenger pass."""
        if not self.holdout >= NO_TIME:
            raise ValueError(
                f"{self.name}: holdout={self.holdout} is negative, or no duration."
            )


@dataclass(frozen=True)
class Decision:
    """What was decided at one moment, whole: equal decisions are equal in every field.

    `reason`, `cut_off` and `challenger` are None if no model was asked for, and `gate`
    if none was asked. `champion_after` answers from `at` on.
    """

    at: pd.Timestamp
    champion: Model
    reason: str | None
    cut_off: pd.Timestamp | None
    challenger: Model | None
    gate: Verdict | None
    outcome: Outcome
    champion_after: Model


def decide(evidence: Evidence, policy: Policy, train: Train) -> Decision:
    """Decide at one moment whether another model shall answer.

    Parameters
    ----------
    evidence : Evidence
        What is known now, and nothing that becomes known later.
    policy : Policy
        Whose trigger and gate are asked.
    train : Train
        Called once, if the trigger gives a reason, with the cut-off `now` less the
        policy's holdout.

    Returns
    -------
    Decision
        `outcome` is "keep" (no reason, or the training gave the champion again; as
        long as a challenger is on trial, no other is asked for),
        "refused" (by the gate), "trial" (the challenger gets a part of the traffic,
        and the champion stays), or "promoted".

    Raises
    ------
    ValueError
        If the challenger has learned until later than it was asked to, or the gate was
        given rows that it has learned.
    """
    old = evidence.champion
    reason = None if evidence.on_trial else policy.trigger(evidence)
    if reason is None:
        return Decision(evidence.now, old, None, None, None, None, "keep", old)
    cut_off = evidence.now - policy.holdout
    challenger = train(cut_off, policy.remedy, evidence)
    new = challenger.model
    if new.cut_off > cut_off:
        raise ValueError(
            f"{new.name} has learned until {new.cut_off}, but was asked to stop at "
            f"{cut_off}: the rows in between are no test of it. Train it again."
        )
    verdict = None
    outcome: Outcome = "keep" if new.name == old.name else "promoted"
    if outcome == "promoted" and policy.gate is not None:
        verdict = policy.gate(challenger, evidence)
        outcome = "promoted" if verdict.passed else "refused"
    if outcome == "promoted" and policy.trial:
        outcome = "trial"
    after = new if outcome == "promoted" else old
    return Decision(evidence.now, old, reason, cut_off, new, verdict, outcome, after)
