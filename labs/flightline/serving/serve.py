"""Serve Flightline on this machine.

`python -m flightline.serving` loads the reference models, makes a key, prints it
once with a request to try, and answers until Ctrl-C. Options point it to other models,
features and files; `--rollout` names a file that is followed while the service runs.
"""

import argparse
import asyncio
import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pandas as pd
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from flightline import features, lake, training
from flightline.serving import core, docs_page

if TYPE_CHECKING:
    import feast

DATA = Path(__file__).resolve().parents[3] / "data"
EXAMPLE = {
    "carrier": "B6",
    "flight": 523,
    "origin": "JFK",
    "dest": "LAX",
    "distance": 2475,
    "sched_dep_utc": "2013-07-03T00:49:00Z",
    "block_min": 359,
}
START = {"models": {"A": "delay_lightgbm", "B": "delay_mlp"}, "weights": {"A": 1.0}}
EVENING = pd.Timestamp("2013-07-02T22:49:00Z")  # two hours before JetBlue 523 leaves
POLL_S, WATCH_S, GRACE_S = 0.05, 0.25, 3.0
READERS = 4  # reads of Redis at once


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.serving",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--models", type=Path, default=DATA / "models", help="folder with models.json")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--store", type=Path, help="a feature store, as lab 05 makes it"
    )
    source.add_argument("--table", type=Path, help="a Parquet file with the features")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=8000, help="0 takes any free port")
    add("--fd", type=int, help="a listening socket that is open already")
    add("--parent", type=int, help="a process id: end soon after this parent has ended")
    add("--keys", type=Path, help="JSON with the stored keys; made if it is missing")
    add("--log", type=Path, help="the prediction log; none by default")
    add("--spare", help="the model for flights without features, below --models")
    add("--rollout", type=Path, help="JSON: models, weights, shadows; followed")
    add("--deadline-ms", type=float, default=50.0, help="for the features of a request")
    add("--rate", type=float, default=200.0, help="requests a second for each key")
    add("--burst", type=int, default=400, help="requests at once for each key")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes; return the exit code."""
    options = options_of(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    core.LOGGER.setLevel(logging.INFO)
    with leaving_in_order():
        return run_app(options)
    return 0  # a signal came, and what was begun is finished


@contextlib.contextmanager
def leaving_in_order() -> Iterator[None]:
    """End quietly on Ctrl-C and on SIGTERM, so that temporary files are removed.

    uvicorn repeats a signal when its last answer is out; the default of SIGTERM would
    then end the process before it could tidy up. A signal can strike inside any code,
    which may turn it into another error: once a signal came, every error is the end.
    """
    told: list[int] = []

    def leave(number: int, frame: FrameType | None) -> None:
        told.append(number)
        raise KeyboardInterrupt

    ends = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, leave) for number in ends}
    try:
        yield
    except (KeyboardInterrupt, Exception):
        if not told:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_app(options: argparse.Namespace) -> int:
    """Make the service and answer until the end; return the exit code."""
    try:
        keys, key = keys_of(options.keys)
        app = make(options, keys)
        listener = socket_of(options)
    except (ValueError, OSError, KeyError, training.Damaged) as error:
        print(f"serve: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=10
    )
    host, port = listener.getsockname()[:2]
    print(greeting(f"http://{host}:{port}", key), flush=True)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(run(uvicorn.Server(config), listener, app, options))
    return 0


async def run(
    server: uvicorn.Server,
    listener: socket.socket,
    app: FastAPI,
    options: argparse.Namespace,
) -> None:
    """Serve, and follow the rollout file meanwhile."""
    async with following(app.state.service, options):
        await server.serve(sockets=[listener])


def make(options: argparse.Namespace, keys: list[core.KeyRecord]) -> FastAPI:
    """Make the app from the options, with its page for people."""
    if options.parent is not None:
        watch = threading.Thread(target=end_with, args=[options.parent], daemon=True)
        watch.start()
    rollout = START
    if options.rollout is not None:
        rollout = json.loads(options.rollout.read_text())
    live = deployment(rollout, options.models, {})
    spare = None
    if options.spare is not None:
        path = options.models / options.spare
        spare = training.load_model(path.parent, path.name)
    source = features_of(options)
    app = core.create_app(
        live.models,
        source,
        weights=live.weights,
        shadows=live.shadows,
        spare=spare,
        keys=keys,
        rate_s=options.rate,
        burst=options.burst,
        deadline_s=options.deadline_ms / 1000,
        readers=readers_of(source),
        log=options.log,
    )

    @app.get("/", include_in_schema=False, response_class=HTMLResponse)
    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def docs() -> str:
        return docs_page.page(app.openapi(), EXAMPLE)

    return app


def end_with(parent: int) -> None:
    """Wait until the parent has ended, however it did; then end this process too."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def deployment(
    rollout: Mapping[str, Any], folder: Path, loaded: Mapping[str, core.Predictor]
) -> core.Deployment:
    """Load what a rollout names, each file checked against its digest.

    Parameters
    ----------
    rollout : mapping
        `models` (label: name, or folder/name below `folder`), `weights`, `shadows`.
    folder : Path
        The folder of the models.
    loaded : mapping
        Models that are loaded already, by the same names.

    Returns
    -------
    Deployment

    Raises
    ------
    Damaged
        If a file is not what its digest says; nothing changes then.
    ValueError, OSError
        If a model or a label does not exist.
    """
    models = {}
    for label, name in rollout["models"].items():
        path = folder / name
        models[label] = loaded.get(name) or training.load_model(path.parent, path.name)
    weights, shadows = rollout["weights"], tuple(rollout.get("shadows", ()))
    return core.Deployment(models, weights, shadows)


@contextlib.asynccontextmanager
async def following(
    service: core.Service, options: argparse.Namespace
) -> AsyncIterator[None]:
    """Follow the rollout file inside the context; without a file, do nothing."""
    if options.rollout is None:
        yield
        return
    task = asyncio.create_task(follow(service, options.rollout, options.models))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def follow(service: core.Service, path: Path, folder: Path) -> None:
    """Deploy each new version of the rollout file; keep what is live if it is bad."""
    names = dict(json.loads(path.read_text())["models"])
    seen = path.read_bytes()
    while True:
        await asyncio.sleep(POLL_S)
        try:
            text = path.read_bytes()
            if text == seen:
                continue
            seen = text  # whatever comes of it, it is looked at once
            rollout = json.loads(text)
            live = service.live.models
            loaded = {name: live[label] for label, name in names.items()}
            new = await asyncio.to_thread(deployment, rollout, folder, loaded)
        except Exception as error:  # a bad rollout never stops the service
            service.metrics.errors.labels("rollout").inc()
            core.LOGGER.error("rollout refused: %s: %s", type(error).__name__, error)
            continue
        service.deploy(new)
        names = dict(rollout["models"])
        core.LOGGER.info("rollout: %s", json.dumps(rollout))


def features_of(options: argparse.Namespace) -> core.FeatureSource:
    """Return the feature source that the options name."""
    if options.table is not None:
        return core.TableFeatures(pd.read_parquet(options.table))
    if options.store is not None:
        return warmed(features.OnlineSource(features.store(options.store)))
    folder = tempfile.TemporaryDirectory(prefix="flightline-")
    atexit.register(folder.cleanup)
    print(
        f"Filling an online store as of {EVENING:%d %B %Y, %H:%M} UTC ...", flush=True
    )
    times = lake.flight_times(flights_of((6, 7)), read_wide(DATA / "airports.parquet"))
    weather = lake.weather_events(read_wide(DATA / "weather.parquet"))
    store = fill_store(Path(folder.name), times, weather, EVENING)
    return warmed(features.OnlineSource(store))


def readers_of(source: core.FeatureSource) -> int:
    """Return how many reads of a source may run at once.

    Feast's threads share one connection to SQLite: one that waits there for another
    can stop the whole process, deadlines included. Redis gives each its own.
    """
    store = getattr(source, "store", None)
    redis = store is not None and store.config.online_store.type == "redis"
    return READERS if redis else 1


def read_wide(path: Path) -> pd.DataFrame:
    """Read a Parquet file; its narrow integers would overflow when one counts."""
    table = pd.read_parquet(path)
    narrow = table.select_dtypes("integer").columns
    return table.astype(dict.fromkeys(narrow, "int64"))


def flights_of(months: Iterable[int]) -> pd.DataFrame:
    """Read the flights of some months of 2013, without the sealed week."""
    files = [DATA / "flights" / f"2013-{month:02d}.parquet" for month in months]
    flights = pd.concat([read_wide(file) for file in files], ignore_index=True)
    return flights[~lake.is_sealed(flights)]


def warmed(source: core.FeatureSource) -> core.FeatureSource:
    """Read once, whatever comes of it: the first read of a store opens its files."""
    flight = core.Flight.model_validate(EXAMPLE)
    with contextlib.suppress(Exception):
        source.read(core.frame_of([flight]))
    return source


def fill_store(
    folder: Path, flights: pd.DataFrame, weather: pd.DataFrame, now: pd.Timestamp
) -> "feast.FeatureStore":
    """Make a feature store that knows what was known at `now`, a day back.

    Parameters
    ----------
    folder : Path
        Where it is made.
    flights, weather : DataFrame
        As `lake.flight_times` and `lake.weather_events` return them, with at least
        the 31 days before `now`.
    now : Timestamp
        The last moment that it knows.

    Returns
    -------
    feast.FeatureStore
        Its online part is filled.
    """
    days = flights["sched_dep_utc"] - now
    near = flights[days.between(pd.Timedelta(days=-32), pd.Timedelta(days=1))]
    recent = weather[weather["event_time"].between(now - 2 * features.DAY, now)]
    period = now - features.DAY, now
    rows = {
        view: features.timeline(view, near, recent, *period) for view in features.VIEWS
    }
    features.write_offline(folder, rows, {})
    store = features.store(folder)
    features.materialize(store, now)
    return store


def keys_of(path: Path | None) -> tuple[list[core.KeyRecord], str | None]:
    """Return the stored keys; or make one, store its digest, and return the key too."""
    if path is not None and path.exists():
        return [core.KeyRecord(**row) for row in json.loads(path.read_text())], None
    key, record = core.new_key("reader")
    if path is not None:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w") as file:
            json.dump([asdict(record)], file)
    return [record], key


def socket_of(options: argparse.Namespace) -> socket.socket:
    """Return a listening socket that sends small answers at once."""
    if options.fd is not None:
        listener = socket.socket(fileno=options.fd)
    else:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def greeting(url: str, key: str | None) -> str:
    """Return what a person needs first: where it is, the key, a request to try."""
    lines = [f"Flightline listens on {url}. Its page: {url}/docs. Stop it with Ctrl-C."]
    if key is not None:
        body = json.dumps(EXAMPLE)
        lines += [
            f"Your key, shown this once: {key}",
            f"curl -s {url}/v1/predict -H 'Authorization: Bearer {key}' \\",
            f"  -H 'Content-Type: application/json' -d '{body}'",
        ]
    return "\n".join(lines)
