"""flightline.point_in_time.lines and the short cuts of keys: the same, sooner."""

import numpy as np
import pandas as pd
import pytest
from flightline.point_in_time import join, keys, lines, window
from hypothesis import given, settings
from hypothesis import strategies as st

MANY = settings(max_examples=200, deadline=None)
ENDS = [-(2**63) + 1, 2**63 - 1]


@st.composite
def rows(draw, times, least=0):
    """Draw codes, from -1 on, and times, in any order."""
    codes = st.one_of(st.integers(-1, 3), st.integers(-1, 2**31))
    pairs = draw(st.lists(st.tuples(codes, times), min_size=least, max_size=30))
    dtype = np.int64 if any(c >= 2**15 for c, _ in pairs) else np.int16
    return (
        np.array([c for c, _ in pairs], dtype),
        np.array([t for _, t in pairs], np.int64),
    )


@MANY
@given(rows(st.integers(0, 9)), st.booleans(), st.integers(0, 99))
def test_the_order_is_that_of_lexsort(table, twice, seed):
    codes, times = table
    more = [np.random.default_rng(seed).integers(0, 3, len(times))] if twice else []
    for first in (times, np.sort(times)):
        expected = np.lexsort((*more, first, codes))
        assert lines.in_order(codes, first, *more).tolist() == expected.tolist()


TIMES = st.one_of(st.integers(0, 9), st.integers(*ENDS), st.sampled_from([0, 1, *ENDS]))


@MANY
@given(rows(TIMES), rows(TIMES, least=1), st.booleans())
def test_a_count_is_that_of_a_plain_loop(table, questions, themselves):
    codes, times = (side[table[0] >= 0] for side in table)
    order = lines.in_order(codes, times)
    codes, times = codes[order], times[order]
    at_codes, at = (codes, times) if themselves and len(codes) else questions
    asks = lines.in_order(at_codes, at)
    at_codes, at = at_codes[asks], at[asks]
    count = 1 + max(int(side.max(initial=0)) for side in (codes, at_codes))
    line = lines.line_up(codes, times, count)
    expected = [
        sum((k, t) <= ask for k, t in zip(codes.tolist(), times.tolist(), strict=True))
        for ask in zip(at_codes.tolist(), at.tolist(), strict=True)
    ]
    assert line.count_up_to(at_codes, at).tolist() == expected


@pytest.mark.parametrize("few", [1, 40])
def test_many_rows_and_few_questions_and_the_other_way_round(few):
    rng = np.random.default_rng(few)
    for counts in ((few, 2_000), (2_000, few)):
        table, asked = (np.sort(rng.integers(0, 500, n)) for n in counts)
        line = lines.line_up(np.zeros(len(table), np.int16), table, 1)
        got = line.count_up_to(np.zeros(len(asked), np.int16), asked)
        assert got.tolist() == np.searchsorted(table, asked, side="right").tolist()


@pytest.mark.parametrize("sample", [1, 10**9])
@given(
    st.lists(st.sampled_from([*"abc", None, np.nan, pd.NA, 1, 1.0]), max_size=20),
    st.lists(st.sampled_from([*"cbd", None, np.nan, 2, 1]), max_size=20),
)
@settings(deadline=None)
def test_addresses_only_save_time(sample, left, right):
    """Every object is met twice, as itself and as a copy, if it is a text."""
    sides = [[*side, *side, *(str(x) for x in side)] for side in (left, right)]
    tables = [pd.DataFrame({"k": pd.Series(side, dtype=object)}) for side in sides]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "SAMPLE", sample)
        got = keys.number_keys(*tables, ["k"], "rows")
        patch.setattr(keys, "_few", lambda addresses: False)
        patch.setattr(keys, "_same_objects", lambda first, second: False)
        expected = keys.number_keys(*tables, ["k"], "rows")
    for side, plain in zip(got, expected, strict=True):
        assert side.tolist() == plain.tolist()


def test_a_table_answered_in_pieces_is_the_same(monkeypatch):
    rng = np.random.default_rng(4)
    minutes = pd.to_timedelta(np.sort(rng.integers(0, 300, 500)), unit="min")
    table = pd.DataFrame({"k": rng.choice(list("abc"), 500), "v": rng.normal(size=500)})
    table["t"] = pd.Timestamp("2013-07-02") + minutes
    what = {"by": "k", "entity_time": "t", "event_time": "t", "window": "20min"}
    asks = table[["k", "t"]]

    def answers():
        found = join(
            asks,
            table.rename(columns={"t": "event"}),
            by="k",
            entity_time="t",
            feature_time="event",
        )
        for agg in ("count", "mean", "max"):
            found[agg] = window(asks, table, value="v", agg=agg, **what)
        return found

    whole = answers()
    monkeypatch.setattr(lines, "CHUNK", 7)
    pd.testing.assert_frame_equal(answers(), whole, check_exact=True)
