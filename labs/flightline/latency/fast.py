"""Serve Flightline with a micro-batcher or a cache around its models.

`python -m flightline.latency --most-rows 16 --ttl-s 60` takes every option of
`flightline.serving` as well. A rollout's new models get the same wrapping.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from flightline import serving
from flightline.latency.cache import PredictionCache
from flightline.latency.service import Batched, Cached, CachedFeatures
from flightline.serving import serve


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
