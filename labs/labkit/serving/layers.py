"""`flightline.serving`, layer by layer, so that the cost of each can be measured.

`python -m labkit.serving.layers LAYER --fd N --key-record JSON ...` serves one of
LAYERS on a socket that is open already. Each layer holds everything of the one before
it.
"""

import argparse
import json
import socket
from collections.abc import Sequence

import numpy as np
import pandas as pd
import uvicorn
from flightline import features, serving, training
from starlette.types import ASGIApp, Receive, Scope, Send

from labkit import data

LAYERS = {
    "echo": "bare uvicorn, echo",
    "gateway": "gateway: keys, limits, validation, metrics",
    "features": "features from a table, log",
    "model": "model: LightGBM",
    "store": "features from Feast on SQLite instead",
}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer each request with its own body: the least that a server can do."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": body})


class Constant:
    """A model that costs nothing."""

    name, version, precision, takes_rows = "constant", "1", "fp32", True

    def predict(self, table: serving.Rows) -> np.ndarray:
        """Return one half for each row."""
        return np.full(len(table), 0.5)


async def constant(flight: serving.Flight, call: serving.Call) -> serving.Answer:
    """Answer every flight alike."""
    return serving.Answer(
        request_id=call.request_id,
        flight_id=flight.flight_id,
        score=0.5,
        late=True,
        model="constant",
        version="1",
        precision="fp32",
        source="online",
    )


def app_of(layer: str, options: argparse.Namespace) -> ASGIApp:
    """Return the application of one layer."""
    if layer == "echo":
        return echo
    if layer == "gateway":
        asked = serving.Endpoint(
            "/v1/predict", serving.Flight, serving.Answer, constant
        )
        admission = serving.Admission(_keys(options), 1e9, 10**9)
        return serving.application([asked], admission)
    source: serving.FeatureSource = serving.TableFeatures(
        pd.read_parquet(options.table)
    )
    model: serving.Predictor = Constant()
    if layer != "features":
        model = training.load_model(data.MODELS, "delay_lightgbm")
    if layer == "store":
        source = serving.StoreFeatures(features.store(options.store))
    return serving.create_app(
        {"A": model},
        source,
        keys=_keys(options),
        rate_s=1e9,
        burst=10**9,
        deadline_s=2.0,
        log=f"{options.log}.{layer}",
    )


def server_of(app: ASGIApp, layer: str) -> uvicorn.Server:
    """Return the server: as the service starts it, or bare for the floor."""
    if layer != "echo":
        return serving.server_of(app)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    return uvicorn.Server(config)


def _keys(options: argparse.Namespace) -> list[serving.KeyRecord]:
    """Return the record of the only key."""
    return [serving.KeyRecord(**json.loads(options.key_record))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve one layer until a signal comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layer", choices=LAYERS)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--key-record", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--log", required=True)
    options = parser.parse_args(arguments)
    listener = socket.socket(fileno=options.fd)
    app = app_of(options.layer, options)
    print("ready", flush=True)  # noqa: T201
    serving.write_lines()
    bare = options.layer == "echo"
    sockets = [listener] if bare else serving.doors(listener)
    server_of(app, options.layer).run(sockets=sockets)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
