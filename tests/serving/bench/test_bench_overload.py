"""Goodput beyond capacity, with a limit and without; gRPC beside REST under load.

`make bench` prints the tables and writes `results/serving_{overload,grpc}.*`. Nothing
here asserts a duration or a ratio: only that every request got an answer or a refusal.
"""

import asyncio
import contextlib
import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path

import grpc
import numpy as np
import pandas as pd
import pytest
from flightline import serving
from flightline.serving import flightline_pb2, rpc
from labkit import bench, processes
from labkit.serving import http_load, servers, sweeps

RESULTS = Path(__file__).parent / "results"
LOADS, SECONDS, IN_TIME_MS, ROUNDS = (0.5, 0.8, 1.2, 2.0, 3.0), 4.0, 100.0, 6
SLOW = Path(__file__).parent / "slow_service.py"


def with_commas(value):
    """Write a whole number as the chapter's tables do; leave the rest as it is."""
    return f"{value:,}" if isinstance(value, int) else value


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """The option that names one flight's features."""
    flight = serving.Flight.model_validate(serving.EXAMPLE)
    table = serving.timetable_only(serving.frame_of([flight])).fillna(1.0)
    path = tmp_path_factory.mktemp("overload") / "table.parquet"
    table.assign(flight_id=flight.flight_id).to_parquet(path)
    return "--table", path


def test_goodput_beyond_capacity():
    key, record = serving.new_key("bench")
    headers = {"Authorization": f"Bearer {key}"}
    asks = [http_load.request_bytes("/v1/predict", serving.EXAMPLE, headers)]
    ways, ports, rows = {"no limit": 10**6, "at most 6 inside": 6}, {}, []
    with contextlib.ExitStack() as house:
        for way, inside in ways.items():
            listener = house.enter_context(contextlib.closing(servers.listener()))
            number, ports[way] = listener.fileno(), listener.getsockname()[1]
            command = [sys.executable, str(SLOW), str(number)]
            command += [json.dumps(asdict(record)), str(inside)]
            child = processes.Child(command, deadline_s=600, pass_fds=[number])
            house.enter_context(child).wait_for("ready")
            http_load.ask(ports[way], asks[0])
        capacity = sweeps.capacity(ports["no limit"], asks)
        for load in LOADS:
            due = http_load.poisson(load * capacity, SECONDS)
            for way, port in ports.items():
                run = http_load.open_loop(port, asks, due)
                good = (run["status"] == 200) & (run["ms"] <= IN_TIME_MS)
                assert set(run["status"]) <= {0, 200, 503}  # 0: the client gave up
                rows.append(
                    {
                        "offered": load,
                        "way": way,
                        "goodput": good.mean() * load,
                        "refused": (run["status"] == 503).mean(),
                        "lost": (run["status"] == 0).mean(),
                        "p99": np.percentile(run["ms"][run["status"] == 200], 99),
                    }
                )
    shown = pd.DataFrame(rows).round({"goodput": 2, "refused": 2, "lost": 2, "p99": 0})
    shown = shown.astype({"p99": int})
    page = {
        "offered": "Offered, of the capacity",
        "way": "Limit",
        "goodput": "Answered within 100 ms, of the capacity",
        "refused": "Refused, share",
        "lost": "Without an answer, share",
        "p99": "p99 of the answers, ms",
    }
    note = (
        f"Open loop, {SECONDS:g} s each, a model of 5 ms; the capacity is what eight "
        "clients got that always asked. Client and servers share the cores."
    )
    bench.record(RESULTS, "serving_overload", shown, page, note, with_commas)


async def over_grpc(port, key, callers, seconds):
    """Let some callers ask and wait; return the milliseconds of each answer."""
    flight, ms = flightline_pb2.Flight(**serving.EXAMPLE), []
    metadata = (("authorization", f"Bearer {key}"),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(
            rpc.METHOD,
            request_serializer=flightline_pb2.Flight.SerializeToString,
            response_deserializer=flightline_pb2.Answer.FromString,
        )

        async def caller(end):
            while (sent := time.perf_counter()) < end:
                await call(flight, metadata=metadata, timeout=20)
                ms.append((time.perf_counter() - sent) * 1000)

        await call(flight, metadata=metadata, timeout=20)
        end = time.perf_counter() + seconds
        await asyncio.gather(*(caller(end) for _ in range(callers)))
    return ms


def test_grpc_beside_rest(features, tmp_path):
    found = {(way, n): [] for way in ("REST", "gRPC") for n in (1, 16)}
    with servers.Served(tmp_path, features, grpc_port=0) as served:
        served.workers[0].wait_for("gRPC listens on")
        port = re.search(r"gRPC listens on \S+:(\d+)", served.workers[0].log())[1]
        ask = [served.request(serving.EXAMPLE)]
        for _ in range(ROUNDS):
            for callers in (1, 16):
                run = http_load.closed_loop(
                    served.port, ask, clients=callers, seconds=0.5
                )
                assert (run["status"] == 200).all()
                found["REST", callers].append(run["ms"].to_numpy())
                ms = http_load.in_thread(over_grpc(port, served.key, callers, 0.5))
                found["gRPC", callers].append(np.array(ms))
    flight = flightline_pb2.Flight(**serving.EXAMPLE)
    rows = [
        {
            "way": way,
            "p50": np.median([np.median(part) for part in found[way, 1]]),
            "rate": np.median([len(part) / 0.5 for part in found[way, 16]]),
            "bytes": flight.ByteSize() if way == "gRPC" else len(ask[0]),
        }
        for way in ("REST", "gRPC")
    ]
    shown = pd.DataFrame(rows).round({"p50": 2, "rate": 0}).astype({"rate": int})
    page = {
        "way": "Over",
        "p50": "One caller, p50, ms",
        "rate": "16 callers, requests/s",
        "bytes": "Bytes of a request (REST: with its head)",
    }
    note = f"The same process and keys, {ROUNDS} rounds in turns; Python clients."
    bench.record(RESULTS, "serving_grpc", shown, page, note, with_commas)
