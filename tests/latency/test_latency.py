"""Lab 09's module: integers equal to ONNX Runtime's, and nobody harmed by a batch."""

import asyncio
import threading
import time

import numpy as np
import pandas as pd
import pytest
from flightline import latency, training
from flightline.features import FEATURES
from flightline.latency import fast
from hypothesis import given, settings
from hypothesis import strategies as st
from labkit.latency import onnx_lab
from labkit.latency.cache_lab import MODELS
from random_rows import random_rows


@pytest.fixture(scope="module")
def fp32():
    return training.load_model(MODELS, "delay_mlp")


@pytest.fixture(scope="module")
def table():
    return random_rows(600)


@pytest.fixture(scope="module")
def int8(fp32):
    return latency.quantize_model(fp32, random_rows(1024, seed=1), version="2")


# --- steps and scales -----------------------------------------------------------------


def stored(value, dtype):
    """Return a value as ONNX stores it."""
    return np.asarray(value, dtype)


@pytest.mark.parametrize(("scale", "zero"), [(1.0, 0), (0.013, 9), (3.7, -100)])
def test_steps_equal_onnx_runtime(scale, zero):
    x = np.random.default_rng(0).normal(0, 9, (200, 7)).astype(np.float32)
    x[0] = [0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9]
    constants = {"s": np.float32(scale), "z": np.int8(zero)}
    theirs = onnx_lab.one_node("QuantizeLinear", {"x": x}, constants)
    assert np.array_equal(latency.quantize_linear(x, scale, zero), theirs)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_a_value_in_range_is_off_by_half_a_step_at_most(symmetric, axis):
    x = np.random.default_rng(1).gamma(1, 2, (40, 6)).astype(np.float32)
    scale, zero = latency.scale_for(x, symmetric=symmetric, axis=axis)
    q = latency.quantize_linear(x, scale, zero, axis=axis)
    back = latency.dequantize_linear(q, scale, zero, axis=axis)
    room = latency.along(scale, 2, axis) * (0.5 if symmetric else 1.0)
    assert (np.abs(back - x) <= room * 1.001).all()
    zeros = latency.quantize_linear(np.zeros_like(x), scale, zero, axis=axis)
    assert (latency.dequantize_linear(zeros, scale, zero, axis=axis) == 0).all()


def test_symmetric_steps_leave_out_the_last_one():
    q = latency.quantize_linear([-5.0, 5.0], *latency.scale_for([-5.0, 5.0]))
    assert q.tolist() == [-127, 127]


def test_affine_steps_span_both_types():
    for dtype, ends in latency.LIMITS.items():
        scale, zero = latency.scale_for([0.0, 7.0], symmetric=False, dtype=dtype)
        q = latency.quantize_linear([0.0, 7.0], scale, zero, dtype=dtype)
        assert tuple(q.tolist()) == ends and q.dtype == dtype


def test_a_tensor_of_zeros_keeps_its_zeros():
    scale, zero = latency.scale_for(np.zeros((3, 2)), axis=1)
    assert scale.tolist() == [1, 1] and zero.tolist() == [0, 0]


@pytest.mark.parametrize("bad", [[np.nan], [np.inf], []])
def test_no_scale_for_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        latency.scale_for(bad)


def test_symmetric_needs_a_signed_type():
    with pytest.raises(ValueError, match="uint8"):
        latency.scale_for([1.0], dtype="uint8")


@pytest.mark.parametrize(
    ("x", "scale", "word"), [([np.nan], 1.0, "NaN"), ([1.0], 0.0, "scale")]
)
def test_no_step_for_nan_and_no_step_without_width(x, scale, word):
    with pytest.raises(ValueError, match=word):
        latency.quantize_linear(x, scale)


# --- a layer --------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("rows", [1, 200])
def test_a_layer_equals_onnx_runtime_to_the_last_integer(symmetric, axis, rows):
    chance = np.random.default_rng(2)
    w = chance.normal(0.1, 1, (46, 64)).astype(np.float32)
    x = chance.gamma(1, 3, (rows, 46)).astype(np.float32)
    scale, zero = latency.scale_for(w, symmetric=symmetric, axis=axis)
    x_scale, x_zero = latency.scale_for(x, symmetric=False)
    layer = latency.Int8Layer(
        latency.quantize_linear(w, scale, zero, axis=axis), scale, np.float32(x_scale),
        int(x_zero), np.float32(0.31), -7, weight_zero=zero,
    )  # fmt: skip
    q = latency.quantize_linear(x, x_scale, x_zero)
    sums, result = onnx_lab.runtime_layer(q, layer)
    assert np.array_equal(layer.sums(q), sums)
    assert np.array_equal(latency.int8_linear(q, layer), result)
    y = latency.dequantize_linear(result, 0.31, -7)
    inside = np.abs(result.astype(int)) < 120
    assert np.corrcoef(y[inside], (x @ w)[inside])[0, 1] > 0.99


def test_the_first_layer_of_the_model_equals_onnx_runtime(int8, table):
    layer, x, y = onnx_lab.opened(int8, table)
    assert x.shape == (600, 43) and y.shape == (600, 512)
    assert np.array_equal(latency.int8_linear(x, layer), y)
    assert y.min() < y.max()


# --- a model --------------------------------------------------------------------------


def test_a_quantized_model_is_smaller_and_says_what_it_is(fp32, int8, table):
    assert len(int8.content) < len(fp32.content) / 3
    assert (int8.name, int8.version, int8.precision) == (fp32.name, "2", "int8")
    difference = np.abs(int8.predict(table) - fp32.predict(table))
    assert 0 < difference.max() < 0.2 and difference.mean() < 0.02


def test_every_operator_quantized_leaves_256_scores(fp32, int8, table):
    rows = random_rows(1024, seed=1)
    whole = latency.quantize_model(fp32, rows, whole=True)
    assert len(np.unique(whole.predict(table))) <= 256
    assert len(np.unique(int8.predict(table))) > 500


@pytest.mark.parametrize("per_channel", [True, False])
def test_dynamic_scales_depend_on_the_company(fp32, int8, table, per_channel):
    dynamic = latency.quantize_model(fp32, method="dynamic", per_channel=per_channel)
    assert len(dynamic.content) < len(fp32.content) / 3
    assert dynamic.version == f"{fp32.version}-dynamic"
    gap = {}
    for model in (dynamic, int8, fp32):
        alone = [model.predict(table.iloc[[n]])[0] for n in range(40)]
        gap[model.version] = np.abs(alone - model.predict(table)[:40]).max()
    assert gap["1-dynamic"] > 1e-4 and gap["2"] < 1e-5 and gap["1"] < 1e-5


def test_quantization_is_reproducible(fp32, int8):
    again = latency.quantize_model(fp32, random_rows(1024, seed=1), version="2")
    assert again.content == int8.content


@pytest.mark.parametrize("how", [{"method": "magic"}, {"method": "static"}, {}])
def test_quantization_refuses_what_it_cannot_do(fp32, how):
    with pytest.raises(ValueError, match="method"):
        latency.quantize_model(fp32, **how)


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
    [{"most_rows": 0}, {"most_waiting": 0}, {"wait_s": -1}, {"deadline_s": 0}],
)
def test_limits_that_make_no_sense_are_refused(wrong):
    async def make():
        return latency.MicroBatcher(Fragile(), **wrong)

    with pytest.raises(ValueError, match="limits"):
        asyncio.run(make())


# --- the cache ------------------------------------------------------------------------


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


class Counted:
    """A predictor that counts the rows it scored."""

    name, precision = "counted", "fp32"

    def __init__(self, version="1", score=0.5):
        self.version, self.score, self.rows = version, score, 0

    def predict(self, table):
        self.rows += len(table)
        if (table["carrier"] == "??").any():
            raise ValueError("a carrier that no model knows")
        return np.full(len(table), self.score)


def test_the_same_features_are_scored_once_although_some_are_missing(table):
    model = Counted()
    cached = fast.Cached(model, latency.PredictionCache(60))
    row = table[table.isna().any(axis=1)].iloc[[0]]
    for _ in range(3):
        assert asyncio.run(cached.predict(row.copy())) == [0.5]
    assert model.rows == 1
    other = row.assign(visib=row["visib"].fillna(0) + 1e-9)
    asyncio.run(cached.predict(other))
    assert model.rows == 2


def test_a_shared_cache_never_serves_another_version(table):
    cache = latency.PredictionCache(60)
    old, new = (fast.Cached(Counted(v, s), cache) for v, s in (("1", 0.1), ("2", 0.9)))
    row = table.iloc[[0]]
    found = [asyncio.run(model.predict(row))[0] for model in (old, new, old)]
    assert found == [0.1, 0.9, 0.1]


class Source:
    """A feature source that counts reads, and fails on demand."""

    def __init__(self, table):
        self.table, self.reads, self.broken = table, 0, False

    def read(self, requests):
        self.reads += 1
        if self.broken:
            raise ConnectionError("the store is down")
        return self.table.iloc[: len(requests)]


def test_features_are_read_once_a_ttl_and_failures_are_not_kept(table):
    clock, source = Clock(), Source(table)
    cached = fast.CachedFeatures(source, latency.PredictionCache(60, clock=clock))
    ask = pd.DataFrame({"flight_id": ["2013-07-02-B6-523-JFK"]})
    source.broken = True
    with pytest.raises(ConnectionError):
        cached.read(ask)
    source.broken = False
    assert cached.read(ask).equals(table.iloc[[0]])
    source.broken = True
    assert cached.read(ask).equals(table.iloc[[0]]) and source.reads == 2
    clock.now = 61
    with pytest.raises(ConnectionError):
        cached.read(ask)


def test_many_flights_are_read_in_their_order(table):
    cached = fast.CachedFeatures(Source(table), latency.PredictionCache(60))
    names = pd.DataFrame({"flight_id": ["a", "b", "a"]})
    found = cached.read(names)
    assert len(found) == 3 and list(found.columns) == FEATURES


# --- models behind a batcher ----------------------------------------------------------


def test_a_batched_model_gives_the_same_scores(int8, table):
    async def run():
        model = fast.Batched(int8, most_rows=16, wait_s=0.05)
        asks = (model.predict(table.iloc[[n]]) for n in range(30))
        found = await asyncio.gather(*asks)
        sizes = list(model.batcher.sizes)
        await model.close()
        return np.concatenate(found), sizes, model

    found, sizes, model = asyncio.run(run())
    assert np.allclose(found, int8.predict(table)[:30], atol=1e-6)
    assert sizes == [16, 14]
    assert (model.name, model.version, model.precision) == (int8.name, "2", "int8")


def test_tables_of_several_rows_share_a_batch(table):
    async def run():
        model = fast.Batched(Counted(), wait_s=0.02)
        asks = (model.predict(table.iloc[a:b]) for a, b in ((0, 3), (3, 4), (4, 9)))
        found = await asyncio.gather(*asks)
        await model.close()
        return [len(each) for each in found]

    assert asyncio.run(run()) == [3, 1, 5]


# --- the student, the law, the frontier -----------------------------------------------


def test_a_student_learns_soft_targets(fp32):
    rows = random_rows(1500, seed=3)
    soft = fp32.predict(rows)
    settings_ = {"hidden": (16,), "epochs": 12, "batch": 128}
    one = latency.fit_student(fp32.transform, rows, soft, **settings_)
    fresh = random_rows(500, seed=4)
    assert np.corrcoef(one.predict(fresh), fp32.predict(fresh))[0, 1] > 0.8
    assert (one.kind, one.precision) == ("mlp", "fp32")
    assert len(one.content) < len(fp32.content) / 5


@given(st.floats(0.01, 10), st.floats(0.001, 1))
def test_the_law_is_found_again(a_ms, b_ms):
    rows = [1, 4, 16, 64, 256]
    law = latency.fit_batch_cost(rows, [a_ms + b_ms * n for n in rows])
    assert np.isclose(law.a_ms, a_ms, rtol=1e-3) and np.isclose(
        law.b_ms, b_ms, rtol=1e-3
    )
    assert np.isclose(law.per_s(8), 8000 / (a_ms + 8 * b_ms), rtol=1e-3)


@pytest.mark.parametrize(("rows", "ms"), [([1, 1], [1, 2]), ([1, 2], [0, 1])])
def test_the_law_needs_two_sizes_and_real_times(rows, ms):
    with pytest.raises(ValueError, match="measure"):
        latency.fit_batch_cost(rows, ms)


def test_the_frontier_keeps_what_nothing_beats():
    rows = [(1, 0.7), (2, 0.8), (3, 0.8), (3, 0.6), (1, 0.7)]
    table = pd.DataFrame(rows, columns=["ms", "auc"])
    assert latency.frontier(table, ["ms"], ["auc"]).tolist() == [
        True, True, False, False, True,
    ]  # fmt: skip


def test_the_module_is_light():
    import subprocess
    import sys

    heavy = ("torch", "onnx", "onnxruntime", "lightgbm")
    code = f"import sys, flightline.latency; print({{*{heavy}}} & {{*sys.modules}})"
    path = ":".join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": path},
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
