"""Start a child process that certainly ends, and end it as a crash would.

A lab that starts a process must end it: when the cell is done, when the cell raises,
when the reader interrupts, when time is up. `Child` is a context manager that keeps
this promise for the child and for everything that the child starts.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

LABS = Path(__file__).resolve().parents[1]
POLL_S, GRACE_S = 0.005, 3.0


class ChildError(RuntimeError):
    """A child ended too early, or was not ready in time; the message holds its log."""


def module(name: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of the course in this environment.

    Parameters
    ----------
    name : str
        Such as "flightline.lake".
    *arguments : object
        Its arguments, turned into text.

    Returns
    -------
    list of str
    """
    return [sys.executable, "-m", name, *map(str, arguments)]


def runs(process: psutil.Process) -> bool:
    """Return whether a process still runs: it is there, and no zombie."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def descendants(pid: int) -> list[psutil.Process]:
    """Return the children of a process that run now, and theirs, and so on.

    Parameters
    ----------
    pid : int
        The process; it is not in the list itself.

    Returns
    -------
    list of psutil.Process
        Each knows its birth, so that a number used again is not mistaken for it.
    """
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if runs(child)]


def survivors(
    family: Sequence[psutil.Process], within_s: float = 10.0
) -> list[psutil.Process]:
    """Wait until processes are gone; return those that are still there.

    Parameters
    ----------
    family : sequence of psutil.Process
        What `descendants` returned earlier.
    within_s : float
        How long to wait for them.

    Returns
    -------
    list of psutil.Process
        Empty as soon as all are gone.
    """
    end = time.monotonic() + within_s
    while left := [process for process in family if runs(process)]:
        if time.monotonic() > end:
            return left
        time.sleep(POLL_S)
    return []


class Child:
    r"""A child process with a deadline, a captured log and a certain end.

    Parameters
    ----------
    command : sequence of str
        What to run; `module` makes it for a module of the course.
    deadline_s : float
        When to kill it, whatever else happens.
    env : mapping of str to str, optional
        Variables to add to this process's environment.
    ready : callable, optional
        A health check: called with the child until it returns True. On entering
        the context, the child is started and waited for.
    pass_fds : sequence of int
        Files or sockets that the child inherits.

    Raises
    ------
    ChildError
        On entering, if the child ends before it is ready, or time is up.

    Examples
    --------
    >>> with Child([sys.executable, "-c", "print('hello')"]) as child:
    ...     code = child.wait()
    >>> code, child.log()
    (0, 'hello\n')
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        deadline_s: float = 60.0,
        env: Mapping[str, str] | None = None,
        ready: Callable[["Child"], bool] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.command, self.deadline_s, self.ready = list(command), deadline_s, ready
        self.pass_fds = tuple(pass_fds)
        search = os.pathsep.join([str(LABS), os.environ.get("PYTHONPATH", "")])
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        path = {"PYTHONPATH": search.rstrip(os.pathsep), "PYTHONUNBUFFERED": "1"}
        self.env = {**os.environ, **one, **path, **(env or {})}

    def __enter__(self) -> Self:
        """Start the child and wait until it is ready."""
        self._output = tempfile.TemporaryFile()
        self._log = b""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=self.env,
            start_new_session=True,
            pass_fds=self.pass_fds,
        )
        atexit.register(self.end)
        self._end_at = time.monotonic() + self.deadline_s
        self._late = False
        self._timer = threading.Timer(self.deadline_s, self._expire)
        self._timer.daemon = True
        self._timer.start()
        try:
            if self.ready is not None:
                self._until(self.ready, "was not ready")
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the child and its children, whatever happened."""
        self.end()

    @property
    def pid(self) -> int:
        """The child's process id, also the id of its process group."""
        return self.process.pid

    def log(self) -> str:
        """Return what the child has written to stdout and stderr so far."""
        if not self._output.closed:
            size = os.fstat(self._output.fileno()).st_size
            self._log = os.pread(self._output.fileno(), size, 0)
        return self._log.decode(errors="replace")

    def wait_for(self, text: str) -> None:
        """Wait until the log contains a text.

        Parameters
        ----------
        text : str
            What to wait for.

        Raises
        ------
        ChildError
            If the child ends, or time is up, before the text appears.
        """
        self._until(lambda child: text in child.log(), f"did not write {text!r}")

    def kill(self, signum: signal.Signals = signal.SIGKILL) -> None:
        """Send a real signal to the child and to everything it started.

        Parameters
        ----------
        signum : signal.Signals
            SIGKILL by default: the child gets no chance to tidy up.
        """
        self._signal(signum)

    def wait(self) -> int:
        """Wait for the end of the child.

        Returns
        -------
        int
            Its exit code; negative for the signal that ended it.

        Raises
        ------
        ChildError
            If the deadline ended it.
        """
        code = self.process.wait()
        if self._late:
            self.end()
            raise self._error(f"was still running after {self.deadline_s:g} s")
        return code

    def end(self) -> None:
        """End the child now: ask, wait a little, kill. Calling it again is harmless."""
        atexit.unregister(self.end)
        self._timer.cancel()
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=GRACE_S)
        self._signal(signal.SIGKILL)
        self.process.wait()
        self.log()
        self._output.close()

    def _expire(self) -> None:
        """Kill what still runs at the deadline, and remember that it was this."""
        if self.process.poll() is None:
            self._late = True
        self._signal(signal.SIGKILL)

    def _signal(self, signum: int) -> None:
        """Signal the whole process group, if any of it is left."""
        try:
            os.killpg(self.process.pid, signum)
        except (ProcessLookupError, PermissionError):
            return

    def _until(self, check: Callable[["Child"], bool], what: str) -> None:
        """Poll until the check holds; raise if the child ends or time is up."""
        while not check(self):
            ended = self.process.poll() is not None
            if ended and not check(self):
                raise self._error(f"{what}; it ended with {self.process.returncode}")
            if time.monotonic() > self._end_at:
                raise self._error(f"{what} within {self.deadline_s:g} s")
            time.sleep(POLL_S)

    def _error(self, what: str) -> ChildError:
        """Return an error that shows the command and the end of the log."""
        tail = "\n".join(self.log().splitlines()[-20:]) or "(no output)"
        return ChildError(f"{' '.join(self.command)} {what}. Its log ends:\n{tail}")
