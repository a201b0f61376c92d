"""What a connection may cost before anybody knows whose it is.

The gateway reads headers, so it can refuse a request only when they have all arrived.
Until then the server itself must bound what a stranger can take: how many connections,
for how long, and how many bytes.
"""

import asyncio
import contextlib
import logging
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

LOGGER = logging.getLogger("flightline.serving")
MOST_CONNECTIONS = 4000
SPARE_FILES, MOST_DOORS = 40, 32
HEAD_S, HEAD_BYTES, REST_S = 5.0, 16_384, 5


def most_connections() -> int:
    """Return how many connections there may be, with files left for all the rest.

    A process may use as many files as its hard limit says, if it asks for them.
    """
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_FILES + 2 * MOST_DOORS
    if files != resource.RLIM_INFINITY and files < wanted:
        wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    spare = SPARE_FILES + 2 * door_count()  # who goes is closed a turn after who comes
    return max(8, min(MOST_CONNECTIONS, files - spare))


def door_count() -> int:
    """Return how many connections may come in at once, few where files are few."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_DOORS
    return max(1, min(MOST_DOORS, files // 32))


class Bounded(HttpToolsProtocol):
    """uvicorn's connection, with a deadline and a limit of bytes for each head.

    If there are too many connections, the one that has waited longest without a whole
    request makes room: half requests never keep a whole one out. If every connection
    has a request inside, the newest is refused.
    """

    waiting: "dict[Bounded, None]" = {}  # noqa: RUF012  of the process, oldest first
    most = MOST_CONNECTIONS
    head_s, head_bytes = HEAD_S, HEAD_BYTES

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._bytes, self._in_head = 0, True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for a connection, or refuse it."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            if not self.waiting:
                self._refuse(503, "Too many connections. Wait, then try again.")
                return
            oldest = next(iter(self.waiting))
            oldest._let_go()
            oldest.transport.abort()
            self.connections.discard(oldest)  # it goes in a later turn of the loop
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._let_go()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head; refuse one that is too long."""
        if self._in_head:
            if self._deadline is None:  # a further request on a kept connection
                self._wait()
            self._bytes += len(data)
        super().data_received(data)
        timed = self.timeout_keep_alive_task or self._deadline
        if self._is_idle() and timed is None:  # the body of what was refused already
            self._wait()
        if self._in_head and self._bytes > self.head_bytes:
            self._refuse(431, f"The head of a request has at most {self.head_bytes} B.")

    def on_message_begin(self) -> None:
        """Expect a head."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """Let a whole head through, unless it is too long all the same."""
        self._in_head = False
        size = len(self.url) + sum(len(n) + len(v) for n, v in self.headers)
        if size > self.head_bytes:
            self._refuse(431, f"The head of a request has at most {self.head_bytes} B.")
            self.scope["path"] = ""
            return
        self._let_go()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Count the next request from nothing."""
        if self.cycle is not None:
            super().on_message_complete()
        self._bytes, self._in_head = 0, True

    def on_body(self, body: bytes) -> None:
        """Drop the body of what was refused."""
        if self.cycle is not None and not self.transport.is_closing():
            super().on_body(body)

    def on_response_complete(self) -> None:
        """Count a connection without a request among those that make room."""
        super().on_response_complete()
        if self._is_idle():
            self.waiting[self] = None

    def _is_idle(self) -> bool:
        """Return whether no request is inside."""
        done = self.cycle is None or self.cycle.response_complete
        return done and not self.transport.is_closing()

    def _wait(self) -> None:
        """Begin to wait for a whole head."""
        self.waiting[self] = None
        self._deadline = self.loop.call_later(
            self.head_s, self._refuse, 408, "The head of the request came too slowly."
        )

    def _let_go(self) -> None:
        """End the wait for a head."""
        self.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: int, why: str) -> None:
        """Answer once, and close; nothing of it goes to the application."""
        self._let_go()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self._in_head:  # it has its answer
            self.transport.close()
            return
        LOGGER.info("connection refused: %d", status)
        body = f'{{"error":"refused","message":"{why}","fields":[]}}'.encode()
        head = (
            b"content-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
