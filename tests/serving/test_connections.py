"""Strangers at the socket: half requests, long heads, too many connections."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from flightline import serving
from flightline.serving import connections, process

LABS = Path(serving.__file__).resolve().parents[2]
HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\n"


async def answer_all(scope, receive, send):
    """Answer each request with the length of its body."""
    if scope["type"] == "http":
        body = await serving.read_body(receive, 10**6)
        size = str(len(body)).encode()
        head = [(b"content-length", str(len(size)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": size})


@pytest.fixture
def house(monkeypatch):
    """A server with small limits; yields the server, with its port."""
    monkeypatch.setattr(connections.Bounded, "head_s", 0.6)
    monkeypatch.setattr(connections.Bounded, "head_bytes", 2000)
    monkeypatch.setattr(connections, "most_connections", lambda: 6)
    listener = process.socket_of("127.0.0.1", 0, None)
    server = process.server_of(answer_all)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    port = listener.getsockname()[1]
    while not server.started:
        time.sleep(0.01)
    server.port = port
    yield server
    server.should_exit = True
    thread.join(20)
    listener.close()
    assert not connections.Bounded.waiting


def opened(port, data=b""):
    """Open a connection, and send something."""
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    client.sendall(data)
    return client


def read(client):
    """Return what comes until the other side is silent or gone."""
    found = b""
    with contextlib.suppress(OSError):
        client.settimeout(3)
        while part := client.recv(65_536):
            found += part
            head, _, body = found.partition(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head.lower())
            if size and len(body) >= int(size[1]):
                break
    return found


def ask(port):
    """Send a whole request; return the status."""
    with contextlib.closing(opened(port, HEAD + b"Content-Length: 2\r\n\r\nhi")) as one:
        found = read(one)
    return int(found[9:12]) if found else 0


@pytest.mark.parametrize(
    "half", [b"", b"P", HEAD, HEAD + b"X-A: " + b"a" * 50], ids=len
)
def test_half_a_head_is_waited_for_but_not_for_ever(house, half):
    client, began = opened(house.port, half), time.monotonic()
    found = read(client)
    assert found.startswith(b"HTTP/1.1 408") and time.monotonic() - began < 3
    assert ask(house.port) == 200


def test_a_head_that_drips_is_too_slow_all_the_same(house):
    client, began = opened(house.port, HEAD), time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - began < 3:
            client.sendall(b"X-A: a\r\n")
            time.sleep(0.1)
    assert time.monotonic() - began < 3
    assert ask(house.port) == 200


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"X-A: " + b"a" * 5000,
        HEAD + b"X-A: " + b"a" * 5000 + b"\r\n\r\n",
        HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(600)),
        b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["open", "whole", "many", "path"],
)
def test_a_long_head_is_refused_before_it_is_whole(house, head):
    assert read(opened(house.port, head)).startswith(b"HTTP/1.1 431")
    assert ask(house.port) == 200


def test_a_long_head_is_refused_on_a_kept_connection_too(house):
    client = opened(house.port, HEAD + b"Content-Length: 2\r\n\r\nhi")
    assert read(client).startswith(b"HTTP/1.1 200")
    client.sendall(HEAD + b"X-A: " + b"a" * 5000)
    assert read(client).startswith(b"HTTP/1.1 431")


async def refuse_all(scope, receive, send):
    """Refuse each request without reading its body."""
    if scope["type"] == "http":
        await serving.refuse(send, serving.Refused(401, "no_key", "No key."))


@pytest.mark.parametrize("rest", [[b"a"] * 30, [b"a" * 100], [b"a" * 100, HEAD]])
def test_who_was_refused_does_not_keep_the_connection(house, rest):
    connections_before = set(house.server_state.connections)
    house.config.loaded_app = refuse_all
    client = opened(house.port, HEAD + b"Content-Length: 100\r\n\r\n")
    assert read(client).startswith(b"HTTP/1.1 401")
    began = time.monotonic()
    with contextlib.suppress(OSError):
        for part in rest:
            client.sendall(part)
            time.sleep(0.1)
        client.settimeout(5)
        while client.recv(1000):
            pass
    assert time.monotonic() - began < 5
    assert set(house.server_state.connections) <= connections_before


def test_idle_connections_make_room_too(house):
    idle = []
    for _ in range(6):
        idle.append(opened(house.port, HEAD + b"Content-Length: 2\r\n\r\nhi"))
        assert read(idle[-1]).startswith(b"HTTP/1.1 200")
    assert [ask(house.port) for _ in range(3)] == [200] * 3
    for client in idle:
        client.close()


def test_a_long_body_is_no_long_head(house):
    body = b"a" * 50_000
    for _ in range(2):
        client = opened(house.port, HEAD + b"Content-Length: 50000\r\n\r\n" + body)
        assert read(client).endswith(b"50000")


def test_many_short_requests_on_one_connection_are_no_long_head(house):
    client = opened(house.port)
    for _ in range(60):
        client.sendall(HEAD + b"X-A: " + b"a" * 50 + b"\r\nContent-Length: 2\r\n\r\nhi")
        assert read(client).startswith(b"HTTP/1.1 200")


def test_the_oldest_half_request_makes_room_for_a_whole_one(house):
    half = [opened(house.port, HEAD) for _ in range(6)]
    time.sleep(0.1)
    assert [ask(house.port) for _ in range(3)] == [200] * 3
    for client in half:
        client.close()


def test_a_flood_of_half_requests_keeps_nobody_out(tmp_path):
    """The service has 100 file descriptors, and 200 strangers open connections."""
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))\n"
        "from flightline.serving.serve import main\n"
        "raise SystemExit(main(sys.argv[1:]))\n"
    )
    table = serving.timetable_only(
        serving.frame_of([serving.Flight.model_validate(serving.EXAMPLE)])
    )
    flight = serving.Flight.model_validate(serving.EXAMPLE).flight_id
    table.assign(flight_id=flight).to_parquet(tmp_path / "table.parquet")
    key, record = serving.new_key("lab")
    serving.keep_keys(tmp_path / "keys.json", [record])
    listener = process.socket_of("127.0.0.1", 0, None)
    port, number = listener.getsockname()[1], listener.fileno()
    given = ["--table", tmp_path / "table.parquet", "--keys", tmp_path / "keys.json"]
    child = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, given), "--fd", str(number)],
        pass_fds=[number],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(LABS)},
    )
    strangers = []
    try:
        assert "listens" in child.stdout.readline()
        for _ in range(200):
            strangers.append(opened(port, HEAD))
        body = json.dumps(serving.EXAMPLE).encode()
        head = HEAD + f"Authorization: Bearer {key}\r\n".encode()
        head += b"Content-Length: %d\r\n\r\n" % len(body)
        for _ in range(5):
            with contextlib.closing(opened(port, head + body)) as client:
                assert read(client).startswith(b"HTTP/1.1 200")
    finally:
        child.kill()
        child.communicate()
        listener.close()
        for stranger in strangers:
            stranger.close()
