"""Requests, keys, budgets, routing, features, log, app, batch, stream."""

import asyncio
import contextlib
import itertools
import json
import logging
import math
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from flightline import features, lake, serving
from flightline.drift import watch
from flightline.features import CATEGORICAL, FEATURES
from hypothesis import given, settings
from hypothesis import strategies as st
from labkit import data
from labkit.serving import contract
from pydantic import ValidationError

FLIGHT = {
    "carrier": "B6",
    "flight": 523,
    "origin": "JFK",
    "dest": "LAX",
    "distance": 2475,
    "sched_dep_utc": "2013-07-03T00:49:00Z",
    "block_min": 359,
}
FLIGHT_ID = "2013-07-02-B6-523-JFK"
KEY, RECORD = serving.new_key("tester")
HEADERS = {"Authorization": f"Bearer {KEY}"}


class Constant:
    """A model that always gives one score, and counts how often it is asked."""

    def __init__(self, score=0.3, name="constant", version="1", precision="fp32"):
        self.score, self.name = score, name
        self.version, self.precision, self.calls = version, precision, 0

    def predict(self, table):
        self.calls += 1
        return np.full(len(table), self.score)


class Broken(Constant):
    def predict(self, table):
        self.calls += 1
        raise RuntimeError("no luck")


class Timetable:
    """A feature source that knows the timetable, and may be slow or down."""

    def __init__(self, wait_s=0.0, error=None):
        self.wait_s, self.error, self.calls = wait_s, error, 0

    def read(self, requests):
        self.calls += 1
        if self.wait_s:
            time.sleep(self.wait_s)
        if self.error:
            raise self.error
        return serving.timetable_only(requests)


def client(models=None, features=None, **options):
    """Return a client of a new app; generous where a test does not say otherwise."""
    options = {"keys": [RECORD], "deadline_s": 5.0, **options}
    app = serving.create_app(
        models or {"A": Constant()}, features or Timetable(), **options
    )
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def schedule():
    """July's flights with their times."""
    return lake.flight_times(data.load_flights([7]), data.load_airports())


# --- requests -------------------------------------------------------------------------

BAD = {
    "unknown airport": {"dest": "XXX"},
    "no airport": {"dest": None},
    "departs from elsewhere": {"origin": "BOS"},
    "NaN": {"distance": math.nan},
    "infinity": {"distance": math.inf},
    "text for a number": {"distance": "2475"},
    "true for a number": {"flight": True},
    "half a flight": {"flight": 1.5},
    "no distance": {"distance": 0},
    "too far": {"distance": 12_001},
    "flight number": {"flight": 10_000},
    "carrier": {"carrier": "JetBlue"},
    "carrier with a line end": {"carrier": "B6\n"},
    "other year": {"sched_dep_utc": "2031-07-03T00:49:00Z"},
    "no such day": {"sched_dep_utc": "2013-02-29T00:49:00Z"},
    "no such minute": {"sched_dep_utc": "2013-07-03T00:60:00Z"},
    "no time zone": {"sched_dep_utc": "2013-07-03T00:49:00"},
    "local time": {"sched_dep_utc": "2013-07-02T20:49:00-04:00"},
    "a number for a time": {"sched_dep_utc": 1372812540},
    "line end after the time": {"sched_dep_utc": "2013-07-03T00:49:00Z\n"},
    "too short": {"block_min": 14},
    "longer than a day": {"block_min": 1441},
    "unknown field": {"delay": 99},
}


def test_the_recurring_flight_is_a_request():
    table = serving.frame_of([serving.Flight.model_validate(FLIGHT)])
    assert table.at[0, "flight_id"] == FLIGHT_ID
    assert str(table.at[0, "sched_arr_utc"]) == "2013-07-03 06:48:00+00:00"
    assert {str(table[name].dtype) for name in ("sched_dep_utc", "sched_arr_utc")} == {
        "datetime64[us, UTC]"
    }


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_what_is_no_flight_is_refused(change):
    with pytest.raises(ValidationError):
        serving.Flight.model_validate(FLIGHT | change)


@pytest.mark.parametrize("name", list(FLIGHT))
def test_a_missing_field_is_refused(name):
    with pytest.raises(ValidationError):
        serving.Flight.model_validate({k: v for k, v in FLIGHT.items() if k != name})


def test_json_does_not_tell_a_whole_number_from_an_integer():
    assert serving.Flight.model_validate(FLIGHT | {"flight": 523.0}).flight == 523


def test_every_flight_of_the_year_can_be_asked_for_and_keeps_its_identity():
    flights = lake.flight_times(data.load_flights(), data.load_airports())
    assert set(serving.DESTINATIONS) == set(flights["dest"])
    some = pd.concat([flights.sample(3000, random_state=8), flights.tail(300)])
    asked = [
        serving.Flight.model_validate_json(json.dumps(serving.request_of(row)))
        for row in some.to_dict("records")
    ]
    table = serving.frame_of(asked)
    for name in ("flight_id", "sched_dep_utc", "sched_arr_utc", "carrier", "dest"):
        assert table[name].tolist() == some[name].tolist(), name


@pytest.mark.parametrize("sent", ["N708JB", "N708-JB", None, 7, ["N1"]])
def test_a_tail_number_is_ignored(sent):
    """Older clients send the aircraft; they get the answer of those that do not."""
    body, score = {**FLIGHT, "tailnum": sent}, {}
    for name, asked in (("with", body), ("without", FLIGHT)):
        answer = client().post("/v1/predict", json=asked, headers=HEADERS)
        assert answer.status_code == 200
        score[name] = answer.json()["score"]
    assert score["with"] == score["without"]
    table = serving.frame_of([serving.Flight.model_validate(body)])
    assert "tailnum" not in table.columns


def test_the_document_says_that_a_tail_number_is_ignored():
    field = serving.Flight.model_json_schema()["properties"]["tailnum"]
    assert field["deprecated"] is True and "ignored" in field["description"]


def test_no_flights_make_an_empty_table():
    table = serving.frame_of([])
    assert len(table) == 0 and "sched_arr_utc" in table.columns


# --- keys and budgets -----------------------------------------------------------------


def test_a_key_is_known_by_its_digest_alone():
    key, record = serving.new_key("ann")
    assert key not in repr(record) and key.split(".")[1] not in repr(record)
    assert serving.caller_of(key, {"ann": record}) == "ann"


@pytest.mark.parametrize(
    "wrong", ["", ".", "ann", "ann.", "ann.x", "bob.x", "é.ü", "\0"]
)
def test_a_wrong_key_is_nobody(wrong):
    _, record = serving.new_key("ann")
    assert serving.caller_of(wrong, {"ann": record}) is None


def test_the_key_of_one_does_not_open_for_another():
    key, ann = serving.new_key("ann")
    _, bob = serving.new_key("bob")
    other = "bob." + key.split(".")[1]
    assert serving.caller_of(other, {"ann": ann, "bob": bob}) is None


def test_an_unknown_name_is_compared_too(monkeypatch):
    compared = []
    monkeypatch.setattr(
        serving.keys.hmac,
        "compare_digest",
        lambda a, b: compared.append((a, b)) or a == b,
    )
    _, record = serving.new_key("ann")
    serving.caller_of("nobody.x", {"ann": record})
    serving.caller_of("ann.x", {"ann": record})
    assert len(compared) == 2


def test_salts_differ():
    assert serving.new_key("ann")[1].salt != serving.new_key("ann")[1].salt


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a" * 41, "a\n"])
def test_a_name_that_would_confuse_logs_is_refused(name):
    with pytest.raises(ValueError, match="no name"):
        serving.new_key(name)


@given(
    st.floats(0.1, 100),
    st.integers(1, 20),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_no_window_holds_more_than_burst_and_rate_allow(rate, burst, gaps):
    bucket, now, taken = serving.TokenBucket(rate, burst), 0.0, []
    for gap in gaps:
        now += gap
        wait = bucket.take(now)
        assert wait >= 0
        if wait == 0:
            taken.append(now)
    for first, last in itertools.combinations_with_replacement(range(len(taken)), 2):
        allowed = burst + rate * (taken[last] - taken[first])
        assert last - first + 1 <= allowed + 1e-6


def test_who_waits_as_told_gets_in():
    bucket = serving.TokenBucket(2.0, 3)
    assert [bucket.take(0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(0.25) == pytest.approx(0.25)
    assert bucket.take(0.5) == 0


def test_a_clock_that_goes_back_gives_nothing():
    bucket = serving.TokenBucket(1.0, 1, now=10.0)
    assert bucket.take(10.0) == 0
    assert bucket.take(5.0) == 1.0
    assert bucket.take(10.5) == 0.5


def test_a_clock_that_goes_back_lets_a_token_be_taken():
    bucket = serving.TokenBucket(1.0, 2, now=10.0)
    assert [bucket.take(5.0) for _ in range(3)] == [0, 0, 1.0]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (math.nan, 1), (1, 0)])
def test_an_empty_budget_is_an_error(rate, burst):
    with pytest.raises(ValueError, match="positive"):
        serving.TokenBucket(rate, burst)


# --- routing --------------------------------------------------------------------------

NAMES = [f"flight-{n}" for n in range(20_000)]
weights = st.dictionaries(st.sampled_from("ABCDE"), st.floats(0.01, 10), min_size=1)


def test_shares_follow_the_weights():
    plan = {"A": 6, "B": 3, "C": 1, "D": 0}
    counts = pd.Series([serving.route(name, plan) for name in NAMES]).value_counts()
    assert "D" not in counts
    for version, weight in plan.items():
        share, n = weight / 10, len(NAMES)
        spread = math.sqrt(n * share * (1 - share))
        assert abs(counts.get(version, 0) - n * share) <= 4 * spread


@given(weights, st.sampled_from("ABCDE"), st.floats(0, 10))
@settings(max_examples=40, deadline=None)
def test_a_change_of_one_weight_moves_entities_to_or_from_it_alone(plan, name, weight):
    other = {**plan, name: weight}
    if not any(other.values()):
        return
    for entity in NAMES[:200]:
        before, after = serving.route(entity, plan), serving.route(entity, other)
        assert before == after or name in (before, after)


def test_routing_is_sticky_and_ignores_order_unit_and_process():
    plan = {"A": 1.0, "B": 2.0, "C": 3.0}
    turned = dict(reversed(plan.items()))
    scaled = {name: 100 * weight for name, weight in plan.items()}
    found = [serving.route(name, plan) for name in NAMES[:500]]
    assert found == [serving.route(name, turned) for name in NAMES[:500]]
    assert found == [serving.route(name, scaled) for name in NAMES[:500]]
    assert serving.route(FLIGHT_ID, plan) == "C"  # as in every other process


def test_another_salt_is_another_assignment():
    plan = {"A": 1, "B": 1}
    same = sum(serving.route(n, plan) == serving.route(n, plan, "x") for n in NAMES)
    assert abs(same / len(NAMES) - 0.5) < 0.02


@pytest.mark.parametrize("plan", [{}, {"A": 0}, {"A": 0, "B": -1}])
def test_nobody_to_route_to_is_an_error(plan):
    with pytest.raises(ValueError, match="positive weight"):
        serving.route("x", plan)


# --- features -------------------------------------------------------------------------


def test_the_timetable_gives_what_the_feature_store_would(schedule):
    from flightline.features import training_table

    some = schedule.head(400).assign(month=7)
    asked = serving.timetable_only(some)
    stored = training_table(some, lake.weather_events(data.load_weather()))
    known = [*CATEGORICAL, "minute_of_day", "weekday", "distance_mi", "block_min"]
    for name in known:
        assert asked[name].tolist() == stored[name].tolist(), name
    assert list(asked.columns) == FEATURES and list(asked.index) == list(some.index)
    assert asked.drop(columns=known).isna().all(axis=None)


def test_a_table_gives_its_rows_and_names_nobody_else():
    table = pd.DataFrame({name: range(3) for name in FEATURES}).assign(
        flight_id=list("abc")
    )
    source = serving.TableFeatures(table)
    found = source.read(pd.DataFrame({"flight_id": ["c", "a"]}))
    assert found["temp"].tolist() == [2, 0]
    with pytest.raises(KeyError):
        source.read(pd.DataFrame({"flight_id": ["z"]}))


def test_breaker_opens_rests_tries_once_and_closes():
    breaker = serving.Breaker(failures=2, rest_s=1.0)
    assert breaker.allows(0.0)
    breaker.record(False, 0.0)
    assert breaker.allows(0.1)
    breaker.record(False, 0.1)
    assert not breaker.allows(1.0)
    assert breaker.allows(1.1) and not breaker.allows(1.2)  # one try, the rest waits
    breaker.record(False, 1.2)
    assert not breaker.allows(2.1) and breaker.allows(2.3)
    breaker.record(True, 2.3)
    assert breaker.allows(2.3) and breaker.allows(2.3)


def test_a_success_forgets_failures():
    breaker = serving.Breaker(failures=2)
    for ok in (False, True, False, True):
        breaker.record(ok, 0.0)
    assert breaker.allows(0.0)


def guarded(source, **options):
    requests = serving.frame_of([serving.Flight.model_validate(FLIGHT)])
    guard = serving.GuardedFeatures(source, **options)
    start = time.perf_counter()
    table, kind = asyncio.run(guard.read(requests))
    return guard, table, kind, time.perf_counter() - start


def test_features_in_time_are_used():
    _, table, kind, _ = guarded(Timetable(), deadline_s=5)
    assert kind == "online" and list(table.columns) == FEATURES


class Short(Timetable):
    def read(self, requests):
        return super().read(requests).iloc[:0]


class Lacking(Timetable):
    def read(self, requests):
        return super().read(requests).drop(columns="temp")


@pytest.mark.parametrize(
    "source",
    [
        Timetable(error=RuntimeError("down")),
        Timetable(error=KeyError()),
        Short(),
        Lacking(),
    ],
    ids=["error", "unknown", "no rows", "a column is missing"],
)
def test_a_source_that_fails_is_replaced_by_the_timetable(source):
    _, table, kind, _ = guarded(source, deadline_s=5)
    assert kind == "fallback" and len(table) == 1 and table["temp"].isna().all()


def test_a_slow_source_is_not_waited_for():
    guard, _, kind, _ = guarded(Timetable(wait_s=0.4), deadline_s=0.02)
    assert kind == "fallback"
    guard.pool.shutdown()


class Hanging(Timetable):
    """A source that hangs until it is let go, and counts who is in it at once."""

    def __init__(self):
        super().__init__()
        self.inside, self.most, self.go = 0, 0, threading.Event()

    def read(self, requests):
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.go.wait(20)
        self.inside -= 1
        return super().read(requests)


@pytest.mark.parametrize("readers", [None, 1, 3])
def test_no_more_readers_than_allowed_and_nobody_piles_up(readers):
    source, options = Hanging(), {} if readers is None else {"readers": readers}
    requests = serving.frame_of([serving.Flight.model_validate(FLIGHT)])
    patient = serving.Breaker(failures=100)
    guard = serving.GuardedFeatures(source, 0.1, patient, **options)

    async def many():
        return await asyncio.gather(*(guard.read(requests) for _ in range(12)))

    try:
        assert [kind for _, kind in asyncio.run(many())] == ["fallback"] * 12
        assert source.most == (readers or 1)
    finally:
        source.go.set()
        guard.pool.shutdown()
    # a read that stood in line when its request gave up was never begun
    assert source.calls == (readers or 1)


OWN = type("TimeoutError", (TimeoutError,), {})  # as client libraries name theirs
STRANGE = type("TimeoutError", (Exception,), {})


@pytest.mark.parametrize("blocks", [True, False])
@pytest.mark.parametrize("kind", [TimeoutError, OWN, STRANGE])
def test_a_timeout_of_the_store_itself_counts_whatever_time_its_caller_has(
    kind, blocks
):
    def read(question):
        raise kind("the store does not answer")

    guard = serving.features.Guard(60, serving.Breaker(failures=2))
    for count in (1, 2):
        asked = guard.ask(read, None, blocks=blocks, within_s=30)
        assert asyncio.run(asked) is None and guard.breaker.count == count
    assert not guard.breaker.allows(time.monotonic())


def test_a_caller_in_a_hurry_does_not_count_against_the_source():
    source = Hanging()
    guard = serving.GuardedFeatures(source, 60, serving.Breaker(failures=1))
    flight = serving.Flight.model_validate(FLIGHT)
    try:
        _, kind = asyncio.run(guard.rows([flight], within_s=0.02))
        assert kind == "fallback" and guard.breaker.count == 0
        assert source.most == 1  # it was asked
    finally:
        source.go.set()
        guard.pool.shutdown()


class Remembering(Timetable):
    """A source that hides failures of another one."""

    def read(self, requests):
        with contextlib.suppress(RuntimeError):
            self.seen = super().read(requests)
        return self.seen


def test_a_source_that_remembers_helps_against_errors_but_not_against_silence():
    source = Remembering()
    requests = serving.frame_of([serving.Flight.model_validate(FLIGHT)])
    guard = serving.GuardedFeatures(source, 0.2, serving.Breaker(2, rest_s=60))

    def ask():
        return asyncio.run(guard.read(requests))[1]

    source.read(requests)
    source.error = RuntimeError("down")
    assert ask() == "online"
    source.wait_s = 0.4
    assert [ask(), ask()] == ["fallback"] * 2  # the deadline passes first
    source.wait_s, calls = 0.0, source.calls
    assert ask() == "fallback" and source.calls == calls  # the breaker is open
    guard.pool.shutdown()


def test_an_open_breaker_asks_nobody():
    source = Timetable(error=RuntimeError())
    requests = serving.frame_of([serving.Flight.model_validate(FLIGHT)])
    guard = serving.GuardedFeatures(source, 5, serving.Breaker(failures=2, rest_s=60))

    async def many():
        return [(await guard.read(requests))[1] for _ in range(10)]

    assert asyncio.run(many()) == ["fallback"] * 10
    assert source.calls == 2


# --- the log --------------------------------------------------------------------------


def record(n=0):
    return {"time": datetime.now(UTC).isoformat(), "request_id": str(n), "features": {}}


def test_a_line_is_there_when_append_returns(tmp_path):
    log = serving.PredictionLog(tmp_path / "log")
    log.append(record(1))
    assert (tmp_path / "log").read_bytes().endswith(b"}\n")
    log.append(record(2))
    assert serving.read_log(tmp_path / "log")["request_id"].tolist() == ["1", "2"]
    log.close()


def test_a_torn_line_harms_no_other(tmp_path):
    path = tmp_path / "log"
    path.write_text(json.dumps(record(1)) + '\n{"time": "20')
    log = serving.PredictionLog(path)
    log.append(record(2))
    log.close()
    assert serving.read_log(path)["request_id"].tolist() == ["1", "2"]


def test_a_line_that_was_cut_short_spoils_no_line_of_any_worker(tmp_path, monkeypatch):
    path = tmp_path / "log"
    one, other = serving.PredictionLog(path), serving.PredictionLog(path)
    one.append(record(1))
    write = os.write
    for number, log in enumerate((one, other), start=2):
        monkeypatch.setattr(
            serving.log.os, "write", lambda fd, line: write(fd, line[:20])
        )
        with pytest.raises(OSError, match="part"):
            one.append(record("lost"))
        monkeypatch.undo()
        log.append(record(number))  # it returns, so that its answer goes out
    one.close()
    other.close()
    assert serving.read_log(path)["request_id"].tolist() == ["1", "2", "3"]


def test_wherever_the_file_is_cut_whole_lines_are_read_and_new_ones_follow(tmp_path):
    path = tmp_path / "log"
    log = serving.PredictionLog(path)
    for number in range(2):
        log.append(record(number))
    log.close()
    content = path.read_bytes()
    for end in range(len(content) + 1):
        path.write_bytes(content[:end])
        whole = serving.read_log(path)["request_id"].tolist()
        assert whole == ["0", "1"][: len(whole)]
        assert len(whole) >= content[:end].count(b"}\n")
        log = serving.PredictionLog(path)
        log.append(record("new"))
        log.close()
        assert serving.read_log(path)["request_id"].tolist() == [*whole, "new"]


def test_pandas_reads_the_log_too_as_lab_12_does(tmp_path):
    log = serving.PredictionLog(tmp_path / "log")
    for number in range(3):
        log.append(record(number))
    log.close()
    assert len(watch.read_log(tmp_path / "log")) == 3


def test_writers_share_a_file(tmp_path):
    logs = [serving.PredictionLog(tmp_path / "log") for _ in range(4)]

    def write(number):
        for n in range(100):
            logs[number].append(record(f"{number}-{n}"))

    threads = [threading.Thread(target=write, args=[n]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for log in logs:
        log.close()
    assert serving.read_log(tmp_path / "log")["request_id"].nunique() == 400


def test_a_writer_that_is_killed_loses_nothing_it_wrote(tmp_path):
    path = tmp_path / "log"
    script = (
        "import itertools, sys; from flightline import serving\n"
        "log = serving.PredictionLog(sys.argv[1])\n"
        "for n in itertools.count():\n"
        "    log.append({'time': '2013-07-02T00:00:00+00:00', 'request_id': str(n)})\n"
        "    print(n, flush=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": "labs"}
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, env=env
    )
    told = [int(child.stdout.readline()) for _ in range(300)]
    child.kill()
    rest = child.communicate()[0]
    told += [
        int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")
    ]
    written = set(serving.read_log(path)["request_id"])
    assert {str(n) for n in told} <= written


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    log = serving.PredictionLog(tmp_path / "log")
    monkeypatch.setattr(serving.log.os, "write", lambda fd, line: 3)
    with pytest.raises(OSError, match="part"):
        log.append(record())
    monkeypatch.undo()
    log.close()


# --- the app --------------------------------------------------------------------------


def test_an_answer_names_what_made_it(tmp_path):
    here = client({"A": Constant(0.7, "trees", "4", "int8")}, log=tmp_path / "log")
    with here:
        answer = here.post("/v1/predict", json=FLIGHT, headers=HEADERS)
    assert answer.status_code == 200
    body = answer.json()
    assert body.pop("request_id") == answer.headers["x-request-id"]
    assert body == {
        "flight_id": FLIGHT_ID,
        "score": 0.7,
        "late": True,
        "model": "trees",
        "version": "4",
        "precision": "int8",
        "source": "online",
    }
    log = serving.read_log(tmp_path / "log")
    assert list(log.columns) == serving.LOG_FIELDS and len(log) == 1
    row = log.iloc[0]
    assert (row["score"], row["source"], row["shadow"]) == (0.7, "online", False)
    assert row["features"]["minute_of_day"] == 20 * 60 + 49
    assert row["features"]["temp"] is None and list(row["features"]) == FEATURES


class Async(Constant):
    async def predict(self, table):
        await asyncio.sleep(0)
        return super().predict(table)


def test_a_predictor_may_be_a_coroutine():
    answer = client({"A": Async(0.2)}).post("/v1/predict", json=FLIGHT, headers=HEADERS)
    assert answer.json()["score"] == 0.2


def refusals():
    """Return requests that must be refused: what is sent, status, code."""
    body = json.dumps(FLIGHT).encode()

    def with_key(content, **more):
        return {"content": content, "headers": {**HEADERS, **more}}

    wrong = {"Authorization": "Bearer tester.wrong"}
    yield "no key", {"content": body}, 401, "no_key"
    yield "wrong key", {"content": body, "headers": wrong}, 401, "unknown_key"
    basic = {"Authorization": "Basic " + KEY}
    yield "other scheme", {"content": body, "headers": basic}, 401, "no_key"
    yield "no JSON", with_key(b"{"), 400, "malformed"
    yield "no text", with_key(b"\xff\xfe{"), 400, "malformed"
    yield "deep", with_key(b"[" * 4000), 400, "malformed"
    yield "nothing", with_key(b""), 422, "invalid_flight"
    yield "a list", with_key(b"[]"), 422, "invalid_flight"
    yield "large", with_key(b" " * 4097), 413, "too_large"
    for name, change in BAD.items():
        yield (
            name,
            with_key(json.dumps(FLIGHT | change).encode()),
            422,
            "invalid_flight",
        )


REFUSALS = {name: rest for name, *rest in refusals()}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_the_right_status_and_a_clear_body(name):
    sent, status, code = REFUSALS[name]
    model = Constant()
    answer = client({"A": model}).post("/v1/predict", **sent)
    body = answer.json()
    assert (answer.status_code, body["error"]) == (status, code)
    assert body["message"] and set(body) == {"error", "message", "fields"}
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert model.calls == 0
    if name in BAD:
        assert body["fields"][0]["field"] == next(iter(BAD[name]))


def test_too_many_requests_are_told_when_to_come_back():
    here = client(rate_s=0.5, burst=2)
    answers = [here.post("/v1/predict", json=FLIGHT, headers=HEADERS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "2"
    assert answers[2].json()["error"] == "too_many_requests"
    assert here.get("/healthz").status_code == 200


def test_each_key_has_its_own_budget():
    key, other = serving.new_key("other")
    here = client(rate_s=0.01, burst=1, keys=[RECORD, other])
    for value in (KEY, key):
        headers = {"Authorization": f"Bearer {value}"}
        assert here.post("/v1/predict", json=FLIGHT, headers=headers).status_code == 200
    assert here.post("/v1/predict", json=FLIGHT, headers=HEADERS).status_code == 429


def test_a_stranger_cannot_use_up_a_budget():
    here = client(rate_s=0.01, burst=1)
    wrong = {"Authorization": "Bearer tester.wrong"}
    for _ in range(5):
        here.post("/v1/predict", json=FLIGHT, headers=wrong)
    assert here.post("/v1/predict", json=FLIGHT, headers=HEADERS).status_code == 200


def test_a_body_without_a_stated_length_is_limited_too():
    def pieces():
        for _ in range(100):
            yield b" " * 100

    answer = client().post("/v1/predict", content=pieces(), headers=HEADERS)
    assert answer.status_code == 413


async def same(flight, call):
    """Answer with the request itself."""
    return flight


ECHO = serving.Endpoint("/v1/same", serving.Flight, serving.Flight, same)


def test_a_body_that_does_not_come_is_not_waited_for():
    sent = []

    async def never():
        await asyncio.sleep(60)

    async def keep(message):
        sent.append(message)

    async def go():
        admission = serving.Admission([RECORD], 1, 9)
        gate = serving.Gateway(None, admission, [ECHO], body_s=0.05)
        headers = [(b"authorization", HEADERS["Authorization"].encode())]
        scope = {
            "type": "http",
            "path": ECHO.path,
            "method": "POST",
            "headers": headers,
        }
        await gate(scope, never, keep)

    asyncio.run(go())
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("wanted", ["abc-1", "a b", "x" * 65, 'a"b'])
def test_a_request_id_is_kept_if_it_is_harmless(wanted):
    headers = {**HEADERS, "X-Request-ID": wanted}
    found = client().post("/v1/predict", json=FLIGHT, headers=headers)
    same = found.json()["request_id"] == wanted
    assert same == (wanted == "abc-1")
    assert found.headers["x-request-id"] == found.json()["request_id"]


def test_logs_hold_no_secret_and_no_body(caplog):
    with caplog.at_level(logging.DEBUG, "flightline.serving"):
        here = client(features=Timetable(error=RuntimeError("password=hunter2")))
        here.post("/v1/predict", json=FLIGHT, headers=HEADERS)
        here.post("/v1/predict", json={"dest": KEY}, headers=HEADERS)
        here.post("/v1/predict", headers={"Authorization": "Bearer tester.guess"})
    text = caplog.text
    assert "/v1/predict" in text and '"status": 422' in text
    for secret in (KEY, KEY.split(".")[1], "guess", "hunter2"):
        assert secret not in text
    lines = [json.loads(r.message) for r in caplog.records if r.message.startswith("{")]
    assert [line["status"] for line in lines] == [200, 422, 401]


def test_a_refusal_does_not_repeat_what_was_sent():
    answer = client().post("/v1/predict", json={"dest": KEY}, headers=HEADERS)
    assert answer.status_code == 422 and KEY not in answer.text


def test_metrics_count_answers_scores_and_failures():
    here = client({"A": Broken(), "B": Constant()}, weights={"A": 1, "B": 1e-9})
    here.post("/v1/predict", json=FLIGHT, headers=HEADERS)
    here.post("/v1/predict", json=FLIGHT)
    text = here.get("/metrics").text
    assert 'flightline_requests_total{status="200"} 1.0' in text
    assert 'flightline_requests_total{status="401"} 1.0' in text
    assert 'flightline_errors_total{where="model A"} 1.0' in text
    assert 'label="B",shadow="False",source="online",version="1"} 1.0' in text
    assert "flightline_request_seconds_bucket" in text


def test_two_apps_in_one_process_count_apart():
    one, other = client(), client()
    one.post("/v1/predict", json=FLIGHT, headers=HEADERS)
    assert 'status="200"' not in other.get("/metrics").text


def test_health_and_readiness():
    here = client({"A": Constant(), "B": Constant(version="2")}, shadows=("B",))
    assert here.get("/healthz").json() == {"status": "alive"}
    found = here.get("/readyz").json()
    assert [(row["label"], row["weight"], row["shadow"]) for row in found] == [
        ("A", 1.0, False),
        ("B", 0.0, True),
    ]


def test_unknown_paths_and_methods_have_a_body_too():
    assert client().get("/nope").json()["error"] == "no_such_path"
    answer = client().get("/v1/predict", headers=HEADERS)
    assert answer.status_code == 405 and answer.headers["allow"] == "POST"


def test_a_crash_is_an_answer(monkeypatch):
    here = client()
    monkeypatch.setattr(here.app.state.service.features, "rows", None)
    answer = here.post("/v1/predict", json=FLIGHT, headers=HEADERS)
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert 'status="500"' in here.get("/metrics").text


# --- versions -------------------------------------------------------------------------


def ask_many(here, count=40):
    bodies = [FLIGHT | {"flight": n} for n in range(1, count + 1)]
    return [here.post("/v1/predict", json=b, headers=HEADERS).json() for b in bodies]


def test_versions_answer_by_weight_and_stick():
    models = {label: Constant(version=label) for label in "ABC"}
    here = client(models, weights={"A": 2, "B": 1, "C": 1})
    first, second = ask_many(here), ask_many(here)
    found = [answer["version"] for answer in first]
    assert set(found) == set("ABC")
    assert found == [answer["version"] for answer in second]
    plan = {"A": 2, "B": 1, "C": 1}
    assert found == [serving.route(answer["flight_id"], plan) for answer in first]


def test_swap_and_rollback_change_what_answers():
    old, new = Constant(0.1, version="1"), Constant(0.9, version="2")
    here = client({"A": old})
    service = here.app.state.service
    before = service.live
    service.deploy(serving.Deployment({"B": new}, {"B": 1.0}))
    assert {answer["version"] for answer in ask_many(here)} == {"2"}
    service.deploy(before)
    assert {answer["version"] for answer in ask_many(here)} == {"1"}


class Gate(Constant):
    """Waits in the middle of a prediction until the test lets it go on."""

    def __init__(self, **names):
        super().__init__(**names)
        self.entered, self.go_on = threading.Event(), threading.Event()

    async def predict(self, table):
        self.entered.set()
        await asyncio.to_thread(self.go_on.wait, 10)
        return super().predict(table)


def test_a_request_that_has_begun_keeps_its_version():
    old = Gate(version="1")
    here = client({"A": old})
    answers = []
    with here:
        thread = threading.Thread(
            target=lambda: answers.append(
                here.post("/v1/predict", json=FLIGHT, headers=HEADERS).json()
            )
        )
        thread.start()
        assert old.entered.wait(10)
        new = serving.Deployment({"B": Constant(version="2")}, {"B": 1.0})
        here.app.state.service.deploy(new)
        old.go_on.set()
        thread.join()
        after = here.post("/v1/predict", json=FLIGHT, headers=HEADERS).json()
    assert (answers[0]["version"], after["version"]) == ("1", "2")


def test_a_shadow_is_logged_and_never_answers(tmp_path):
    models = {"A": Constant(0.1, version="1"), "B": Constant(0.9, version="2")}
    here = client(models, shadows=("B",), log=tmp_path / "log")
    answers = ask_many(here, 5)
    assert {answer["version"] for answer in answers} == {"1"}
    log = serving.read_log(tmp_path / "log")
    assert log.groupby("shadow")["version"].unique().map(list).to_dict() == {
        False: ["1"],
        True: ["2"],
    }
    assert log.groupby("request_id").size().eq(2).all()


def test_a_broken_shadow_harms_nobody(tmp_path):
    models = {"A": Constant(), "B": Broken()}
    here = client(models, shadows=("B",), log=tmp_path / "log")
    assert here.post("/v1/predict", json=FLIGHT, headers=HEADERS).status_code == 200
    assert not serving.read_log(tmp_path / "log")["shadow"].any()


@pytest.mark.parametrize("bad", [Broken(), Constant(math.nan), Constant(1.5)])
def test_a_version_that_fails_leaves_its_flights_to_the_others(bad):
    here = client({"A": bad, "B": Constant(version="2")}, weights={"A": 9, "B": 1})
    assert {answer["version"] for answer in ask_many(here, 8)} == {"2"}


def test_without_a_working_version_the_answer_is_503():
    answer = client({"A": Broken()}).post("/v1/predict", json=FLIGHT, headers=HEADERS)
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")


def test_an_answer_that_cannot_be_logged_does_not_go_out(tmp_path, monkeypatch):
    here = client(log=tmp_path / "log")

    def full(self, record):
        raise OSError("no space left on device")

    monkeypatch.setattr(serving.PredictionLog, "append", full)
    answer = here.post("/v1/predict", json=FLIGHT, headers=HEADERS)
    assert answer.status_code == 503 and "log" in answer.json()["message"]


@pytest.mark.parametrize(
    ("plan", "shadows"),
    [({"Z": 1}, ()), ({"A": 1}, ("Z",)), ({"A": 0}, ()), ({"A": -1}, ()), ({}, ())],
)
def test_an_impossible_deployment_is_refused(plan, shadows):
    with pytest.raises(ValueError, match=r"No model|Weights"):
        serving.Deployment({"A": Constant()}, plan, shadows)


@pytest.mark.parametrize("weight", [math.nan, math.inf])
def test_a_weight_is_a_number(weight):
    with pytest.raises(ValueError, match="Weights"):
        serving.Deployment({"A": Constant()}, {"A": weight})


def test_the_spare_answers_when_features_are_missing_and_only_then():
    spare = Constant(0.9, "timetable")
    source = Timetable()
    here = client({"A": Constant(0.1)}, source, spare=spare)
    assert ask_many(here, 3)[0]["model"] == "constant" and spare.calls == 0
    source.error = ConnectionError()
    answers = ask_many(here, 3)
    assert {(a["model"], a["score"], a["source"]) for a in answers} == {
        ("timetable", 0.9, "fallback")
    }


def test_without_a_working_spare_the_versions_answer():
    source = Timetable(error=ConnectionError())
    here = client({"A": Constant(version="7")}, source, spare=Broken())
    assert {answer["version"] for answer in ask_many(here, 3)} == {"7"}


# --- batch and stream -----------------------------------------------------------------


class Minutes(Constant):
    """A model whose score can be checked by hand."""

    def predict(self, table):
        self.calls += 1
        return table["minute_of_day"].to_numpy() / 1440


def test_batch_scores_every_flight_once_and_shows_progress(tmp_path, schedule):
    some = schedule.head(3000)
    steps = list(serving.score_batch(some, Timetable(), Minutes(), tmp_path))
    assert [step.done for step in steps] == list(range(1, steps[0].parts + 1))
    assert all(step.new for step in steps) and sum(s.rows for s in steps) == 3000
    files = sorted((tmp_path / "constant-1").iterdir())
    assert {file.suffix for file in files} == {".parquet"}
    scores = pd.concat(map(pd.read_parquet, files)).set_index("flight_id")["score"]
    expected = serving.timetable_only(some)["minute_of_day"].to_numpy() / 1440
    assert scores.loc[some["flight_id"]].tolist() == expected.tolist()


def test_a_stopped_batch_goes_on_where_it_stopped(tmp_path, schedule):
    some = schedule.head(3000)
    job = serving.score_batch(some, Timetable(), Minutes(), tmp_path)
    next(job), next(job)
    job.close()
    again = Minutes()
    steps = list(serving.score_batch(some, Timetable(), again, tmp_path))
    assert [step.new for step in steps[:3]] == [False, False, True]
    assert again.calls == len(steps) - 2


def test_a_killed_batch_goes_on_where_it_was_killed(tmp_path, schedule):
    some = schedule.head(6000)
    some.to_parquet(tmp_path / "asked.parquet")
    script = (
        "import sys, time; from pathlib import Path; import pandas as pd\n"
        "from flightline import serving\n"
        "folder = Path(sys.argv[1])\n"
        "class Slow:\n"
        "    name, version, precision = 'constant', '1', 'fp32'\n"
        "    def predict(self, table):\n"
        "        time.sleep(0.1)\n"
        "        return table['minute_of_day'].to_numpy() / 1440\n"
        "class Source:\n"
        "    def read(self, requests):\n"
        "        return serving.timetable_only(requests)\n"
        "asked = pd.read_parquet(folder / 'asked.parquet')\n"
        "for step in serving.score_batch(asked, Source(), Slow(), folder / 'out'):\n"
        "    print(step.part, flush=True)\n"
    )
    env = {**os.environ, "PYTHONPATH": "labs"}
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, env=env
    )
    told = [child.stdout.readline().decode().strip() for _ in range(2)]
    child.kill()
    child.communicate()
    out = tmp_path / "out" / "constant-1"
    assert {f"{day}.parquet" for day in told} <= {path.name for path in out.iterdir()}
    model = Minutes()
    steps = list(serving.score_batch(some, Timetable(), model, tmp_path / "out"))
    assert {step.part for step in steps if not step.new} >= set(told)
    assert 0 < model.calls < len(steps)
    scores = pd.concat(map(pd.read_parquet, out.glob("*.parquet")))
    assert sorted(scores["flight_id"]) == sorted(some["flight_id"])
    assert not list(out.glob("*.draft"))


def test_a_batch_does_not_fall_back(tmp_path, schedule):
    source = Timetable(error=RuntimeError("down"))
    with pytest.raises(RuntimeError, match="down"):
        list(serving.score_batch(schedule.head(50), source, Minutes(), tmp_path))
    assert not list(tmp_path.rglob("*.parquet"))


def test_another_version_starts_anew(tmp_path, schedule):
    some = schedule.head(100)
    list(serving.score_batch(some, Timetable(), Minutes(), tmp_path))
    steps = list(serving.score_batch(some, Timetable(), Minutes(version="2"), tmp_path))
    assert all(step.new for step in steps)


def test_the_stream_scores_each_flight_when_it_is_due(schedule):
    some = schedule.head(2000)
    known = some["sched_dep_utc"] - lake.PLAN_LEAD
    table = some.assign(event_time=known, available_at=known)
    ticks = lake.replay({"schedule": table}, "1h", end="2013-07-06T00:00Z")
    out = list(serving.score_stream(ticks, Timetable(), Minutes()))
    scores = pd.concat([part.assign(now=now) for now, part in out])
    assert scores["flight_id"].is_unique
    due = some.set_index("flight_id")["sched_dep_utc"] - features.LEAD
    late_s = (
        scores.set_index("flight_id")["now"] - due.loc[scores["flight_id"]]
    ).dt.total_seconds()
    assert late_s.between(0, 3600, inclusive="left").all()
    assert set(scores["flight_id"]) == set(
        due[due <= pd.Timestamp("2013-07-06", tz="UTC")].index
    )


def test_rest_batch_and_stream_give_the_same_scores(tmp_path, schedule):
    some = schedule.head(60)
    model = Minutes()
    table = serving.score_table(some, Timetable(), model).set_index("flight_id")[
        "score"
    ]
    list(serving.score_batch(some, Timetable(), model, tmp_path))
    batch = pd.concat(map(pd.read_parquet, tmp_path.rglob("*.parquet")))
    here = client({"A": model})
    rest = {}
    for row in some.to_dict("records"):
        body = serving.request_of(row)
        answer = here.post("/v1/predict", json=body, headers=HEADERS).json()
        rest[answer["flight_id"]] = answer["score"]
    assert batch.set_index("flight_id")["score"].to_dict() == table.to_dict() == rest


# --- the contract ---------------------------------------------------------------------


def test_schemathesis_finds_nothing():
    options = {"rate_s": 1e6, "burst": 10**6}
    found = contract.fuzz(client(**options).app, KEY, examples=40)
    assert found.failures == []
    assert found.answers["POST /v1/predict", 200] > 50
    assert found.answers["POST /v1/predict", 422] > 20
    assert found.checks > 1000


def test_schemathesis_finds_the_faults_of_a_naive_app():
    found = contract.fuzz(contract.naive_app(), examples=10)
    assert any("raised" in line for line in found.failures)
    assert any("Undocumented" in line for line in found.failures)


def test_the_module_starts_light():
    script = (
        "import sys; import flightline.serving; "
        "print(sorted({'torch', 'feast', 'mlflow', 'evidently'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": "labs"}
    out = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=env,
        check=True,
    )
    assert out.stdout.strip() == "[]"
    assert Path("labs/flightline/serving/core.py").exists()
