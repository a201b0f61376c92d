"""The core that lab 04 exports, against plain loops and against the package."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from flightline import point_in_time as pit
from flightline.lake import flight_times
from flightline.point_in_time import core
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from labkit import data

START = pd.Timestamp("2013-07-01", tz="UTC")
HOUR = pd.Timedelta(hours=1).as_unit("us")
SETTINGS = settings(max_examples=150, deadline=None)
KEYS = st.sampled_from(["EWR", "JFK", "LGA", None])
HOURS = st.integers(0, 12)
MAYBE = st.one_of(st.none(), HOURS)


def times(hours):
    """Turn hours (None: null) into times in UTC, in microseconds."""
    stamps = [pd.NaT if h is None else START + pd.Timedelta(hours=h) for h in hours]
    return pd.DatetimeIndex(stamps, dtype="datetime64[us, UTC]")


@st.composite
def tables(draw):
    """Draw questions, and a log with outcomes that may be missing or early."""
    asked = draw(st.lists(st.tuples(KEYS, KEYS, HOURS), max_size=8))
    rows = st.tuples(KEYS, KEYS, HOURS, MAYBE, MAYBE, st.integers(-9, 9))
    logged = draw(st.lists(rows, min_size=1, max_size=12))
    asks = pd.DataFrame(asked, columns=["origin", "dest", "hour"], dtype=object)
    asks["prediction_time"] = times(asks.pop("hour"))
    names = ["origin", "dest", "sched", "dep", "arr", "dep_delay"]
    log = pd.DataFrame(logged, columns=names).astype({"dep": object, "arr": object})
    for name in ("sched", "dep", "arr"):
        hours = log.pop(name)
        log[f"{name}_dep_utc" if name == "sched" else f"{name}_utc"] = times(
            [None if pd.isna(h) else int(h) for h in hours]
        )
    log["arr_delay"] = log["dep_delay"].astype(float).where(log["arr_utc"].notna())
    log["dep_delay"] = log["dep_delay"].astype(float).where(log["dep_utc"].notna())
    index = draw(st.lists(HOURS, min_size=len(asked), max_size=len(asked)))
    return asks.set_axis(index), log


BY = st.sampled_from(["origin", ["origin", "dest"]])


@SETTINGS
@given(tables(), BY, st.sampled_from([None, 0, 3]))
def test_as_of_equals_the_package(drawn, by, ttl_hours):
    asks, log = drawn
    rows = log[log["dep_utc"].notna() & log["arr_utc"].notna()]
    rows = rows.assign(row=np.arange(len(rows)))
    assume(len(rows))  # an empty table is the package's matter
    found = core.as_of(asks, rows, by, "dep_utc", "arr_utc", ttl_hours)
    keys = [by] if isinstance(by, str) else by
    expected = pit.join(
        asks[[*keys, "prediction_time"]],
        rows[[*keys, "dep_utc", "arr_utc", "row"]],
        by=by,
        entity_time="prediction_time",
        feature_time="dep_utc",
        available_time="arr_utc",
        ttl=None if ttl_hours is None else pd.Timedelta(hours=ttl_hours),
    )
    assert found.index.equals(asks.index)
    assert np.array_equal(found["row"].fillna(-1), expected["row"].fillna(-1))


@SETTINGS
@given(tables(), BY)
def test_a_row_without_its_times_is_never_joined(drawn, by):
    asks, log = drawn
    whole = log["dep_utc"].notna() & log["arr_utc"].notna()
    assume(whole.any())
    rows = log.assign(row=np.arange(len(log)))
    with_nulls = core.as_of(asks, rows, by, "dep_utc", "arr_utc")
    without = core.as_of(asks, rows[whole], by, "dep_utc", "arr_utc")
    assert np.array_equal(with_nulls["row"].fillna(-1), without["row"].fillna(-1))


@SETTINGS
@given(tables(), BY, st.integers(1, 6), st.sampled_from([None, "arr_utc"]))
def test_rolling_equals_the_package(drawn, by, hours, available):
    asks, log = drawn
    got = core.rolling(asks, log, by, "sched_dep_utc", "arr_delay", hours, available)
    events = log if available is None else log[log[available].notna()]
    for name in ("count", "sum", "mean"):
        expected = pit.window(
            asks,
            events,
            by=by,
            entity_time="prediction_time",
            event_time="sched_dep_utc",
            value="arr_delay",
            window=pd.Timedelta(hours=hours),
            agg=name,
            available_time=available,
        )
        if name == "sum":
            expected = expected.fillna(0)
        assert np.array_equal(got[name], expected, equal_nan=True), name
    assert got.index.equals(asks.index)


@SETTINGS
@given(tables(), BY)
def test_waiting_equals_the_package(drawn, by):
    asks, log = drawn
    expected = pit.open_at(
        asks,
        log,
        by=by,
        entity_time="prediction_time",
        start_time="sched_dep_utc",
        end_time="dep_utc",
        window="6h",
    )
    assert np.array_equal(core.waiting(asks, log, by), expected)


@SETTINGS
@given(tables(), HOURS)
def test_a_replay_gives_what_was_known(drawn, hour):
    asks, log = drawn
    now = START + pd.Timedelta(hours=hour)
    then = core.log_at(log, now)
    assert len(then) == len(log)
    for at, what in (("dep_utc", "dep_delay"), ("arr_utc", "arr_delay")):
        assert then[at].dropna().le(now).all()
        assert then[at].notna().equals(log[at].le(now))
        assert then.loc[then[at].isna(), what].isna().all()
    asked = asks[asks["prediction_time"] <= now]
    what = "origin", "sched_dep_utc", "arr_delay", 6, "arr_utc"
    known, replayed = (core.rolling(asked, rows, *what) for rows in (log, then))
    pd.testing.assert_frame_equal(known, replayed)


def test_a_replay_hides_every_outcome(july):
    plan = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "flight"]
    plan += ["tailnum", "origin", "dest", "distance", "flight_id", "row"]
    plan += ["sched_dep_utc", "sched_arr_utc"]
    before = core.log_at(july, july["dep_utc"].min() - HOUR)
    assert before[plan].equals(july[plan])
    assert before.drop(columns=plan).isna().all(axis=None)


@given(st.sampled_from([1e15, 1e17, -1e300, 1e308]))
def test_a_huge_value_of_another_key_or_long_gone_is_not_felt(huge):
    hours = [np.array(h, "M8[h]") for h in ([0, 1, 9, 0], [4, 5, 12, 4])]
    code = np.array([0, 0, 0, 1])
    values = np.array([huge, 1.0, 7.0, 3.0])
    at = np.array([10, 2], "M8[h]")
    count, total = core.held_at(code, *hours, values, np.array([0, 1]), at)
    assert count.tolist() == [1, 1] and total.tolist() == [7.0, 3.0]


def test_nulls_never_meet_and_numbers_are_keys_too():
    asks = pd.DataFrame({"flight": [7.0, np.nan], "origin": ["JFK", "JFK"]})
    rows = pd.DataFrame({"flight": [np.nan, 7, 8], "origin": ["JFK", "JFK", None]})
    at_code, code = core.number_keys(asks, rows, ["flight", "origin"])
    assert at_code.tolist() == [code[1], -2] and code[[0, 2]].tolist() == [-1, -1]
    assert code[1] >= 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("asked, logged", [([], ["JFK"]), (["JFK"], []), ([], [])])
def test_an_empty_side_has_keys_too(asked, logged):
    asks, rows = (pd.DataFrame({"origin": o}, index=o) for o in (asked, logged))
    at_code, code = core.number_keys(asks, rows, "origin")
    assert (len(at_code), len(code)) == (len(asked), len(logged))


@pytest.fixture(scope="module")
def july():
    flights = flight_times(data.load_flights([7]), data.load_airports())
    return flights[flights["dep_utc"].notna()].reset_index(names="row")


def test_as_of_equals_polars(july):
    by = ["origin", "carrier"]
    asks = july[["row", *by, "sched_dep_utc"]]
    asks = asks.rename(columns={"sched_dep_utc": "prediction_time"})
    rows = july[[*by, "dep_utc", "dep_delay"]].drop_duplicates(
        [*by, "dep_utc"], keep="last"
    )
    joined = (
        pl.from_pandas(asks)
        .sort("prediction_time")
        .join_asof(
            pl.from_pandas(rows).sort("dep_utc"),
            left_on="prediction_time",
            right_on="dep_utc",
            by=by,
            check_sortedness=False,
        )
        .sort("row")
    )
    found = core.as_of(asks, july, by, "dep_utc")["dep_delay"]
    assert np.array_equal(found, joined["dep_delay"].to_pandas(), equal_nan=True)


def test_windows_and_queues_of_july_equal_the_package():
    flights = flight_times(data.load_flights([7]), data.load_airports())
    asks = flights.assign(prediction_time=flights["sched_dep_utc"] - 2 * HOUR)
    what = "origin", "sched_dep_utc", "arr_delay", 3, "arr_utc"
    names = {"event_time": what[1], "value": what[2], "available_time": what[4]}
    events = flights[flights["arr_delay"].notna()]
    by = {"by": "origin", "entity_time": "prediction_time"}
    means = pit.window(asks, events, window="3h", agg="mean", **by, **names)
    assert core.rolling(asks, flights, *what)["mean"].equals(means)
    ends = {"start_time": "sched_dep_utc", "end_time": "dep_utc"}
    queue = pit.open_at(asks, flights, window="6h", **by, **ends)
    assert np.array_equal(core.waiting(asks, flights, "origin"), queue)


def test_rolling_equals_polars(july):
    total = pl.col("dep_delay").rolling_sum_by("dep_utc", "3h").over("origin")
    rolled = pl.from_pandas(july).sort("dep_utc").with_columns(sum=total).to_pandas()
    asks = rolled.rename(columns={"dep_utc": "prediction_time"})
    found = core.rolling(asks, july, "origin", "dep_utc", "dep_delay", 3)["sum"]
    assert found.equals(rolled["sum"])


@pytest.mark.parametrize("hour, leaks", [(3, ["own", "all", "scheduled"]), (6, [])])
def test_leaking_columns(hour, leaks):
    log = pd.DataFrame(
        {
            "prediction_time": times([0, 1, 2]),
            "sched_dep_utc": times([0, 1, 2]),
            "dep_utc": times([0, 1, 2]),
            "arr_utc": times([1, 2, 5]),
            "dep_delay": [0.0, 1.0, 2.0],
            "arr_delay": [4.0, 5.0, 6.0],
        }
    )

    def build(asks, log):
        table = pd.DataFrame({"own": asks["arr_delay"], "all": log["arr_delay"].sum()})
        for name, at in {"landed": "arr_utc", "scheduled": "sched_dep_utc"}.items():
            past = [log[log[at] <= t]["arr_delay"] for t in asks["prediction_time"]]
            table[name] = [delays.mean() for delays in past]
        return table

    now = START + pd.Timedelta(hours=hour)
    assert core.leaking_columns(build, log, log, now) == leaks
