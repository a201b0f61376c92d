"""Serve Flightline with a micro-batcher or a cache around its models.

`python -m flightline.latency --most-rows 16 --ttl-s 60` takes every option of
`flightline.serving` as well. What stays live is what the rollout names at the start.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import uvicorn
from fastapi import FastAPI

from flightline import serving, training
from flightline.latency import core
from flightline.serving import serve

Doubles = npt.NDArray[np.float64]


class Batched:
    """A model whose callers share batches; give it to `serving.create_app`.

    Parameters
    ----------
    model : Predictor
        What scores; its name, version and precision are passed on.
    **options
        As for `latency.MicroBatcher`.
    """

    def __init__(self, model: Any, **options: Any) -> None:
        self.model, self.options = model, options
        self.name, self.version = str(model.name), str(model.version)
        self.precision = str(model.precision)
        self.batcher: core.MicroBatcher | None = None

    async def predict(self, table: pd.DataFrame) -> Doubles:
        """Return the scores of a table, which is scored together with others."""
        if self.batcher is None:  # in the loop that serves
            self.batcher = core.MicroBatcher(self._run, **self.options)
        return np.asarray(await self.batcher.submit(table), np.float64)

    async def close(self) -> None:
        """End the batcher's thread, after those that wait are answered."""
        if self.batcher is not None:
            await self.batcher.close()

    def _run(self, tables: Sequence[pd.DataFrame]) -> list[Doubles]:
        """Score several tables in one call."""
        columns = tables[0].columns
        rows = np.concatenate([table[columns].to_numpy(object) for table in tables])
        scores = self.model.predict(pd.DataFrame(rows, columns=columns))
        ends = np.cumsum([len(table) for table in tables])
        return [scores[end - len(t) : end] for end, t in zip(ends, tables, strict=True)]


class Cached:
    """A model that scores the same features once; give it to `serving.create_app`.

    The key holds the model's name, version, precision and every feature, so that a
    hit is always right, whatever is promoted or rolled back.

    Parameters
    ----------
    model : Predictor
        Its `predict` may be a coroutine function.
    cache : core.PredictionCache
    """

    def __init__(self, model: Any, cache: core.PredictionCache) -> None:
        self.model, self.cache = model, cache
        self.name, self.version = str(model.name), str(model.version)
        self.precision = str(model.precision)

    async def predict(self, table: pd.DataFrame) -> Doubles:
        """Return the scores of a table."""
        # As text: a missing value is not equal to itself, and would never be found.
        features = repr(table.to_numpy(object).tolist())
        key = (self.name, self.version, self.precision, features)
        return np.asarray(await self.cache.get(key, lambda: self._score(table)))

    async def _score(self, table: pd.DataFrame) -> Any:
        scores = self.model.predict(table)
        return await scores if isinstance(scores, Awaitable) else scores


class CachedFeatures:
    """A feature source that reads a flight once per TTL; its rows may be that old.

    Parameters
    ----------
    source : FeatureSource
        What is asked on a miss.
    cache : core.PredictionCache
        Keyed by `flight_id`, which names the day as well.
    """

    def __init__(self, source: Any, cache: core.PredictionCache) -> None:
        self.source, self.cache = source, cache

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return FEATURES, one row a request, kept or read now."""
        found = [self.cache.find(flight) for flight in requests["flight_id"]]
        for place, row in enumerate(found):
            if row is None:
                found[place] = self.source.read(requests.iloc[[place]])
                self.cache.keep(requests["flight_id"].iloc[place], found[place])
        return found[0] if len(found) == 1 else pd.concat(found)


def options_of(arguments: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Read the options of this app; return them, and what is left for `serve`."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.latency", description=__doc__, allow_abbrev=False
    )
    add = parser.add_argument
    add("--most-rows", type=int, default=0, help="rows in a batch; 0 is no batcher")
    add("--wait-ms", type=float, default=2.0, help="how long a batch may fill")
    add(
        "--ttl-s", type=float, default=0.0, help="how old an answer may be; 0: no cache"
    )
    return parser.parse_known_args(arguments)


def wrapped(model: Any, options: argparse.Namespace) -> Any:
    """Return a model behind the batcher and the cache that the options name."""
    if options.most_rows > 0:
        wait_s = options.wait_ms / 1000
        model = Batched(model, most_rows=options.most_rows, wait_s=wait_s)
    if options.ttl_s > 0:
        model = Cached(model, core.PredictionCache(options.ttl_s))
    return model


def make(options: argparse.Namespace, rest: list[str]) -> tuple[FastAPI, Any]:
    """Make the service of lab 08, put the pieces in, and bind its socket."""
    inner = serve.options_of(rest)
    keys, key = serve.keys_of(inner.keys)
    app = serve.make(inner, keys)
    service: serving.Service = app.state.service
    models = {n: wrapped(model, options) for n, model in service.live.models.items()}
    service.deploy(replace(service.live, models=models))
    if options.ttl_s > 0:
        guarded, cache = service.features, core.PredictionCache(options.ttl_s)
        guarded.source = CachedFeatures(guarded.source, cache)
    listener = serve.socket_of(inner)
    host, port = listener.getsockname()[:2]
    print(serve.greeting(f"http://{host}:{port}", key), flush=True)
    return app, listener


@asynccontextmanager
async def closing(app: FastAPI) -> AsyncIterator[None]:
    """Close the batchers when the service ends."""
    try:
        yield
    finally:
        for model in app.state.service.live.models.values():
            inner = getattr(model, "model", model)
            for each in (model, inner):
                if isinstance(each, Batched):
                    await each.close()


async def run(app: FastAPI, listener: Any) -> None:
    """Serve until a signal comes."""
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    async with closing(app):
        await uvicorn.Server(config).serve(sockets=[listener])


def main(arguments: list[str] | None = None) -> int:
    """Serve; return the exit code."""
    options, rest = options_of(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    try:
        app, listener = make(options, rest)
    except (ValueError, OSError, KeyError, training.Damaged) as error:
        print(f"fast: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(json.dumps(vars(options)), file=sys.stderr)
    with serve.leaving_in_order():
        asyncio.run(run(app, listener))
    return 0
