"""Serve versions of models, ask as one caller, and the service with other pieces."""

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
from flightline import training
from flightline.training import Predictor

from labkit import folders
from labkit.serving import http_load, serving_lab
from labkit.serving.http_load import Json
from labkit.serving.servers import Rollout, Served, wait_until


class Fast(Served):
    """The service of `flightline.latency`; its options come on top of `Served`'s.

    Parameters
    ----------
    folder, features, **options
        As for `Served`; also most_rows, wait_ms and ttl_s.
    """

    program = "flightline.latency"


class Caller:
    """One caller on one kept-alive connection, who waits for each answer.

    Parameters
    ----------
    port : int
        The server's port on this machine.
    """

    def __init__(self, port: int) -> None:
        self.line = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        """Return the caller."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self.line.close()

    def ask(self, request: bytes) -> bytes:
        """Send a request and return the body of its answer, which must be a 200."""
        self.line.sendall(request)
        found = self.line.recv(65_536)
        while b"\r\n\r\n" not in found:
            found += self._more()
        head, _, body = found.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        if head[9:12] != b"200":
            raise RuntimeError(f"status {head[9:12].decode()}: {body.decode()}")
        return body

    def _more(self) -> bytes:
        """Return what comes next; a ConnectionError if nothing ever will."""
        part = self.line.recv(65_536)
        if not part:
            raise ConnectionError("the server hung up before the answer was whole.")
        return part


def write_models(folder: Path, models: Mapping[str, Predictor]) -> dict[str, str]:
    """Write each model, with its digest, into a folder of its own.

    Parameters
    ----------
    folder : Path
    models : mapping of str to Predictor
        By label.

    Returns
    -------
    dict of str
        For each label the name that a rollout uses.
    """
    for label, model in models.items():
        training.save_models(folder / label, [model])
    return {label: f"{label}/{model.name}" for label, model in models.items()}


def bodies(flights: pd.DataFrame, table: pd.DataFrame) -> list[Json]:
    """Return the request for each flight of a table, in its order."""
    return serving_lab.bodies(flights.loc[table.index])


@contextlib.contextmanager
def running(table: pd.DataFrame, models: Mapping[str, Predictor]) -> Iterator[Served]:
    """Run `flightline.serving` with these models; the first label gets everything.

    Parameters
    ----------
    table : DataFrame
        The flights that can be asked about, with their features.
    models : mapping of str to Predictor
        By label, such as A and B.

    Yields
    ------
    Served
    """
    with folders.Folder("latency-") as folder:
        names = write_models(folder / "models", models)
        rollout: Rollout = {"models": names, "weights": {next(iter(names)): 1.0}}
        features = serving_lab.table_file(folder, table.drop_duplicates("flight_id"))
        with Served(
            folder, features, models=folder / "models", rollout=rollout
        ) as served:
            yield served


def same_load(
    served: Served,
    asked: Sequence[Json],
    *,
    rate_s: float = 60.0,
    seconds: float = 1.5,
    rounds: int = 2,
) -> pd.DataFrame:
    """Put the same open-loop load on one label after the other, round after round.

    Each round starts one label later than the one before, so that no label has the
    same place in the order all the time.

    Parameters
    ----------
    served : Served
        A running service.
    asked : sequence of dict
        Bodies of requests.
    rate_s, seconds, rounds
        Requests a second, how long, and how often each label gets its turn.

    Returns
    -------
    DataFrame
        One row an answer: `label`, `turn`, `flight_id`, `score`, `version`,
        `precision`, `ms` and `status`; after the last turn the rollout's first
        label is live again.
    """
    requests = [served.request(body) for body in asked]
    due = http_load.poisson(rate_s, seconds, seed=9)
    tables = []
    labels = list(served.rollout["models"])
    for turn in range(rounds):
        first = turn % len(labels)
        for label in labels[first:] + labels[:first]:
            served.deploy(weights={label: 1.0})
            for request in requests[:5]:
                http_load.ask(served.port, request)  # warm
            answers = http_load.answers(http_load.open_loop(served.port, requests, due))
            tables.append(answers.assign(label=label, sent=len(due), turn=turn))
    served.deploy(weights={labels[0]: 1.0})
    return pd.concat(tables, ignore_index=True)


def rehearse(served: Served, body: Json, first: str, second: str) -> pd.DataFrame:
    """Promote a second label, roll back, and note who answers at each step.

    Parameters
    ----------
    served : Served
        A running service.
    body : dict
        The request that is sent after each step.
    first, second : str
        Labels; the first is live before and after.

    Returns
    -------
    DataFrame
        One row a step: the step, the answer's model, version, precision and score, and
        the `shadow's score` as the prediction log has it.
    """
    steps: dict[str, tuple[str, list[str]]] = {
        f"{first} live, {second} listens": (first, [second]),
        f"{second} promoted": (second, []),
        "rolled back": (first, []),
    }
    rows = {}
    for step, (live, shadows) in steps.items():
        served.deploy(weights={live: 1.0}, shadows=shadows)
        before = _shadow_scores(served)
        answer = served.predict(body)
        rows[step] = {n: answer[n] for n in ("model", "version", "precision", "score")}
        heard = np.nan
        if shadows:  # it scores after the answer is out
            heard = _next_score(served, len(before))
        rows[step]["shadow's score"] = heard
    table = pd.DataFrame(rows).T.rename_axis("step")
    return table.astype({"score": float, "shadow's score": float})


def _next_score(served: Served, known: int) -> float:
    """Wait until the shadows have scored once more, and return that score."""
    wait_until(lambda: len(_shadow_scores(served)) > known, "the shadow has scored")
    return float(_shadow_scores(served).iloc[-1])


def _shadow_scores(served: Served) -> pd.Series:
    """Return the scores of shadows in the prediction log so far."""
    if not served.log_path.exists():
        return pd.Series(dtype=float)
    log = served.log()
    return log.loc[log["shadow"].astype(bool), "score"]
