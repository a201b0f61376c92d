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
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from flightline import features, lake, training
from flightline.serving import docs_page, options, process
from flightline.serving.deploy import POLL_S, Deployment, deployment, follow
from flightline.serving.features import FeatureSource, StoreFeatures, TableFeatures
from flightline.serving.keys import KeyRecord, keep_keys, new_key, read_keys
from flightline.serving.process import leaving_in_order, socket_of
from flightline.serving.requests import EXAMPLE, Flight, frame_of
from flightline.serving.service import Service, create_app

if TYPE_CHECKING:
    import feast

__all__ = ["POLL_S", "leaving_in_order"]
LOGGER = logging.getLogger("flightline.serving")
DATA = options.DATA
START = {"models": {"A": "delay_lightgbm", "B": "delay_mlp"}, "weights": {"A": 1.0}}
EVENING = pd.Timestamp("2013-07-02T22:49:00Z")  # two hours before JetBlue 523 leaves
READERS = 4  # reads of Redis at once
Load = Callable[[Mapping[str, Any], Path], Deployment]


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    return options.options_of(arguments, __doc__)


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal comes; return the exit code."""
    return serve(options_of(arguments))


def serve(
    chosen: argparse.Namespace,
    program: str = "serve",
    load: Load = deployment,
    prepare: Callable[[FastAPI], None] = lambda app: None,
) -> int:
    """Serve until a signal comes; return the exit code.

    Parameters
    ----------
    chosen : Namespace
        As `options_of` returns it.
    program : str
        What complaints begin with.
    load : callable
        What makes a deployment of a rollout.
    prepare : callable
        What is done to the app before it answers.
    """
    with leaving_in_order():
        return _serve(chosen, program, load, prepare)
    process.complain(program, "stopped by a signal")
    return 0  # what was begun is finished


def _serve(
    chosen: argparse.Namespace,
    program: str,
    load: Load,
    prepare: Callable[[FastAPI], None],
) -> int:
    """Make the service and answer until the end.

    What can fail comes first, and what cannot be taken back last: models, features and
    sockets, then a key, which is shown before it is kept.
    """
    process.write_lines()
    try:
        if chosen.parent is not None:
            watch = [chosen.parent]
            threading.Thread(target=process.end_with, args=watch, daemon=True).start()
        keys, key = keys_of(chosen.keys)
        app, rollout = make(chosen, keys, load)
        prepare(app)
        listener = socket_of(chosen.host, chosen.port, chosen.fd)
        server = process.server_of(app)
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(run(server, listener, app, chosen, rollout, load, keys, key))
    except Exception as error:  # whatever it is, the person gets one line
        return process.complain(program, error)
    return 0


async def run(
    server: uvicorn.Server,
    listener: Any,
    app: FastAPI,
    chosen: argparse.Namespace,
    rollout: bytes,
    load: Load,
    keys: list[KeyRecord],
    key: str | None,
) -> None:
    """Serve, over gRPC too where that is wanted, and follow the rollout file."""
    host, port = listener.getsockname()[:2]
    async with contextlib.AsyncExitStack() as house:
        text = greeting(f"http://{host}:{port}", key)
        if chosen.grpc_port is not None:
            from flightline.serving import rpc

            address = f"{chosen.host}:{chosen.grpc_port}"
            found = await house.enter_async_context(rpc.answering(app, address))
            text += f"\ngRPC listens on {chosen.host}:{found}."
        process.say(text)
        if key is not None and chosen.keys is not None:
            keep(chosen.keys, keys)
        following_ = following(app.state.service, chosen, rollout, load)
        await house.enter_async_context(following_)
        await server.serve(sockets=process.doors(listener))


def make(
    chosen: argparse.Namespace, keys: Iterable[KeyRecord], load: Load = deployment
) -> tuple[FastAPI, bytes]:
    """Make the app from the options, with its page for people.

    Returns
    -------
    app : FastAPI
    rollout : bytes
        The content of the rollout file that is live now.
    """
    text = json.dumps(START).encode()
    if chosen.rollout is not None:
        text = chosen.rollout.read_bytes()
    live = load(json.loads(text), chosen.models)
    spare = None
    if chosen.spare is not None:
        path = chosen.models / chosen.spare
        spare = training.load_model(path.parent, path.name)
    source = features_of(chosen)
    app = create_app(
        live.models,
        source,
        weights=live.weights,
        shadows=live.shadows,
        spare=spare,
        keys=keys,
        rate_s=chosen.rate,
        burst=chosen.burst,
        most_inside=chosen.inside,
        deadline_s=chosen.deadline_ms / 1000,
        readers=readers_of(source),
        log=chosen.log,
    )

    @app.get("/", include_in_schema=False, response_class=HTMLResponse)
    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    def docs() -> str:
        return docs_page.page(app.openapi(), EXAMPLE)

    return app, text


@contextlib.asynccontextmanager
async def following(
    service: Service, chosen: argparse.Namespace, seen: bytes, load: Load = deployment
) -> AsyncIterator[None]:
    """Follow the rollout file inside the context; without a file, do nothing."""
    if chosen.rollout is None:
        yield
        return
    task = asyncio.create_task(
        follow(service, chosen.rollout, chosen.models, seen=seen, load=load)
    )
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def features_of(chosen: argparse.Namespace) -> FeatureSource:
    """Return the feature source that the options name."""
    if chosen.table is not None:
        return TableFeatures(pd.read_parquet(chosen.table))
    if chosen.store is not None:
        if not chosen.store.is_dir():
            raise ValueError(f"--store {chosen.store} is no folder.")
        return warmed(StoreFeatures(features.store(chosen.store)))
    folder = tempfile.TemporaryDirectory(prefix="flightline-")
    atexit.register(folder.cleanup)
    print(
        f"Filling an online store as of {EVENING:%d %B %Y, %H:%M} UTC ...", flush=True
    )
    times = lake.flight_times(flights_of((6, 7)), read_wide(DATA / "airports.parquet"))
    weather = lake.weather_events(read_wide(DATA / "weather.parquet"))
    store = fill_store(Path(folder.name), times, weather, EVENING)
    return warmed(StoreFeatures(store))


def readers_of(source: FeatureSource) -> int:
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


def warmed(source: FeatureSource) -> FeatureSource:
    """Read once, whatever comes of it: the first read of a store opens its files."""
    flight = Flight.model_validate(EXAMPLE)
    with contextlib.suppress(Exception):
        source.read(frame_of([flight]))
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


def keys_of(path: Path | None) -> tuple[list[KeyRecord], str | None]:
    """Return the stored keys; or a new one, which nobody has seen or kept yet."""
    if path is not None and path.exists():
        return read_keys(path), None
    if path is not None and not path.parent.is_dir():
        raise ValueError(f"--keys {path}: its folder does not exist. Make it.")
    key, record = new_key("reader")
    return [record], key


def keep(path: Path, keys: Iterable[KeyRecord]) -> None:
    """Store keys that were shown; the error says that the shown key is not valid."""
    try:
        keep_keys(path, keys)
    except FileExistsError:
        raise ValueError(
            f"another service has stored its keys in {path} meanwhile. The key above "
            "is not valid: start again, and use theirs."
        ) from None
    except OSError as error:
        raise OSError(
            f"{path} cannot be written ({error.strerror}). The key above is not valid."
        ) from None


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
