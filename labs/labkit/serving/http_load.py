"""Send HTTP requests to a server of this machine, and time every answer.

`labkit.load` says what closed and open loops are; here both go over real connections.
A *closed loop* has some clients, each of which waits for its answer before it asks
again. An *open loop* asks at times that are fixed beforehand: an answer that is late
holds nobody back, and its time counts from the moment at which it was due.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import NotRequired, TypedDict, TypeVar

import numpy as np
import pandas as pd
from pydantic import JsonValue

Event = Callable[[], object]
Json = dict[str, JsonValue]
Body = Mapping[str, object] | bytes
GIVE_UP_S, KEEP_S = 20.0, 2.0
T = TypeVar("T")


class Row(TypedDict):
    """What became of one request; `tries` counts how often an open loop sent it."""

    due_s: float
    ms: float
    status: int
    body: bytes
    tries: NotRequired[int]


class Connection:
    """One kept-alive connection that sends a request and reads its answer."""

    def __init__(self, port: int) -> None:
        self.port, self.used = port, 0.0
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send the bytes of a request; return status and body."""
        if self.reader is None or self.writer is None:
            opened = await asyncio.open_connection("127.0.0.1", self.port)
            self.reader, self.writer = opened
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, lower = int(head[9:12]), head.lower()
        length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await self.reader.readexactly(length)
        if b"connection: close" in lower:
            self.close()
        self.used = time.perf_counter()
        return status, body

    def stale(self) -> bool:
        """Return whether it was idle so long that the server may have closed it."""
        return time.perf_counter() - self.used > KEEP_S

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


def request_bytes(
    path: str,
    body: Body | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a whole HTTP request: a POST with a body, a GET without.

    Parameters
    ----------
    path : str
        Such as /v1/predict.
    body : mapping or bytes, optional
        A mapping is sent as JSON.
    headers : mapping of str to str, optional
        More headers.
    """
    content = json.dumps(body).encode() if isinstance(body, Mapping) else body
    lines = [f"{'GET' if content is None else 'POST'} {path} HTTP/1.1", "Host: lab"]
    if content is not None:
        lines += [f"Content-Length: {len(content)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (content or b"")


def ask(port: int, request: bytes) -> tuple[int, str]:
    """Send one request; return status and text of the body."""

    async def one() -> tuple[int, bytes]:
        connection = Connection(port)
        try:
            return await asyncio.wait_for(connection.ask(request), GIVE_UP_S)
        finally:
            connection.close()

    status, body = in_thread(one())
    return status, body.decode()


def closed_loop(
    port: int,
    requests: Sequence[bytes],
    *,
    clients: int = 1,
    seconds: float = 1.0,
    events: Mapping[float, Event] | None = None,
) -> pd.DataFrame:
    """Let some clients ask, wait for the answer, and ask again.

    Parameters
    ----------
    port : int
        The server's port on this machine.
    requests : sequence of bytes
        What the clients send, in turns; `request_bytes` makes them.
    clients : int
        How many ask at the same time.
    seconds : float
        How long.
    events : mapping of float to callable, optional
        As for `open_loop`.

    Returns
    -------
    DataFrame
        One row a request: `due_s` (when it was sent, after the start), `ms` (until
        the answer), `status` and `body`. `attrs["seconds"]` is how long it took,
        `attrs["events"]` when each event began and ended.
    """

    async def client(start: float, number: int, rows: list[Row]) -> None:
        connection, turn = Connection(port), number
        while (sent := time.perf_counter()) < start + seconds:
            request = requests[turn % len(requests)]
            rows.append(await _timed(connection, request, sent, start))
            turn += clients
        connection.close()

    async def run() -> pd.DataFrame:
        rows: list[Row] = []
        start = time.perf_counter()
        others = _happen(events, start)
        await asyncio.gather(*(client(start, n, rows) for n in range(clients)))
        return _table(rows, time.perf_counter() - start, await others)

    return in_thread(run())


def open_loop(
    port: int,
    requests: Sequence[bytes],
    due_s: Sequence[float] | np.ndarray,
    *,
    events: Mapping[float, Event] | None = None,
    retries: int = 0,
) -> pd.DataFrame:
    """Send each request when it is due, whatever became of the others.

    Parameters
    ----------
    port : int
        The server's port on this machine.
    requests : sequence of bytes
        What is sent, in turns.
    due_s : sequence of float
        When, in seconds after the start, ascending.
    events : mapping of float to callable, optional
        What else happens at which second: a fault, a swap. They run in a thread,
        one after the other.
    retries : int
        How often a request is sent again whose connection broke.

    Returns
    -------
    DataFrame
        As `closed_loop`, one row a request, in the order in which they were due; `ms`
        counts from `due_s`; `tries` says how often it was sent. `status` is 0 where
        no answer came.
    """
    idle: list[Connection] = []

    async def one(number: int, due: float, start: float) -> Row:
        request = requests[number % len(requests)]
        for attempt in range(1, retries + 2):
            # who was cut off opens a connection of its own: others may be broken too
            connection = _free(idle, port) if attempt == 1 else Connection(port)
            row = await _timed(connection, request, due, start) | {"tries": attempt}
            if row["status"]:
                idle.append(connection)
                break
            await asyncio.sleep(0.02)
        return row

    async def run() -> pd.DataFrame:
        start = time.perf_counter()
        tasks, others = [], _happen(events, start)
        for number, moment in enumerate(due_s):
            due = start + float(moment)
            left = due - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            tasks.append(asyncio.create_task(one(number, due, start)))
        rows = list(await asyncio.gather(*tasks))
        happened = await others
        for connection in idle:
            connection.close()
        return _table(rows, time.perf_counter() - start, happened)

    return in_thread(run())


def _happen(
    events: Mapping[float, Event] | None, start: float
) -> "asyncio.Future[dict[float, tuple[float, float]]]":
    """Start what happens beside the requests; the future tells when it did.

    One event follows the other: a late one never runs beside the next.
    """

    async def every() -> dict[float, tuple[float, float]]:
        times = {}
        for moment, event in sorted((events or {}).items()):
            await asyncio.sleep(max(start + moment - time.perf_counter(), 0))
            began = time.perf_counter() - start
            await asyncio.to_thread(event)
            times[moment] = began, time.perf_counter() - start
        return times

    return asyncio.ensure_future(every())


def _free(idle: list[Connection], port: int) -> Connection:
    """Return the connection that was used last, or a new one if it is stale."""
    while idle:
        connection = idle.pop()
        if not connection.stale():
            return connection
        connection.close()
    return Connection(port)


async def _timed(
    connection: Connection, request: bytes, since: float, start: float
) -> Row:
    """Send one request and return its row; a broken connection is status 0."""
    try:
        status, body = await asyncio.wait_for(connection.ask(request), GIVE_UP_S)
    except (OSError, EOFError, TimeoutError):
        connection.close()
        status, body = 0, b""
    now = time.perf_counter()
    return {
        "due_s": since - start,
        "ms": (now - since) * 1000,
        "status": status,
        "body": body,
    }


def _table(
    rows: list[Row], took: float, events: Mapping[float, tuple[float, float]]
) -> pd.DataFrame:
    """Return the rows as a table that remembers how long the run took."""
    table = pd.DataFrame(rows)
    table.attrs.update(seconds=took, events=dict(events))
    return table


def poisson(rate: float, seconds: float, seed: int = 0) -> np.ndarray:
    """Return arrival times of independent callers.

    Parameters
    ----------
    rate : float
        Requests a second, on average.
    seconds : float
        For how long.
    seed : int

    Returns
    -------
    numpy.ndarray
        Seconds after the start, ascending.
    """
    chance = np.random.default_rng(seed)
    gaps = chance.exponential(1 / rate, int(rate * seconds * 2) + 20)
    times = np.cumsum(gaps)
    return np.asarray(times[times < seconds])


def answers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the answers of a run, their bodies read as JSON, by the run's rows."""
    good = table[table["status"] == 200]
    fields = pd.DataFrame([json.loads(body) for body in good["body"]], index=good.index)
    return good[["due_s", "ms", "status"]].join(fields)


def percentiles(ms: pd.Series) -> dict[str, float]:
    """Return p50, p95 and p99 of some times."""
    return {f"p{q}": float(np.percentile(ms, q)) for q in (50, 95, 99)}


def in_thread(work: Coroutine[object, None, T]) -> T:
    """Run a coroutine in a thread of its own: a notebook has a loop running already."""
    out: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            out.append(asyncio.run(work))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return out[0]
