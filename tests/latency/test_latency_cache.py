"""The cache: answers live as long as their TTL, and are computed once."""

import asyncio
import math

import numpy as np
import pytest
from flightline import latency


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_an_answer_lives_as_long_as_its_ttl():
    clock = Clock()
    cache = latency.PredictionCache(10, clock=clock)
    cache.keep("a", 0.5)
    clock.now = 9.9
    assert cache.find("a") == 0.5
    clock.now = 10.1
    assert cache.find("a") is None
    assert (cache.hits, cache.misses, cache.hit_rate) == (1, 1, 0.5)


def test_the_cache_is_bounded():
    cache = latency.PredictionCache(10, most=100)
    for key in range(1000):
        cache.keep(key, 1.0)
    assert sum(cache.find(key) is not None for key in range(1000)) == 100


def test_a_cache_that_was_never_asked_has_no_hits():
    assert latency.PredictionCache(1).hit_rate == 0


def ask_at_once(cache, compute, callers=20):
    async def run():
        asks = (cache.get("key", compute) for _ in range(callers))
        return await asyncio.gather(*asks, return_exceptions=True)

    return asyncio.run(run())


def test_a_popular_key_is_computed_once():
    calls = []

    async def compute():
        calls.append(1)
        await asyncio.sleep(0.01)
        return 0.25

    cache = latency.PredictionCache(10)
    assert ask_at_once(cache, compute) == [0.25] * 20 and len(calls) == 1
    assert ask_at_once(cache, compute) == [0.25] * 20 and len(calls) == 1


def test_a_failure_goes_to_all_and_is_not_kept():
    calls = []

    async def compute():
        calls.append(1)
        await asyncio.sleep(0.01)
        if len(calls) == 1:
            raise ArithmeticError("once")
        return 0.25

    cache = latency.PredictionCache(10)
    assert {type(each) for each in ask_at_once(cache, compute)} == {ArithmeticError}
    assert ask_at_once(cache, compute) == [0.25] * 20


def test_a_caller_who_leaves_does_not_stop_the_computation():
    async def run():
        cache = latency.PredictionCache(10)

        async def compute():
            await asyncio.sleep(0.02)
            return 0.25

        tasks = [asyncio.create_task(cache.get("key", compute)) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return found, cache.find("key")

    found, kept = asyncio.run(run())
    assert isinstance(found[0], asyncio.CancelledError)
    assert found[1:] == [0.25, 0.25] and kept == 0.25


# --- answers that nobody can change, and limits that make sense -----------------------


def test_what_a_reader_does_to_an_answer_others_do_not_see():
    cache, own = latency.PredictionCache(60), np.array([0.5])
    cache.keep("a", own)
    own[0] = 9
    cache.find("a")[0] = 8
    assert cache.find("a").tolist() == [0.5]


def test_all_who_wait_for_one_computation_get_answers_of_their_own():
    async def compute():
        await asyncio.sleep(0.01)
        return {"score": [0.25]}

    cache = latency.PredictionCache(60)
    found = ask_at_once(cache, compute, callers=3)
    found[0]["score"].append("mine")
    assert found[1:] == [{"score": [0.25]}] * 2
    assert cache.find("key") == {"score": [0.25]}


def test_nothing_is_no_answer_and_is_computed_again():
    calls = []

    async def compute():
        calls.append(1)

    cache = latency.PredictionCache(60)
    assert ask_at_once(cache, compute, callers=2) == [None, None]
    ask_at_once(cache, compute, callers=1)
    assert len(calls) == 2 and cache.hits == 0


def test_a_ttl_of_zero_keeps_nothing():
    cache = latency.PredictionCache(0)
    cache.keep("a", 1.0)
    assert cache.find("a") is None


@pytest.mark.parametrize("wrong", [{"ttl_s": -1}, {"ttl_s": math.nan}, {"most": 0}])
def test_a_cache_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="give a time from 0 on"):
        latency.PredictionCache(**{"ttl_s": 1, **wrong})
