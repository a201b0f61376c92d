"""The service as a person starts it: keys, page, rollouts, workers, its end."""

import argparse
import asyncio
import json
import math
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from flightline import features, serving
from flightline.features import FEATURES
from flightline.serving import docs_page, serve
from labkit import data
from labkit.serving import http_load, servers, serving_lab, sweeps


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """One flight's features in a file, for a service that needs no store."""
    path = tmp_path_factory.mktemp("table") / "features.parquet"
    flight = serving.Flight.model_validate(serve.EXAMPLE)
    asked = serving.frame_of([flight])
    known = serving.timetable_only(asked).fillna(1.0)[FEATURES]
    known.assign(flight_id=asked["flight_id"]).to_parquet(path)
    return path


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    """The reference models, and a copy in which one byte is wrong."""
    return serving_lab.model_vault(tmp_path_factory.mktemp("vault") / "models")


# --- pieces ---------------------------------------------------------------------------


def test_a_key_is_made_once_and_only_its_digest_is_stored(tmp_path):
    path = tmp_path / "keys.json"
    records, key = serve.keys_of(path)
    assert not path.exists(), "a key is kept only after it was shown"
    serve.keep(path, records)
    assert serving.caller_of(key, {records[0].name: records[0]}) == "reader"
    assert key.split(".")[1] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert serve.keys_of(path) == (records, None)


def test_the_greeting_shows_the_key_once_and_a_request_to_try():
    text = serve.greeting("http://127.0.0.1:8000", "reader.secret")
    assert text.count("key, shown this once: reader.secret") == 1
    assert "curl -s http://127.0.0.1:8000/v1/predict -H 'Authorization: Bearer" in text
    assert "reader" not in serve.greeting("http://127.0.0.1:8000", None)


def options(**given):
    return argparse.Namespace(
        **{**vars(serve.options_of([])), "table": None, "store": None, **given}
    )


def test_the_page_says_everything_and_loads_nothing(table):
    app, _ = serve.make(options(table=table), [])
    page = docs_page.page(app.openapi(), serve.EXAMPLE)
    answers = [TestClient(app).get(path) for path in ("/", "/docs")]
    assert [(a.status_code, a.text) for a in answers] == [(200, page)] * 2
    for path in ("/v1/predict", "/healthz", "/readyz", "/metrics"):
        assert f"{path}</code>" in page
    for field in serving.Flight.model_fields:
        assert f"<code>{field}</code>" in page
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page)
    assert not re.search(r"(?:import|url)\s*\(", page) and "B6" in page
    assert "429" in page and "one of EWR, JFK, LGA" in page


@pytest.mark.parametrize(
    ("rollout", "error"),
    [
        ({"models": {"A": "damaged/delay_mlp"}, "weights": {"A": 1}}, "Damaged"),
        ({"models": {"A": "nobody"}, "weights": {"A": 1}}, "ValueError"),
        ({"models": {"A": "delay_mlp"}, "weights": {"B": 1}}, "ValueError"),
        ({"weights": {"A": 1}}, "ValueError: the rollout has no models"),
    ],
)
def test_a_bad_start_is_refused_with_a_reason(
    rollout, error, vault, table, tmp_path, capsys
):
    path = tmp_path / "rollout.json"
    path.write_text(json.dumps(rollout))
    given = ["--table", table, "--models", vault, "--rollout", path, "--port", 0]
    assert serve.main([str(each) for each in given]) == 2
    assert f"serve: {error}" in capsys.readouterr().err


LOCK = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
other.execute("ROLLBACK")
"""


def test_a_locked_store_stops_nobody_but_its_readers(tmp_path, monkeypatch):
    """The lock outlasts SQLite's patience: a reader gives up while others wait."""
    from feast.infra.online_stores import sqlite as theirs

    impatient = partial(sqlite3.connect, timeout=1.0)
    monkeypatch.setattr(theirs.sqlite3, "connect", impatient)
    features.store(tmp_path)
    app, _ = serve.make(options(store=tmp_path, deadline_ms=100.0), [])
    guard = app.state.service.features
    asked = serving.frame_of([serving.Flight.model_validate(serve.EXAMPLE)])
    assert asyncio.run(guard.read(asked))[1] == "online"
    command = [sys.executable, "-c", LOCK, str(tmp_path / "online.db"), "3"]
    stops = []

    async def ask():
        tasks, end, last = [], time.monotonic() + 2.5, time.monotonic()
        while last < end:
            if len(tasks) < 8:
                tasks.append(asyncio.create_task(guard.read(asked)))
            await asyncio.sleep(0.01)
            stops.append(time.monotonic() - last)
            last += stops[-1]
        return [kind for _, kind in await asyncio.gather(*tasks)]

    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline()
        assert asyncio.run(ask()) == ["fallback"] * 8
        assert max(stops) < 0.7, "the whole process stopped"
    guard.pool.shutdown()


def test_one_reader_for_sqlite_and_several_for_redis():
    def source(kind):
        config = SimpleNamespace(online_store=SimpleNamespace(type=kind))
        return SimpleNamespace(store=SimpleNamespace(config=config))

    assert serve.readers_of(source("sqlite")) == 1
    assert serve.readers_of(source("redis")) == serve.READERS > 1
    assert serve.readers_of(SimpleNamespace()) == 1


class Scores:
    """A model that gives its version as a score."""

    name, precision = "fake", "fp32"

    def __init__(self, version):
        self.version = version

    def predict(self, table):
        return np.full(len(table), float(self.version))


def test_a_rollout_file_is_followed_and_a_bad_one_changes_nothing(
    tmp_path, monkeypatch
):
    def load(folder, name):
        if name == "damaged":
            raise serve.training.Damaged("its sha256 is wrong")
        return Scores(name)

    monkeypatch.setattr(serve.training, "load_model", load)
    path = tmp_path / "rollout.json"

    def write(text):
        servers.write_whole(path, text)

    def rollout(name):
        return json.dumps({"models": {"A": name}, "weights": {"A": 1.0}})

    write(rollout("0.1"))
    live = serve.deployment(json.loads(path.read_text()), tmp_path, {})
    app = serving.create_app(live.models, None)
    service, seen = app.state.service, []

    async def go():
        task = asyncio.create_task(serve.follow(service, path, tmp_path))
        for text in (rollout("0.2"), "{", rollout("damaged"), "{}", rollout("0.3")):
            await asyncio.sleep(0.02)
            write(text)
            await asyncio.sleep(6 * serve.POLL_S)
            seen.append(service.live.models["A"].version)
        task.cancel()

    asyncio.run(go())
    assert seen == ["0.2", "0.2", "0.2", "0.2", "0.3"]
    refused = service.metrics.errors.labels("rollout")._value.get()
    assert refused == 3


def test_a_person_s_server_computes_from_the_same_data_as_the_labs():
    found, known = serve.flights_of((6, 7)), data.load_flights([6, 7])
    pd.testing.assert_frame_equal(found, known)
    for name, load in {
        "weather": data.load_weather,
        "airports": data.load_airports,
    }.items():
        pd.testing.assert_frame_equal(
            serve.read_wide(serve.DATA / f"{name}.parquet"), load()
        )


class Cold:
    """A source whose reads fail, and are counted."""

    reads = 0

    def read(self, requests):
        self.reads += 1
        raise OSError(f"{len(requests)} asked too early")


def test_a_store_is_read_once_before_anybody_asks():
    source = Cold()
    assert serve.warmed(source) is source and source.reads == 1


# --- processes ------------------------------------------------------------------------


def processes_of(served):
    return [worker.process for worker in served.workers]


def phases(answers, events):
    """Return which models answered before, between and after the events of a run.

    What was under way while an event went on may come from either side of it, and is
    left out.
    """
    times = sorted(events.values())
    starts = [-math.inf, *(ended for _, ended in times)]
    ends = [*(began for began, _ in times), math.inf]
    done = answers["due_s"] + answers["ms"] / 1000
    return [
        set(answers.loc[(answers["due_s"] > start) & (done < end), "model"])
        for start, end in zip(starts, ends, strict=True)
    ]


def test_two_workers_serve_swap_die_and_leave_nothing(tmp_path, table, vault):
    where = tmp_path / "served"
    with servers.Served(where, ("--table", table), workers=2, models=vault) as served:
        first = served.predict(serve.EXAMPLE)
        assert (first["model"], first["source"]) == ("delay_lightgbm", "online")
        assert served.get("/docs")[0] == 200
        requests = [served.request(serve.EXAMPLE, f"r-{n}") for n in range(120)]
        damaged = {"A": "delay_lightgbm", "C": "damaged/delay_mlp"}
        back = {"A": "delay_lightgbm", "B": "delay_mlp"}
        events = {
            0.5: lambda: served.deploy(weights={"B": 1.0}, shadows=["A"]),
            1.5: lambda: served.ask_for(models=damaged, weights={"C": 1.0}),
            2.5: lambda: served.deploy(models=back, weights={"A": 1.0}, shadows=[]),
            3.2: served.kill,
        }
        due = np.arange(120) / 30
        run = http_load.open_loop(served.port, requests, due, retries=3, events=events)
        assert (run["status"] == 200).all()
        answers = http_load.answers(run)
        old, new = {"delay_lightgbm"}, {"delay_mlp"}
        found = phases(answers, run.attrs["events"])
        assert found == [old, new, new, old, old]
        log = served.log()
        counts = serving.audit(answers, log)
        assert (len(answers), counts["missing"], counts["differ"]) == (120, 0, 0)
        assert set(log[log["shadow"]]["model"]) == {"delay_lightgbm"}
        text = served.workers[1].log()
        assert "rollout refused: Damaged" in text and served.key not in text
        children = processes_of(served)
    assert all(child.poll() is not None for child in children)
    assert servers.closed(served.port)


SLOW = """
import asyncio, sys
import numpy as np
from flightline.serving import serve

class Slow:
    name, version, precision = "slow", "1", "fp32"
    async def predict(self, table):
        print("begun", flush=True)
        await asyncio.sleep(1.0)
        return np.full(len(table), 0.5)

serve.training.load_model = lambda folder, name: Slow()
raise SystemExit(serve.main(sys.argv[1:]))
"""


def test_a_server_that_is_told_to_stop_finishes_what_it_began(tmp_path, table):
    env = {**os.environ, "PYTHONPATH": "labs"}
    given = ["--table", table, "--port", 0, "--log", tmp_path / "log"]
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW, *map(str, given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=env,
    )
    try:
        port = int(re.search(r":(\d+)\.", child.stdout.readline())[1])
        key = child.stdout.readline().split()[-1]
        headers = {"Authorization": f"Bearer {key}"}
        request = http_load.request_bytes("/v1/predict", serve.EXAMPLE, headers)
        got = []
        asking = threading.Thread(
            target=lambda: got.append(http_load.ask(port, request))
        )
        asking.start()
        while "begun" not in child.stdout.readline():
            pass
        child.send_signal(signal.SIGTERM)
        asking.join(20)
        assert got and got[0][0] == 200
        assert child.wait(20) in (0, -signal.SIGTERM)
    finally:
        child.kill()
        child.communicate()
    assert len(serving.read_log(tmp_path / "log")) == 1
    assert servers.closed(port)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_line_that_it_prints_gets_an_answer(table):
    env = {**os.environ, "PYTHONPATH": "labs"}
    command = [sys.executable, "-m", "flightline.serving", "--port", "0"]
    child = subprocess.Popen(
        [*command, "--table", str(table)], stdout=subprocess.PIPE, text=True, env=env
    )
    try:
        lines = [child.stdout.readline() for _ in range(4)]
        done = subprocess.run(
            ["bash", "-c", "".join(lines[2:])], capture_output=True, check=True
        )
        answer = json.loads(done.stdout)
        assert answer["flight_id"] == "2013-07-02-B6-523-JFK"
        assert answer["source"] == "online" and 0 < answer["score"] < 1
    finally:
        child.terminate()
        child.communicate(timeout=20)


# --- however it ends, nothing stays behind ------------------------------------------

LAB = """
import signal, sys, time
from pathlib import Path
from labkit import folders
from labkit.serving import servers

# `nohup make test &` ignores Ctrl-C, in all that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)
place = folders.Folder("ends-")
table, step = sys.argv[1:]
with servers.Served(place.path / "pair", ("--table", table)) as served:
    pids = [worker.pid for worker in served.workers]
    print(place.path, place.keeper.pid, served.port, *pids, flush=True)
    if step == "frozen":
        served.pause(1.0)
    time.sleep(120)
place.cleanup()
"""


def alive(pid):
    """Return whether a process runs: one that is dead and not collected does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return not state.exists() or state.read_text().split(") ")[1][0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize(
    ("step", "signum"),
    [
        ("running", signal.SIGINT),
        ("running", signal.SIGTERM),
        ("running", signal.SIGKILL),
        ("frozen", signal.SIGKILL),
    ],
)
def test_no_server_and_no_folder_outlives_the_lab(table, tmp_path, step, signum):
    env = {**os.environ, "PYTHONPATH": "labs", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", LAB, str(table), step]
    lab = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=env,
        start_new_session=True,
    )
    try:
        words = lab.stdout.readline().split()
        folder, port, pids = Path(words[0]), int(words[2]), [*map(int, words[1:2])]
        pids += map(int, words[3:])
        assert folder.parent == tmp_path and len(pids) == 2
        assert all(map(alive, pids)) and folder.exists()
        time.sleep(0.3)
        lab.send_signal(signum)
        lab.wait(60)
        servers.wait_until(lambda: not any(map(alive, pids)), "all have ended")
    finally:
        lab.kill()
        lab.communicate()
    assert not folder.exists() and servers.closed(port)


@pytest.mark.parametrize(
    ("moment", "signum"),
    [
        ("Filling an online store", signal.SIGINT),
        ("Filling an online store", signal.SIGTERM),
        ("Flightline listens", signal.SIGTERM),
    ],
)
def test_a_person_stops_it_and_it_tidies_up(tmp_path, moment, signum):
    env = {**os.environ, "PYTHONPATH": "labs", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "flightline.serving", "--port", "0"]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )
    try:
        while moment not in child.stdout.readline():
            assert child.poll() is None
        child.send_signal(signum)
        _, errors = child.communicate(timeout=60)
    finally:
        child.kill()
        child.communicate()
    assert child.returncode == 0 and "Traceback" not in errors, errors
    assert not list(tmp_path.glob("flightline-*"))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_error_that_a_signal_caused_is_an_orderly_end(signum):
    before = signal.getsignal(signum)
    with serve.leaving_in_order():
        try:
            signal.raise_signal(signum)
        except SystemExit:
            raise RuntimeError("cannot release un-acquired lock") from None
    assert signal.getsignal(signum) is before


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_inside_an_exec_is_an_orderly_end(signum):
    """Python ends by the signal after a KeyboardInterrupt there, caught or not."""
    code = (
        "import signal\nfrom flightline.serving import process\n"
        "with process.leaving_in_order():\n"
        f"    exec('signal.raise_signal({int(signum)})')\n"
    )
    env = {**os.environ, "PYTHONPATH": "labs"}
    assert subprocess.run([sys.executable, "-c", code], env=env).returncode == 0


def test_an_error_without_a_signal_is_told():
    with pytest.raises(RuntimeError, match="full"), serve.leaving_in_order():
        raise RuntimeError("the disk is full")


# --- the bench ------------------------------------------------------------------------


class Echo:
    """A server that answers each request after a while, and counts connections."""

    def __init__(self, wait_s=0.0, close=False):
        self.wait_s, self.close, self.connections = wait_s, close, 0

    async def answer(self, reader, writer):
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"Content-Length: (\d+)", head)
                body = await reader.readexactly(int(length[1])) if length else b"{}"
                await asyncio.sleep(self.wait_s)
                more = b"Connection: close\r\n" if self.close else b""
                size = str(len(body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: " + size
                    + b"\r\n\r\n" + body
                )  # fmt: skip
        except (EOFError, OSError):
            writer.close()

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        start = asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.server = asyncio.run_coroutine_threadsafe(start, self.loop).result()
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *error):
        self.loop.call_soon_threadsafe(self.server.close)
        time.sleep(0.05)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


def test_loops_send_what_they_should_and_read_every_answer():
    asks = [http_load.request_bytes("/x", {"n": n}) for n in range(5)]
    with Echo() as echo:
        closed = http_load.closed_loop(echo.port, asks, clients=2, seconds=0.3)
        opened = http_load.open_loop(echo.port, asks, [0.0, 0.1, 0.1, 0.2])
        assert http_load.ask(echo.port, http_load.request_bytes("/x"))[0] == 200
    assert (closed["status"] == 200).all() and len(closed) > 5
    assert http_load.answers(opened)["n"].tolist() == [0, 1, 2, 3]
    assert opened["due_s"].tolist() == pytest.approx([0, 0.1, 0.1, 0.2])


def test_a_closed_loop_waits_and_an_open_loop_does_not():
    asks = [http_load.request_bytes("/x", {})]
    with Echo(wait_s=0.2) as echo:
        closed = http_load.closed_loop(echo.port, asks, seconds=0.5)
        opened = http_load.open_loop(echo.port, asks, np.arange(10) / 20)
    assert len(closed) == 3 and (opened["ms"] >= 200).all() and echo.connections > 2


def test_a_connection_that_the_server_closes_is_opened_again():
    with Echo(close=True) as echo:
        asks = [http_load.request_bytes("/x", {})]
        run = http_load.open_loop(echo.port, asks, [0.0, 0.1, 0.2])
    assert (run["status"] == 200).all() and echo.connections == 3


def test_nobody_there_is_status_zero_and_is_tried_again():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = http_load.open_loop(port, [b"GET / HTTP/1.1\r\n\r\n"], [0.0], retries=2)
    assert run["status"].tolist() == [0] and run["tries"].tolist() == [3]


def test_events_happen_and_are_timed():
    called = []
    with Echo() as echo:
        asks = [http_load.request_bytes("/x", {})]
        run = http_load.open_loop(
            echo.port, asks, [0.0, 0.2], events={0.05: lambda: called.append(1)}
        )
    began, ended = run.attrs["events"][0.05]
    assert called == [1] and 0.05 <= began <= ended


def test_who_was_cut_off_opens_a_connection_of_its_own():
    class Cutting(Echo):
        """It cuts off the third, fourth and fifth request of a connection, each."""

        seen = 0

        async def answer(self, reader, writer):
            self.connections += 1
            self.seen += 1
            young = self.seen > 3
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    await reader.readexactly(2)
                    await asyncio.sleep(0.1)
                    if self.cut and not young:
                        break
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            except (EOFError, OSError):
                pass
            writer.close()

        cut = False

    asks = [http_load.request_bytes("/x", {})]
    with Cutting() as echo:
        run = http_load.open_loop(
            echo.port,
            asks,
            [0.0, 0.0, 0.0, 0.4],
            retries=1,
            events={0.3: lambda: setattr(echo, "cut", True)},
        )
    assert (run["status"] == 200).all() and run["tries"].tolist() == [1, 1, 1, 2]


def test_an_error_of_a_coroutine_reaches_the_caller():
    async def fail():
        raise KeyError("x")

    with pytest.raises(KeyError):
        http_load.in_thread(fail())


def test_poisson_arrivals_have_their_rate():
    times = http_load.poisson(1000, 20, seed=1)
    assert len(times) == pytest.approx(20_000, rel=0.03)
    assert (np.diff(times) >= 0).all() and times[-1] < 20


def test_one_queue_agrees_with_theory():
    from labkit.serving import replicas

    arrival, service = replicas.requests(200_000, 1, 0.7, seed=3)
    times = replicas.queue_up(replicas.at_random, arrival, service, 1)
    assert times.mean() == pytest.approx(1 / 0.3, rel=0.05)
    assert np.percentile(times, 99) == pytest.approx(np.log(100) / 0.3, rel=0.07)


def test_replicas_that_sleep_agree_with_the_computation():
    from labkit.serving import replicas

    arrival, service = replicas.requests(150, 4, 0.5, seed=3)
    slept = replicas.sleep_through(replicas.POLICIES, arrival, service, 4, mean_s=0.03)
    assert list(slept.columns) == list(replicas.POLICIES)
    for name, policy in replicas.POLICIES.items():
        computed = replicas.queue_up(policy, arrival, service, 4)
        assert (slept[name] >= service - 0.01).all()
        assert slept[name].median() > 0.6 * np.median(computed)


def test_more_load_is_offered_until_the_server_cannot_keep_up():
    class Single(Echo):
        """It answers one request after the other, a hundred a second."""

        lock = None

        async def answer(self, reader, writer):
            self.lock = self.lock or asyncio.Lock()
            try:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
                    await reader.readexactly(length)
                    async with self.lock:
                        await asyncio.sleep(0.01)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            except (EOFError, OSError):
                writer.close()

    asks = [http_load.request_bytes("/x", {})]
    with Single() as single:
        curve = sweeps.until_it_bends(single.port, asks, 80.0, seconds=1.0)
    assert curve["p50"].iloc[-1] > 5 * curve["p50"].iloc[0]
    assert curve["answered/s"].iloc[-1] < 0.9 * curve.index[-1]
    assert (curve["failed"] == 0).all() and len(curve) <= 14


def test_a_field_of_any_type_is_described_without_a_type():
    assert docs_page._rule({"description": "ignored"}) == "(ignored)"
