"""How the service starts: options, keys, sockets, disks; and who may be there twice."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from flightline import serving
from flightline.serving import deploy, keys, process, serve

LABS = Path(serving.__file__).resolve().parents[2]
# Feast, where a test before imported it, asks every child for files of counters
INHERITED = {n: v for n, v in os.environ.items() if not n.startswith("PROMETHEUS_")}
ENV = {**INHERITED, "PYTHONPATH": str(LABS), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """One flight's features in a file."""
    flight = serving.Flight.model_validate(serving.EXAMPLE)
    asked = serving.timetable_only(serving.frame_of([flight]))
    path = tmp_path_factory.mktemp("start") / "table.parquet"
    asked.assign(flight_id=flight.flight_id).to_parquet(path)
    return path


BAD = [
    ("--deadline-ms", "nan"),
    ("--deadline-ms", "inf"),
    ("--deadline-ms", "0"),
    ("--deadline-ms", "-1"),
    ("--deadline-ms", "soon"),
    ("--rate", "nan"),
    ("--rate", "0"),
    ("--rate", "inf"),
    ("--burst", "0"),
    ("--burst", "1.5"),
    ("--inside", "0"),
    ("--port", "65536"),
    ("--port", "-1"),
    ("--port", "http"),
    ("--grpc-port", "99999"),
    ("--fd", "-1"),
    ("--parent", "0"),
    ("--dead", "50"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_an_option_that_makes_no_sense_is_one_line(name, value, capsys):
    with pytest.raises(SystemExit) as ended:
        serve.main([f"{name}={value}"])
    errors = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2 and name in errors[-1]


def refused(capsys, *given):
    """Start with some options; return the one line that it complains with."""
    assert serve.main([*map(str, given)]) == 2
    found = capsys.readouterr()
    lines = found.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("serve: "), found.err
    return lines[0], found.out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--host", "no.such.host.invalid"], "cannot listen on"),
        (["--fd", "999"], "no open socket"),
        (["--fd", "0"], "--fd 0"),
        (["--spare", "nobody"], "no model 'nobody'"),
        (["--models", "/nowhere"], "models.json"),
        (["--log", "/nowhere/log"], "/nowhere/log"),
        (["--keys", "/nowhere/keys"], "--keys"),
    ],
)
def test_what_is_not_there_is_one_line(given, says, table, capsys):
    line, _ = refused(capsys, "--table", table, "--port", 0, *given)
    assert says in line


@pytest.mark.parametrize("name", ["--table", "--store"])
def test_features_that_are_not_there_are_one_line(name, capsys, tmp_path):
    line, _ = refused(capsys, name, tmp_path / "nothing", "--port", 0)
    assert "nothing" in line


ROLLOUTS = {
    "no JSON": "{",
    "a list": "[]",
    "no models": '{"weights": {"A": 1}}',
    "models as a list": '{"models": ["a"], "weights": {"A": 1}}',
    "a number for a name": '{"models": {"A": 5}, "weights": {"A": 1}}',
    "text for a weight": '{"models": {"A": "delay_mlp"}, "weights": {"A": "1"}}',
    "true for a weight": '{"models": {"A": "delay_mlp"}, "weights": {"A": true}}',
    "NaN for a weight": '{"models": {"A": "delay_mlp"}, "weights": {"A": NaN}}',
    "shadows as text": '{"models": {"A": "delay_mlp"}, "weights": {"A": 1},'
    ' "shadows": "A"}',
    "outside": '{"models": {"A": "../elsewhere/delay_mlp"}, "weights": {"A": 1}}',
}


@pytest.mark.parametrize("what", [*ROLLOUTS, "no file"])
def test_a_rollout_that_is_none_is_one_line(what, table, tmp_path, capsys):
    path = tmp_path / "rollout.json"
    if what != "no file":
        path.write_text(ROLLOUTS[what])
    refused(capsys, "--table", table, "--port", 0, "--rollout", path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"[1]", b'[{"name": "a"}]', b"\xff"]
)
def test_keys_that_are_none_are_one_line_and_stay(content, table, tmp_path, capsys):
    path = tmp_path / "keys.json"
    path.write_bytes(content)
    line, _ = refused(capsys, "--table", table, "--port", 0, "--keys", path)
    assert "Restore it" in line and path.read_bytes() == content


# --- secrets --------------------------------------------------------------------------


def test_a_start_that_fails_keeps_no_key(table, tmp_path, capsys):
    path = tmp_path / "keys.json"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line, out = refused(capsys, "--table", table, "--port", port, "--keys", path)
    assert f"cannot listen on 127.0.0.1:{port}" in line and "--port" in line
    assert not list(tmp_path.iterdir()) and "shown this once" not in out


def test_a_key_that_cannot_be_shown_is_not_kept(table, tmp_path, monkeypatch, capsys):
    def deaf(text):
        raise BrokenPipeError("nobody listens")

    monkeypatch.setattr(process, "say", deaf)
    path = tmp_path / "keys.json"
    refused(capsys, "--table", table, "--port", 0, "--keys", path)
    assert not list(tmp_path.iterdir())


def test_a_key_that_cannot_be_kept_is_called_invalid(table, tmp_path, monkeypatch):
    monkeypatch.setattr(
        keys.os, "link", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    path = tmp_path / "keys.json"
    with pytest.raises(OSError, match="not valid"):
        serve.keep(path, serve.keys_of(path)[0])
    assert not list(tmp_path.iterdir())


def test_the_slower_of_two_first_starts_says_whose_key_counts(tmp_path):
    path = tmp_path / "keys.json"
    (one, _), (other, _) = serve.keys_of(path), serve.keys_of(path)
    serve.keep(path, one)
    with pytest.raises(ValueError, match="another service"):
        serve.keep(path, other)
    assert serve.keys_of(path) == (one, None)
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


# --- processes ------------------------------------------------------------------------


def started(*given, limit=None):
    """Start the service in a process of its own."""

    def bounded():
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.Popen(
        [sys.executable, "-m", "flightline.serving", *map(str, given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENV,
        preexec_fn=bounded,
    )


def test_a_full_disk_at_the_start_is_one_line(table, tmp_path):
    path = tmp_path / "keys.json"
    child = started("--table", table, "--port", 0, "--keys", path, limit=50)
    try:
        _, errors = child.communicate(timeout=120)
    finally:
        child.kill()
    assert child.returncode == 2 and "Traceback" not in errors
    assert "not valid" in errors and not list(tmp_path.iterdir())


def test_a_disk_that_fills_while_it_serves_costs_answers_and_no_line(table, tmp_path):
    """A file may grow to 2,000 bytes here, a real limit: some lines fit."""
    path = tmp_path / "log.jsonl"
    child = started("--table", table, "--port", 0, "--log", path, limit=2000)
    try:
        text = "".join(child.stdout.readline() for _ in range(4))
        address = re.search(r"http://[\w.]+:\d+", text)[0] + "/v1/predict"
        head = {"Authorization": re.search(r"Bearer [^'\s]+", text)[0]}
        head |= {"Content-Type": "application/json"}
        answered, refusals = [], []
        for _ in range(12):
            asked = urllib.request.Request(
                address, json.dumps(serving.EXAMPLE).encode(), head
            )
            try:
                with urllib.request.urlopen(asked, timeout=20) as answer:
                    answered.append(json.load(answer)["request_id"])
            except urllib.error.HTTPError as error:
                refusals.append((error.code, error.read().decode()))
    finally:
        child.kill()
        child.communicate(timeout=20)
    logged = serving.read_log(path)["request_id"].tolist()
    assert answered and logged == answered
    assert len(refusals) == 12 - len(answered) > 0
    assert {code for code, _ in refusals} == {503}
    assert all("prediction log" in told for _, told in refusals)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_stage_of_the_start_is_a_clean_end(signum, tmp_path):
    """The moments lie between the first line of `main` and the first request."""
    script = (
        "import os, signal, sys, threading, time\n"
        "from flightline.serving import serve\n"
        "wait_s, number = float(sys.argv[1]), int(sys.argv[2])\n"
        "strike = lambda: os.kill(os.getpid(), number)\n"
        "threading.Timer(wait_s, strike).start()\n"
        "raise SystemExit(serve.main(sys.argv[3:]))\n"
    )
    for wait_s in (0.05, 0.4, 1.0, 2.5):
        path = tmp_path / f"keys-{wait_s}.json"
        given = [wait_s, int(signum), "--port", 0, "--keys", path]
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, given)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**ENV, "TMPDIR": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "serve: stopped by a signal" in done.stderr
        assert path.exists() <= ("shown this once" in done.stdout)
    assert not list(tmp_path.glob("flightline-*"))


# --- rollouts -------------------------------------------------------------------------


class Recorder:
    """What a rollout is deployed to."""

    def __init__(self):
        self.live, self.errors = None, 0

    def deploy(self, deployment):
        self.live = deployment

    def refused(self, error):
        self.errors += 1


def test_a_file_that_comes_and_goes_is_followed_and_complained_of_once(tmp_path):
    path, service = tmp_path / "rollout.json", Recorder()

    async def go():
        loop = deploy.asyncio.get_running_loop()
        following = loop.create_task(
            deploy.follow(service, path, tmp_path, load=lambda plan, _: plan["name"])
        )
        seen = []
        for content in (
            None,
            '{"name": 1}',
            None,
            '{"name": 1}',
            '{"na',
            '{"name": 2}',
        ):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_text(content)
            await deploy.asyncio.sleep(6 * deploy.POLL_S)
            seen.append((service.live, service.errors))
        following.cancel()
        return seen

    found = deploy.asyncio.run(go())
    assert [live for live, _ in found] == [None, 1, 1, 1, 1, 2]
    assert found[0][1] == 1 and found[-1][1] <= 6


def test_what_was_loaded_is_not_loaded_again_and_what_came_since_is(tmp_path):
    path, loads, service = tmp_path / "rollout.json", [], Recorder()
    path.write_text('{"name": 1}')
    before = path.read_bytes()

    async def follow_for(seconds):
        with contextlib.suppress(TimeoutError):
            async with deploy.asyncio.timeout(seconds):
                await deploy.follow(
                    service,
                    path,
                    tmp_path,
                    seen=before,
                    load=lambda plan, _: loads.append(plan) or plan,
                )

    deploy.asyncio.run(follow_for(4 * deploy.POLL_S))
    assert loads == []
    path.write_text('{"name": 2}')  # as if during the start
    deploy.asyncio.run(follow_for(4 * deploy.POLL_S))
    assert loads == [{"name": 2}] and service.live == {"name": 2}


def test_a_parent_that_is_gone_ends_the_service(table):
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'flightline.serving', "
        "'--port', '0', '--parent', str(__import__('os').getpid()), *sys.argv[1:]])\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(1)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script, "--table", str(table)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=ENV,
        timeout=60,
    )
    pid = int(parent.stdout.split()[0])
    end = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        state = Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0]
        if state == "Z":
            break
        time.sleep(0.1)
    else:
        assert not Path(f"/proc/{pid}").exists(), json.dumps({"still there": pid})
