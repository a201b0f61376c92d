"""flightline.point_in_time.window and its kin against loops in exact fractions."""

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline.point_in_time import AGGREGATES
from flightline.point_in_time.windows import open_at, smoothed_rate, window
from hypothesis import given, settings
from hypothesis import strategies as st

START = pd.Timestamp("2013-03-10 05:00", tz="UTC")
"""Two hours before the clocks of New York go ahead: 02:00 to 03:00 does not exist."""

MANY = settings(max_examples=150, deadline=None)
UNITS = st.sampled_from(["s", "ms", "us", "ns"])
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])
HALVES = st.integers(0, 8)
KEYS = st.sampled_from(["EWR", "JFK", "LGA", None])
TEXTS = st.sampled_from(
    [object, "string[python]", "category", pd.ArrowDtype(pa.string())]
)
NUMBERS = st.one_of(
    st.integers(-9, 9).map(float),
    st.floats(-1e3, 1e3),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([0.1, 1e300, -1e300, 9.96921e36, 5e-324, 2.0**53 + 2]),
)


def times(halves, unit="us", zone="UTC"):
    """Turn half hours (None: null) into times of one unit and zone."""
    stamps = [
        pd.NaT if h is None else START + pd.Timedelta(minutes=30 * h) for h in halves
    ]
    index = pd.DatetimeIndex(stamps, dtype="datetime64[ns, UTC]")
    return pd.Series(index.tz_convert(zone).as_unit(unit))


def relabelled(draw, frame):
    """Return a table with an index that repeats itself."""
    labels = st.lists(st.integers(0, 2), min_size=len(frame), max_size=len(frame))
    return frame.set_axis(pd.Index(draw(labels), dtype="int64"))


@st.composite
def questions(draw):
    """Draw entities, events and the plain lists that they were made of."""
    asks = draw(st.lists(st.tuples(KEYS, st.one_of(st.none(), HALVES)), max_size=7))
    value = st.one_of(st.none(), NUMBERS)
    rows = draw(
        st.lists(st.tuples(KEYS, HALVES, st.integers(0, 3), value), max_size=10)
    )
    entities = pd.DataFrame(
        {
            "k": pd.Series([k for k, _ in asks], dtype=object).astype(draw(TEXTS)),
            "t": times([t for _, t in asks], draw(UNITS), draw(ZONES)),
        }
    )
    events = pd.DataFrame(
        {
            "k": pd.Series([k for k, *_ in rows], dtype=object).astype(draw(TEXTS)),
            "event": times([e for _, e, *_ in rows], draw(UNITS), draw(ZONES)),
            "known": times([e + late for _, e, late, _ in rows], draw(UNITS)),
            "v": pd.Series(
                [v for *_, v in rows],
                dtype=draw(st.sampled_from(["float64", "Float64"])),
            ),
        }
    )
    return relabelled(draw, entities), relabelled(draw, events), asks, rows


def in_window(ask, rows, length, late):
    """Return the values that count for a question, by looking at every row."""
    key, t = ask
    return [
        v
        for k, event, delay, v in rows
        if key is not None and k == key and t is not None and v is not None
        and t - length < event <= t
        and (not late or event + delay <= t)
    ]  # fmt: skip


def rounded(total):
    """Return a fraction as the nearest float; beyond the largest, infinity."""
    try:
        return float(total)
    except OverflowError:
        return math.copysign(math.inf, total)


def aggregate(values, agg):
    """Aggregate a list exactly, and round once (a mean: once more)."""
    if agg == "count":
        return float(len(values))
    if not values:
        return math.nan
    if agg in ("min", "max"):
        return {"min": min, "max": max}[agg](values)
    total = rounded(sum(map(Fraction, values)))
    return total if agg == "sum" else total / len(values)


WHAT = {"by": "k", "entity_time": "t", "event_time": "event", "value": "v"}


@MANY
@given(
    questions(),
    st.sampled_from([0, 1, 3, 100]),
    st.sampled_from(AGGREGATES),
    st.booleans(),
)
def test_window_equals_a_plain_loop_to_the_last_bit(tables, length, agg, late):
    entities, events, asks, rows = tables
    late = late and agg not in ("min", "max")
    span = pd.Timedelta(minutes=30 * length)
    known = "known" if late else None
    got = window(entities, events, window=span, agg=agg, available_time=known, **WHAT)
    expected = [
        math.nan if t is None else aggregate(in_window((k, t), rows, length, late), agg)
        for k, t in asks
    ]
    assert got.index.equals(entities.index) and got.dtype == np.float64
    assert np.array_equal(got, np.array(expected, np.float64), equal_nan=True)


@MANY
@given(questions(), st.sampled_from([0, 1, 3, 100]), st.data())
def test_open_at_equals_a_plain_loop(tables, length, data):
    entities, events, asks, rows = tables
    ends = data.draw(
        st.lists(st.one_of(st.none(), HALVES), min_size=len(rows), max_size=len(rows))
    )
    events["end"] = times(ends, data.draw(UNITS)).array
    names = {"entity_time": "t", "start_time": "event", "end_time": "end"}
    span = pd.Timedelta(minutes=30 * length)
    got = open_at(entities, events, by="k", window=span, **names)
    for (key, t), count in zip(asks, got, strict=True):
        if t is None:
            assert math.isnan(count)
            continue
        waiting = [
            key is not None and k == key and t - length < start <= t
            and (end is None or end > t)
            for (k, start, *_), end in zip(rows, ends, strict=True)
        ]  # fmt: skip
        assert count == sum(waiting)


# --- sums lose nothing ----------------------------------------------------------------

HUGE = [9.96921e36, -1e300, 2.0**60, 1.7e308]


def sums(values, asked=(20,), length="1h", keys=None, dtype=None, **changes):
    """Return the sums of events one half hour apart."""
    keys = keys or ["JFK"] * len(values)
    events = pd.DataFrame(
        {
            "k": keys,
            "event": times(range(len(values))),
            "v": pd.Series(values, dtype=dtype),
        }
    )
    asks = pd.DataFrame({"k": "JFK", "t": times(asked)})
    what = {**WHAT, "window": length, "agg": "sum", **changes}
    return window(asks, events, **what).tolist()


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("agg", ["sum", "mean"])
def test_a_huge_value_of_another_key_is_not_felt(huge, agg):
    for keys in (["ATL", "JFK"], ["ZRH", "JFK"]):
        assert sums([huge, 0.1], [1], keys=keys, agg=agg) == [0.1]


@pytest.mark.parametrize("huge", HUGE)
def test_a_huge_value_long_ago_is_not_felt(huge):
    assert sums([huge, 0.5, 0.1, 0.2], [3], length="1h") == [0.1 + 0.2]
    assert sums([huge, -huge, 0.1], [2], length="2h") == [0.1]
    assert sums([0.1, huge, 0.3], [0, 1, 2], length="30min") == [0.1, huge, 0.3]


def test_a_huge_value_known_late_is_not_felt():
    events = pd.DataFrame(
        {"k": "JFK", "event": times([1, 8]), "known": times([2, 8]), "v": [1e300, 0.25]}
    )
    asks = pd.DataFrame({"k": "JFK", "t": times([2, 8])})
    what = {**WHAT, "window": "1h", "agg": "sum", "available_time": "known"}
    assert window(asks, events, **what).tolist() == [1e300, 0.25]


def test_many_tenths_are_added_up_as_if_in_one_step():
    tenths = [0.1] * 300 + [0.3]
    total = float(sum(map(Fraction, tenths)))
    assert sums(tenths, [300], length="1000h") == [total]
    assert total != sum(tenths)  # step by step, the last digits go


@pytest.mark.parametrize("dtype", ["int64", "Int64", "uint64", "int64[pyarrow]"])
def test_whole_numbers_add_up_exactly_before_they_are_rounded(dtype):
    values = [2**62 + 1, 2**62 - 1, 3]
    expected = [float(2**62 + 1), float(2**63), float(2**63 + 3)]
    assert sums(values, [0, 1, 2], length="9h", dtype=dtype) == expected
    assert sums(values, [2], length="30min", dtype=dtype) == [3.0]


def test_a_sum_beyond_the_largest_float_is_infinite_and_only_there():
    assert sums([1e308, 1e308, -1e308], [0, 1, 2], "9h") == [1e308, math.inf, 1e308]
    assert sums([-1.7e308, -1.7e308, 1.7e308], [1, 2], "9h") == [-math.inf, -1.7e308]


@pytest.mark.parametrize("dtype", ["bool", "boolean", "int8", "bool[pyarrow]", "UInt8"])
def test_booleans_and_narrow_numbers_do_not_overflow(dtype):
    values = pd.Series([1] * 300).astype(dtype)
    assert sums(values, [299], length="1000h", dtype=dtype) == [300.0]
    assert sums(values, [299], length="1000h", dtype=dtype, agg="max") == [1.0]


# --- clocks and refusals --------------------------------------------------------------


def test_the_window_is_exact_over_many_days():
    age = pd.Timedelta(days=250) + pd.Timedelta(3, "ns")
    asks = pd.DataFrame({"t": np.array(["2013-10-01"], "M8[ns]")})
    events = pd.DataFrame({"event": asks["t"] - age, "v": [1.0]})
    what = {**WHAT, "by": [], "agg": "count"}
    for length, count in ((age, 0.0), (age + pd.Timedelta(1, "ns"), 1.0)):
        assert window(asks, events, window=length, **what).tolist() == [count]
    for text in ("250", "250.0", "1 day 250"):
        with pytest.raises(ValueError, match=r"window=.*no unit"):
            window(asks, events, window=text, **what)


@pytest.mark.parametrize("agg", AGGREGATES)
def test_units_are_mixed_exactly(agg):
    asks = pd.DataFrame({"k": "a", "t": times([4], "s")})
    late = times([2, 4], "ns") + pd.Timedelta(1, "ns")
    events = pd.DataFrame({"k": "a", "event": late, "v": [8.0, 9.0]})
    got = window(asks, events, window="1h", agg=agg, **WHAT).tolist()
    assert got == [1.0 if agg == "count" else 8.0]


def test_the_ends_of_time_are_times_like_others():
    ends = pd.Series(np.array([-(2**63) + 1, 2**63 - 1]).view("M8[ns]"))
    frame = pd.DataFrame({"k": "a", "t": ends, "event": ends, "v": [1.0, 2.0]})
    for length in ("1ns", "100000D", pd.Timedelta.max):
        got = window(frame, frame, window=length, agg="sum", **WHAT)
        assert got.tolist() == [1.0, 2.0]
    always = pd.Timedelta(0).to_pytimedelta().max
    assert window(frame, frame, window=always, agg="sum", **WHAT).tolist() == [1.0, 3.0]
    names = {"entity_time": "t", "start_time": "event", "end_time": "end"}
    waiting = frame.assign(end=pd.NaT)
    assert open_at(frame, waiting, by="k", window="1ns", **names).tolist() == [1.0, 1.0]
    assert open_at(frame, waiting, by="k", window=always, **names).tolist() == [1, 2]


def test_one_row_and_keys_of_nulls_alone():
    asks = pd.DataFrame({"k": [1], "t": times([2])})
    events = pd.DataFrame({"k": [None], "event": times([1]), "v": [5.0]})
    for agg in AGGREGATES:
        got = window(asks, events, window="9h", agg=agg, **WHAT)
        assert got.fillna(-1).tolist() == [0.0 if agg == "count" else -1.0]
        one = events.assign(k=1)
        got = window(asks, one, window="9h", agg=agg, **WHAT)
        assert got.tolist() == [1.0 if agg == "count" else 5.0]


def test_keys_that_never_match_are_refused_by_every_call():
    asks = pd.DataFrame({"k": ["1"], "t": times([2])})
    events = pd.DataFrame({"k": [1], "event": times([1]), "v": [1.0]})
    what = {**WHAT, "window": "9h"}
    with pytest.raises(ValueError, match="the key 'k' holds texts"):
        window(asks, events, agg="sum", **what)
    names = {"entity_time": "t", "start_time": "event", "end_time": "event"}
    with pytest.raises(ValueError, match="the key 'k' holds texts"):
        open_at(asks, events, by="k", window="9h", **names)
    with pytest.raises(ValueError, match="the key 'k' holds texts"):
        smoothed_rate(asks, events, days=1, prior=0.5, strength=1, **WHAT)


def test_a_rate_is_not_spoiled_by_another_key_and_days_are_days():
    events = pd.DataFrame(
        {"k": ["LGA", "JFK"], "event": times([0, 1]), "v": [9.96921e36, 0.25]}
    )
    asks = pd.DataFrame({"k": ["JFK", "EWR"], "t": times([2, 2], "ns")})
    what = {**WHAT, "prior": 0.5, "strength": 0}
    assert smoothed_rate(asks, events, days=1, **what).tolist() == [0.25, 0.5]
    for days in (math.nan, math.inf, 1e12, -1):
        with pytest.raises(ValueError, match=r"days=.*no length of time"):
            smoothed_rate(asks, events, days=days, **what)
    for wrong in ({"strength": math.inf}, {"strength": math.nan}, {"prior": math.nan}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}=.*no number"):
            smoothed_rate(asks, events, days=1, **{**what, **wrong})


@MANY
@given(questions(), st.sampled_from([0.0, 0.25, 30.0]), st.sampled_from([0, 1, 20]))
def test_a_rate_equals_a_plain_loop(tables, days, strength):
    entities, events, asks, rows = tables
    got = smoothed_rate(
        entities, events, days=days, prior=0.25, strength=strength, **WHAT
    )
    for ask, rate in zip(asks, got, strict=True):
        values = in_window(ask, rows, 48 * days, late=False)
        if ask[1] is None:
            assert math.isnan(rate)
        elif not values:
            assert rate == 0.25
        else:
            total = rounded(sum(map(Fraction, values)))
            assert rate == (total + 0.25 * strength) / (len(values) + strength)


def test_two_threads_get_what_one_gets():
    rng = np.random.default_rng(9)
    n = 20_000
    events = pd.DataFrame({"k": rng.choice(list("abc"), n), "v": rng.normal(size=n)})
    events["event"] = START + pd.to_timedelta(rng.integers(0, 9_000, n), unit="min")
    asks = events.rename(columns={"event": "t"})[["k", "t"]]

    def answers(agg):
        return window(asks, events, window="3h", agg=agg, **WHAT)

    alone = [answers(agg) for agg in AGGREGATES]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            for one, other in zip(pool.map(answers, AGGREGATES), alone, strict=True):
                pd.testing.assert_series_equal(one, other, check_exact=True)
