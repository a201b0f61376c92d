"""Flightline's own service: features, routing, a score, a logged answer."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel, Field

from flightline.serving.application import Version, application
from flightline.serving.canary import Tally
from flightline.serving.deploy import Deployment, Predictor, Score, score_one, scorer_of
from flightline.serving.features import FeatureSource, GuardedFeatures
from flightline.serving.gateway import Call, Endpoint, Metrics
from flightline.serving.keys import Admission, KeyRecord
from flightline.serving.log import PredictionLog
from flightline.serving.overload import Limit
from flightline.serving.refusals import Refused
from flightline.serving.requests import Flight
from flightline.serving.rows import Rows, Source

LOGGER = logging.getLogger("flightline.serving")
Assign = Callable[[Flight], str]


class Answer(BaseModel):
    """The score of one flight, and what made it."""

    request_id: str
    flight_id: str
    score: float = Field(ge=0, le=1, description="chance to land 15 min late or more")
    late: bool
    model: str
    version: str
    precision: str
    source: Source = Field(
        description="online; stale: the store knows of no recent time for this flight; "
        "fallback: the timetable alone"
    )


@dataclass(frozen=True)
class Question:
    """One flight with its features: what a version is asked."""

    flight_id: str
    rows: Rows
    source: Source
    call: Call


class Service:
    """What knows flights: features, routing, versions, the prediction log.

    Parameters
    ----------
    live : Deployment
        What is live; `deploy` replaces it between two requests.
    features : GuardedFeatures
        Features, or the fallback.
    spare : Predictor, optional
        What answers when features are missing; without it the versions themselves.
    log : PredictionLog, optional
        Where every score is written before its answer goes out.
    threshold : float
        A score of so much or more counts as late.
    clock : callable
        The time that the log states.
    assign : callable, optional
        What decides before the weights do, such as an experiment: takes the request,
        returns a label, or "" for a flight that it leaves alone.
    slow_s : float
        From when on an answer counts as slow, for the analysis of canaries.
    """

    def __init__(
        self,
        live: Deployment,
        features: GuardedFeatures,
        spare: Predictor | None = None,
        log: PredictionLog | None = None,
        threshold: float = 0.5,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        assign: Assign | None = None,
        slow_s: float = 0.1,
    ) -> None:
        self.live, self.features, self.spare, self.log = live, features, spare, log
        self.threshold, self.clock, self.assign = threshold, clock, assign
        self._spare_scorer = scorer_of(spare) if spare else None
        self.metrics, self.slow_s = Metrics(), slow_s
        self.tallies: dict[str, Tally] = {}

    def deploy(self, deployment: Deployment) -> None:
        """Swap or roll back; a request that has begun keeps the old deployment."""
        self.live = deployment

    def refused(self, error: Exception) -> None:
        """Count a rollout that was refused."""
        self.metrics.errors.labels("rollout").inc()

    async def predict(self, flight: Flight, call: Call) -> Answer:
        """Tell how likely one flight is to arrive 15 or more minutes late."""
        live = self.live
        rows, source = await self.features.rows([flight], call.left_s())
        call.must_be_in_time()
        asked = Question(flight.flight_id, rows, source, call)
        answer = None
        if source != "online" and self.spare and self._spare_scorer:
            answer = await self.score(asked, "spare", self.spare, self._spare_scorer)
        labels = live.labels(asked.flight_id, self._first(flight))
        while answer is None and (label := next(labels, None)):
            model, scorer = live.models[label], live.scorers[label]
            answer = await self.score(asked, label, model, scorer)
        if answer is None:
            why = "No model version could score this flight."
            raise Refused(503, "unavailable", why)
        for label in live.shadows:
            call.later.append(partial(self._listen, asked, label, live))
        return answer

    def _first(self, flight: Flight) -> str:
        """Return what the assignment decides, or nothing if it fails."""
        if self.assign is None:
            return ""
        try:
            return self.assign(flight)
        except Exception as error:  # an experiment that fails stops nobody
            LOGGER.error("assignment: %s", type(error).__name__)
            self.metrics.errors.labels("assignment").inc()
            return ""

    async def score(
        self,
        asked: Question,
        label: str,
        model: Predictor,
        scorer: Score,
        shadow: bool = False,
    ) -> Answer | None:
        """Score and log; return None if the model fails."""
        tally = Tally() if shadow else self.tallies.setdefault(label, Tally())
        tally.asked += 1
        try:
            score = await score_one(scorer, asked.rows)
        except Exception as error:  # whatever a model raises, others may answer
            tally.failed += 1
            LOGGER.error("model %s: %s", label, type(error).__name__)
            self.metrics.errors.labels(f"model {label}").inc()
            return None
        tally.slow += time.perf_counter() - asked.call.began > self.slow_s
        answer = Answer(
            request_id=asked.call.request_id,
            flight_id=asked.flight_id,
            score=score,
            late=score >= self.threshold,
            model=model.name,
            version=model.version,
            precision=model.precision,
            source=asked.source,
        )
        self._note(asked, answer, shadow)
        self.metrics.scored(label, model.version, asked.source, shadow)
        return answer

    async def _listen(self, asked: Question, label: str, live: Deployment) -> None:
        """Let a shadow score what was answered already."""
        model, scorer = live.models[label], live.scorers[label]
        try:
            await self.score(asked, label, model, scorer, shadow=True)
        except Refused:
            return  # it is counted, and the caller has an answer

    def _note(self, asked: Question, answer: Answer, shadow: bool) -> None:
        """Write the answer to the prediction log; without that it does not go out."""
        if self.log is None:
            return
        record = {
            "time": self.clock(),
            **answer.__dict__,
            "latency_ms": round((time.perf_counter() - asked.call.began) * 1000, 3),
            "shadow": shadow,
            "features": asked.rows.record(),
        }
        try:
            self.log.append(record)
        except OSError as error:
            self.metrics.errors.labels("log").inc()
            why = "The prediction log cannot be written."
            raise Refused(503, "unavailable", why) from error

    def versions(self) -> list[Version]:
        """Return which versions answer, with which weights, and which only listen."""
        live = self.live
        return [
            Version(
                label=label,
                model=model.name,
                version=model.version,
                precision=model.precision,
                weight=live.weights.get(label, 0.0),
                shadow=label in live.shadows,
            )
            for label, model in live.models.items()
        ]

    async def close(self) -> None:
        """End the readers and what models hold open, and close the log."""
        for model in self.live.models.values():
            if hasattr(model, "close"):
                await model.close()
        self.features.close()
        if self.log is not None:
            self.log.close()


def create_app(
    models: Mapping[str, Predictor],
    features: FeatureSource,
    *,
    weights: Mapping[str, float] | None = None,
    shadows: tuple[str, ...] = (),
    assign: Assign | None = None,
    spare: Predictor | None = None,
    keys: Iterable[KeyRecord] = (),
    rate_s: float = 200.0,
    burst: int = 400,
    most_inside: int = 64,
    deadline_s: float = 0.05,
    readers: int = 1,
    threshold: float = 0.5,
    log: Path | str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    slow_s: float = 0.1,
) -> FastAPI:
    """Make the service.

    Parameters
    ----------
    models : mapping of str to Predictor
        Versions by label, such as A, B, C; any object with `predict`, which may be
        a coroutine function, and with `name`, `version` and `precision`.
    features : FeatureSource
        Any object with `read`. It may raise, and it may be slow.
    weights, shadows
        As for `Deployment`; by default the first model gets everything.
    assign : callable, optional
        What decides before the weights, as for `Service`.
    spare : Predictor, optional
        A model that was trained on what the fallback knows, and answers then.
    keys : iterable of KeyRecord
        Who may ask. Without keys nobody may.
    rate_s, burst
        The budget of each key, as for `TokenBucket`.
    most_inside : int
        How many requests may be inside at once, as for `Limit`.
    deadline_s : float
        How long a request waits for its features.
    readers : int
        How many reads of the features may run at once, as for `GuardedFeatures`.
    threshold : float
        From which score on a flight is called late.
    log : Path or str, optional
        The prediction log, in the form that `read_log` reads.
    clock : callable
        The time for the log; a replay passes its own.
    slow_s : float
        From when on an answer counts as slow, for the analysis of canaries.

    Returns
    -------
    FastAPI
        An ASGI application. `app.state.service.deploy` swaps what is live;
        `app.state.admission` and `app.state.limit` are its door, for other protocols.

    Raises
    ------
    ValueError
        If weights or shadows name a label that has no model, or an option is none.
    """
    live = Deployment(models, weights or {next(iter(models)): 1.0}, shadows)
    if not 0 < deadline_s < float("inf"):
        raise ValueError(f"deadline_s={deadline_s}: it must be positive and finite.")
    admission, limit = Admission(keys, rate_s, burst), Limit(most_inside)
    guarded = GuardedFeatures(features, deadline_s, readers=readers)
    book = PredictionLog(log) if log is not None else None
    service = Service(live, guarded, spare, book, threshold, clock, assign, slow_s)
    app = application(
        [Endpoint("/v1/predict", Flight, Answer, service.predict)],
        admission,
        metrics=service.metrics,
        limit=limit,
        ready=service.versions,
        close=service.close,
    )
    app.state.service, app.state.admission, app.state.limit = service, admission, limit
    return app
