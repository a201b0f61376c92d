"""flightline.point_in_time.skew and leaking_columns: which differences count."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline.point_in_time.audit import leaking_columns, skew
from hypothesis import given, settings
from hypothesis import strategies as st

NOON = pd.Timestamp("2013-07-02 12:00", tz="UTC")
WHOLE = ["int64", "Int64", "uint64", "UInt64", "int64[pyarrow]", object, "category"]
FLOATS = ["float64", "Float64", "double[pyarrow]", object, "category"]


def apart(left, right):
    """Return the share of rows in which two columns differ."""
    one, other = (pd.Series(side).to_frame("x") for side in (left, right))
    share = skew(one, other)["x"]
    assert share == skew(other, one)["x"]
    return share


@pytest.mark.parametrize("right", WHOLE, ids=str)
@pytest.mark.parametrize("left", WHOLE, ids=str)
def test_whole_numbers_are_compared_exactly(left, right):
    here = [5_000_001, 1_373_000_000, 2**53 + 1, 2**62]
    there = [5_000_002, 1_373_003_600, 2**53, 2**62 + 1]
    one = pd.Series(here).astype(left)
    assert apart(one, pd.Series(there).astype(right)) == 1
    assert apart(one, pd.Series(here).astype(right)) == 0


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
@settings(deadline=None)
def test_any_two_whole_numbers(one, other):
    assert apart([one], [other]) == (one != other)
    nullable = [pd.Series([n, None], dtype="Int64") for n in (one, other)]
    assert apart(*nullable) == (0.5 if one != other else 0)
    assert apart([one], [float(other)]) == (one != int(float(other)))


@pytest.mark.parametrize("right", FLOATS, ids=str)
@pytest.mark.parametrize("left", FLOATS, ids=str)
def test_floats_agree_up_to_the_last_digits(left, right):
    def column(values, dtype):
        return pd.Series(values, dtype="float64").astype(dtype)

    rounding = [0.7 + 0.1, 1e300 / 3 * 3, 5e-320, -0.0, math.inf]
    same = [0.8, 1e300, 5e-320, 0.0, math.inf]
    assert apart(column(rounding, left), column(same, right)) == 0
    here = [1_373_000_000.0, 0.1, 1e-20, 5e-324, 1e308, math.inf, math.inf, 1.0]
    there = [1_373_003_600.0, 0.1001, 2e-20, 0.0, -1e308, 1e308, -math.inf, math.nan]
    assert apart(column(here, left), column(there, right)) == 1


def test_floats_without_a_fraction_are_counts_or_times():
    micros = 1_373_000_000_000_000.0
    assert apart([micros, 3.0], [micros + 1, 3.0000000000000004]) == 0.5
    assert apart([1e16], [1e16 + 2]) == 0  # so large, the last digits are rounding


def test_a_narrow_float_agrees_up_to_its_own_last_digits():
    narrow = pd.Series([0.1, 0.1, 5.0], dtype="float32")
    assert apart(narrow, [0.1, 0.10001, 5.0]) == pytest.approx(1 / 3)


NULLS = [
    ("float64", math.nan), ("Float64", pd.NA), ("Int64", pd.NA), (object, None),
    (object, pd.NA), ("boolean", pd.NA), ("string", pd.NA), ("category", None),
    ("datetime64[us]", pd.NaT), ("int8[pyarrow]", pd.NA),
    (pd.ArrowDtype(pa.string()), pd.NA),
]  # fmt: skip


@pytest.mark.parametrize("right", NULLS, ids=str)
@pytest.mark.parametrize("left", NULLS, ids=str)
def test_nulls_agree_whatever_holds_them(left, right):
    one, other = (pd.Series([null] * 2, dtype=dtype) for dtype, null in (left, right))
    assert apart(one, other) == 0


@pytest.mark.parametrize(
    "dtype, value, other",
    [("Int64", -2, 3), ("Float64", 0.0, 0.5), ("boolean", True, False),
     ("string", "a", "b"), (object, "a", "b"), ("string[pyarrow]", "<NA>", "b"),
     ("category", "a", "b"), ("datetime64[us]", pd.Timestamp(5000), pd.Timestamp(0)),
     ("bool[pyarrow]", False, True)],
    ids=str,
)  # fmt: skip
def test_a_null_and_a_value_differ_and_so_do_two_values(dtype, value, other):
    null = pd.Series([value, None], dtype=dtype)
    assert apart(null, null.copy()) == 0
    assert apart(null, pd.Series([value, value], dtype=dtype)) == 0.5
    assert apart(null, pd.Series([other, None], dtype=dtype)) == 0.5


def test_categories_are_compared_by_what_they_stand_for():
    one = pd.Series(pd.Categorical(["a", "b", None], ["a", "b"]))
    other = pd.Series(pd.Categorical(["a", "z", None], ["z", "a", "unused"]))
    assert apart(one, one.astype(pd.CategoricalDtype(["b", "a"], ordered=True))) == 0
    assert apart(one, other) == pytest.approx(1 / 3)
    assert apart(one, pd.Series(["a", "b", None], dtype="string")) == 0
    whole = pd.Series(pd.Categorical([2**53 + 1, None]))
    assert apart(whole, pd.Series([2**53, None], dtype="Int64")) == 0.5


def test_other_values_are_compared_exactly():
    times = pd.Series([NOON, NOON + pd.Timedelta(hours=1)]).dt.as_unit("us")
    assert apart(times, times.dt.tz_convert("Asia/Tokyo").dt.as_unit("ns")) == 0
    assert apart(times, times.dt.as_unit("ns") + pd.Timedelta(1, "ns")) == 1
    assert apart(times, times.dt.tz_localize(None)) == 1
    assert apart([1, 0], [True, False]) == 0 and apart(["1"], [1]) == 1
    assert apart([b"a"], ["a"]) == 1
    assert apart([Decimal("1.5")], [1.5]) == 0
    assert apart([[1, 2], [3]], [[1, 2], [4]]) == 0.5
    arrays = [np.array([1, 2]), np.array([3])]
    assert apart(pd.Series(arrays), pd.Series([arrays[0], arrays[0]])) == 0.5


def test_rows_are_compared_by_position_and_columns_are_named():
    table = pd.DataFrame({"x": [1, 2], 7: [1, 2]}, index=[5, 5])
    assert skew(table, table.assign(x=[1, 3])).to_dict() == {"x": 0.5, 7: 0.0}
    assert skew(table[:0], table[:0]).tolist() == [0, 0]
    assert skew(table[:1], table[:1] + 1).tolist() == [1, 1]
    with pytest.raises(ValueError, match="'y' is in one table only"):
        skew(table, table.assign(y=1))
    doubled = pd.concat([table, table[["x"]]], axis=1)
    with pytest.raises(ValueError, match="offline has two columns 'x'"):
        skew(doubled, doubled)
    with pytest.raises(ValueError, match="rows differ"):
        skew(table, table.reset_index(drop=True))


# --- leaks ----------------------------------------------------------------------------

CUT = {"entity_time": "t", "available_time": "known", "cutoff": NOON}


def log(unit="us"):
    """Return one entity at noon, and events known before and after it."""
    asks = pd.DataFrame({"t": pd.Series([NOON]).dt.as_unit(unit)})
    hours = pd.Series([NOON + pd.Timedelta(hours=h) for h in (-2, -1, 1)])
    return asks, pd.DataFrame(
        {"known": hours.dt.as_unit("us"), "id": [10**15, 3, 10**15 + 1]}
    )


def build(entities, events):
    """Return features, half of which look at what comes later."""
    last = events["known"].max()
    before = events[events["known"] <= NOON]
    values = {
        "last_s": last.timestamp(),
        "last_us": int(last.as_unit("us").asm8.astype(np.int64)),
        "largest": events["id"].max(),
        "newest": str(last),
        "kind": pd.Categorical(["late" if last > NOON else "early"]),
        "honest_s": before["known"].max().timestamp(),
        "honest": before["id"].max(),
        "nothing": pd.NA,
    }
    return pd.DataFrame(values, index=entities.index)


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_leaks_are_seen_in_large_numbers_texts_and_categories(unit):
    expected = ["last_s", "last_us", "largest", "newest", "kind"]
    assert leaking_columns(build, *log(unit), **CUT) == expected


def test_what_is_never_known_leaks_if_it_is_used():
    asks, events = log()
    events.loc[2, "known"] = pd.NaT

    def count(entities, events):
        return pd.DataFrame({"rows": len(events)}, index=entities.index)

    assert leaking_columns(count, asks, events, **CUT) == ["rows"]


def test_clocks_of_the_detector_must_agree():
    asks, events = log()
    with pytest.raises(ValueError, match="'cutoff' has none"):
        leaking_columns(
            build, asks, events, **{**CUT, "cutoff": NOON.tz_localize(None)}
        )
    naive = events.assign(known=events["known"].dt.tz_localize(None))
    with pytest.raises(ValueError, match="'known' has none"):
        leaking_columns(build, asks, naive, **CUT)
    with pytest.raises(ValueError, match="'t' holds"):
        leaking_columns(build, asks.assign(t="noon"), events, **CUT)
