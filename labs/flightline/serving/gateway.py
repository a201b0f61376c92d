"""The gateway: what a request meets before any model, and how its answer goes out.

It knows no flights. An `Endpoint` names a path, a request model and a handler; a stage
that serves something else brings its own. The order is from cheap to dear: headers,
key, budget, stated size, body, room, deadline, validation, and only then the handler.
"""

import asyncio
import json
import logging
import math
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flightline.serving.keys import Admission
from flightline.serving.overload import DEADLINE_HEADER, Limit, deadline_s
from flightline.serving.refusals import Refused, read_request

LOGGER = logging.getLogger("flightline.serving")
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
CLOSE = {"Connection": "close"}
_DEADLINE = DEADLINE_HEADER.lower().encode()


@dataclass(slots=True)
class Call:
    """One request on its way: who asks, since when, and until when that is of use.

    Parameters
    ----------
    request_id, caller : str
        What the answer and the logs call it; whose key it came with.
    began, due : float
        On the clock of `time.perf_counter`: its arrival, and when nobody waits any
        more.
    later : list of callables
        What is to be done when the answer is out, such as a shadow's score.
    """

    request_id: str
    caller: str = ""
    began: float = field(default_factory=time.perf_counter)
    due: float = math.inf
    later: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def left_s(self) -> float:
        """Return how long the caller still waits."""
        return self.due - time.perf_counter()

    def must_be_in_time(self) -> None:
        """Drop late work: a `Refused` (504) if nobody waits for it any more."""
        if self.left_s() <= 0:
            raise Refused(504, "too_late", "The deadline that you set has passed.")


Handler = Callable[[Any, Call], Awaitable[BaseModel]]


@dataclass(frozen=True)
class Endpoint:
    """A path that the gateway serves.

    Parameters
    ----------
    path : str
        Below /v1/.
    request, answer : type of BaseModel
        What is sent and what comes back, as JSON.
    handle : coroutine function
        Takes a request and its `Call`; returns an answer, or raises `Refused`.
    """

    path: str
    request: type[BaseModel]
    answer: type[BaseModel]
    handle: Handler

    def __post_init__(self) -> None:
        if not self.path.startswith("/v1/"):
            raise ValueError(f"path {self.path!r}: an endpoint stands below /v1/.")


class Metrics:
    """What Prometheus reads, in a registry of this service's own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry, "namespace": "flightline"}
        which = ["label", "version", "source", "shadow"]
        bounds = [base * 10**n for n in (-3, -2, -1, 0) for base in (1, 2, 5)]
        self.requests = Counter("requests", "Answers by status.", ["status"], **own)
        self.seconds = Histogram(
            "request_seconds", "Time until the answer is out.", buckets=bounds, **own
        )
        self.scores = Counter("scores", "Scores by version and source.", which, **own)
        self.errors = Counter("errors", "Failures caught.", ["where"], **own)
        self.inside = 0
        in_flight = Gauge("in_flight", "Requests in the house.", **own)
        in_flight.set_function(lambda: self.inside)
        self._statuses: dict[int, Counter] = {}
        self._scores: dict[tuple[str, str, str, bool], Counter] = {}

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        if status not in self._statuses:
            self._statuses[status] = self.requests.labels(status)
        self._statuses[status].inc()
        self.seconds.observe(seconds)

    def scored(self, label: str, version: str, source: str, shadow: bool) -> None:
        """Count a score."""
        which = label, version, source, shadow
        if which not in self._scores:
            self._scores[which] = self.scores.labels(*which)
        self._scores[which].inc()


def id_of(wanted: str) -> str:
    """Return the id that a caller wishes, if it is harmless, or a new one."""
    return wanted if REQUEST_ID.fullmatch(wanted) else uuid.uuid4().hex


def note(call_id: str, method: str, path: str, status: int, seconds: float) -> None:
    """Write one line about a request: no secret and no body."""
    if LOGGER.isEnabledFor(logging.INFO):
        where = json.dumps(path)
        LOGGER.info(
            f'{{"request_id": "{call_id}", "method": "{method}", "path": {where}, '
            f'"status": {status}, "ms": {seconds * 1000:.2f}}}'
        )


class Observer:
    """See every request: give it an id, count its answer, write one line.

    An app that raises becomes a status 500.

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
        began = out = time.perf_counter()
        request_id = id_of(header(scope, b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        name, status = (b"x-request-id", request_id.encode()), 0

        async def reply(message: Message) -> None:
            nonlocal status, out
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), name]
            out = time.perf_counter()
            await send(message)

        self.metrics.inside += 1
        try:
            await self.app(scope, receive, reply)
        except Exception as error:
            LOGGER.error("request %s: %s", request_id, type(error).__name__)
            self.metrics.errors.labels("request").inc()
            if not status:
                crash = Refused(500, "internal", "The service failed. Try again.")
                await refuse(reply, crash)
        finally:
            self.metrics.inside -= 1
        if status:  # a caller who left before the end got no answer
            self.metrics.answered(status, out - began)
            note(request_id, scope["method"], scope["path"], status, out - began)


def header(scope: Scope, name: bytes) -> str:
    """Return the value of a header, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


class Cut(Exception):
    """A request whose sender left before its end: it is no request."""


async def read_body(receive: Receive, most: int) -> bytes | None:
    """Return the whole body of a request, or None as soon as it is too long.

    Raises
    ------
    Cut
        If the sender left before the end.
    """
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Cut
        part = bytes(message.get("body", b""))
        size += len(part)
        if size > most:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


class Gateway:
    """Let through what has a key, a budget, a small body and room; refuse the rest.

    Parameters
    ----------
    app : ASGI application
        What answers everything but the endpoints.
    admission : Admission
        Who may use the paths under /v1/.
    endpoints : sequence of Endpoint
        What the gateway serves itself.
    limit : Limit, optional
        How many requests may be inside.
    most_bytes, body_s
        The longest body, and how long it may take to arrive.
    """

    def __init__(
        self,
        app: ASGIApp,
        admission: Admission,
        endpoints: Sequence[Endpoint] = (),
        *,
        limit: Limit | None = None,
        most_bytes: int = 4096,
        body_s: float = 5.0,
    ) -> None:
        self.app, self.admission, self.limit = app, admission, limit or Limit()
        self.endpoints = {endpoint.path: endpoint for endpoint in endpoints}
        self.most_bytes, self.body_s = most_bytes, body_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, answer it, or hand it to the app."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        request_id = scope.get("state", {}).get("request_id", "")
        call = Call(request_id or id_of(""))
        headers = dict(scope["headers"])
        try:
            given = headers.get(b"authorization", b"").decode("latin-1")
            call.caller = self.admission.admit(given)
            endpoint = self.endpoints.get(scope["path"])
            if endpoint is None or scope["method"] != "POST":
                await self.app(scope, receive, send)
                return
            if _DEADLINE in headers:
                waits = deadline_s(headers[_DEADLINE].decode("latin-1"))
                call.due = call.began + waits
            body = await self._body(headers.get(b"content-length", b""), receive)
            answer = await self._answer(endpoint, body, call)
        except Refused as refused:
            await refuse(send, refused)
            return
        except Cut:
            return
        await reply(send, 200, answer.model_dump_json().encode(), {})
        for work in call.later:
            await work()

    async def _body(self, stated: bytes, receive: Receive) -> bytes:
        """Return the body, or refuse one that is too long or too slow."""
        body = None
        if not stated.isdigit() or int(stated[:12]) <= self.most_bytes:
            try:
                async with asyncio.timeout(self.body_s):
                    body = await read_body(receive, self.most_bytes)
            except TimeoutError:
                late = "The body came too slowly."
                raise Refused(408, "slow_body", late, CLOSE) from None
        if body is None:
            message = f"A request has at most {self.most_bytes} bytes."
            raise Refused(413, "too_large", message, CLOSE)
        return body

    async def _answer(self, endpoint: Endpoint, body: bytes, call: Call) -> BaseModel:
        """Let the handler answer, if there is room and somebody still waits."""
        self.limit.enter(call.caller)
        try:
            await asyncio.sleep(0)  # who arrived together is counted before any work
            call.must_be_in_time()
            return await endpoint.handle(read_request(endpoint.request, body), call)
        finally:
            self.limit.leave(call.caller)


async def reply(
    send: Send, status: int, body: bytes, headers: Mapping[str, str]
) -> None:
    """Send an answer in JSON."""
    out = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *((name.lower().encode(), value.encode()) for name, value in headers.items()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": out})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, refused: Refused) -> None:
    """Send a refusal."""
    await reply(send, refused.status, refused.body(), refused.headers)
