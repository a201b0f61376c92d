"""The micro-batcher: rows share calls, and nobody is harmed by a neighbour."""

import asyncio
import math
import threading
import time

import numpy as np
import pytest
from flightline import latency
from hypothesis import given, settings
from hypothesis import strategies as st

# --- the fate of rows -----------------------------------------------------------------


class Fragile:
    """A model that raises if a bad row is in the batch, and counts its calls."""

    def __init__(self, *bad):
        self.bad, self.calls = set(bad), []

    def __call__(self, rows):
        self.calls.append(list(rows))
        if self.bad & set(rows):
            raise ArithmeticError("a bad row")
        return [2 * row for row in rows]


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=24), st.sets(st.integers(0, 30)))
def test_every_good_row_gets_its_own_answer(rows, bad):
    found = latency.answers_of(Fragile(*bad), rows, most_calls=10**6)
    assert len(found) == len(rows)
    for row, outcome in zip(rows, found, strict=True):
        if row in bad:
            assert isinstance(outcome, ArithmeticError)
        else:
            assert outcome == 2 * row


@pytest.mark.parametrize("most_calls", [1, 2, 5, 16])
def test_a_dead_model_is_not_called_for_ever(most_calls):
    model = Fragile(*range(32))
    found = latency.answers_of(model, list(range(32)), most_calls)
    assert len(model.calls) <= most_calls
    assert all(isinstance(outcome, ArithmeticError) for outcome in found)


@settings(deadline=None)
@given(st.sets(st.integers(0, 31)), st.integers(1, 20))
def test_when_the_calls_run_out_found_answers_stay(bad, most_calls):
    model = Fragile(*bad)
    found = latency.answers_of(model, list(range(32)), most_calls)
    assert len(model.calls) <= most_calls
    scored = {row for call in model.calls if not bad & set(call) for row in call}
    assert {row for row in range(32) if found[row] == 2 * row} == scored
    rest = [found[row] for row in range(32) if row not in scored]
    assert all(isinstance(outcome, ArithmeticError) for outcome in rest)


def test_one_bad_row_in_32_costs_eleven_calls():
    model = Fragile(13)
    found = latency.answers_of(model, list(range(32)))
    assert len(model.calls) == 11
    assert sum(isinstance(outcome, Exception) for outcome in found) == 1


def test_a_model_that_returns_too_few_answers_has_failed():
    found = latency.answers_of(lambda rows: [1], [1, 2, 3])
    assert found[0] == 1 or isinstance(found[0], ValueError)
    short = latency.answers_of(lambda rows: [], [1, 2])
    assert all(isinstance(outcome, ValueError) for outcome in short)


# --- the batcher ----------------------------------------------------------------------


def batched(work, model, **options):
    """Run `work(batcher)` in a loop; return what it returns, and the batch sizes."""

    async def run():
        batcher = latency.MicroBatcher(model, **options)
        try:
            return await work(batcher), list(batcher.sizes)
        finally:
            await batcher.close()

    return asyncio.run(run())


def gathered(rows):
    """Return work that submits rows at once and gathers outcomes."""

    async def work(batcher):
        asks = (batcher.submit(row) for row in rows)
        return await asyncio.gather(*asks, return_exceptions=True)

    return work


def test_callers_share_calls_and_get_their_own_answers():
    model = Fragile()
    found, sizes = batched(gathered(range(20)), model, most_rows=8, wait_s=0.02)
    assert found == [2 * row for row in range(20)]
    assert sizes == [8, 8, 4] and len(model.calls) == 3


def test_a_full_batch_does_not_wait():
    start = time.monotonic()
    batched(gathered(range(8)), Fragile(), most_rows=8, wait_s=30, deadline_s=60)
    assert time.monotonic() - start < 15


def test_a_lone_row_waits_no_longer_than_it_should():
    found, sizes = batched(gathered([7]), Fragile(), most_rows=8, wait_s=0.01)
    assert found == [14] and sizes == [1]


def test_without_waiting_rows_gather_while_a_batch_runs():
    gate = threading.Event()

    def slow(rows):
        gate.wait(5)
        return rows

    async def work(batcher):
        first = asyncio.create_task(batcher.submit(0))
        await asyncio.sleep(0.05)
        rest = [asyncio.create_task(batcher.submit(row)) for row in (1, 2, 3)]
        await asyncio.sleep(0.05)
        gate.set()
        return await asyncio.gather(first, *rest)

    found, sizes = batched(work, slow, most_rows=8, wait_s=0.0)
    assert found == [0, 1, 2, 3] and sizes == [1, 3]


def test_one_bad_row_fails_alone():
    found, _ = batched(gathered(range(9)), Fragile(4), most_rows=16)
    assert isinstance(found[4], ArithmeticError)
    assert [f for f in found if not isinstance(f, Exception)] == [
        2 * row for row in range(9) if row != 4
    ]


@pytest.mark.parametrize("kind", [KeyError, StopIteration, StopAsyncIteration])
def test_a_bad_row_fails_alone_whatever_it_raises(kind):
    def run(rows):
        if 1 in rows:
            raise kind("row 1")
        return rows

    found, _ = batched(gathered(range(4)), run)
    expected = RuntimeError if kind is StopIteration else kind
    assert isinstance(found[1], expected) and "row 1" in str(found[1])
    assert [found[0], *found[2:]] == [0, 2, 3]


def test_a_model_that_raises_fails_its_callers_and_the_batcher_lives_on():
    model = Fragile(*range(8))

    async def work(batcher):
        first = await gathered(range(8))(batcher)
        model.bad.clear()
        return first, await gathered(range(8))(batcher)

    (dead, alive), _ = batched(work, model, most_rows=8)
    assert all(isinstance(outcome, ArithmeticError) for outcome in dead)
    assert alive == [2 * row for row in range(8)]


def test_overload_is_refused_at_once_and_the_others_are_answered():
    found, _ = batched(
        gathered(range(20)), Fragile(), most_rows=4, most_waiting=12, wait_s=0.02
    )
    refused = [isinstance(outcome, latency.Overloaded) for outcome in found]
    assert refused == [False] * 12 + [True] * 8
    assert found[:12] == [2 * row for row in range(12)]


def test_after_an_overload_there_is_room_again():
    async def work(batcher):
        await gathered(range(20))(batcher)
        return await batcher.submit(5)

    found, _ = batched(work, Fragile(), most_rows=4, most_waiting=4)
    assert found == 10


def test_a_caller_who_leaves_while_waiting_is_not_scored():
    model = Fragile()

    async def work(batcher):
        tasks = [asyncio.create_task(batcher.submit(row)) for row in range(4)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found, _ = batched(work, model, most_rows=8, wait_s=0.05)
    assert isinstance(found[1], asyncio.CancelledError)
    assert [found[0], *found[2:]] == [0, 4, 6]
    assert model.calls == [[0, 2, 3]]


def test_a_caller_who_leaves_half_way_harms_nobody():
    running, gate = threading.Event(), threading.Event()

    def slow(rows):
        running.set()
        gate.wait(5)
        return [2 * row for row in rows]

    async def work(batcher):
        tasks = [asyncio.create_task(batcher.submit(row)) for row in range(4)]
        await asyncio.to_thread(running.wait, 5)
        tasks[2].cancel()
        await asyncio.sleep(0)
        gate.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return found, await batcher.submit(9)

    (found, later), _ = batched(work, slow, most_rows=4, wait_s=0.05)
    assert isinstance(found[2], asyncio.CancelledError)
    assert [found[0], found[1], found[3], later] == [0, 2, 6, 18]


def test_all_callers_leave_and_the_next_is_served():
    model = Fragile()

    async def work(batcher):
        tasks = [asyncio.create_task(batcher.submit(row)) for row in range(3)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await batcher.submit(5)

    found, sizes = batched(work, model, most_rows=8, wait_s=0.02)
    assert found == 10 and sizes == [1] and model.calls == [[5]]


def test_a_deadline_ends_the_wait_and_frees_the_place():
    gate = threading.Event()

    def stuck(rows):
        gate.wait(5)
        return rows

    async def work(batcher):
        first = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0.02)
        late = await gathered([2, 3])(batcher)
        waiting = len(batcher._queue.rows)
        gate.set()
        return await asyncio.gather(first, return_exceptions=True), late, waiting

    (first, late, waiting), sizes = batched(
        work, stuck, most_rows=1, wait_s=0, deadline_s=0.1
    )
    assert isinstance(first[0], TimeoutError)
    assert all(isinstance(outcome, TimeoutError) for outcome in late)
    assert waiting == 0 and sizes == [1]


def test_closing_answers_those_who_wait_and_refuses_the_rest():
    async def run():
        batcher = latency.MicroBatcher(Fragile(), most_rows=8, wait_s=30, deadline_s=60)
        tasks = [asyncio.create_task(batcher.submit(row)) for row in range(3)]
        await asyncio.sleep(0.01)
        await batcher.close()
        with pytest.raises(RuntimeError, match="closed"):
            await batcher.submit(1)
        return await asyncio.gather(*tasks)

    assert asyncio.run(asyncio.wait_for(run(), 10)) == [0, 2, 4]


@pytest.mark.parametrize(
    "wrong",
    [
        {"most_rows": 0},
        {"most_rows": 2.5},
        {"most_rows": math.nan},
        {"most_waiting": 0},
        {"most_waiting": None},
        {"wait_s": -1},
        {"wait_s": math.nan},
        {"deadline_s": 0},
        {"deadline_s": math.nan},
    ],
)
def test_limits_that_make_no_sense_are_refused(wrong):
    async def make():
        return latency.MicroBatcher(Fragile(), **wrong)

    with pytest.raises(ValueError, match="limits"):
        asyncio.run(make())


def test_a_limit_may_be_a_whole_number_of_numpy():
    found, sizes = batched(gathered(range(4)), Fragile(), most_rows=np.int64(2))
    assert found == [0, 2, 4, 6] and sizes == [2, 2]
