"""The application around the gateway: its document, health, metrics, plain refusals."""

import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPBearer
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from flightline.serving.gateway import Endpoint, Gateway, Metrics, Observer
from flightline.serving.keys import Admission
from flightline.serving.overload import DEADLINE_HEADER, Limit
from flightline.serving.refusals import Problem, Refused

CODES = {
    400: "malformed",
    404: "no_such_path",
    405: "no_such_method",
    503: "unavailable",
}
REFUSED = {
    400: "the body is no JSON, or the deadline is no number of milliseconds",
    401: "no key, or an unknown one",
    408: "the body came too slowly",
    413: "the body is too large",
    422: "the request is not valid",
    429: "the key's budget is used up",
    503: "no room, no version that can score, or a log that cannot be written",
    504: "the caller's deadline has passed",
}
ABOUT_DEADLINES = (
    f"A header {DEADLINE_HEADER} may say for how many milliseconds you wait (1 to "
    "9999999). What would be answered later is dropped, with status 504."
)


class Version(BaseModel):
    """A version that is loaded, as /readyz tells it."""

    label: str
    model: str
    version: str
    precision: str
    weight: float
    shadow: bool


class Application(FastAPI):
    """A FastAPI application behind a gateway, which answers what it can by itself."""

    front: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the gateway see each request first."""
        await self.front(scope, receive, send)

    async def inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the gateway leaves to FastAPI."""
        await super().__call__(scope, receive, send)


def application(
    endpoints: Sequence[Endpoint],
    admission: Admission,
    *,
    title: str = "Flightline",
    metrics: Metrics | None = None,
    limit: Limit | None = None,
    ready: Callable[[], list[Version]] = list,
    close: Callable[[], Awaitable[None]] | None = None,
    most_bytes: int = 4096,
    body_s: float = 5.0,
) -> FastAPI:
    """Make an application of some endpoints, behind the gateway.

    Parameters
    ----------
    endpoints : sequence of Endpoint
        What it answers: any request model, any handler.
    admission : Admission
        Who may ask.
    title : str
        The name in its document.
    metrics, limit : optional
        What counts, and how many may be inside; by default new ones.
    ready : callable
        Says which versions are loaded.
    close : coroutine function, optional
        Called when the last answer is out and the service ends.
    most_bytes, body_s
        As for `Gateway`.

    Returns
    -------
    FastAPI
        An ASGI application.
    """
    metrics = metrics or Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield  # a server that was told to stop comes here after its last answer
        if close is not None:
            await close()

    # FastAPI's own pages load their scripts from another host.
    app = Application(title=title, docs_url=None, redoc_url=None, lifespan=lifespan)
    gate = Gateway(
        app.inside,
        admission,
        endpoints,
        limit=limit,
        most_bytes=most_bytes,
        body_s=body_s,
    )
    app.front = Observer(gate, metrics)
    app.add_exception_handler(RequestValidationError, _failed)
    app.add_exception_handler(HTTPException, _failed)
    for endpoint in endpoints:
        _document(app, endpoint)
    _add_operations(app, metrics, ready)
    return app


async def _failed(_: Request, error: Exception) -> Response:
    """Answer what the framework refuses in the form of all refusals."""
    status = getattr(error, "status_code", 400)
    refused = Refused(
        status,
        CODES.get(status, "refused"),
        str(getattr(error, "detail", "The request is not valid.")),
        getattr(error, "headers", None),
    )
    return Response(
        refused.body(), refused.status, refused.headers, media_type="application/json"
    )


def _document(app: FastAPI, endpoint: Endpoint) -> None:
    """Write an endpoint into the document; the gateway answers it, not this route."""
    refused: dict[int | str, dict[str, Any]] = {
        code: {"model": Problem, "description": text} for code, text in REFUSED.items()
    }

    async def described(request: BaseModel) -> None:
        raise NotImplementedError(f"{endpoint.path} is answered by the gateway.")

    described.__name__ = endpoint.path.rsplit("/", 1)[-1]
    about = inspect.getdoc(endpoint.handle) or ""
    described.__doc__ = f"{about}\n\n{ABOUT_DEADLINES}"
    described.__annotations__ = {"request": endpoint.request}
    app.add_api_route(
        endpoint.path,
        described,
        methods=["POST"],
        response_model=endpoint.answer,
        responses=refused,
        dependencies=[Security(HTTPBearer(auto_error=False))],
    )


def _add_operations(
    app: FastAPI, metrics: Metrics, ready: Callable[[], list[Version]]
) -> None:
    """Add what those who run the service ask."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process runs. It says nothing about what it depends on."""
        return {"status": "alive"}

    @app.get("/readyz")
    async def readyz() -> list[Version]:
        """Say which versions answer, with which weights, and which only listen."""
        return ready()

    @app.get("/metrics", response_class=PlainTextResponse)
    async def expose() -> Response:
        """Return the metrics for Prometheus."""
        return Response(
            generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST
        )
