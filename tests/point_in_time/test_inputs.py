"""flightline.point_in_time.inputs and keys: clocks, durations, keys, values."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline.point_in_time import inputs, keys
from hypothesis import given, settings
from hypothesis import strategies as st

DAY = pd.Timestamp("2013-03-10", tz="UTC")


def hours(*numbers, unit="us"):
    """Return times on one day, in UTC."""
    stamps = [pd.NaT if n is None else DAY + pd.Timedelta(hours=n) for n in numbers]
    return pd.Series(
        pd.DatetimeIndex(stamps, dtype="datetime64[us, UTC]").as_unit(unit)
    )


# --- clocks ---------------------------------------------------------------------------


@pytest.mark.parametrize("units", [("s", "ns"), ("us", "ms"), ("ns", "us"), ("s", "s")])
def test_times_meet_in_the_finest_unit(units):
    columns = [hours(1, None, 5, unit=unit) for unit in units]
    (first, second), unit = inputs.ticks(columns)
    assert first.tolist() == second.tolist() and first[1] == inputs.EARLIEST
    assert unit == min(units, key=inputs.UNITS.__getitem__)
    expected = (DAY.value + 3600 * 10**9) // inputs.UNITS[unit]
    assert first[0] == expected


def test_an_instant_of_the_fine_column_stays_between_two_of_the_coarse():
    fine = hours(1, unit="ns") + pd.Timedelta(1, "ns")
    (coarse, between), _ = inputs.ticks([hours(1, 2, unit="s"), fine])
    assert coarse[0] < between[0] < coarse[1] and between[0] - coarse[0] == 1


def test_zones_do_not_matter_where_both_have_one():
    """Also in the hour that the clocks of New York skip, and in the one they repeat."""
    for day in ("2013-03-10", "2013-11-03"):
        utc = pd.Series(pd.date_range(day, periods=48, freq="30min", tz="UTC"))
        there = utc.dt.tz_convert("America/New_York").dt.as_unit("s")
        (first, second), _ = inputs.ticks([utc, there])
        assert first.tolist() == second.tolist()


def test_a_time_that_the_finest_unit_cannot_hold_is_refused_not_wrapped():
    far = pd.Series(np.array(["2013-01-01", "9999-12-31"], "M8[s]"), name="until")
    near = pd.Series(np.array(["2013-01-01"], "M8[ns]"), name="seen")
    with pytest.raises(ValueError, match="'until' is out of the range of ns in 1 of 2"):
        inputs.ticks([near, far])
    (wide, _), unit = inputs.ticks([far, far.dt.as_unit("us")])
    assert unit == "us" and wide[1] > 0


def test_times_in_arrow_are_times():
    for zone in ("UTC", "America/New_York"):
        own = hours(1, None).dt.tz_convert(zone)
        arrow = own.astype(pd.ArrowDtype(pa.timestamp("ms", tz=zone)))
        (first, second), unit = inputs.ticks([own, arrow])
        assert first.tolist() == second.tolist() and unit == "us"


@pytest.mark.parametrize("wrong", [[1, 2], ["2013-07-02", "x"], [date(2013, 7, 2)] * 2])
def test_what_is_no_time_is_refused(wrong):
    with pytest.raises(ValueError, match=r"'seen' holds .*to_datetime"):
        inputs.ticks([hours(1), pd.Series(wrong, name="seen")])


def test_a_zone_against_none_names_both_columns():
    naive = hours(1).dt.tz_localize(None).rename("at")
    for pair in ([hours(1).rename("t"), naive], [naive, hours(1).rename("t")]):
        with pytest.raises(ValueError, match="'t' has a time zone, 'at' has none"):
            inputs.ticks(pair)


# --- durations ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "length, unit, whole",
    [
        (pd.Timedelta(days=300) + pd.Timedelta(7, "ns"), "ns", 300 * 86400 * 10**9 + 7),
        (timedelta(days=40_000, microseconds=1), "us", 40_000 * 86400 * 10**6 + 1),
        (timedelta(days=999_999_999), "ns", 999_999_999 * 86400 * 10**9),
        (np.timedelta64(90, "m"), "s", 5400),
        (np.timedelta64(10**18, "s"), "s", 10**18),
        ("90 min", "s", 5400),
        ("1.5h", "ms", 5_400_000),
        ("01:30:00", "s", 5400),
        ("2 days 03:00:00", "s", 183_600),
        ("P1DT2H", "s", 93_600),
        ("0h", "ns", 0),
    ],
)
def test_durations_are_exact(length, unit, whole):
    assert inputs.duration("ttl", length, unit) == whole


@given(st.integers(0, 2**62))
@settings(deadline=None)
def test_every_nanosecond_counts(count):
    assert inputs.duration("ttl", pd.Timedelta(count, "ns"), "ns") == count


@pytest.mark.parametrize(
    "length",
    ["7", " 7 ", "7.0", "+7", "1e3", "1h7", "1 day 7", "7 00:00:00", np.timedelta64(7)],
)
def test_a_number_without_a_unit_is_no_duration(length):
    with pytest.raises(ValueError, match=r"ttl=.*no unit.*Timedelta\(hours=3\)"):
        inputs.duration("ttl", length, "ns")


@pytest.mark.parametrize(
    "length",
    [7, 2.5, True, None, pd.NaT, np.timedelta64("NaT"), "", "soon", "-1h",
     timedelta(-1), np.timedelta64(1, "M"), "1500us", pd.Timedelta(1, "ns")],
)  # fmt: skip
def test_what_is_no_duration_in_whole_units_is_refused(length):
    with pytest.raises(ValueError, match=r"window=.* is no duration in whole ms"):
        inputs.duration("window", length, "ms")


@given(
    st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=5),
    st.one_of(st.integers(0, 2**65), st.sampled_from([0, 2**63 - 1, 2**63, 2**64])),
)
@settings(deadline=None)
def test_back_stops_at_the_earliest_time(times, length):
    got = inputs.back(np.array(times, np.int64), length).tolist()
    assert got == [max(time - length, -(2**63)) for time in times]


# --- keys -----------------------------------------------------------------------------


def numbered(left, right):
    """Return the keys of two columns as numbers."""
    left, right = pd.Series(left).to_frame("k"), pd.Series(right).to_frame("k")
    asked, known = keys.number_keys(left, right, ["k"], "rows")
    return asked.tolist(), known.tolist()


TEXTS = {
    "object": lambda values: pd.Series(values, dtype=object),
    "string": lambda values: pd.Series(values, dtype="string[python]"),
    "Arrow string": lambda values: pd.Series(values, dtype="string[pyarrow]"),
    "Arrow's own": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "category": lambda values: pd.Series(values, dtype="category"),
}
NUMBERS = ["int8", "uint64", "Int64", "UInt16", "float64", "float32", "Float64",
           "int64[pyarrow]", "double[pyarrow]", object, "category"]  # fmt: skip
OTHERS = pytest.mark.parametrize(
    "left, right",
    [
        ([b"a"], ["a"]),
        ([b"a"], pd.Series(["a"], dtype="string[pyarrow]")),
        ([b"a"], pd.Series(["a"], dtype="category")),
        (pd.Series([b"a"], dtype=pd.ArrowDtype(pa.binary())), ["a"]),
        ([True, False], [1, 0]),
        (pd.Series([True, None], dtype="boolean"), pd.Series([1, 0], dtype="Int64")),
        (pd.Series([True, None], dtype=object), [1.0, 0.0]),
        (pd.Series([True]).astype("category"), [1]),
        (pd.Series([True], dtype="bool[pyarrow]"), ["True"]),
        (pd.Series([17, None], dtype=object), ["17", "18"]),
        (pd.Series([17]).astype("category"), pd.Series(["17"]).astype("category")),
        ([17], pd.Series(["17"], dtype="string")),
        ([Decimal(17)], ["17"]),
        ([DAY], ["2013-03-10"]),
        ([DAY], [DAY.tz_localize(None)]),
        ([DAY.value], [DAY]),
        ([date(2013, 3, 10)], [DAY.tz_localize(None)]),
        (pd.period_range("2013", periods=1), ["2013"]),
        ([timedelta(hours=1)], [3600]),
    ],
    ids=str,
)


@pytest.mark.parametrize("right", TEXTS)
@pytest.mark.parametrize("left", TEXTS)
def test_texts_match_whatever_holds_them(left, right):
    got = numbered(
        TEXTS[left](["JFK", None, "EWR", "BOS"]), TEXTS[right](["EWR", "JFK"])
    )
    assert got[1] == [0, 1] and got[0] == [1, -1, 0, -1]


@pytest.mark.parametrize("right", NUMBERS, ids=str)
@pytest.mark.parametrize("left", NUMBERS, ids=str)
def test_numbers_match_whatever_holds_them(left, right):
    asked = pd.Series([7, 1, 9, 7]).astype(left)
    got = numbered(asked, pd.Series([1, 7]).astype(right))
    assert got == ([1, 0, -1, 1], [0, 1])


def test_the_largest_whole_numbers_are_told_apart():
    top = pd.Series([2**64 - 1, 2**63, 5], dtype="uint64")
    assert numbered(top, top.astype("UInt64")) == ([0, 1, 2], [0, 1, 2])
    assert numbered(top, [-1, 5, 2**63 - 1])[0] == [-1, -1, 1]
    near = pd.Series([2**53 + 1, None], dtype="Int64")
    assert numbered(near, [2**53, 2**53 + 1])[0] == [1, -1]
    assert numbered(near.astype("category"), [2**53, 2**53 + 1])[0] == [1, -1]


def test_other_kinds_match_by_value():
    kind = pd.ArrowDtype(pa.binary())
    assert numbered([b"b"], pd.Series([b"a", b"b"], dtype=kind))[0] == [1]
    assert numbered([Decimal(2), Decimal("0.5")], [0.5, 2.0])[0] == [1, 0]
    there = hours(1, unit="ns").dt.tz_convert("Asia/Tokyo")
    assert numbered(there, hours(2, 1))[0] == [1]
    assert numbered(there.astype(object), hours(2, 1))[0] == [1]
    assert numbered([True, None], pd.Series([False, True], dtype="boolean"))[0] == [
        1,
        -1,
    ]
    mixed = pd.Series([1, "a", None], dtype=object)
    assert numbered(mixed, ["b", "a"])[0] == [-1, 1, -1]


@OTHERS
def test_kinds_that_never_match_are_refused_by_name(left, right):
    for pair in ((left, right), (right, left)):
        with pytest.raises(ValueError, match=r"key 'k' .* in entities and .* in rows"):
            numbered(*pair)


@OTHERS
def test_nothing_is_refused_where_one_side_holds_nulls_alone(left, right):
    nulls = pd.Series([None], dtype=object)
    assert numbered(left, nulls) == ([-1] * len(pd.Series(left)), [-1])
    assert numbered(nulls, right)[0] == [-1]
    assert numbered(left, nulls[:0]) == ([-1] * len(pd.Series(left)), [])


@pytest.mark.parametrize(
    "whole, floats",
    [
        ([2**53 + 1], [2.0**53]),
        ([2**53 + 1], [1.0]),
        ([5], [2.0**53]),
        (pd.Series([-(2**60)], dtype="Int64"), pd.Series([1.0], dtype="Float64")),
        (pd.Series([2**63 + 1], dtype="uint64"), [1.0]),
        (pd.Series([2**53 + 1], dtype=object), [2.0**53]),
        (pd.Series([2**53 + 1]).astype("category"), [2.0**53]),
        ([2**24 + 1], pd.Series([2.0**24], dtype="float32")),
    ],
    ids=str,
)
def test_whole_numbers_do_not_meet_floats_that_skip_some(whole, floats):
    for pair in ((whole, floats), (floats, whole)):
        with pytest.raises(ValueError, match=r"'k'.*skip whole numbers"):
            numbered(*pair)


def test_floats_that_hold_whole_numbers_match():
    assert numbered([2.0, np.nan, np.inf, 2.5], [1, 2])[0] == [1, -1, -1, -1]
    assert numbered([2.0**52], pd.Series([2**52], dtype="uint64"))[0] == [0]
    zero = pd.Series([0.0, 1.0], dtype="Float64")
    assert numbered(zero / zero, [0.0, 1.0])[0] == [-1, 1]


def test_a_key_that_cannot_be_looked_up_is_named():
    with pytest.raises(ValueError, match=r"'k' .*unhashable"):
        numbered([["a"]], [["a"]])


# --- values ---------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int64", "Int64", "uint64", "int64[pyarrow]"])
def test_whole_values_stay_whole(dtype):
    values, null = inputs.numbers(pd.Series([2**53 + 1, 3], dtype=dtype), "sum")
    assert values.tolist() == [2**53 + 1, 3] and not null.any()


def test_nulls_of_every_kind_are_found():
    for dtype in ("Int64", "Float64", "boolean", "int8[pyarrow]", "bool[pyarrow]"):
        values, null = inputs.numbers(pd.Series([1, None], dtype=dtype), "mean")
        assert values[0] == 1 and null.tolist() == [False, True], dtype
    zero = pd.Series([0.0, 1.0], dtype="Float64")
    for agg in ("count", "sum"):
        assert inputs.numbers(zero / zero, agg)[1].tolist() == [True, False]


def test_values_that_are_no_real_numbers_are_refused():
    for wrong in (["a"], [1j], [DAY], pd.Series([1], dtype=object)):
        with pytest.raises(ValueError, match=r"'v' holds .*: sum needs numbers"):
            inputs.numbers(pd.Series(wrong, name="v"), "sum")
    with pytest.raises(ValueError, match="'v' is infinite in 1 of 2 rows"):
        inputs.numbers(pd.Series([1, -np.inf], name="v"), "mean")
