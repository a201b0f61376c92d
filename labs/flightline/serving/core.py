# Do not edit: exported from labs/08_serving.ipynb.
# Change the lab, then run `make export`.

"""Lab 08: a service that holds."""

__all__ = [
    "CLOSE",
    "CODES",
    "DESTINATIONS",
    "INSTANT",
    "LOGGER",
    "LOG_FIELDS",
    "MESSAGES",
    "NEW_YORK",
    "REFUSED",
    "REQUEST_ID",
    "Admission",
    "Answer",
    "Breaker",
    "Call",
    "Code",
    "Deployment",
    "FeatureSource",
    "FieldProblem",
    "Flight",
    "Gateway",
    "GuardedFeatures",
    "Instant",
    "KeyRecord",
    "Metrics",
    "Observer",
    "PredictionLog",
    "Predictor",
    "Problem",
    "Progress",
    "Scorer",
    "Service",
    "Source",
    "TableFeatures",
    "TokenBucket",
    "Whole",
    "caller_of",
    "create_app",
    "frame_of",
    "new_key",
    "read_body",
    "read_log",
    "refusal",
    "request_of",
    "route",
    "score_batch",
    "score_one",
    "score_stream",
    "score_table",
    "timetable_only",
]

import asyncio
import contextlib
import hashlib
import hmac
import inspect
import json
import logging
import math
import os
import re
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol
from zoneinfo import ZoneInfo

import pandas as pd
from fastapi import FastAPI, HTTPException, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPBearer
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.background import BackgroundTask
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flightline.features import CATEGORICAL, FEATURES, LEAD

_CODES = """
ABQ ACK ALB ANC ATL AUS AVL BDL BGR BHM BNA BOS BQN BTV BUF BUR BWI BZN CAE CAK CHO CHS
CLE CLT CMH CRW CVG DAY DCA DEN DFW DSM DTW EGE EYW FLL GRR GSO GSP HDN HNL HOU IAD IAH
ILM IND JAC JAX LAS LAX LEX LGA LGB MCI MCO MDW MEM MHT MIA MKE MSN MSP MSY MTJ MVY MYR
OAK OKC OMA ORD ORF PBI PDX PHL PHX PIT PSE PSP PVD PWM RDU RIC ROC RSW SAN SAT SAV SBN
SDF SEA SFO SJC SJU SLC SMF SNA SRQ STL STT SYR TPA TUL TVC TYS XNA"""
DESTINATIONS, NEW_YORK = _CODES.split(), ZoneInfo("America/New_York")
LOGGER = logging.getLogger("flightline.serving")
# The last evening of 2013 in New York is the first morning of 2014 in UTC.
INSTANT = (
    "^(2013-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))|2014-01-01)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
)


def _destination(value: Any) -> str:
    """Return a destination that the timetable knows."""
    if value not in DESTINATIONS:
        raise ValueError("is no destination of this service, such as LAX or ORD")
    return str(value)


def _instant(value: Any) -> datetime:
    """Return an instant of the service's year, from its text in UTC."""
    if not isinstance(value, str) or not re.fullmatch(INSTANT[:-1], value):
        raise ValueError("is no instant of 2013 in UTC, such as 2013-07-03T00:49:00Z")
    return datetime.fromisoformat(value)


def _whole(value: Any) -> Any:
    """Return 245.0 as 245: JSON does not tell them apart. The rest is left as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def refusal(
    status: int, error: str, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the answer to a request that is refused, with a body of its own."""
    return JSONResponse(
        {"error": error, "message": message, "fields": []}, status, dict(headers or {})
    )


Code = Annotated[
    str,
    BeforeValidator(_destination),
    WithJsonSchema({"type": "string", "enum": DESTINATIONS}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "pattern": INSTANT}),
]
Whole = Annotated[int, BeforeValidator(_whole)]
Source = Literal["online", "fallback"]


class Flight(BaseModel):
    """One scheduled flight, two hours before it leaves; other fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    carrier: str = Field(pattern="^[A-Z0-9]{2}$", examples=["B6"])
    flight: Whole = Field(ge=1, le=9999, examples=[523])
    origin: Literal["EWR", "JFK", "LGA"]
    dest: Code
    distance: float = Field(ge=1, le=12_000, description="miles", examples=[2475])
    sched_dep_utc: Instant
    block_min: Whole = Field(
        ge=15, le=1440, description="scheduled minutes, gate to gate"
    )
    tailnum: object = Field(
        default=None,
        exclude=True,
        deprecated=True,
        description="ignored: nobody knows two hours before which aircraft will fly",
    )


def frame_of(flights: Iterable[Flight]) -> pd.DataFrame:
    """Return flights as a table, as the feature sources expect them.

    Parameters
    ----------
    flights : iterable of Flight

    Returns
    -------
    DataFrame
        One row a flight: what was asked, `flight_id`, and `sched_arr_utc`.
    """
    rows = [flight.model_dump() for flight in flights]
    asked = [name for name in Flight.model_fields if name != "tailnum"]
    table = {name: [row[name] for row in rows] for name in asked}
    blocks, departs = table.pop("block_min"), table["sched_dep_utc"]
    arrives = [
        depart + timedelta(minutes=block)
        for depart, block in zip(departs, blocks, strict=True)
    ]
    local = [depart.astimezone(NEW_YORK) for depart in departs]
    parts = zip(local, table["carrier"], table["flight"], table["origin"], strict=True)
    table["flight_id"] = [
        f"{day:%Y-%m-%d}-{carrier}-{number}-{origin}"
        for day, carrier, number, origin in parts
    ]
    # Columns are made one by one: a third of the time that pandas needs to guess types.
    for name, instants in {"sched_dep_utc": departs, "sched_arr_utc": arrives}.items():
        table[name] = pd.DatetimeIndex(instants, tz="UTC").as_unit("us")
    return pd.DataFrame(table)


def request_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a request for one row of the lake's schedule.

    Parameters
    ----------
    row : mapping
        A row of `lake.flight_times` or of the table `schedule`, as a dict.

    Returns
    -------
    dict
        What `Flight` accepts, ready for `json.dumps`.
    """
    body = {name: row[name] for name in ("carrier", "flight", "origin", "dest")}
    block = (row["sched_arr_utc"] - row["sched_dep_utc"]) / timedelta(minutes=1)
    instant = f"{row['sched_dep_utc']:%Y-%m-%dT%H:%M:%SZ}"
    return body | {
        "distance": float(row["distance"]),
        "sched_dep_utc": instant,
        "block_min": round(block),
    }


class TokenBucket:
    """A budget of requests: `burst` at once, and `rate_s` a second in the long run.

    Parameters
    ----------
    rate_s : float
        Tokens that come back each second, more than zero.
    burst : int
        How many tokens fit; the bucket starts full.
    now : float
        The clock, in seconds.
    """

    def __init__(self, rate_s: float, burst: int, now: float = 0.0) -> None:
        if not rate_s > 0 or burst < 1:
            raise ValueError(f"rate_s={rate_s}, burst={burst}: both must be positive.")
        self.rate_s, self.burst, self.tokens, self.then = (
            rate_s,
            burst,
            float(burst),
            now,
        )

    def take(self, now: float) -> float:
        """Take one token; return 0.0, or the seconds until one is there.

        Parameters
        ----------
        now : float
            The clock. If it goes back, it adds nothing until it is where it was.
        """
        gained = max(now - self.then, 0.0) * self.rate_s
        self.tokens = min(self.tokens + gained, float(self.burst))
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s


@dataclass(frozen=True)
class KeyRecord:
    """What the service keeps of a key: its public name, a salt, a digest."""

    name: str
    salt: str
    digest: str


def _digest(key: str, salt: str) -> str:
    """Return the salted digest of a key."""
    return hashlib.sha256(f"{salt}:{key}".encode()).hexdigest()


def new_key(name: str) -> tuple[str, KeyRecord]:
    """Make a key for a caller. The key itself is shown once and stored nowhere.

    Parameters
    ----------
    name : str
        Who gets it: letters, digits and hyphens. It appears in logs.

    Returns
    -------
    key : str
        The secret, `name.random`, with 256 random bits.
    record : KeyRecord
        What the service stores.

    Raises
    ------
    ValueError
        If the name holds anything else.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{1,40}", name):
        raise ValueError(
            f"{name!r} is no name for a key: use letters, digits, hyphens."
        )
    key, salt = f"{name}.{secrets.token_urlsafe(32)}", secrets.token_hex(16)
    return key, KeyRecord(name, salt, _digest(key, salt))


def caller_of(key: str, records: Mapping[str, KeyRecord]) -> str | None:
    """Return whose key this is, or None.

    An unknown name costs the same work as a known one, and the digests are compared
    in constant time, so that the time of the answer tells nothing.

    Parameters
    ----------
    key : str
        What the caller sent.
    records : mapping of str to KeyRecord
        The records by name.
    """
    record = records.get(key.partition(".")[0], KeyRecord("", "", "0" * 64))
    same = hmac.compare_digest(_digest(key, record.salt), record.digest)
    return record.name if same and record.name else None


class Admission:
    """Who may come in: a known key, within its budget.

    Parameters
    ----------
    keys : iterable of KeyRecord
        The callers. Each has a budget of its own.
    rate_s, burst
        As for `TokenBucket`.
    """

    def __init__(self, keys: Iterable[KeyRecord], rate_s: float, burst: int) -> None:
        now, self.records = time.monotonic(), {record.name: record for record in keys}
        self.buckets = {name: TokenBucket(rate_s, burst, now) for name in self.records}

    def refuse(self, headers: Headers) -> JSONResponse | None:
        """Return why these headers do not come in, or None if they do."""
        (scheme, _, key), ask = (
            headers.get("authorization", "").partition(" "),
            {"WWW-Authenticate": "Bearer"},
        )
        if scheme.lower() != "bearer" or not key:
            return refusal(
                401, "no_key", "Send your key: Authorization: Bearer KEY.", ask
            )
        if (caller := caller_of(key.strip(), self.records)) is None:
            return refusal(401, "unknown_key", "This key is not known.", ask)
        if (wait_s := self.buckets[caller].take(time.monotonic())) > 0:
            message = f"Your budget is used up. Try again in {math.ceil(wait_s)} s."
            return refusal(
                429,
                "too_many_requests",
                message,
                {"Retry-After": str(math.ceil(wait_s))},
            )
        return None


def route(entity: str, weights: Mapping[str, float], salt: str = "flightline") -> str:
    """Choose the version that answers for an entity, by weight, always the same one.

    Each version draws a waiting time for the entity, exponential with its weight as
    the rate; the shortest wins (weighted rendezvous hashing). The draw is a hash, so
    that a change of one weight moves entities to or from that version alone.

    Parameters
    ----------
    entity : str
        Such as a flight_id.
    weights : mapping of str to float
        A weight for each version, zero or more, in any unit.
    salt : str
        Another salt is another, independent assignment.

    Returns
    -------
    str
        A version with a positive weight.

    Raises
    ------
    ValueError
        If no weight is positive.
    """
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
            share = (int.from_bytes(digest[:6]) + 0.5) / 2**48
            waits[version] = -math.log(share) / weight
    if not waits:
        raise ValueError(f"No version has a positive weight: {dict(weights)}.")
    return min(waits, key=lambda version: waits[version])


class Predictor(Protocol):
    """A model that scores a table; `predict` may also be a coroutine function."""

    @property
    def name(self) -> str:
        """Which model this is."""

    @property
    def version(self) -> str:
        """Which training run it comes from."""

    @property
    def precision(self) -> str:
        """How its numbers are stored, such as fp32 or int8."""

    def predict(self, table: pd.DataFrame) -> Any:
        """Return one probability a row of a table with the columns FEATURES."""


class FeatureSource(Protocol):
    """Where features come from: an online store, a table, a fake."""

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return FEATURES, one row a request; may raise, and may be slow."""


class TableFeatures:
    """Features from a table that holds them already, by `flight_id`.

    Parameters
    ----------
    table : DataFrame
        `flight_id`, once each, and FEATURES, as `features.training_table` returns.
    """

    blocks = False  # it never waits, so that it needs no thread

    def __init__(self, table: pd.DataFrame) -> None:
        self.rows = {name: at for at, name in enumerate(table["flight_id"])}
        self.table = table[FEATURES].reset_index(drop=True)

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the requested flights; an unknown one is a KeyError."""
        return self.table.take([self.rows[name] for name in requests["flight_id"]])


def timetable_only(requests: pd.DataFrame) -> pd.DataFrame:
    """Return what the request itself tells; every other feature is missing.

    Parameters
    ----------
    requests : DataFrame
        As `frame_of` returns it.

    Returns
    -------
    DataFrame
        FEATURES, one row a request; what only the store knows is missing.
    """
    depart = requests["sched_dep_utc"]
    local = pd.DatetimeIndex(depart).tz_convert(NEW_YORK)
    block = (requests["sched_arr_utc"] - depart) / pd.Timedelta(minutes=1)
    known: dict[str, Any] = {name: requests[name] for name in CATEGORICAL}
    known |= {
        "minute_of_day": local.hour * 60 + local.minute,
        "weekday": local.dayofweek,
        "distance_mi": requests["distance"],
        "block_min": block,
    }
    return pd.DataFrame(
        {name: known.get(name, math.nan) for name in FEATURES}, index=requests.index
    )


class Breaker:
    """Stop asking a source that fails, and try it again after a rest.

    Parameters
    ----------
    failures : int
        So many in a row open the breaker.
    rest_s : float
        How long it stays open; then one call may try, and decides.
    """

    def __init__(self, failures: int = 5, rest_s: float = 0.5) -> None:
        self.failures, self.rest_s, self.count, self.open_until = (
            failures,
            rest_s,
            0,
            -math.inf,
        )

    def allows(self, now: float) -> bool:
        """Return whether a call may go out now; a try after a rest is counted."""
        if self.count >= self.failures and now < self.open_until:
            return False
        self.open_until = (
            now + self.rest_s
        )  # while it is open, the others wait for this one
        return True

    def record(self, ok: bool, now: float) -> None:
        """Tell how the call went."""
        self.count, self.open_until = (0 if ok else self.count + 1), now + self.rest_s


class GuardedFeatures:
    """Read features within a deadline, or fall back to the timetable.

    Parameters
    ----------
    source : FeatureSource
        What is asked first: in a thread, unless its attribute `blocks` is False.
    deadline_s : float
        How long a request waits for it, in line or for its read.
    breaker : Breaker, optional
        When to stop asking.
    readers : int
        How many reads may run, or hang, at once: more than one only if the source
        has a connection for each.
    """

    def __init__(
        self,
        source: FeatureSource,
        deadline_s: float = 0.05,
        breaker: Breaker | None = None,
        readers: int = 1,
    ) -> None:
        self.source, self.deadline_s, self.breaker, self.pool = (
            source,
            deadline_s,
            breaker or Breaker(),
            ThreadPoolExecutor(readers),
        )

    async def read(self, requests: pd.DataFrame) -> tuple[pd.DataFrame, Source]:
        """Return FEATURES and where they come from: online, or fallback."""
        if self.breaker.allows(time.monotonic()):
            try:
                async with asyncio.timeout(self.deadline_s):
                    blocks, loop = (
                        getattr(self.source, "blocks", True),
                        asyncio.get_running_loop(),
                    )
                    table = (
                        await loop.run_in_executor(self.pool, self._ask, requests)
                        if blocks
                        else self._ask(requests)
                    )
                self.breaker.record(True, time.monotonic())
                return table, "online"
            except Exception as error:  # whatever the source raises, we answer
                self.breaker.record(False, time.monotonic())
                LOGGER.warning("features: %s", type(error).__name__)
        return timetable_only(requests), "fallback"

    def _ask(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Ask the source, and do not trust the shape of what it returns."""
        table = self.source.read(requests)
        if len(table) != len(requests):
            raise ValueError(f"{len(table)} rows for {len(requests)} requests.")
        return table if list(table.columns) == FEATURES else table[FEATURES]


LOG_FIELDS = ["time", "request_id", "flight_id", "model", "version", "precision"]
LOG_FIELDS += ["score", "late", "source", "latency_ms", "shadow", "features"]


def _plain(value: Any) -> Any:
    """Return a feature as JSON knows it; a missing one is None."""
    if value is None or value != value:
        return None
    return value.item() if hasattr(value, "item") else value


class PredictionLog:
    """Append one JSON line an answer. The line is written when `append` returns.

    The file is opened for appending and each line is a single write, so that several
    workers share one file, and a worker that is killed loses nothing that it wrote.
    A line end comes before each record too: whatever was torn before it, by whichever
    worker, stays alone on its line.

    Parameters
    ----------
    path : Path or str
        The file; it is made if it is not there.
    """

    def __init__(self, path: Path | str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; an OSError says that it is not in the log."""
        line = f"\n{json.dumps(record, allow_nan=False)}\n".encode()
        if os.write(self._file, line) != len(line):
            raise OSError("The prediction log took only a part of the line.")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read_log(path: Path | str) -> pd.DataFrame:
    """Read a prediction log.

    Parameters
    ----------
    path : Path or str
        JSON Lines, as `PredictionLog` writes them.

    Returns
    -------
    DataFrame
        One row an answer, in the order written, with LOG_FIELDS; `features` holds
        dicts. Empty lines are skipped, and lines that are torn or not yet whole.
    """
    records = []
    for line in Path(path).read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            records.append(json.loads(line))
    table = pd.DataFrame(records, columns=LOG_FIELDS)
    return table.assign(time=pd.to_datetime(table["time"], utc=True, format="ISO8601"))


@dataclass(frozen=True)
class Deployment:
    """What is live: models by label, their weights, and who only listens.

    A deployment never changes. To swap a version, put another one in its place.

    Parameters
    ----------
    models : mapping of str to Predictor
        By label, such as A, B, C.
    weights : mapping of str to float
        For the labels that answer.
    shadows : tuple of str
        Labels that score each request too, for the log alone.

    Raises
    ------
    ValueError
        If a label has no model, or no weight is positive and finite.
    """

    models: Mapping[str, Predictor]
    weights: Mapping[str, float]
    shadows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := sorted({*self.weights, *self.shadows} - set(self.models)):
            raise ValueError(f"No model is loaded for {', '.join(unknown)}.")
        weights = self.weights.values()
        if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
            raise ValueError(f"Weights {self.weights}: finite, and one positive.")


class Answer(BaseModel):
    """The score of one flight, and what made it."""

    request_id: str
    flight_id: str
    score: float = Field(ge=0, le=1, description="chance to land 15 min late or more")
    late: bool
    model: str
    version: str
    precision: str
    source: Source


@dataclass(frozen=True)
class Call:
    """One request on its way: who asked, about what, with which features."""

    request_id: str
    flight_id: str
    table: pd.DataFrame
    source: Source
    began: float


async def score_one(model: Predictor, table: pd.DataFrame) -> float:
    """Return the model's score of the only row; a ValueError if it is none."""
    found = model.predict(table)
    score = float((await found if inspect.isawaitable(found) else found)[0])
    if not 0 <= score <= 1:
        raise ValueError(f"{model.name} {model.version} gives the score {score}.")
    return score


class Metrics:
    """What Prometheus reads, in a registry of this service's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry, "namespace": "flightline"}
        which, bounds = (
            ["label", "version", "source", "shadow"],
            [base * 10**n for n in (-3, -2, -1, 0) for base in (1, 2, 5)],
        )
        self.requests = Counter("requests", "Answers by status.", ["status"], **own)
        self.seconds = Histogram(
            "request_seconds", "Time until the answer is out.", buckets=bounds, **own
        )
        self.scores = Counter("scores", "Scores by version and source.", which, **own)
        self.errors = Counter("errors", "Failures caught.", ["where"], **own)
        self.in_flight = Gauge("in_flight", "Requests in the house.", **own)


class Scorer:
    """Turn a model's score into an answer and a line in the prediction log.

    Parameters
    ----------
    log : PredictionLog, optional
        Where every score is written before its answer goes out.
    threshold : float
        A score of so much or more counts as late.
    clock : callable
        The time that the log states.
    """

    def __init__(
        self, log: PredictionLog | None, threshold: float, clock: Callable[[], datetime]
    ) -> None:
        self.log, self.threshold, self.clock, self.metrics = (
            log,
            threshold,
            clock,
            Metrics(),
        )

    async def score(
        self, call: Call, label: str, model: Predictor, shadow: bool = False
    ) -> Answer | None:
        """Score and log; return None if the model fails."""
        try:
            score = await score_one(model, call.table)
        except Exception as error:  # whatever a model raises, others may answer
            LOGGER.error("model %s: %s", label, type(error).__name__)
            self.metrics.errors.labels(f"model {label}").inc()
            return None
        answer = Answer(
            request_id=call.request_id,
            flight_id=call.flight_id,
            score=score,
            late=score >= self.threshold,
            model=model.name,
            version=model.version,
            precision=model.precision,
            source=call.source,
        )
        self.note(call, answer, shadow)
        self.metrics.scores.labels(label, model.version, call.source, shadow).inc()
        return answer

    def note(self, call: Call, answer: Answer, shadow: bool) -> None:
        """Write the answer to the prediction log; without that it does not go out."""
        if self.log is None:
            return
        features = {
            name: _plain(value) for name, value in call.table.iloc[0].to_dict().items()
        }
        record = {
            "time": self.clock().isoformat(),
            **answer.model_dump(),
            "latency_ms": round((time.perf_counter() - call.began) * 1000, 3),
            "shadow": shadow,
        }
        try:
            self.log.append({**record, "features": features})
        except OSError as error:
            self.metrics.errors.labels("log").inc()
            raise HTTPException(503, "The prediction log cannot be written.") from error


class Service(Scorer):
    """What knows flights: features, routing, versions.

    Parameters
    ----------
    live : Deployment
        What is live; `deploy` replaces it between two requests.
    features : GuardedFeatures
        Features, or the fallback.
    spare : Predictor, optional
        What answers when features are missing; without it the versions themselves.
    log, threshold, clock
        As for `Scorer`.
    """

    def __init__(
        self,
        live: Deployment,
        features: GuardedFeatures,
        spare: Predictor | None,
        log: PredictionLog | None,
        threshold: float,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(log, threshold, clock)
        self.live, self.features, self.spare = live, features, spare

    def deploy(self, deployment: Deployment) -> None:
        """Swap or roll back; a request that has begun keeps the old deployment."""
        self.live = deployment

    async def answer(self, flight: Flight, request_id: str) -> tuple[Answer, Call]:
        """Score one flight with the version that its weights choose, and log it."""
        began, live, requests = time.perf_counter(), self.live, frame_of([flight])
        flight_id = str(requests.at[0, "flight_id"])
        table, source = await self.features.read(requests)
        call, weights = (
            Call(request_id, flight_id, table, source, began),
            dict(live.weights),
        )
        if (
            source == "fallback"
            and self.spare
            and (answer := await self.score(call, "spare", self.spare))
        ):
            return answer, call
        while any(weights.values()):
            label = route(flight_id, weights)
            if answer := await self.score(call, label, live.models[label]):
                return answer, call
            weights.pop(label)  # the flights of a version that fails go to the others
        raise HTTPException(503, "No model version could score this flight.")

    async def listen(self, call: Call, live: Deployment) -> None:
        """Let the shadows score what was answered already."""
        for label in live.shadows:
            with contextlib.suppress(HTTPException):
                await self.score(call, label, live.models[label], shadow=True)


REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Observer:
    """See every request: give it an id, count its answer, write one line.

    The line holds no secret and no body. An app that raises becomes a status 500.

    Parameters
    ----------
    app : ASGI application
        What answers.
    metrics : Metrics
        What counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wanted, began = (
            Headers(scope=scope).get("x-request-id", ""),
            time.perf_counter(),
        )
        request_id = wanted if REQUEST_ID.fullmatch(wanted) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, out = 0, began

        async def reply(message: Message) -> None:
            nonlocal status, out
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            out = time.perf_counter()
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, reply)
            except Exception as error:
                LOGGER.error("request %s: %s", request_id, type(error).__name__)
                if not status:
                    await refusal(500, "internal", "The service failed. Try again.")(
                        scope, receive, reply
                    )
        self.metrics.requests.labels(status).inc()
        self.metrics.seconds.observe(out - began)
        if LOGGER.isEnabledFor(logging.INFO):
            line = {
                "request_id": request_id,
                "method": scope["method"],
                "path": scope["path"],
            }
            LOGGER.info(
                json.dumps(
                    {**line, "status": status, "ms": round((out - began) * 1000, 2)}
                )
            )


CLOSE = {"Connection": "close"}


async def read_body(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request, or None as soon as it is longer than `most`."""
    body, more = b"", True
    while more and len(body) <= most:
        message = await receive()
        body += bytes(message.get("body", b""))
        more = message.get("more_body", False)
    return body if len(body) <= most else None


class Gateway:
    """Let through what has a key, a budget and a small body; refuse the rest.

    Parameters
    ----------
    app : ASGI application
        What answers the requests that come through.
    admission : Admission
        Who may use the paths under /v1/.
    most_bytes, body_s
        The longest body, and how long it may take to arrive.
    """

    def __init__(
        self,
        app: ASGIApp,
        admission: Admission,
        most_bytes: int = 4096,
        body_s: float = 5.0,
    ) -> None:
        self.app, self.admission, self.most_bytes, self.body_s = (
            app,
            admission,
            most_bytes,
            body_s,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or hand it to the app with its whole body."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        refused, body = self.admission.refuse(Headers(scope=scope)), None
        if refused is None:
            try:
                async with asyncio.timeout(self.body_s):
                    body = await read_body(receive, self.most_bytes)
                if body is None:
                    refused = refusal(
                        413,
                        "too_large",
                        f"A request has at most {self.most_bytes} bytes.",
                        CLOSE,
                    )
            except TimeoutError:
                refused = refusal(408, "slow_body", "The body came too slowly.", CLOSE)
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        await (refused or self.app)(scope, replay, send)


class FieldProblem(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused: a code for programs, a sentence for people."""

    error: str
    message: str
    fields: list[FieldProblem] = []


CODES = {
    400: "malformed",
    404: "no_such_path",
    405: "no_such_method",
    503: "unavailable",
}
REFUSED = {
    400: "the body is no JSON",
    401: "no key, or an unknown one",
    408: "the body came too slowly",
    413: "the body is too large",
    422: "the flight is not valid",
    429: "the key's budget is used up",
    503: "no version can score, or the log cannot be written",
}
MESSAGES = {
    "model_attributes_type": "is no JSON object (send Content-Type: application/json)",
    "extra_forbidden": "is no field of a flight",
}


async def _invalid(_: Request, error: Exception) -> Response:
    """Answer a body that is no flight: 400 if it is no JSON, else 422 with fields."""
    assert isinstance(error, RequestValidationError)
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return refusal(400, "malformed", "The body is no JSON.")
    fields = []
    for each in error.errors():
        name = ".".join(str(part) for part in each["loc"][1:]) or "body"
        message = MESSAGES.get(each["type"], each["msg"]).removeprefix("Value error, ")
        fields.append(FieldProblem(field=name, message=message))
    message = f"{fields[0].field}: {fields[0].message}."
    return JSONResponse(
        Problem(error="invalid_flight", message=message, fields=fields).model_dump(),
        422,
    )


async def _failed(_: Request, error: Exception) -> Response:
    """Answer what the framework or the service refuses, in the form of all refusals."""
    assert isinstance(error, StarletteHTTPException)
    code = CODES.get(error.status_code, "refused")
    return refusal(error.status_code, code, str(error.detail), error.headers)


def _add_routes(app: FastAPI, service: Service) -> None:
    """Add the paths of the service."""
    refused: dict[int | str, dict[str, Any]] = {
        code: {"model": Problem, "description": text} for code, text in REFUSED.items()
    }

    @app.post(
        "/v1/predict",
        response_model=Answer,
        responses=refused,
        dependencies=[Security(HTTPBearer(auto_error=False))],
    )
    async def predict(flight: Flight, request: Request) -> Response:
        """Tell how likely one flight is to arrive 15 or more minutes late."""
        live = service.live
        answer, call = await service.answer(flight, request.state.request_id)
        shadows = BackgroundTask(service.listen, call, live) if live.shadows else None
        return JSONResponse(answer.model_dump(), background=shadows)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process runs. It says nothing about what it depends on."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> list[dict[str, Any]]:
        """Say which versions answer, with which weights, and which only listen."""
        live = service.live
        return [
            {
                "label": label,
                "model": model.name,
                "version": model.version,
                "precision": model.precision,
                "weight": live.weights.get(label, 0.0),
                "shadow": label in live.shadows,
            }
            for label, model in live.models.items()
        ]

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Return the metrics for Prometheus."""
        return Response(
            generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST
        )


def create_app(
    models: Mapping[str, Predictor],
    features: FeatureSource,
    *,
    weights: Mapping[str, float] | None = None,
    shadows: tuple[str, ...] = (),
    spare: Predictor | None = None,
    keys: Iterable[KeyRecord] = (),
    rate_s: float = 200.0,
    burst: int = 400,
    deadline_s: float = 0.05,
    readers: int = 1,
    threshold: float = 0.5,
    log: Path | str | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
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
    spare : Predictor, optional
        A model that was trained on what the fallback knows, and answers then.
    keys : iterable of KeyRecord
        Who may ask. Without keys nobody may.
    rate_s, burst
        The budget of each key, as for `TokenBucket`.
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

    Returns
    -------
    FastAPI
        An ASGI application. `app.state.service.deploy` swaps what is live.

    Raises
    ------
    ValueError
        If weights or shadows name a label that has no model.
    """
    live = Deployment(models, weights or {next(iter(models)): 1.0}, shadows)
    guarded = GuardedFeatures(features, deadline_s, readers=readers)
    book = PredictionLog(log) if log is not None else None
    service = Service(live, guarded, spare, book, threshold, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield  # a server that was told to stop comes here after its last answer
        guarded.pool.shutdown(wait=False, cancel_futures=True)
        if book is not None:
            book.close()

    # FastAPI's own pages load their scripts from another host.
    app = FastAPI(
        title="Flightline",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        strict_content_type=False,
    )
    app.state.service = service
    app.add_middleware(Gateway, admission=Admission(keys, rate_s, burst))
    app.add_middleware(
        Observer, metrics=service.metrics
    )  # the last one added is outermost
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _failed)
    _add_routes(app, service)
    return app


@dataclass(frozen=True)
class Progress:
    """How far a batch job is; `new` is False for a part that was there already."""

    part: str
    rows: int
    done: int
    parts: int
    new: bool


def score_table(
    requests: pd.DataFrame, features: FeatureSource, model: Predictor
) -> pd.DataFrame:
    """Score many flights at once: `flight_id`, `score`, `model`, `version`.

    Nothing falls back here. A job that can wait fails, and is started again.
    """
    scores = model.predict(features.read(requests)[FEATURES])
    named = {"score": scores, "model": model.name, "version": model.version}
    return requests[["flight_id"]].reset_index(drop=True).assign(**named)


def score_batch(
    requests: pd.DataFrame, features: FeatureSource, model: Predictor, folder: Path
) -> Iterator[Progress]:
    """Score the lake's schedule day by day; a killed job goes on where it stopped.

    Parameters
    ----------
    requests : DataFrame
        As `lake.read(..., "schedule")` returns it, or `frame_of`.
    features, model
        As for `create_app`; `predict` is called with a whole day.
    folder : Path
        Where `name-version/day.parquet` appears, each file in one step.

    Yields
    ------
    Progress
        After each day.
    """
    target = Path(folder) / f"{model.name}-{model.version}"
    target.mkdir(parents=True, exist_ok=True)
    days = requests["sched_dep_utc"].dt.strftime("%Y-%m-%d")
    for done, (day, rows) in enumerate(requests.groupby(days), start=1):
        path = target / f"{day}.parquet"
        new = not path.exists()
        if new:
            draft = path.with_suffix(".draft")
            score_table(rows, features, model).to_parquet(draft, index=False)
            draft.replace(path)
        yield Progress(str(day), len(rows), done, days.nunique(), new)


def score_stream(
    ticks: Iterable[tuple[pd.Timestamp, Mapping[str, pd.DataFrame]]],
    features: FeatureSource,
    model: Predictor,
    lead: pd.Timedelta = LEAD,
) -> Iterator[tuple[pd.Timestamp, pd.DataFrame]]:
    """Score each flight once, when the clock passes its prediction time.

    Parameters
    ----------
    ticks : iterable
        What `lake.replay` yields; the table `schedule` brings the flights.
    features, model
        As for `create_app`.
    lead : Timedelta
        How long before departure a flight is scored.

    Yields
    ------
    now : Timestamp
        The clock.
    scores : DataFrame
        As `score_table` returns it, for the flights that were due.
    """
    waiting: pd.DataFrame | None = None
    for now, news in ticks:
        waiting = (
            news["schedule"]
            if waiting is None
            else pd.concat([waiting, news["schedule"]])
        )
        due = waiting["sched_dep_utc"] - lead <= now
        if due.any():
            yield now, score_table(waiting[due], features, model)
            waiting = waiting[~due]
