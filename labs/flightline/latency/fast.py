"""Serve Flightline with a micro-batcher or a cache around its models.

`python -m flightline.latency --most-rows 16 --ttl-s 60` takes every option of
`flightline.serving` as well. A rollout's new models get the same wrapping.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from fastapi import FastAPI

from flightline import serving
from flightline.latency import core
from flightline.latency.cache import Cached, CachedFeatures, PredictionCache
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

    takes_rows = True

    def __init__(self, model: Any, **options: Any) -> None:
        self.model, self.options = model, options
        self.name, self.version = str(model.name), str(model.version)
        self.precision = str(model.precision)
        self.batcher: core.MicroBatcher | None = None

    async def predict(self, table: "serving.Rows | pd.DataFrame") -> Doubles:
        """Return the scores of some rows, which are scored together with others."""
        if self.batcher is None:  # in the loop that serves
            self.batcher = core.MicroBatcher(self._run, **self.options)
        return np.asarray(await self.batcher.submit(serving.rows_of(table)), np.float64)

    async def close(self) -> None:
        """End the batcher's thread, after those that wait are answered."""
        if self.batcher is not None:
            await self.batcher.close()

    def _run(self, parts: Sequence[serving.Rows]) -> list[Doubles]:
        """Score the rows of several callers in one call."""
        rows = serving.Rows.together(parts)
        scores = self.model.predict(serving.given(self.model, rows))
        ends = np.cumsum([len(part) for part in parts])
        return [scores[end - len(p) : end] for end, p in zip(ends, parts, strict=True)]


def options_of(arguments: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Read the options of this app; return them, and what is left for `serve`."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.latency", description=__doc__, allow_abbrev=False
    )
    add = parser.add_argument
    add(
        "--most-rows",
        type=serving.number(0, 1e6, whole=True),
        default=0,
        help="rows in a batch; 0 is no batcher",
    )
    add(
        "--wait-ms",
        type=serving.number(0, 60_000),
        default=2.0,
        help="how long a batch may fill",
    )
    add(
        "--ttl-s",
        type=serving.number(0, 1e9),
        default=0.0,
        help="how old an answer may be; 0: no cache",
    )
    return parser.parse_known_args(arguments)


def wrapped(model: Any, options: argparse.Namespace) -> Any:
    """Return a model behind the batcher and the cache that the options name."""
    if options.most_rows > 0:
        wait_s = options.wait_ms / 1000
        model = Batched(model, most_rows=options.most_rows, wait_s=wait_s)
    if options.ttl_s > 0:
        model = Cached(model, PredictionCache(options.ttl_s))
    return model


def main(arguments: list[str] | None = None) -> int:
    """Serve; return the exit code."""
    options, rest = options_of(arguments)
    chosen = serve.options_of(rest)

    def load(rollout: Mapping[str, Any], folder: Path) -> serving.Deployment:
        live = serving.deployment(rollout, folder)
        models = {name: wrapped(model, options) for name, model in live.models.items()}
        return replace(live, models=models)

    def prepare(app: FastAPI) -> None:
        guarded = app.state.service.features
        if options.ttl_s > 0:
            guarded.source = CachedFeatures(
                guarded.source, PredictionCache(options.ttl_s)
            )

    print(json.dumps(vars(options)), file=sys.stderr)
    return serve.serve(chosen, program="fast", load=load, prepare=prepare)
