"""The service and a bare uvicorn echo as the floor in one run; the cost of each layer.

`make bench` prints the tables and writes `results/serving_*.{json,csv,txt}`, which name
the machine; the chapter shows them as recorded. Nothing here asserts a duration or a
ratio: only that every request was answered.
"""

import contextlib
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from flightline import serving
from labkit import bench, processes
from labkit.serving import (
    http_load,
    layers,
    replicas,
    servers,
    serving_lab,
    sweeps,
)

RESULTS = Path(__file__).parent / "results"
ROUNDS, SECONDS, CALLERS = (
    15,
    0.6,
    16,
)  # short rounds in turns: some of them meet a quiet moment


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """Features of July in a file, a filled store, and the request that is sent."""
    folder = tmp_path_factory.mktemp("bench")
    flights, weather, july = serving_lab.summer()
    followed = flights[flights["flight_id"] == "2013-07-02-B6-523-JFK"]
    july.to_parquet(folder / "july.parquet")
    serving_lab.evening_store(folder / "store", flights, weather, followed)
    return folder, serving_lab.bodies(followed)[0]


def test_the_cost_of_each_layer(ground):
    folder, body = ground
    key, record = serving.new_key("bench")
    headers = {"Authorization": f"Bearer {key}"}
    request = [http_load.request_bytes("/v1/predict", body, headers)]
    given = ["--key-record", json.dumps(asdict(record)), "--log", folder / "log"]
    given += ["--table", folder / "july.parquet", "--store", folder / "store"]
    with contextlib.ExitStack() as house:
        ports = {}
        for layer in layers.LAYERS:
            sock = house.enter_context(contextlib.closing(servers.listener()))
            number, ports[layer] = sock.fileno(), sock.getsockname()[1]
            command = processes.module(
                "labkit.serving.layers", layer, "--fd", number, *given
            )
            child = processes.Child(command, deadline_s=600, pass_fds=[number])
            house.enter_context(child).wait_for("ready")
            http_load.closed_loop(ports[layer], request, seconds=0.5)
        alone, many = ({layer: [] for layer in ports} for _ in range(2))
        for _ in range(ROUNDS):
            for layer, port in ports.items():
                one = http_load.closed_loop(port, request, seconds=SECONDS)
                alone[layer].append(one)
                together = http_load.closed_loop(
                    port, request, clients=CALLERS, seconds=SECONDS
                )
                many[layer].append(together)
    rows = {}
    for layer, parts in alone.items():
        run = pd.concat([*parts, *many[layer]], ignore_index=True)
        assert (run["status"] == 200).all(), layer
        p50s = [http_load.percentiles(part["ms"])["p50"] for part in parts]
        rates = [len(part) / part.attrs["seconds"] for part in many[layer]]
        every = pd.concat(parts, ignore_index=True)
        rows[layer] = {
            "layer": layers.LAYERS[layer],
            "p50_ms": pd.Series(p50s).median(),
            "p99_ms": http_load.percentiles(every["ms"])["p99"],
            "rate": pd.Series(rates).median(),
            "requests": len(run),
        }
    table = pd.DataFrame(rows).T
    p50 = table["p50_ms"].astype(float)
    before = p50.shift()
    before["store"] = p50["model"]
    shown = table.assign(
        p50=p50.map("{:.2f}".format),
        added=(p50 - before).map("{:+.2f}".format).replace("+nan", ""),
        ratio=(p50 / p50["echo"]).map("{:.1f}".format),
        p99=table["p99_ms"].astype(float).map("{:.1f}".format),
        rate=table["rate"].astype(float).map("{:,.0f}".format),
    )
    page = {
        "layer": "Layer",
        "p50": "p50, ms",
        "added": "Added, ms",
        "ratio": "Over the floor",
        "p99": "p99, ms",
        "rate": f"{CALLERS} callers, requests/s",
    }
    over = p50 / p50["echo"]
    found = (
        f"One client, the median p50 of {ROUNDS} rounds; {CALLERS} callers, the median "
        f"rate. The whole service takes {over['model']:.1f} times the floor, "
        f"{over['store']:.0f} times with Feast; without features and model it takes "
        f"{over['gateway']:.1f} times as long."
    )
    bench.record(RESULTS, "serving_layers", shown.reset_index(), page, found)


def test_latency_against_load(ground, tmp_path):
    folder, body = ground
    with servers.Served(tmp_path, ("--table", folder / "july.parquet")) as served:
        request = [served.request(body)]
        capacity = sweeps.capacity(served.port, request)
        table = sweeps.until_it_bends(served.port, request, capacity, seconds=3.0)
    assert (table["failed"] == 0).all()
    shown = table.assign(
        rate=[f"{load:,}" for load in table.index],
        answered=table["answered/s"].map("{:,.0f}".format),
        **{name: table[name].map("{:.1f}".format) for name in ("p50", "p95", "p99")},
    )
    page = {
        "rate": "Offered, requests/s",
        "answered": "Answered, requests/s",
        "p50": "p50, ms",
        "p95": "p95, ms",
        "p99": "p99, ms",
    }
    bench.record(RESULTS, "serving_load", shown.reset_index(), page)


def test_routing_policies_that_sleep():
    arrival, service = replicas.requests(4_000, 10, 0.8)
    slept = replicas.sleep_through(replicas.POLICIES, arrival, service, 10, mean_s=0.04)
    computed = {
        name: replicas.queue_up(policy, arrival, service, 10)
        for name, policy in replicas.POLICIES.items()
    }
    table = pd.DataFrame(
        {
            "slept": slept.quantile(0.99),
            "computed": pd.DataFrame(computed).quantile(0.99),
        }
    ).rename_axis("policy")
    assert len(slept) == 4_000 and (slept > 0).all(axis=None)
    page = {"policy": "Policy", "slept": "p99, slept", "computed": "p99, computed"}
    bench.record(RESULTS, "serving_policies", table.round(1).reset_index(), page)
