"""The core of the loop, on cases that can be checked by hand."""

import numpy as np
import pandas as pd
import pytest
from flightline.loop.core import (
    burns,
    join_labels,
    losses,
    pages,
    paired_by_day,
    retrain_now,
)
from scipy import stats

AT = pd.date_range("2013-07-01", periods=48, freq="h", tz="UTC")
NEVER = pd.Timedelta("1000h")


def answers(**due):
    """Make one answer for each id, due at an hour."""
    return pd.DataFrame({"id": list(due), "due_at": AT[list(due.values())]})


def labels(*rows):
    """Make labels of (id, hour known, late)."""
    names, hours, late = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "id": pd.Series(names, dtype=object),
            "available_at": AT[list(hours)],
            "late": pd.array(late, dtype="boolean"),
        }
    )


@pytest.mark.parametrize(
    ("hour", "expected"), [(10, []), (11, [False]), (23, [False]), (24, [True])]
)
def test_the_newest_label_known_by_now_wins(hour, expected):
    feed = labels(("A", 24, True), ("A", 11, False), ("A", 12, False))
    joined = join_labels(answers(A=10), feed, AT[hour], NEVER)
    assert len(joined) == 1
    assert joined["late"].dropna().tolist() == expected


def test_among_labels_of_one_moment_the_last_line_wins():
    feed = labels(("A", 11, False), ("A", 11, True))
    assert join_labels(answers(A=10), feed, AT[11], NEVER)["late"].tolist() == [True]


def test_a_correction_may_withdraw_a_label():
    feed = labels(("A", 11, True), ("A", 12, None))
    assert join_labels(answers(A=10), feed, AT[12], NEVER)["late"].isna().all()


def test_an_answer_that_was_logged_twice_counts_once():
    log = pd.concat([answers(A=10, B=10), answers(A=30)], ignore_index=True)
    joined = join_labels(log, labels(), AT[20], pd.Timedelta("10h"))
    assert joined["id"].tolist() == ["A", "B"]
    assert joined["mature"].tolist() == [True, True]


def test_maturity_is_age_alone():
    feed = labels(("B", 13, False))
    joined = join_labels(answers(A=10, B=13), feed, AT[20], pd.Timedelta("10h"))
    assert joined["mature"].tolist() == [True, False]
    assert joined["late"].isna().tolist() == [True, False]


def test_without_any_label_the_column_is_nullable_still():
    joined = join_labels(answers(A=10), labels(), AT[20], pd.Timedelta("1h"))
    assert str(joined["late"].dtype) == "boolean"
    assert joined["mature"].dtype == bool


def test_an_answer_without_a_due_time_never_matures():
    log = answers(A=10).assign(due_at=pd.DatetimeIndex([pd.NaT]).tz_localize("UTC"))
    joined = join_labels(log, labels(), AT[47], pd.Timedelta(0))
    assert joined["mature"].tolist() == [False]


def test_losses_by_hand():
    found = losses([0.5, 0.8, 0.8, 1.0], [1, 1, 0, 1])
    assert np.allclose(found, [np.log(2), -np.log(0.8), -np.log(0.2), 0])
    assert np.isfinite(losses([0.0, 1.0], [1, 0])).all()
    assert np.isnan(losses([0.5], [np.nan])).all()


def days(gaps, rows=1_000):
    """Make days whose share of late flights is a half plus the gap."""
    late = [np.arange(rows) < rows * (0.5 + gap) for gap in gaps]
    day = np.repeat(np.arange(len(gaps)), rows)
    late = pd.array(np.concatenate(late), dtype="boolean")
    return pd.DataFrame({"day": day, "score": 0.5, "late": late})


def test_retrains_where_every_day_is_off_and_not_where_days_disagree():
    assert retrain_now(days([0.04, 0.06] * 5))
    assert retrain_now(days([-0.04, -0.06] * 5))
    assert not retrain_now(days([-0.15, 0.19] * 5))


@pytest.mark.parametrize("count", [1, 2, 6])
def test_few_days_prove_nothing(count):
    assert retrain_now(days([0.3 + 0.01 * day for day in range(count)])) is False


def test_labels_that_are_missing_prove_nothing():
    table = days([0.1] * 10)
    assert (
        retrain_now(table.assign(late=pd.array([pd.NA] * 10_000, "boolean"))) is False
    )


def test_false_triggers_on_days_without_a_gap():
    rng = np.random.default_rng(0)
    fired = [retrain_now(days(rng.normal(0, 0.1, 28), 100)) for _ in range(300)]
    assert np.mean(fired) < 0.03


def test_paired_by_day_is_students_interval_of_day_means():
    rng = np.random.default_rng(1)
    old, new = rng.uniform(0.1, 0.9, (2, 500))
    late, day = rng.random(500) < 0.5, rng.integers(0, 9, 500)
    excess = pd.Series(losses(new, late) - losses(old, late)).groupby(day).mean()
    low, high = stats.ttest_1samp(excess, 0).confidence_interval(0.95)
    assert np.allclose(paired_by_day(old, new, late, day), [excess.mean(), low, high])


def test_burn_rates_by_hand():
    bad, total = [0, 0, 4, 0, 0], [10, 30, 10, 0, 0]
    assert np.allclose(burns(bad, total, 0.9, 2), [0, 0, 1, 4, 0])
    assert np.allclose(burns(bad, total, 0.9, 100), [0, 0, 0.8, 0.8, 0.8])


def test_pages_to_the_minute():
    """A fifth bad from minute 121 to 240, as `promtool` pages on it too."""
    minute = np.arange(1, 361)
    bad = np.where((minute > 120) & (minute <= 240), 20, 0)
    paged = pages(bad, np.full(360, 100), 0.99, 60, 5, 14.4)
    assert minute[paged].tolist() == list(range(164, 242))
