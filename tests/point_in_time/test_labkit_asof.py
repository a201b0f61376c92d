"""labkit.point_in_time.asof and labkit.point_in_time.delay_model: what lab 04 leans
on."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from labkit.point_in_time import asof, delay_model


def moments(*hours):
    """Return times on one day, in UTC and microseconds."""
    start = pd.Timestamp("2013-07-01", tz="UTC")
    stamps = [start + pd.Timedelta(hours=h) for h in hours]
    return pd.DatetimeIndex(stamps).as_unit("us")


@pytest.fixture
def tables():
    asks = pd.DataFrame(
        {"key": ["b", "a", "a", "c", None], "t": moments(5, 1, 9, 9, 9)},
        index=[7, 7, 3, 1, 0],
    )
    rows = pd.DataFrame(
        {"key": ["a", "b", "a"], "at": moments(2, 4, 8), "value": [1.0, 2.0, None]}
    )
    return asks, rows


EXPECTED = [2.0, None, None, None, None]


def test_every_engine_gives_the_same_rows(tables):
    asks, rows = tables
    how = ["key"], "t", "at"
    answers = {
        "pandas": asof.with_pandas(asks, rows, *how),
        "duckdb": asof.with_duckdb(asks, rows, *how),
        "polars": asof.with_polars(
            pl.from_pandas(asks), pl.from_pandas(rows), *how
        ).to_pandas(),
        "filter": asof.by_filter(asks, rows, *how),
    }
    for name, answer in answers.items():
        assert [None if pd.isna(v) else v for v in answer["value"]] == EXPECTED, name
        assert asof.agree(answers["pandas"], answer, ["value", "at", "key"]), name


def test_agree_sees_every_difference(tables):
    asks, _ = tables
    assert asof.agree(asks, asks.reset_index(drop=True), ["key", "t"])
    assert asof.agree(asks, asks.assign(t=asks["t"].dt.tz_convert("Asia/Tokyo")), ["t"])
    assert not asof.agree(asks, asks[:-1], ["key"])
    assert not asof.agree(asks, asks.assign(key="a"), ["key"])
    assert not asof.agree(asks, asks.assign(key=["b", "a", "a", "c", "d"]), ["key"])
    later = asks.assign(t=asks["t"] + pd.Timedelta(hours=1).as_unit("us"))
    assert not asof.agree(asks, later, ["t"])


def test_the_last_of_equal_rows_is_kept(tables):
    _, rows = tables
    doubled = pd.concat([rows, rows.assign(value=9.0)])
    kept = asof.last_of_equals(doubled, ["key"], "at")
    assert kept["value"].tolist() == [9.0] * 3 and kept["at"].is_monotonic_increasing


def test_rolling_sums_are_open_on_the_left():
    events = pd.DataFrame(
        {"key": "a", "at": moments(5, 2, 4), "value": [1.0, 10.0, 100.0]},
        index=[4, 5, 6],
    )
    sums = asof.rolling_sums(events, "key", "at", "value", minutes=180)
    for name, total in sums.items():
        assert total.tolist() == [101.0, 10.0, 110.0], name


@pytest.fixture(scope="module")
def flights():
    from flightline.lake import flight_times
    from labkit import data

    table = flight_times(data.load_flights([6, 7]), data.load_airports())
    two_hours = pd.Timedelta(hours=2).as_unit("us")
    return table.assign(prediction_time=table["sched_dep_utc"] - two_hours)


def test_the_timetable_counts_neighbours(flights):
    table = delay_model.timetable(flights)
    assert table.shape == (len(flights), 8) and table.notna().all(axis=None)
    row = flights.iloc[12_345]
    half = pd.Timedelta(minutes=30)
    gap = (flights["sched_dep_utc"] - row["sched_dep_utc"]).abs()
    near = (flights["origin"] == row["origin"]) & (gap <= half)
    edge = (row["sched_dep_utc"] - flights["sched_dep_utc"]) == half
    assert table["nearby"].iloc[12_345] == (near & ~(edge & near)).sum()
    assert table["weekday"].iloc[0] == pd.Timestamp(2013, 6, 1).dayofweek


def test_labels_leave_out_what_did_not_arrive(flights):
    late = delay_model.late_by_month(flights, 7, 7)
    july = flights[flights["month"] == 7]
    assert len(late) == july["arr_delay"].notna().sum()
    assert late.sum() == (july["arr_delay"] >= 15).sum()


def test_the_model_learns_the_same_each_time(flights):
    table = delay_model.timetable(flights)
    june, july = (delay_model.late_by_month(flights, m, m) for m in (6, 7))
    scores = [
        delay_model.auc(delay_model.fit(table, june, 5), table, july) for _ in "ab"
    ]
    assert scores[0] == scores[1] and 0.55 < scores[0] < 0.8


def test_up_to_departure_knows_only_the_first_hour(flights):
    july = flights[flights["month"] == 7].reset_index(drop=True)
    known = delay_model.known_up_to_departure(july)
    row = july.iloc[20_000]
    now = row["prediction_time"]
    same = july[july["origin"] == row["origin"]]
    left = same["dep_utc"].between(now - pd.Timedelta(hours=1), now, inclusive="right")
    assert np.isclose(
        known["delay_3h"].iloc[20_000], same.loc[left, "dep_delay"].mean()
    )
    planned = (same["sched_dep_utc"] > now - pd.Timedelta(hours=4)) & (
        same["sched_dep_utc"] <= row["sched_dep_utc"]
    )
    waits = planned & ~(same["dep_utc"] <= now)
    assert known["waiting"].iloc[20_000] == waits.sum()
    assert known["delay_1h"].isna().all()


def test_the_figures_draw():
    results = pd.DataFrame(
        {"promised": [0.7, 0.8], "delivered": [0.7, 0.6]}, index=["honest", "careless"]
    )
    delay_model.show_promises(results, 0.65, "alone")
    _, ax = plt.subplots()
    ax.plot(moments(1, 2), [1, 2])
    delay_model.mark_time(ax, moments(1)[0], "now", "%H")
    assert len(ax.lines) == 2
    plt.close("all")
