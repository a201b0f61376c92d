"""Virtual time, callers that repeat, and faults that strike beside them."""

import asyncio
import json
import re
import sqlite3
import threading
import time
import warnings

import pytest
from labkit.serving import callers, http_load, servers, virtual, ways

# --- virtual time ---------------------------------------------------------------------


async def clock_after(seconds):
    await asyncio.sleep(seconds)
    return asyncio.get_running_loop().time()


def test_a_year_takes_a_moment():
    began = time.perf_counter()
    assert virtual.run(clock_after(31_536_000)) == pytest.approx(31_536_000)
    assert time.perf_counter() - began < 5


def test_timers_wake_in_order_and_each_at_its_time():
    woken = []

    async def sleeper(seconds):
        woken.append(await clock_after(seconds))

    async def all_of_them():
        await asyncio.gather(*(sleeper(s) for s in (3.0, 1.0, 2.0)))

    virtual.run(all_of_them())
    assert woken == [1.0, 2.0, 3.0]


def test_timers_may_wake_late():
    assert virtual.run(clock_after(1.0), late_s=0.25) == 1.25


def test_it_runs_where_a_loop_runs_already_and_gives_it_back():
    async def notebook():
        outer = asyncio.get_running_loop()
        found = virtual.run(clock_after(5.0))
        await asyncio.sleep(0)
        return found, asyncio.get_running_loop() is outer

    assert asyncio.run(notebook()) == (5.0, True)


def test_what_would_never_end_is_stopped(monkeypatch):
    async def waits():
        await asyncio.Event().wait()

    async def spins():
        while True:
            await asyncio.sleep(0)

    with pytest.raises(virtual.Forever, match="nobody is left"):
        virtual.run(waits())
    monkeypatch.setattr(virtual, "MOST_TURNS", 1000)
    with pytest.raises(virtual.Forever, match="1,000 turns"):
        virtual.run(spins())


def test_an_error_comes_through_and_nothing_is_left_behind():
    cancelled = []

    async def forgotten():
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def fails():
        asyncio.get_running_loop().create_task(forgotten())
        await asyncio.sleep(1)
        raise KeyError("x")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(KeyError):
            virtual.run(fails())
    assert cancelled == [True]


def test_a_deadline_is_one_in_virtual_time_too():
    async def limited():
        try:
            async with asyncio.timeout(0.5):
                await asyncio.sleep(9)
        except TimeoutError:
            return asyncio.get_running_loop().time()

    assert virtual.run(limited()) == 0.5


# --- callers --------------------------------------------------------------------------


class Shop:
    """A server of this process: the first try of each request may go wrong."""

    def __init__(self, first):
        self.first, self.seen = first, {}

    def request(self, body, request_id):
        headers = {"X-Request-ID": request_id}
        return http_load.request_bytes("/v1/predict", body, headers)

    async def answer(self, reader, writer):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(re.search(rb"Content-Length: (\d+)", head)[1])
                await reader.readexactly(length)
                name = re.search(rb"X-Request-ID: (\S+)", head)[1].decode()
                self.seen[name] = self.seen.get(name, 0) + 1
                if self.seen[name] == 1:
                    await self.first(writer)
                text = json.dumps({"request_id": name, "score": 0.5}).encode()
                length = b"Content-Length: %d" % len(text)
                writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + text)
        except (EOFError, OSError):
            writer.close()

    async def run(self, count, **habits):
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            group = callers.Callers(self, [{}], "r", **habits)
            await asyncio.gather(*(group.ask(n) for n in range(count)))
            group.close()
        return group


async def fine(writer):
    """Go on."""


async def broken(writer):
    writer.close()
    raise EOFError


async def silent(writer):
    await asyncio.sleep(0.5)


@pytest.mark.parametrize(
    ("first", "tries", "habits"),
    [(fine, 1, {}), (broken, 2, {}), (silent, 2, {"patience_s": 0.1})],
)
def test_callers_repeat_with_the_same_id_until_they_are_answered(first, tries, habits):
    shop = Shop(first)
    group = asyncio.run(shop.run(9, **habits))
    assert set(group.status.values()) == {200}
    assert set(group.tries_of.values()) == {tries}
    assert sorted(group.answers()["request_id"]) == sorted(f"r-{n}" for n in range(9))
    assert set(shop.seen.values()) == {tries}


def test_callers_who_give_up_have_no_answer():
    group = asyncio.run(Shop(broken).run(3, tries=1))
    assert set(group.status.values()) == {0}
    assert len(group.answers()) == 0 and "source" in group.answers().columns


# --- faults ---------------------------------------------------------------------------


def test_a_fault_strikes_beside_the_block_and_is_waited_for():
    struck = []
    with servers.happening(lambda: struck.append(time.perf_counter()), at_s=0.05):
        began = time.perf_counter()
    assert len(struck) == 1 and struck[0] > began


def test_a_fault_that_fails_is_told():
    def fails():
        raise OSError("no such store")

    with (
        pytest.raises(OSError, match="no such store"),
        servers.happening(fails, at_s=0.0),
    ):
        pass


def test_a_database_is_held_and_hidden_and_comes_back(tmp_path):
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE t (x)")
    made.close()
    holder = threading.Thread(target=servers.hold, args=[path, 0.4])
    holder.start()
    time.sleep(0.15)
    reader = sqlite3.connect(path, timeout=0.01)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        reader.execute("SELECT * FROM t")
    holder.join()
    assert reader.execute("SELECT * FROM t").fetchall() == []
    reader.close()
    hider = threading.Thread(target=servers.hide, args=[path, 0.3])
    hider.start()
    time.sleep(0.1)
    assert not path.exists()
    hider.join()
    assert path.exists()


# --- a client within the process ------------------------------------------------------


def test_a_false_length_arrives_as_it_was_sent():
    arrived = {}

    async def app(scope, receive, send):
        arrived["length"] = dict(scope["headers"])[b"content-length"]
        arrived["body"] = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    lie = {"Content-Length": "100"}
    assert ways.InProcess(app).ask(b" " * 9000, **lie) == (200, {})
    assert arrived == {"length": b"100", "body": b" " * 9000}
