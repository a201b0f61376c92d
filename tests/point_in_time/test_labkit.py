"""labkit.point_in_time: the model and the intervals that lab 04 leans on."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from flightline.lake import flight_times
from labkit import data
from labkit.point_in_time import agreement, delay_model
from sklearn.metrics import roc_auc_score


def test_agree_sees_every_difference():
    hours = pd.date_range("2013-07-01", periods=3, freq="h", tz="UTC", unit="us")
    asks = pd.DataFrame({"key": ["b", None, "c"], "t": hours}, index=[7, 7, 3])
    assert agreement.agree(asks, asks.reset_index(drop=True), ["key", "t"])
    assert agreement.agree(
        asks, asks.assign(t=asks["t"].dt.tz_convert("Asia/Tokyo")), ["t"]
    )
    assert not agreement.agree(asks, asks[:-1], ["key"])
    assert not agreement.agree(asks, asks.assign(key=["b", "a", "c"]), ["key"])
    later = asks.assign(t=asks["t"] + pd.Timedelta(hours=1).as_unit("us"))
    assert not agreement.agree(asks, later, ["t"])


@pytest.fixture(scope="module")
def flights():
    return flight_times(data.load_flights([6, 7]), data.load_airports())


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
    rows = table.loc[july.index]
    scores = [delay_model.fit(table, june, 5).predict_proba(rows)[:, 1] for _ in "ab"]
    assert np.array_equal(*scores) and 0.55 < roc_auc_score(july, scores[0]) < 0.8


def drawn_by_hand(late, day, scores, draws, seed):
    """Return the AUC of whole days, each drawn day written out."""
    days = np.unique(day)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(days), np.full(len(days), 1 / len(days)), size=draws)
    rows = [np.flatnonzero(day == one) for one in days]
    picks = [
        np.concatenate([np.tile(r, n) for r, n in zip(rows, c, strict=True)])
        for c in counts
    ]
    return [roc_auc_score(late[pick], scores[pick]) for pick in picks]


def test_days_are_drawn_as_if_each_was_written_out():
    rng = np.random.default_rng(4)
    day = rng.integers(1, 6, 200)
    scores = rng.integers(0, 9, 200) / 9  # with ties
    late = rng.random(200) < 0.2 + scores / 2
    got = delay_model.auc_by_draw(late, day, scores, draws=20, seed=7)
    assert np.allclose(got, drawn_by_hand(late, day, scores, 20, 7))


def test_a_gain_is_measured_on_the_same_days():
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(31), 30)
    late = rng.random(len(day)) < 0.3
    scores = late + rng.normal(size=len(day))
    assert delay_model.gain(late, day, scores, scores) == (0, 0, 0)
    noisy = scores + rng.normal(size=len(day))
    difference, low, high = delay_model.gain(late, day, scores, noisy)
    aucs = [roc_auc_score(late, s) for s in (scores, noisy)]
    assert 0 < low < difference == aucs[0] - aucs[1] < high


def test_the_figure_draws():
    results = pd.DataFrame(
        {"promised": [0.7, 0.8], "delivered": [0.7, 0.6]}, index=["honest", "careless"]
    )
    delay_model.show_promises(results, 0.65, "alone")
    assert len(plt.gca().lines) == 3  # the baseline, and one series of each kind
    plt.close("all")
