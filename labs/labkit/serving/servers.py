"""Start Flightline's service in other processes, talk to it, and end it for certain.

The lab holds the listening socket and hands it to each worker: a worker that dies
leaves the socket open, and the next connection goes to one that lives. If the lab
itself is killed, the workers notice it and end, and its folder is removed.
"""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict, Unpack

import pandas as pd
import psutil
from flightline import serving

from labkit import data, processes
from labkit.serving import http_load
from labkit.serving.http_load import Body, Json

POLL_S, READY_S = 0.02, 60.0


class Rollout(TypedDict, total=False):
    """What the rollout file says: whom labels name, and who answers or listens."""

    models: dict[str, str]
    weights: dict[str, float]
    shadows: list[str]
    serial: int


def listener() -> socket.socket:
    """Return a socket that listens on a free port and sends small answers at once."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.bind(("127.0.0.1", 0))
    server.listen(1024)
    return server


def write_whole(path: Path, content: str) -> None:
    """Write a file in one step, so that who follows it sees the old or the new."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(content)
    draft.replace(path)


class Served:
    """Workers of `flightline.serving` on one socket, with a key that the lab knows.

    Parameters
    ----------
    folder : Path
        Where keys, rollout and prediction log lie; it is made.
    features : sequence of str
        The option that names the feature source, such as ("--table", path).
    workers : int
        How many processes share the socket.
    models : Path
        The folder of the models.
    rollout : mapping, optional
        `models`, `weights`, `shadows`; by default LightGBM answers, as label A.
    **options
        More options of the app, such as deadline_ms=500.

    Examples
    --------
    >>> with Served(folder, ("--table", path)) as served:  # doctest: +SKIP
    ...     served.predict(body)
    """

    program = "flightline.serving"

    def __init__(
        self,
        folder: Path,
        features: tuple[str, object],
        *,
        workers: int = 1,
        models: Path = data.MODELS,
        rollout: Rollout | None = None,
        **options: object,
    ) -> None:

        # what a killed worker leaves among the temporary files goes with the folder
        self.scratch = folder / "scratch"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.key, record = serving.new_key("lab")
        self.log_path, self.rollout_path = folder / "log.jsonl", folder / "rollout.json"
        (folder / "keys.json").write_text(json.dumps([asdict(record)]))
        names = {"A": "delay_lightgbm", "B": "delay_mlp"}
        plan: Rollout = rollout or {"models": names, "weights": {"A": 1.0}}
        self.rollout = plan.copy()
        write_whole(self.rollout_path, json.dumps(self.rollout))
        given = {"rate": 1e6, "burst": 10**6, "inside": 10**6, **options}
        given.setdefault("deadline_ms", 2000)
        self.command = processes.module(
            self.program,
            *("--keys", folder / "keys.json", "--log", self.log_path),
            *("--parent", os.getpid()),
            *("--rollout", self.rollout_path, "--models", models),
            *features,
            *(f"--{name.replace('_', '-')}={value}" for name, value in given.items()),
        )
        self.count = workers

    def __enter__(self) -> Self:
        """Start the workers and wait until each says that it listens."""
        self.socket = listener()
        self.port = int(self.socket.getsockname()[1])
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.socket.close)
        try:
            self.workers = [
                self.stack.enter_context(self._child()) for _ in range(self.count)
            ]
            for worker in self.workers:
                worker.wait_for("Flightline listens")
            wait_until(lambda: self.get("/healthz")[0] == 200, "the service is healthy")
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every worker and close the socket."""
        self.stack.close()

    def _child(self) -> processes.Child:
        """Return one more worker, not started yet."""
        number = self.socket.fileno()
        command = [*self.command, "--fd", str(number)]
        env = {"TMPDIR": str(self.scratch)}
        return processes.Child(command, deadline_s=300, pass_fds=[number], env=env)

    def kill(self, number: int = 0) -> None:
        """Kill a worker with SIGKILL: it gets no chance to finish anything."""
        self.workers[number].kill()
        self.workers[number].process.wait()

    def pause(self, seconds: float) -> None:
        """Stop every worker for a while, as a long garbage collection would.

        A shell does it, which goes on if this process is killed meanwhile: a stopped
        worker could not notice that.
        """
        alive = [w for w in self.workers if w.process.poll() is None]
        pids = " ".join(str(worker.pid) for worker in alive)
        script = f"kill -STOP {pids}; sleep {seconds}; kill -CONT {pids}"
        subprocess.run(["/bin/sh", "-c", script], start_new_session=True, check=True)

    def request(self, body: Body, request_id: str | None = None) -> bytes:
        """Return the bytes of a request for a score."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if request_id is not None:
            headers["X-Request-ID"] = request_id
        return http_load.request_bytes("/v1/predict", body, headers)

    def predict(self, body: Body) -> Json:
        """Ask for one score; return the answer, or the refusal."""
        _, text = http_load.ask(self.port, self.request(body))
        return dict(json.loads(text))

    def get(self, path: str) -> tuple[int, str]:
        """Read a path such as /readyz; status 0 if nobody answers."""
        try:
            return http_load.ask(self.port, http_load.request_bytes(path))
        except (OSError, EOFError):
            return 0, ""

    def live(self) -> dict[str, float]:
        """Return the weight of each label, as /readyz tells it."""
        return {
            row["label"]: row["weight"] for row in json.loads(self.get("/readyz")[1])
        }

    def deploy(self, **changes: Unpack[Rollout]) -> None:
        """Change the rollout file, and wait until each worker says that it follows.

        Parameters
        ----------
        **changes
            `weights`, `shadows` or `models`; the rest stays as it is.
        """
        self.ask_for(**changes)
        told = f"rollout: {json.dumps(self.rollout)}"
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.wait_for(told)

    def deploy_in_vain(self, **changes: Unpack[Rollout]) -> None:
        """Change the rollout file, and wait until each worker has refused the change.

        Parameters
        ----------
        **changes
            As for `deploy`.
        """
        alive = [w for w in self.workers if w.process.poll() is None]
        before = [worker.log().count("rollout refused") for worker in alive]
        self.ask_for(**changes)

        def refused() -> bool:
            now = [worker.log().count("rollout refused") for worker in alive]
            return all(n > old for n, old in zip(now, before, strict=True))

        wait_until(refused, "each worker refuses the rollout")

    def ask_for(self, **changes: Unpack[Rollout]) -> None:
        """Change the rollout file, and wait for nothing."""
        self.rollout |= {**changes, "serial": self.rollout.get("serial", 0) + 1}
        write_whole(self.rollout_path, json.dumps(self.rollout))

    def busiest(self) -> int:
        """Return the number of the worker that holds the most connections."""
        counts = [_connections(worker.pid, self.port) for worker in self.workers]
        return counts.index(max(counts))

    def settle(self, body: Body, times: int = 12) -> None:
        """Ask until so many answers in a row come with features from the source."""
        row = 0

        def steady() -> bool:
            nonlocal row
            row = row + 1 if self.predict(body).get("source") == "online" else 0
            return row >= times

        wait_until(steady, "every worker answers with features")

    def log(self) -> pd.DataFrame:
        """Return the prediction log."""
        return serving.read_log(self.log_path)


def _connections(pid: int, port: int) -> int:
    """Return how many callers of a port are connected to a process now."""
    found = psutil.Process(pid).net_connections(kind="tcp")
    open_now = [each for each in found if each.status == psutil.CONN_ESTABLISHED]
    return sum(each.laddr.port == port for each in open_now)


def wait_until(check: Callable[[], bool], what: str, poll_s: float = POLL_S) -> None:
    """Poll until the check holds; a TimeoutError says what did not happen."""
    end = time.monotonic() + READY_S
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(f"Waited {READY_S:g} s in vain until {what}.")
        time.sleep(poll_s)


def hold(database: Path, seconds: float) -> None:
    """Lock a SQLite database for some seconds: every reader of it waits."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        other.execute("ROLLBACK")


def hide(database: Path, seconds: float) -> None:
    """Move a database away for some seconds, and bring it back."""
    away = database.with_suffix(".away")
    database.rename(away)
    try:
        time.sleep(seconds)
    finally:
        away.rename(database)


@contextlib.contextmanager
def happening(fault: Callable[[], object], at_s: float = 1.0) -> Iterator[None]:
    """Let a fault begin some seconds after the block did, beside what the block does.

    The block ends when both are done; an error of the fault is raised then.
    """
    failed: list[BaseException] = []

    def work() -> None:
        time.sleep(at_s)
        try:
            fault()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if failed:
        raise failed[0]


def closed(port: int) -> bool:
    """Return whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
