"""The same service over gRPC: the same keys, budgets, room, handler and log.

`flightline_pb2.py` is generated from `flightline.proto`:
`python -m grpc_tools.protoc -I DIR --python_out=DIR flightline.proto`, then formatted.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from fastapi import FastAPI
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from flightline.serving import flightline_pb2
from flightline.serving.gateway import Call, Metrics, id_of, note
from flightline.serving.keys import Admission
from flightline.serving.overload import Limit
from flightline.serving.refusals import Refused, read_request
from flightline.serving.requests import Flight
from flightline.serving.service import Answer

SERVICE = "flightline.v1.Predictions"
METHOD = f"/{SERVICE}/Predict"
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}
OPTIONS = [
    ("grpc.max_receive_message_length", 4096),
    ("grpc.max_metadata_size", 8192),
    ("grpc.absolute_max_metadata_size", 16_384),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.so_reuseport", 0),  # a second service on the port is an error
]
GRACE_S = 5.0
Handler = Callable[[Flight, Call], Awaitable[Answer]]


class Predictions:
    """What answers `Predict`.

    Parameters
    ----------
    handle : coroutine function
        The service's.
    admission, limit, metrics
        Those of the gateway: a caller has one budget, however it asks.
    """

    def __init__(
        self, handle: Handler, admission: Admission, limit: Limit, metrics: Metrics
    ) -> None:
        self.handle, self.admission, self.limit = handle, admission, limit
        self.metrics = metrics
        self._later: set[asyncio.Task[None]] = set()

    async def predict(self, message: Message, context: Any) -> Message:
        """Answer one request, or end it with a status."""
        sent = dict(context.invocation_metadata() or ())
        call = Call(id_of(str(sent.get("x-request-id", ""))))
        left_s = context.time_remaining()
        if left_s is not None:
            call.due = call.began + left_s
        status = 500
        try:
            answer = await self._answer(
                message, str(sent.get("authorization", "")), call
            )
            status = 200
        except Refused as refused:
            status = refused.status
            code = CODES.get(status, grpc.StatusCode.INTERNAL)
            more = (("error", refused.error), ("x-request-id", call.request_id))
            await context.abort(code, refused.message, more)
        except Exception as error:
            self.metrics.errors.labels("request").inc()
            why = f"The service failed ({type(error).__name__}). Try again."
            await context.abort(grpc.StatusCode.INTERNAL, why)
        finally:
            seconds = time.perf_counter() - call.began
            self.metrics.answered(status, seconds)
            note(call.request_id, "GRPC", METHOD, status, seconds)
        for work in call.later:
            task = asyncio.ensure_future(work())
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        return flightline_pb2.Answer(**answer.__dict__)  # type: ignore[attr-defined]

    async def _answer(self, message: Message, authorization: str, call: Call) -> Answer:
        """Let the handler answer, in the order of the gateway."""
        call.caller = self.admission.admit(authorization)
        self.limit.enter(call.caller)
        try:
            await asyncio.sleep(0)
            call.must_be_in_time()
            fields = {field.name: value for field, value in message.ListFields()}
            flight = read_request(Flight, json.dumps(fields).encode())
            return await self.handle(flight, call)
        finally:
            self.limit.leave(call.caller)


@contextlib.asynccontextmanager
async def answering(app: FastAPI, address: str) -> AsyncIterator[int]:
    """Serve an app's service over gRPC as well, inside the context.

    Parameters
    ----------
    app : FastAPI
        As `create_app` makes it.
    address : str
        Host and port; port 0 takes any free one.

    Yields
    ------
    int
        The port.

    Raises
    ------
    OSError
        If nobody can listen there.
    """
    state = app.state
    predictions = Predictions(
        state.service.predict, state.admission, state.limit, state.service.metrics
    )
    server = grpc.aio.server(options=OPTIONS)
    method = grpc.unary_unary_rpc_method_handler(
        predictions.predict,
        request_deserializer=flightline_pb2.Flight.FromString,  # type: ignore[attr-defined]
        response_serializer=flightline_pb2.Answer.SerializeToString,  # type: ignore[attr-defined]
    )
    handler = grpc.method_handlers_generic_handler(SERVICE, {"Predict": method})
    server.add_generic_rpc_handlers((handler,))
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen for gRPC on {address}: {error}") from None
    await server.start()
    for name in ("", SERVICE):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        yield port
    finally:
        await checks.enter_graceful_shutdown()
        await server.stop(GRACE_S)
