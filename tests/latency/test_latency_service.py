"""INT8 as version B, a batcher, a cache, in the service."""

import asyncio
import json
import threading

import httpx
import numpy as np
import pandas as pd
import pytest
from flightline import latency, serving, training
from flightline.features import FEATURES
from flightline.latency import fast
from labkit.data import MODELS
from labkit.latency import fast_service
from labkit.serving import http_load, serving_lab
from random_rows import random_rows

FLIGHTS = [
    {
        "carrier": "B6", "flight": number, "origin": "JFK", "dest": "LAX",
        "distance": 2475, "sched_dep_utc": "2013-07-03T00:49:00Z",
        "block_min": 359,
    }
    for number in range(500, 540)
]  # fmt: skip


@pytest.fixture(scope="module")
def models():
    fp32 = training.load_model(MODELS, "delay_mlp")
    int8 = latency.quantize_model(fp32, random_rows(1024, seed=1), version="2")
    return {"A": fp32, "B": int8}


@pytest.fixture(scope="module")
def table():
    names = [f"2013-07-02-B6-{flight['flight']}-JFK" for flight in FLIGHTS]
    return random_rows(len(FLIGHTS), seed=5).assign(flight_id=names)


class Service:
    """The app in this process, with a client that has a key."""

    def __init__(self, models, source, **options):
        key, record = serving.new_key("test")
        self.app = serving.create_app(
            models,
            source,
            keys=[record],
            rate_s=1e6,
            burst=10**6,
            deadline_s=5,
            **options,
        )
        self.headers = {"Authorization": f"Bearer {key}"}

    def ask(self, *flights):
        """Ask for all flights at once; return status and body of each."""

        async def run():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://test", headers=self.headers
            ) as client:
                asks = (client.post("/v1/predict", json=flight) for flight in flights)
                return [(r.status_code, r.json()) for r in await asyncio.gather(*asks)]

        return asyncio.run(run())

    def deploy(self, models, **weights):
        self.app.state.service.deploy(serving.Deployment(models, weights))


def test_int8_is_promoted_and_rolled_back(models, table):
    service = Service(models, serving.TableFeatures(table), weights={"A": 1.0})
    seen = []
    for label in ("A", "B", "A"):
        service.deploy(models, **{label: 1.0})
        seen += service.ask(FLIGHTS[23])
    assert [status for status, _ in seen] == [200] * 3
    answers = [body for _, body in seen]
    named = [(a["model"], a["version"], a["precision"]) for a in answers]
    assert named == [("delay_mlp", "1", "fp32"), ("delay_mlp", "2", "int8"), named[0]]
    row = table.iloc[[23]]
    for answer, label in zip(answers, "ABA", strict=True):
        direct = models[label].predict(row[FEATURES])[0]
        assert np.isclose(answer["score"], direct, atol=1e-6)
    assert answers[0]["score"] == answers[2]["score"] != answers[1]["score"]


def test_both_precisions_answer_by_weight_and_are_logged(models, table, tmp_path):
    service = Service(
        models, serving.TableFeatures(table), weights={"A": 1, "B": 1},
        log=tmp_path / "log.jsonl",
    )  # fmt: skip
    answers = [body for _, body in service.ask(*FLIGHTS)]
    assert {a["precision"] for a in answers} == {"fp32", "int8"}
    log = serving.read_log(tmp_path / "log.jsonl")
    assert set(zip(log["version"], log["precision"], strict=True)) == {
        ("1", "fp32"), ("2", "int8"),
    }  # fmt: skip


def test_a_batched_model_answers_through_the_service(models, table):
    batched = latency.Batched(models["B"], most_rows=16, wait_s=0.2)
    service = Service({"B": batched}, serving.TableFeatures(table))
    found = service.ask(*FLIGHTS[:32])
    assert [status for status, _ in found] == [200] * 32
    direct = models["B"].predict(table[FEATURES])[:32]
    assert np.allclose([body["score"] for _, body in found], direct, atol=1e-6)
    assert max(batched.batcher.sizes) > 1 and {b["precision"] for _, b in found} == {
        "int8"
    }


class Picky:
    """A model that raises if a batch holds a destination that it cannot score."""

    name, version, precision = "picky", "1", "fp32"

    def __init__(self, bad_minute=-1.0, gate=None):
        self.bad_minute, self.gate = bad_minute, gate

    def predict(self, table):
        if self.gate is not None:
            self.gate.wait(10)
        if (table["minute_of_day"].astype(float) == self.bad_minute).any():
            raise ArithmeticError("a bad row")
        return np.full(len(table), 0.25)


def test_one_bad_row_is_a_503_and_the_others_get_their_answers(table):
    bad = table.assign(minute_of_day=np.arange(len(table), dtype=float))
    batched = latency.Batched(Picky(bad_minute=4.0), most_rows=16, wait_s=0.2)
    service = Service({"A": batched}, serving.TableFeatures(bad))
    statuses = [status for status, _ in service.ask(*FLIGHTS[:10])]
    assert statuses == [503 if n == 4 else 200 for n in range(10)]


def test_overload_is_a_503_at_once_and_the_others_get_their_answers(table):
    gate = threading.Event()
    batched = latency.Batched(Picky(gate=gate), most_rows=1, wait_s=0, most_waiting=5)
    service = Service({"A": batched}, serving.TableFeatures(table))
    threading.Timer(0.8, gate.set).start()
    statuses = [status for status, _ in service.ask(*FLIGHTS[:20])]
    assert statuses.count(200) in (5, 6)  # five wait, one may be in the model
    assert statuses.count(503) == 20 - statuses.count(200)


def test_a_model_that_raises_leaves_its_flights_to_the_other_version(models, table):
    broken = latency.Batched(Picky(bad_minute=-1.0), most_rows=8, wait_s=0.05)
    rows = table.assign(minute_of_day=-1.0)
    service = Service(
        {"A": broken, "B": models["B"]}, serving.TableFeatures(rows),
        weights={"A": 1, "B": 0.001},
    )  # fmt: skip
    found = service.ask(*FLIGHTS[:8])
    assert {(status, body["precision"]) for status, body in found} == {(200, "int8")}


def test_a_cached_service_reads_and_scores_once(models, table):
    source, cache = Reads(table), latency.PredictionCache(60)
    cached = latency.Cached(models["A"], latency.PredictionCache(60))
    service = Service({"A": cached}, latency.CachedFeatures(source, cache))
    first = service.ask(FLIGHTS[0])
    again = [service.ask(FLIGHTS[0]) for _ in range(3)]
    assert source.reads == 1 and cached.cache.hits == 3
    assert {each[0][1]["score"] for each in again} == {first[0][1]["score"]}
    assert len({each[0][1]["request_id"] for each in [first, *again]}) == 4


class Reads:
    def __init__(self, table):
        self.source, self.reads = serving.TableFeatures(table), 0

    def read(self, requests):
        self.reads += 1
        return self.source.read(requests)


def test_the_app_wraps_as_its_options_say(models):
    def kinds(*arguments):
        options, rest = fast.options_of([*arguments, "--port", "0"])
        assert rest == ["--port", "0"]
        return fast.wrapped(models["A"], options)

    assert kinds() is models["A"]
    assert isinstance(kinds("--most-rows", "8"), latency.Batched)
    both = kinds("--most-rows", "8", "--ttl-s", "9")
    assert isinstance(both, latency.Cached) and isinstance(both.model, latency.Batched)


def test_the_app_serves_with_batcher_and_cache(models, table, tmp_path):
    names = fast_service.write_models(tmp_path / "models", models)
    rollout = {"models": names, "weights": {"B": 1.0}}
    features_ = serving_lab.table_file(tmp_path, table)
    options = {"models": tmp_path / "models", "rollout": rollout}
    with fast_service.Fast(
        tmp_path / "run", features_, **options, most_rows=8, wait_ms=2, ttl_s=30
    ) as served:
        requests = [served.request(flight) for flight in FLIGHTS[:10]]
        run = http_load.closed_loop(served.port, requests, clients=4, seconds=0.5)
        answers = http_load.answers(run)
    assert len(answers) == len(run) > 10 and set(answers["version"]) == {"2"}
    direct = pd.Series(models["B"].predict(table[FEATURES]), table["flight_id"])
    assert np.allclose(answers["score"], direct.loc[answers["flight_id"]], atol=1e-6)


def test_the_app_refuses_models_that_were_changed(models, tmp_path, capsys):
    names = fast_service.write_models(tmp_path / "models", models)
    (file,) = (tmp_path / "models" / "B").glob("delay_mlp.*")
    file.write_bytes(b"other")
    rollout = tmp_path / "rollout.json"
    rollout.write_text(json.dumps({"models": names, "weights": {"B": 1.0}}))
    arguments = ["--models", tmp_path / "models", "--rollout", rollout, "--port", 0]
    rows = random_rows(3).assign(flight_id=list("abc"))
    arguments += serving_lab.table_file(tmp_path, rows)
    assert fast.main([str(argument) for argument in arguments]) == 2
    assert "sha256" in capsys.readouterr().err
