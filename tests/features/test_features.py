"""The definitions of lab 05: brute force, change points, late knowledge, pieces."""

import doctest
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from flightline import features
from flightline.features import (
    DAY,
    FEATURES,
    HOUR,
    VIEWS,
    T,
    compute,
    core,
    repository,
    served,
    views,
    writes,
)
from flightline.features import (
    stream as feature_stream,
)
from flightline.lake import flight_times, weather_events
from flightline.point_in_time import join, skew, window
from hypothesis import given, settings
from hypothesis import strategies as st
from labkit import data
from labkit.features import stores

MODULES = [compute, core, repository, served, views, writes]
START = pd.Timestamp("2013-06-30", tz="UTC").as_unit("us")
END = pd.Timestamp("2013-07-03 12:00", tz="UTC").as_unit("us")


@pytest.fixture(scope="module")
def flights():
    loaded = data.load_flights(months=[5, 6, 7])
    return flight_times(loaded, data.load_airports())


@pytest.fixture(scope="module")
def weather():
    return weather_events(data.load_weather())


@pytest.fixture(scope="module")
def table(flights, weather):
    return features.training_table(flights, weather).set_index("flight_id")


def one_by_hand(flight, log, weather):
    """Compute the features of one flight with filters, one by one."""
    t = flight[T]
    gone, came = log[log.dep_utc <= t], log[log.arr_utc <= t]

    def mean(rows, clock, hours, delay, **key):
        near = rows[rows[clock] > t - pd.Timedelta(hours=hours)]
        for name, value in key.items():
            near = near[near[name] == value]
        return near[delay].mean()

    o, c, d = ({k: flight[k]} for k in ("origin", "carrier", "dest"))
    came = came.assign(late=(came.arr_delay >= 15).where(came.arr_delay.notna()))
    found = {
        "origin_dep_delay_1h": mean(gone, "dep_utc", 1, "dep_delay", **o),
        "origin_dep_delay_3h": mean(gone, "dep_utc", 3, "dep_delay", **o),
        "carrier_dep_delay_3h": mean(gone, "dep_utc", 3, "dep_delay", **c),
        "origin_carrier_dep_delay_3h": mean(gone, "dep_utc", 3, "dep_delay", **o, **c),
        "all_dep_delay_1h": mean(gone, "dep_utc", 1, "dep_delay"),
        "origin_arr_delay_3h": mean(came, "arr_utc", 3, "arr_delay", **o),
        "dest_arr_delay_3h": mean(came, "arr_utc", 3, "arr_delay", **d),
        "dest_arr_delay_24h": mean(came, "arr_utc", 24, "arr_delay", **d),
        "carrier_arr_delay_24h": mean(came, "arr_utc", 24, "arr_delay", **c),
        "all_late_share_24h": mean(came, "arr_utc", 24, "late"),
    }
    due = log[(log.sched_dep_utc <= t) & (log.sched_dep_utc > t - 6 * HOUR)]
    waits = due[~(due.dep_utc <= t) & (due.origin == flight.origin)]
    found["origin_waiting"] = len(waits)
    found["origin_carrier_waiting"] = (waits.carrier == flight.carrier).sum()
    seen = weather[(weather.origin == flight.origin) & (weather.available_at <= t)]
    rain = seen[seen.available_at > t - 3 * HOUR].precip
    found["precip_3h"] = rain.sum(min_count=1)
    report = seen[seen.event_time >= t - 6 * HOUR].sort_values("event_time").iloc[-1]
    for name in ("temp", "dewp", "visib", "pressure"):
        found[name] = report[name]
    found["gust"] = np.nan_to_num(report.wind_gust)
    same = came[(came.arr_utc > t - 30 * DAY) & came.arr_delay.notna()]
    for name in ("carrier", "flight", "dest"):
        same = same[same[name] == flight[name]]
    late = (same.arr_delay >= 15).sum()
    found["flight_late_rate"] = (late + 4.8) / (len(same) + 20)
    close = (log.sched_dep_utc - flight.sched_dep_utc).abs() <= HOUR / 2
    edge = log.sched_dep_utc - flight.sched_dep_utc == -HOUR / 2
    found["nearby_flights"] = (close & ~edge & (log.origin == flight.origin)).sum()
    clock = flight.sched_dep_time
    found["minute_of_day"] = clock // 100 * 60 + clock % 100
    found["weekday"] = pd.Timestamp(2013, flight.month, flight.day).dayofweek
    found["block_min"] = (flight.sched_arr_utc - flight.sched_dep_utc) / HOUR * 60
    return found


def test_features_equal_filters_written_out(flights, weather, table):
    asks = flights.assign(**{T: flights.sched_dep_utc - features.LEAD})
    some = asks[asks[T].between(START, END)].sample(12, random_state=3)
    ours = asks[asks.flight_id == "2013-07-02-B6-523-JFK"]
    for _, flight in pd.concat([some, ours]).iterrows():
        for name, value in one_by_hand(flight, flights, weather).items():
            got = float(table.loc[flight.flight_id, name])
            assert got == pytest.approx(value, nan_ok=True), (flight.flight_id, name)


def test_the_table_has_what_it_promises(flights, table):
    assert len(FEATURES) == len(set(FEATURES)) == 28
    assert len(features.NUMERIC) == 25
    assert list(table)[-2:] == ["late", "label_time"]
    assert len(table) == len(flights) and table.index.is_unique
    assert table["late"].isna().sum() == (flights.arr_utc.isna()).sum()


def test_until_leaves_out_what_was_not_known(flights, weather, table):
    cut = pd.Timestamp("2013-06-15 18:00", tz="UTC").as_unit("us")
    near = flights[flights.month < 7]
    early = features.training_table(near, weather, until=cut).set_index("flight_id")
    assert (early[T] <= cut).all() and not (early["label_time"] > cut).any()
    whole = table.loc[early.index]
    assert (skew(early[FEATURES], whole[FEATURES]) == 0).all()
    assert early["late"].isna().sum() > whole["late"].isna().sum()


def test_nothing_known_later_changes_a_feature(flights, weather):
    cut = pd.Timestamp("2013-07-02 22:49", tz="UTC").as_unit("us")
    asks = flights.assign(**{T: flights.sched_dep_utc - features.LEAD})
    asks = asks[asks[T].between(cut - 2 * HOUR, cut)]
    log = feature_stream.log_at(flights, cut).reset_index()
    plan = flights[["flight_id", *features.PLAN]]
    known = plan.merge(log.drop(columns=features.PLAN), on="flight_id", how="left")
    seen = weather[weather.available_at <= cut]
    honest = features.features_at(asks, known, seen)
    assert (skew(features.features_at(asks, flights, weather), honest) == 0).all()


@pytest.mark.parametrize("view", VIEWS)
def test_a_timeline_holds_every_instant(flights, weather, view):
    what, keys = VIEWS[view], VIEWS[view].keys
    rows = features.timeline(view, flights, weather, START, END)
    asks = flights.assign(**{T: flights.sched_dep_utc - features.LEAD}, network="NYC")
    asks = asks[asks[T].between(START, END)]
    wanted = (
        features.nearby(asks, flights)
        if view == "schedule"
        else views._compute(view, asks, flights, weather)
        if view != "weather"
        else features.report(asks, weather)
    )
    found = join(
        asks[[*keys, T]],
        rows[[*keys, "event_time", "available_at", *what.features]],
        by=keys,
        entity_time=T,
        feature_time="event_time",
        available_time="available_at",
        ttl=what.ttl,
    )
    assert (skew(found[what.features], wanted[what.features]) == 0).all()
    assert not rows.duplicated([*keys, "event_time"]).any() or view == "schedule"
    assert (rows[f"{view}_at"] == rows["event_time"].astype("int64") // 10**6).all()


def test_a_live_key_is_never_silent_for_two_hours(flights, weather):
    rows = features.timeline("dest", flights, weather, START, END)
    gaps = rows.sort_values("event_time").groupby("dest")["event_time"].diff()
    assert gaps.max() <= HOUR < VIEWS["dest"].ttl


MINUTES = st.lists(st.integers(0, 180), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(left=MINUTES, keys=st.lists(st.sampled_from("ab"), min_size=8, max_size=8))
def test_change_points_miss_no_change(left, keys):
    time = START + pd.to_timedelta(left, unit="min").as_unit("us")
    log = pd.DataFrame({"k": keys[: len(left)], "at": time, "v": np.arange(len(left))})
    spans = [("at", 0 * HOUR), ("at", HOUR)]
    points = features.change_points(log, ["k"], spans, START, START + 5 * HOUR)
    what = {"by": "k", "event_time": "at", "value": "v", "window": HOUR, "agg": "sum"}
    minutes = pd.date_range(START, periods=300, freq="1min", unit="us")
    for key in set(log.k):
        every = pd.DataFrame({"k": key, T: minutes})
        truth = window(every, log, entity_time=T, **what)
        value = window(points, log, entity_time=T, **what)
        rows = points.assign(value=value).rename(columns={T: "since"})
        held = join(every, rows, by="k", entity_time=T, feature_time="since")
        assert np.allclose(held["value"], truth, equal_nan=True)


@pytest.mark.parametrize("name", ["sched_dep_utc", "sched_arr_utc"])
def test_a_time_without_a_zone_computes_nothing(flights, weather, name):
    asks = flights.assign(**{T: flights.sched_dep_utc - features.LEAD}).head(3)
    naive = asks.assign(**{name: asks[name].dt.tz_localize(None)})
    with pytest.raises(ValueError, match=r"time zone|with a zone"):
        features.features_at(naive, flights, weather)


def test_a_period_may_begin_and_end_in_two_zones(flights, weather):
    local = START.tz_convert("America/New_York")
    same = features.timeline("network", flights, weather, local, START + HOUR)
    utc = features.timeline("network", flights, weather, START, START + HOUR)
    pd.testing.assert_frame_equal(same, utc)


def test_request_terms_take_lists_and_nulls():
    at = pd.Timestamp("2013-03-10 07:30", tz="UTC").timestamp()  # clocks change at 7
    terms = features.request_terms([at, np.nan], [at + 60, at], [1, None])
    assert terms["minute_of_day"][0] == 3 * 60 + 30 and terms["weekday"][0] == 6
    assert np.isnan(terms["minute_of_day"][1]) and np.isnan(terms["distance_mi"][1])
    names = ("sched_dep_s", "sched_arr_s", "distance")
    assert features.request_lists({name: [] for name in names})["block_min"] == []


def test_nothing_depends_on_the_plane_that_flew(flights, weather, table):
    """A completed flight names the aircraft that flew it, which nobody knew before."""
    other = flights.assign(tailnum="N00000")
    known = features.training_table(other, weather).set_index("flight_id")
    pd.testing.assert_frame_equal(known[FEATURES], table[FEATURES])
    blind = flights.drop(columns="tailnum")
    known = features.training_table(blind, weather).set_index("flight_id")
    pd.testing.assert_frame_equal(known[FEATURES], table[FEATURES])


def test_take_enters_news_and_ignores_strangers(flights):
    cut = pd.Timestamp("2013-07-02 12:00", tz="UTC").as_unit("us")
    log = feature_stream.log_at(flights[flights.month == 7], cut)
    assert not (log["dep_utc"] > cut).any() and log["dep_delay"].isna().any()
    new = flights[flights.sched_dep_utc - DAY > cut].iloc[[0]]
    left = pd.DataFrame(
        {"flight_id": [*new.flight_id, "stranger"], "dep_delay": [4.0, 5.0]}
    )
    left["event_time"] = cut
    none = left.iloc[:0].rename(columns={"dep_delay": "arr_delay"})
    news = {"schedule": new, "departures": left, "arrivals": none}
    after = feature_stream.take(log, news)
    assert len(after) == len(log) + 1 and "stranger" not in after.index
    assert after.loc[new.flight_id, "dep_delay"].tolist() == [4.0]
    assert after.dtypes.equals(log.dtypes)


def test_importing_the_module_is_light():
    code = "import sys, flightline.features; print('feast' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=data.DATA_DIR.parent / "labs",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "False"


def test_the_examples_in_docstrings_run():
    assert not any(doctest.testmod(module).failed for module in MODULES)


def test_a_dead_feed_looks_fresh_while_its_writer_lives(flights, weather):
    """Heartbeats go on without departures: no row is stale, and the queue grows."""
    now = pd.Timestamp("2013-07-02 22:49", tz="UTC").as_unit("us")
    deaf = feature_stream.log_at(flights, now - 2 * HOUR).reset_index()
    heard = feature_stream.log_at(flights, now).reset_index()
    last = [
        features.timeline("origin", log, weather, now - 2 * HOUR, now)
        .query("origin == 'JFK'")
        .sort_values("event_time")
        .iloc[-1]
        for log in (deaf, heard)
    ]
    stamps = np.array([row["origin_at"] for row in last], np.float64)
    asked = np.full(2, now.timestamp())
    assert features.freshness(stamps, asked, 7200.0).tolist() == ["fresh", "fresh"]
    assert last[0]["origin_waiting"] > 2 * last[1]["origin_waiting"]


def test_rebuild_leaves_out_a_null_label_with_a_time():
    noon = pd.Timestamp("2013-07-02 12:00", tz="UTC").as_unit("us")
    log = pd.DataFrame({"flight_id": ["a", "b"], "time": [noon, noon], "x": [1.0, 2.0]})
    late = pd.Series([None, True], ["a", "b"], dtype="boolean")
    known = pd.Series([noon, noon], ["a", "b"])
    assert features.rebuild(log, late, known, until=noon).index.tolist() == ["b"]


def test_rows_that_differ_counts_rows_and_not_cells():
    offline = pd.DataFrame({"n": [1.0, np.nan, 3.0, 4.0], "c": ["a", "b", None, "d"]})
    served = pd.DataFrame({"n": [1.0, np.nan, 9.0, 4.0], "c": ["a", "b", "x", "y"]})
    assert stores.rows_that_differ(offline, offline) == 0
    assert stores.rows_that_differ(served, offline) == 0.5


@pytest.mark.parametrize("step", [0.0, 1e-15, 1e-9, 1e-6, 0.5])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e6, 1e-7])
def test_a_row_differs_where_the_skew_rate_counts_a_cell(value, step):
    offline = pd.DataFrame({"n": [value]})
    served = offline + step
    assert stores.rows_that_differ(served, offline) == skew(offline, served)["n"]
