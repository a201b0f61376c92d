"""The server as a process: its socket, its limits, its end."""

import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from flightline.serving import connections

WATCH_S, GRACE_S = 0.25, 3.0
ENDS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def leaving_in_order() -> Iterator[None]:
    """End quietly on Ctrl-C and on SIGTERM, so that temporary files are removed.

    uvicorn repeats a signal when its last answer is out; the default of SIGTERM would
    then end the process before it could tidy up. A signal can strike inside any code,
    which may turn it into another error: once a signal came, every error is the end.
    It is raised as SystemExit. A KeyboardInterrupt inside `exec` of a text, as classes
    are made with, makes Python end by a signal even if somebody has caught it.
    """
    told: list[int] = []

    def leave(number: int, frame: FrameType | None) -> None:
        told.append(number)
        raise SystemExit(0)

    before = {number: signal.signal(number, leave) for number in ENDS}
    try:
        yield
    except (SystemExit, KeyboardInterrupt, Exception):
        if not told:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with(parent: int) -> None:
    """Wait until the parent has ended, however it did; then end this process too."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def socket_of(host: str, port: int, number: int | None) -> socket.socket:
    """Return a listening socket that sends small answers at once.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes any free port.
    number : int, optional
        A socket that is open already, by the number of its file, instead.

    Raises
    ------
    ValueError, OSError
        A sentence that says what cannot be listened on, and why.
    """
    if number is not None:
        try:
            listener = socket.socket(fileno=number)
            listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError as error:
            raise ValueError(f"--fd {number} is no open socket: {error}.") from None
        if not listens or listener.family not in (socket.AF_INET, socket.AF_INET6):
            listener.detach()
            raise ValueError(f"--fd {number} is no TCP socket that listens.")
    else:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(1024)
        except (OSError, UnicodeError) as error:
            listener.close()
            raise OSError(
                f"cannot listen on {host}:{port}: {error}. Is another service there? "
                "Choose another --port, or 0 for any."
            ) from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def doors(listener: socket.socket) -> list[socket.socket]:
    """Return a socket several times, so that connections come in several at a time.

    uvloop takes one new connection from a socket in each turn of its loop. While every
    turn also answers a request, others wait in the system's queue, where no limit sees
    them; with more doors they come in, and are refused or answered.
    """
    count = connections.door_count()
    return [listener, *(listener.dup() for _ in range(count - 1))]


def server_of(app: ASGIApp) -> uvicorn.Server:
    """Return uvicorn with bounded connections, ready to serve an application."""
    connections.Bounded.most = connections.most_connections()
    config = uvicorn.Config(
        app,
        http=connections.Bounded,
        ws="none",
        proxy_headers=False,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=connections.REST_S,
        timeout_graceful_shutdown=10,
    )
    return uvicorn.Server(config)


def write_lines() -> None:
    """Send the lines about requests to the standard error, at the least cost.

    A line names no thread, process or place in the code, so Python need not look.
    """
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("flightline.serving").setLevel(logging.INFO)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # as Python's manual says


def say(text: str) -> None:
    """Tell the person who started it; if nobody can hear it, that is an OSError."""
    print(text, flush=True)


def complain(program: str, error: BaseException | str) -> int:
    """Write one line about what went wrong; return the exit code."""
    kind = "" if isinstance(error, str) else f"{type(error).__name__}: "
    with contextlib.suppress(OSError):
        print(f"{program}: {kind}{' '.join(str(error).split())}", file=sys.stderr)
    return 2
