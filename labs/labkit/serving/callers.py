"""Callers of a real service: each request has an id, and may be sent again."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Sequence

import grpc
import pandas as pd
from flightline import serving
from flightline.serving import rpc
from google.protobuf.message import Message

from labkit.serving.http_load import Connection, Json
from labkit.serving.servers import Served

PAUSE_S = 0.02
GIVE_UP_S = 20.0


class Callers:
    """Some callers, who share a few connections and use them in turn.

    Parameters
    ----------
    served : Served
        Whom they ask.
    bodies : sequence of dict
        What they ask, in turns.
    name : str
        What their request ids begin with.
    tries : int
        How often a request is sent at most.
    patience_s : float
        After so long a caller hangs up, and sends the request again.

    Attributes
    ----------
    status, tries_of : dict of int
        By the number of the request: the last status, 0 where no answer came, and how
        often it was sent.
    """

    def __init__(
        self,
        served: Served,
        bodies: Sequence[Json],
        name: str,
        *,
        tries: int = 20,
        patience_s: float = GIVE_UP_S,
    ) -> None:
        self.served, self.bodies, self.name = served, bodies, name
        self.tries, self.patience_s = tries, patience_s
        self.free = deque(Connection(served.port) for _ in range(4))
        self.status: dict[int, int] = {}
        self.tries_of: dict[int, int] = {}
        self._answers: list[Json] = []

    async def ask(self, number: int) -> None:
        """Send the request of this number until an answer comes, and keep it."""
        body = self.bodies[number % len(self.bodies)]
        request = self.served.request(body, f"{self.name}-{number}")
        for attempt in range(1, self.tries + 1):
            self.tries_of[number] = attempt
            status, answer = await self._once(request)
            self.status[number] = status
            if status:
                break
            await asyncio.sleep(PAUSE_S)
        if status == 200:
            self._answers.append(json.loads(answer))

    async def _once(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; status 0 if the connection breaks, or patience ends."""
        connection = self.free.popleft() if self.free else Connection(self.served.port)
        try:
            found = await asyncio.wait_for(connection.ask(request), self.patience_s)
        except (OSError, EOFError, TimeoutError):
            connection.close()
            found = 0, b""
        self.free.append(connection)
        return found

    def close(self) -> None:
        """Close the connections; call it in the loop that asked."""
        for connection in self.free:
            connection.close()

    def ids(self) -> list[str]:
        """Return the ids of all requests that were sent."""
        return [f"{self.name}-{number}" for number in self.tries_of]

    def answers(self) -> pd.DataFrame:
        """Return the answers that came, one row each."""
        return pd.DataFrame(self._answers, columns=list(serving.Answer.model_fields))


def over_grpc(served: Served, body: Json) -> Json:
    """Ask the first worker of a service over gRPC.

    Parameters
    ----------
    served : Served
        Started with `grpc_port=0`.
    body : mapping
        As for REST.
    """
    worker = served.workers[0]
    worker.wait_for("gRPC listens on")
    found = re.search(r"gRPC listens on (\S+)\.\n", worker.log())
    if found is None:
        raise ValueError("the service does not say where gRPC listens.")
    with grpc.insecure_channel(found[1]) as channel:
        ask = channel.unary_unary(
            rpc.METHOD,
            request_serializer=rpc.flightline_pb2.Flight.SerializeToString,  # type: ignore[attr-defined]
            response_deserializer=rpc.flightline_pb2.Answer.FromString,  # type: ignore[attr-defined]
        )
        who = (("authorization", f"Bearer {served.key}"),)
        answer = ask(message(body), metadata=who, timeout=GIVE_UP_S)
    return {field.name: value for field, value in answer.ListFields()}


def message(body: Json) -> Message:
    """Return a request as a message of protobuf."""
    made: Message = rpc.flightline_pb2.Flight(**body)  # type: ignore[attr-defined]
    return made
