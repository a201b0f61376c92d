"""The laws of batch and tail, and the frontier, by cases that can be done by hand."""

import asyncio
import time

import numpy as np
import pandas as pd
import pytest
from flightline import latency
from hypothesis import given
from hypothesis import strategies as st


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


# --- laws: what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "ms", "word"),
    [
        ([1, 2, 3], [1.0, 2.0], "3 sizes and 2 times"),
        ([0, 1], [1.0, 2.0], "one row or more"),
        ([1, 2], [1.0, np.nan], "ms: 2 numbers"),
        ([1, np.inf], [1.0, 2.0], "rows: 2 numbers"),
        ([], [], "rows: 0 numbers"),
        ([[1, 2]], [[1.0, 2.0]], "in 2 dimensions"),
    ],
)
def test_measurements_that_fit_no_law_are_refused(rows, ms, word):
    with pytest.raises(ValueError, match=word):
        latency.fit_batch_cost(rows, ms)


def test_sizes_in_a_narrow_type_fit_the_same_law():
    rows = np.array([1, 100, 255], np.uint8)
    law = latency.fit_batch_cost(rows, [2.0 + 3 * int(n) for n in rows])
    assert np.isclose(law.a_ms, 2) and np.isclose(law.b_ms, 3)


# --- a batched server -----------------------------------------------------------------


class Each:
    """A cost of so many milliseconds for any batch, and the batches that ran."""

    def __init__(self, ms):
        self.took, self.batches = ms, []

    def ms(self, rows):
        self.batches.append(rows)
        return self.took


@pytest.mark.parametrize(
    ("arrival", "most_rows", "wait_ms", "response"),
    [
        ([0, 1, 2, 10], 8, 3, [10, 9, 8, 8]),  # waits for three, twice
        ([0, 1, 2, 10], 3, 3, [9, 8, 7, 8]),  # full is full: it starts at 2
        ([0, 1, 2, 10], 8, 0, [5, 10, 9, 6]),  # takes what waits, after the first
        ([0, 0, 0, 0, 0], 2, 9, [6, 6, 12, 12, 17]),  # the rest is next; the clock ran
        ([5], 1, 100, [5]),
        ([0, 1, 1, 20], 2, 5, [7, 6, 11, 10]),
    ],
)
def test_a_batched_server_by_hand(arrival, most_rows, wait_ms, response):
    cost = latency.BatchCost(4.0, 1.0)
    found = latency.batched_response(arrival, cost, most_rows, wait_ms)
    assert found.tolist() == response


@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=40),
    st.integers(1, 6),
    st.floats(0, 8),
)
def test_each_row_is_in_one_batch_and_one_batch_runs_at_a_time(gaps, most, wait_ms):
    arrival, cost = np.cumsum(gaps), Each(3.0)
    response = latency.batched_response(arrival, cost, most, wait_ms)
    assert sum(cost.batches) == len(arrival) and max(cost.batches) <= most
    assert (response >= 3.0 - 1e-9).all()
    first = np.cumsum([0, *cost.batches[:-1]])
    answered = np.split(arrival + response, first[1:])
    ends = np.array([batch[0] for batch in answered])
    assert all(np.allclose(batch, batch[0]) for batch in answered)
    assert (np.diff(ends) > 3.0 - 1e-6).all()
    free = np.concatenate([[-np.inf], ends[:-1]])
    waited = ends - 3.0 - np.maximum(arrival[first], free)
    assert (waited <= wait_ms + 1e-6).all()


def test_the_batcher_forms_the_batches_that_the_law_foretells():
    due, took_s, wait_s = [0, 0.15, 0.3, 1.0, 1.15, 1.9, 1.9, 1.9, 1.9, 2.1], 0.6, 0.5
    cost = Each(took_s)
    latency.batched_response(due, cost, 4, wait_s)

    def slow(rows):
        time.sleep(took_s)
        return rows

    async def run():
        batcher = latency.MicroBatcher(slow, most_rows=4, wait_s=wait_s, deadline_s=9)

        async def one(moment):
            await asyncio.sleep(moment)
            return await batcher.submit(moment)

        found = await asyncio.gather(*map(one, due))
        await batcher.close()
        return found, list(batcher.sizes)

    found, sizes = asyncio.run(run())
    assert found == due and sizes == cost.batches == [3, 2, 4, 1]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"arrival_ms": [0, 2, 1]}, "arrival 2 is earlier"),
        ({"arrival_ms": [0, np.nan]}, "arrival_ms: 2 numbers"),
        ({"arrival_ms": []}, "arrival_ms: 0 numbers"),
        ({"most_rows": 0}, "most_rows=0"),
        ({"most_rows": 1.5}, "most_rows=1.5"),
        ({"wait_ms": -1}, "wait_ms=-1"),
        ({"wait_ms": np.nan}, "wait_ms=nan"),
    ],
)
def test_a_server_that_makes_no_sense_is_refused(changes, word):
    asked = {"arrival_ms": [0.0], "most_rows": 1, "wait_ms": 1.0} | changes
    with pytest.raises(ValueError, match=word):
        latency.batched_response(cost=latency.BatchCost(1.0, 1.0), **asked)


# --- the tail behind a cache ----------------------------------------------------------


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.lists(st.integers(5, 20), min_size=1, max_size=6),
    st.integers(0, 20),
    st.sampled_from([0.01, 0.25, 0.5, 0.75, 0.99, 1.0]),
)
def test_the_quantile_is_that_of_requests_written_out(hits, misses, twentieths, q):
    written = sorted(
        hits * (twentieths * len(misses)) + misses * ((20 - twentieths) * len(hits))
    )
    place = max(int(np.ceil(q * len(written) - 1e-9)), 1) - 1
    found = latency.mixed_quantile(hits, misses, twentieths / 20, q)
    assert found == written[place]


def test_the_p99_stays_until_99_of_100_hit():
    found = [latency.mixed_quantile([1], [50], r, 0.99) for r in (0, 0.9, 0.989, 0.99)]
    assert found == [50, 50, 50, 1]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"hit_rate": 1.1}, "hit_rate=1.1"),
        ({"hit_rate": np.nan}, "hit_rate=nan"),
        ({"q": -0.1}, "q=-0.1"),
        ({"hit_ms": []}, "hit_ms: 0 numbers"),
        ({"miss_ms": [1.0, np.nan]}, "miss_ms: 2 numbers"),
    ],
)
def test_a_tail_that_makes_no_sense_is_refused(changes, word):
    asked = {"hit_ms": [1.0], "miss_ms": [2.0], "hit_rate": 0.5, "q": 0.9} | changes
    with pytest.raises(ValueError, match=word):
        latency.mixed_quantile(**asked)


# --- the frontier: other types, other sizes -------------------------------------------

VALUES = {
    "uint8": np.array([0, 3], np.uint8),
    "int8": np.array([-128, 127], np.int8),
    "uint64": np.array([0, 2**64 - 1], np.uint64),
    "int64": np.array([-(2**63), 2**63 - 1], np.int64),
    "beyond doubles": np.array([2**53, 2**53 + 1], np.int64),
    "bool": np.array([False, True]),
    "infinite": np.array([-np.inf, 0.0]),
    "nullable": pd.array([1, 2], "Int64"),
    "times": pd.to_datetime(["2013-07-01", "2013-07-02"], utc=True),
    "texts": ["a", "b"],
}


@pytest.mark.parametrize("kind", VALUES)
def test_the_frontier_of_any_type_that_has_an_order(kind):
    table = pd.DataFrame({"x": VALUES[kind], "auc": [0.7, 0.7]}, index=[4, 4])
    assert latency.frontier(table, ["x"], ["auc"]).tolist() == [True, False]
    assert latency.frontier(table, [], ["x", "auc"]).tolist() == [False, True]
    assert latency.frontier(table, ["x"], []).tolist() == [True, False]


def test_equal_rows_do_not_beat_each_other():
    table = pd.DataFrame({"x": [0.0, -0.0, 1.0], "y": [1, 1, 1]})
    assert latency.frontier(table, ["x"], ["y"]).tolist() == [True, True, False]


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=12))
def test_the_frontier_is_what_nothing_beats(rows):
    table = pd.DataFrame(rows, columns=["ms", "kib", "auc"])

    def beats(one, two):
        gains = (two[0] - one[0], two[1] - one[1], one[2] - two[2])
        return min(gains) >= 0 and max(gains) > 0

    expected = [not any(beats(other, row) for other in rows) for row in rows]
    found = latency.frontier(table, ["ms", "kib"], ["auc"])
    assert found.dtype == np.bool_ and found.tolist() == expected


@pytest.mark.parametrize(
    ("less", "more", "word"),
    [
        ([], [], "name each once"),
        (["ms"], ["ms"], "name each once"),
        (["ms", "s"], ["auc"], "the table has 0 columns 's'"),
        (["twice"], ["auc"], "the table has 2 columns 'twice'"),
        (["ms"], ["hole"], "values are missing in hole"),
    ],
)
def test_a_frontier_of_columns_that_are_not_there_is_refused(less, more, word):
    table = pd.DataFrame(
        [[1, 0.7, 1, 2, np.nan]], columns=["ms", "auc", "twice", "twice", "hole"]
    )
    with pytest.raises(ValueError, match=word):
        latency.frontier(table, less, more)
