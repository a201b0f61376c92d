"""The service over gRPC: the same score, the same keys and limits, its health."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
import numpy as np
import pytest
from fastapi.testclient import TestClient
from flightline import serving, training
from flightline.serving import flightline_pb2, rpc, serve
from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc

LABS = Path(serving.__file__).resolve().parents[2]
PROTO = Path(serving.__file__).parent / "flightline.proto"
KEY, RECORD = serving.new_key("tester")
GOOD = (("authorization", f"Bearer {KEY}"),)
FLIGHT = flightline_pb2.Flight(**serving.EXAMPLE)


class Timetable:
    """A source that knows the timetable."""

    def read(self, requests):
        return serving.timetable_only(requests)


class Slow:
    """A model that takes its time."""

    name, version, precision = "slow", "1", "fp32"

    async def predict(self, table):
        await asyncio.sleep(0.3)
        return np.full(len(table), 0.5)


def app_of(model=None, **options):
    """Return an app with one model."""
    model = model or training.load_model(serve.DATA / "models", "delay_lightgbm")
    options = {"keys": [RECORD], "deadline_s": 5.0, **options}
    return serving.create_app({"A": model}, Timetable(), **options)


def ask(app, *flights, metadata=GOOD, timeout=20.0, together=False):
    """Send flights over gRPC; return each answer, or its status and what it says."""

    async def one(call, flight):
        try:
            return await call(flight, metadata=metadata, timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details()

    async def go():
        async with (
            rpc.answering(app, "127.0.0.1:0") as port,
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            call = channel.unary_unary(
                rpc.METHOD,
                request_serializer=flightline_pb2.Flight.SerializeToString,
                response_deserializer=flightline_pb2.Answer.FromString,
            )
            if together:
                return await asyncio.gather(*(one(call, each) for each in flights))
            return [await one(call, each) for each in flights]

    return asyncio.run(go())


def test_the_score_is_that_of_rest_to_the_bit(tmp_path):
    app = app_of(log=tmp_path / "log")
    [found] = ask(app, FLIGHT)
    headers = {"Authorization": f"Bearer {KEY}"}
    rest = TestClient(app).post("/v1/predict", json=serving.EXAMPLE, headers=headers)
    assert found.score == rest.json()["score"]
    same = {name: getattr(found, name) for name in rest.json() if name != "request_id"}
    assert same == {k: v for k, v in rest.json().items() if k != "request_id"}
    log = serving.read_log(tmp_path / "log")
    assert log["request_id"].tolist() == [found.request_id, rest.json()["request_id"]]


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((), "UNAUTHENTICATED"),
        ((("authorization", "Bearer tester.wrong"),), "UNAUTHENTICATED"),
        ((("authorization", f"Basic {KEY}"),), "UNAUTHENTICATED"),
    ],
)
def test_without_a_key_nobody_comes_in(metadata, code):
    [(found, _)] = ask(app_of(), FLIGHT, metadata=metadata)
    assert found.name == code


@pytest.mark.parametrize(
    ("change", "field"),
    [({"dest": "XXX"}, "dest"), ({"flight": 0}, "flight"), ({"distance": -1}, "dist")],
)
def test_what_is_no_flight_is_an_invalid_argument(change, field):
    wrong = flightline_pb2.Flight(**(serving.EXAMPLE | change))
    [(code, says)] = ask(app_of(), wrong)
    assert code.name == "INVALID_ARGUMENT" and field in says


def test_nothing_and_too_much_are_refused():
    huge = flightline_pb2.Flight(carrier="B" * 5000)
    (nothing, _), (much, _) = ask(app_of(), flightline_pb2.Flight(), huge)
    assert nothing.name == "INVALID_ARGUMENT" and much.name == "RESOURCE_EXHAUSTED"


def test_one_budget_for_both_doors():
    app = app_of(rate_s=0.01, burst=2)
    headers = {"Authorization": f"Bearer {KEY}"}
    client = TestClient(app)
    assert client.post("/v1/predict", json=serving.EXAMPLE, headers=headers).is_success
    first, (code, says) = ask(app, FLIGHT, FLIGHT)
    assert first.score and code.name == "RESOURCE_EXHAUSTED" and "budget" in says


def test_one_house_for_both_doors():
    found = ask(app_of(Slow(), most_inside=4), *[FLIGHT] * 8, together=True)
    codes = [each[0].name for each in found if isinstance(each, tuple)]
    assert codes == ["UNAVAILABLE"] * 5  # of one caller three quarters fit


def test_a_deadline_is_passed_on_and_late_work_dropped():
    dues = []

    async def handle(flight, call):
        dues.append(call.left_s())
        await asyncio.sleep(0.2)
        call.must_be_in_time()
        raise AssertionError("nobody waits for this")

    app = app_of(Slow())
    app.state.service.predict = handle
    [(code, _)] = ask(app, FLIGHT, timeout=0.15)
    assert code.name == "DEADLINE_EXCEEDED" and 0 < dues[0] <= 0.15


def test_a_crash_is_a_status_and_says_no_secret():
    app = app_of()

    async def crash(flight, call):
        raise RuntimeError("password=hunter2")

    app.state.service.predict = crash
    [(code, says)] = ask(app, FLIGHT)
    assert code.name == "INTERNAL" and "hunter2" not in says


def test_the_generated_code_is_that_of_the_proto():
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO.parent}"]
        command += [f"--descriptor_set_out={out}", PROTO.name]
        subprocess.run(command, check=True, timeout=60)
        wanted = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]
    found = descriptor_pb2.FileDescriptorProto()
    flightline_pb2.DESCRIPTOR.CopyToProto(found)
    for message in wanted.message_type:
        for field in message.field:
            field.ClearField("json_name")
    for message in found.message_type:
        for field in message.field:
            field.ClearField("json_name")
    assert found == wanted


def test_one_command_starts_both_and_health_says_so(tmp_path):
    flight = serving.Flight.model_validate(serving.EXAMPLE)
    table = serving.timetable_only(serving.frame_of([flight]))
    table.assign(flight_id=flight.flight_id).to_parquet(tmp_path / "table.parquet")
    command = [sys.executable, "-m", "flightline.serving", "--port", "0"]
    command += ["--grpc-port", "0", "--table", str(tmp_path / "table.parquet")]
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(LABS)},
    )
    try:
        text = ""
        while "gRPC listens" not in text:
            line = child.stdout.readline()
            assert line, child.stderr.read()
            text += line
        port = re.search(r"gRPC listens on 127.0.0.1:(\d+)", text)[1]
        key = re.search(r"this once: (\S+)", text)[1]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(
                rpc.METHOD,
                request_serializer=flightline_pb2.Flight.SerializeToString,
                response_deserializer=flightline_pb2.Answer.FromString,
            )
            found = call(
                FLIGHT, metadata=(("authorization", f"Bearer {key}"),), timeout=20
            )
            checks = health_pb2_grpc.HealthStub(channel)
            state = checks.Check(
                health_pb2.HealthCheckRequest(service=rpc.SERVICE), timeout=20
            )
            assert state.status == health_pb2.HealthCheckResponse.SERVING
        assert found.source == "online" and json.dumps(found.score)
        child.terminate()
        _, errors = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 0 and "Traceback" not in errors, errors
