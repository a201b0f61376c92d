# Do not edit: exported from labs/08_serving.ipynb.
# Change the lab, then run `make export`.

"""Lab 08: serving."""

__all__ = [
    "Door",
    "F",
    "Q",
    "Read",
    "Request",
    "admit",
    "closed_loop",
    "open_loop",
    "read_in_time",
    "reconcile",
    "shortest_wait",
    "uniform",
]

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import pandas as pd


@dataclass
class Request:
    """A request: its head is here, its body comes piece by piece when it is read."""

    key: str
    size: int  # as the head states it, in bytes
    pieces: Iterable[bytes]


F = TypeVar("F", covariant=True)  # what a door makes of a body


class Door(Protocol[F]):
    """What a door can check; each method raises an error if it refuses."""

    def caller(self, request: Request) -> str:
        """Return whose key it is (else 401)."""

    def spend(self, caller: str) -> None:
        """Take one request from the caller's budget (429 if it is used up)."""

    def size(self, request: Request) -> None:
        """Look at the size that the head states (413 if it is too large)."""

    def body(self, request: Request) -> bytes:
        """Read the body (413 if it is longer than it may be)."""

    def flight(self, body: bytes) -> F:
        """Read the flight, field by field (400 if it is no JSON, 422 if wrong)."""


def admit(request: Request, door: Door[F]) -> tuple[str, F]:
    """Return who asks and for which flight, or let the error of a check through."""
    caller = door.caller(request)
    door.spend(caller)
    door.size(request)
    body = door.body(request)
    return caller, door.flight(body)


def uniform(unit_id: str, salt: str) -> float:
    """Return a number in [0, 1) that depends on the unit and the salt alone."""
    digest = hashlib.sha256(f"{salt}|{unit_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def shortest_wait(entity: str, weights: Mapping[str, float], salt: str) -> str:
    """Return the version that waits shortest: those of more weight more often."""
    waits = {  # 2**-49: no number is 0, which has no logarithm
        version: -math.log(uniform(entity, f"{salt}|{version}") + 2**-49) / weight
        for version, weight in weights.items()
        if weight > 0
    }
    return min(waits, key=lambda version: (waits[version], version))


Q = TypeVar("Q")  # whom features are asked for


class Read(NamedTuple):
    """Features, where they come from, and how the store failed, if it did."""

    features: object
    source: str
    failure: str


async def read_in_time(
    read: Callable[[Q], Awaitable[object]],
    flight: Q,
    deadline_s: float,
    fallback: Callable[[Q], object],
) -> Read:
    """Read a flight's features within a deadline, or fall back."""
    failure = ""
    try:
        async with asyncio.timeout(deadline_s):
            return Read(await read(flight), "online", failure)
    except LookupError:
        pass  # the store answered: it knows no such flight
    except Exception as error:  # whatever the store raises, we answer
        failure = type(error).__name__
    return Read(fallback(flight), "fallback", failure)


def reconcile(answers: pd.DataFrame, log: pd.DataFrame) -> dict[str, int]:
    """Count answers that the log does not hold, or holds otherwise, and repeats."""
    lines = log[~log["shadow"].astype(bool)]  # in an empty log they may be no booleans
    same = ["request_id", "model", "version", "score"]
    logged = answers["request_id"].isin(lines["request_id"])
    agreed = pd.MultiIndex.from_frame(answers[same]).isin(
        pd.MultiIndex.from_frame(lines[same])
    )
    return {
        "missing": int((~logged).sum()),
        "differ": int((logged & ~agreed).sum()),
        "repeated": int(lines["request_id"].duplicated().sum()),
    }


async def closed_loop(
    ask: Callable[[int], Awaitable[object]], seconds: float
) -> list[float]:
    """Ask, wait, ask again; return how long each answer took, in ms."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    ms: list[float] = []
    while (sent := clock()) < end:
        await ask(len(ms))
        ms.append(1000 * (clock() - sent))
    return ms


async def open_loop(
    ask: Callable[[int], Awaitable[object]], due_s: Sequence[float]
) -> list[float]:
    """Ask at fixed moments; return how long each answer took since then, in ms."""
    clock = asyncio.get_running_loop().time
    start = clock()

    async def one(number: int, due: float) -> float:
        await asyncio.sleep(start + due - clock())
        await ask(number)
        return 1000 * (clock() - start - due)

    return await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))
