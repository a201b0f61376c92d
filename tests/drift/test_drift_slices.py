"""Slices: one that got worse is found, none is by chance, few rows have no verdict."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift


def scored(days, seed, rows=300, slices=10, shift=None, flat=None):
    """Return rows of a calibrated model in slices; one may be shifted, one flat."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    carrier = rng.integers(0, slices, len(day))
    true = rng.beta(2, 6, len(day))
    score = np.where(carrier == flat, rng.permutation(true), true)
    true = true + np.where(carrier == shift, 0.15, 0.0)
    late = rng.random(len(day)) < np.clip(true, 0, 1)
    table = pd.DataFrame({"date": day, "score": score, "late": late})
    return table.assign(carrier=np.array([f"c{k}" for k in range(slices)])[carrier])


@pytest.mark.parametrize("metric", ["gap", "auc", "log_loss"])
def test_the_chance_of_any_slice_is_alpha(metric):
    found = []
    for k in range(60):
        sides = scored(14, 2 * k), scored(7, 2 * k + 1)
        table = drift.slices(*sides, by=["carrier"], metric=metric)
        found.append(table["found"].iloc[1:].any())
    assert np.mean(found) <= 0.12


def test_a_slice_is_worse_where_the_whole_is_not():
    hits, whole = [], []
    for k in range(20):
        sides = scored(28, 2 * k), scored(14, 2 * k + 1, shift=3)
        found = drift.slices(*sides, by=["carrier"])["found"]
        hits.append(found[found].index.tolist() == [("carrier", "c3")])
        whole.append(found.iloc[0])
    assert np.mean(hits) >= 0.8 and np.mean(whole) <= 0.5


def test_a_slice_that_ranks_worse_is_found_by_its_auc():
    sides = scored(28, 0), scored(14, 1, flat=5)
    table = drift.slices(*sides, by=["carrier"], metric="auc")
    assert table.loc[("carrier", "c5"), "found"]
    row = table.loc[("carrier", "c5")]
    assert row["value"] < row["high"] < 0 and row["now"] < row["before"]


def test_what_got_better_is_not_found():
    sides = scored(28, 0, shift=3), scored(14, 1)
    row = drift.slices(*sides, by=["carrier"]).loc[("carrier", "c3")]
    assert row["adjusted"] < 0.01 and row["high"] < 0 and not row["found"]


def test_the_whole_is_what_worse_says():
    sides = scored(14, 0), scored(9, 1, shift=3)
    whole = drift.slices(*sides, by=["carrier"]).iloc[0]
    expected = drift.worse(*sides, base_rate=0.25).loc["gap"]
    for name in ("value", "low", "high", "found"):
        assert whole[name] == pytest.approx(expected[name])


def test_few_rows_or_days_have_no_verdict_and_it_is_said():
    before, now = scored(14, 0, slices=4), scored(14, 1, slices=4, shift=1)
    rare = (now["carrier"] == "c1") & (np.arange(len(now)) % 20 > 0)
    short = (now["carrier"] == "c2") & (now["date"] > 3)
    table = drift.slices(before, now[~rare & ~short], by=["carrier"])
    table = table.loc["carrier"]
    assert table.loc["c1", "why"].endswith("rows now: fewer than 200")
    assert table.loc["c2", "why"] == "4 days now: fewer than 7"
    blank = table.loc[["c1", "c2"]]
    assert blank[["value", "pvalue", "adjusted"]].isna().all(axis=None)
    assert not blank["found"].any() and (table.loc[["c0", "c3"], "why"] == "").all()


def test_slices_without_a_verdict_do_not_harden_the_others():
    before, now = scored(14, 0, slices=2), scored(14, 1, slices=2, shift=1)
    alone = drift.slices(before, now, by=["carrier"])
    extra = [t.assign(tail=np.arange(len(t)) // 100) for t in (before, now)]
    both = drift.slices(*extra, by=["carrier", "tail"])
    assert (both.loc["tail", "why"] != "").all()
    pd.testing.assert_frame_equal(both.loc[["carrier"]], alone.loc[["carrier"]])


def test_a_new_value_and_nulls_are_slices():
    before, now = scored(14, 0, slices=2), scored(14, 1, slices=2)
    now = now.assign(carrier=now["carrier"].where(now["carrier"] == "c0", None))
    table = drift.slices(before, now, by=["carrier"]).loc["carrier"]
    assert table.loc["null", "why"] == "0 rows before: fewer than 200"
    assert table.loc["c1", "why"] == "0 rows now: fewer than 200"


def test_rows_without_a_label_are_left_out():
    before, now = scored(14, 0), scored(14, 1)
    holes = now.assign(late=now["late"].astype(object).where(now.index % 2 == 0, None))
    expected = drift.slices(before, now[now.index % 2 == 0], by=["carrier"])
    pd.testing.assert_frame_equal(drift.slices(before, holes, by=["carrier"]), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"by": ["plane"]}, "'plane' is missing"),
        ({"by": ["score"]}, "'score' has .* values: at most 100"),
        ({"by": ["carrier"], "metric": "calibration_error"}, "metric"),
        ({"by": ["carrier"], "score": "other"}, "'other' is missing"),
    ],
)
def test_what_makes_no_slices_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        drift.slices(scored(8, 0), scored(8, 1), **change)
