"""Alerts on two windows and on lines, against sums by hand; what is refused."""

import numpy as np
import pandas as pd
import pytest
from flightline.loop.alerts import (
    ALERTS,
    BURNS,
    LATENCY,
    LINES,
    QUALITY,
    BurnAlert,
    LineAlert,
    Objective,
    above,
    burning,
    is_wrong,
    spans,
)
from flightline.loop.core import burns
from hypothesis import given, settings
from hypothesis import strategies as st

FAST = BurnAlert("Fast", LATENCY, 60, 5, 14.4, "page")
LINE = LineAlert("Line", "gauge", 2.0, 3, "page", "too high")


def by_hand(alert, bad, total):
    """Return the minutes in which an alert fires, by a loop over minutes."""
    fired = []
    for now in range(len(bad)):
        burn = []
        for window in (alert.long_min, alert.short_min):
            since = max(now + 1 - window, 0)
            asked = sum(total[since : now + 1])
            share = sum(bad[since : now + 1]) / asked if asked else 0.0
            burn.append(share / (1 - alert.objective.target))
        enough = sum(bad[max(now + 1 - alert.long_min, 0) : now + 1]) >= alert.least
        fired.append(all(b > alert.factor for b in burn) and enough)
    return fired


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40),
    st.sampled_from([(5, 2, 1.0, 1), (10, 1, 3.0, 4), (7, 6, 6.0, 2)]),
)
def test_burning_is_what_a_loop_finds(minutes, plan):
    long, short, factor, least = plan
    alert = BurnAlert("A", QUALITY, long, short, factor, "page", least)
    bad = np.array([min(pair) for pair in minutes], int)
    total = np.array([max(pair) for pair in minutes], int)
    assert burning(alert, bad, total).tolist() == by_hand(alert, bad, total)


def test_a_fault_pages_and_ends():
    """A fifth is bad from minute 121 to 240."""
    total = np.full(360, 10)
    bad = np.where((np.arange(360) > 120) & (np.arange(360) <= 240), 2, 0)
    assert spans(burning(FAST, bad, total)) == [(164, 241)]


def test_a_short_burst_wakes_nobody():
    total, bad = np.full(360, 10), np.zeros(360, int)
    bad[200:205] = 10
    assert burns(bad, total, 0.99, 5).max() > 14.4
    assert not burning(FAST, bad, total).any()


def test_few_answers_at_night_wake_nobody():
    total = np.zeros(360, int)
    total[::60] = 1
    bad = np.zeros(360, int)
    bad[180] = 1
    assert burning(FAST, bad, total).any()
    assert not burning(BURNS[0], bad, total).any()


def test_where_nothing_is_asked_nothing_burns():
    none = np.zeros(100, int)
    assert not burns(none, none, 0.99, 60).any()
    assert len(burning(FAST, [], np.array([], int))) == 0


def test_burn_rate_is_one_where_the_budget_is_just_spent():
    assert burns([1] * 50, [100] * 50, 0.99, 10) == pytest.approx(1)


@pytest.mark.parametrize(
    ("bad", "total", "said"),
    [
        ([1, 2], [1], "bad has 2 minutes and total 1"),
        ([1, 2], [1, 1], "minute 1 has 2 bad answers of 1"),
        ([1, -1], [1, 1], "bad holds -1 at minute 1"),
        ([0.5, 1], [1, 1], "bad holds 0.5 at minute 0"),
        ([0, 1], [1, np.nan], "total holds nan at minute 1"),
        (["a"], ["b"], "bad has the shape"),
        ([[1]], [[1]], "bad has the shape"),
    ],
)
def test_counts_that_are_none_are_refused(bad, total, said):
    with pytest.raises(ValueError, match=said):
        burning(FAST, np.array(bad), np.array(total))


def test_a_line_must_be_crossed_for_long_enough():
    gauge = [3, 3, 3, 3, 3, 1, 3, 3, 3, 3, np.nan, 3]
    assert spans(above(LINE, gauge)) == [(3, 4), (9, 9)]
    at_once = LineAlert("Line", "gauge", 2.0, 0, "page", "too high")
    assert spans(above(at_once, gauge)) == [(0, 4), (6, 9), (11, 11)]
    assert above(LINE, []).tolist() == []
    with pytest.raises(ValueError, match="give one row"):
        above(LINE, [[1]])


def test_spans_of_nothing_and_of_all():
    assert spans(np.zeros(3, bool)) == []
    assert spans(np.ones(3, bool)) == [(0, 2)]
    assert spans(np.array([], bool)) == []


def test_an_answer_is_wrong_if_it_missed_or_warned_for_nothing():
    score = [0.19, 0.2, 0.9, 0.1, 0.49, 0.5]
    late = [True, True, True, False, False, False]
    assert is_wrong(score, late).tolist() == [True, False, False, False, False, True]


def test_the_budget_that_is_gone_when_an_alert_fires():
    assert BURNS[0].spent == pytest.approx(0.02)
    assert BURNS[1].spent == pytest.approx(0.05)
    assert BURNS[2].spent == pytest.approx(0.1)


def test_names_are_given_once():
    names = [alert.name for alert in ALERTS]
    assert len(set(names)) == len(names) == len(BURNS) + len(LINES)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Objective("o", 1.0, "b", "t", ""), "target=1.0"),
        (lambda: BurnAlert("A", LATENCY, 5, 60, 2, "page"), "short_min=60"),
        (lambda: BurnAlert("A", LATENCY, 60, 5, 100.1, "page"), "factor=100.1"),
        (lambda: BurnAlert("A", LATENCY, 60, 5, 0, "page"), "factor=0"),
        (lambda: BurnAlert("A", LATENCY, 60, 5, 2, "page", 0), "least=0"),
        (lambda: LineAlert("L", "g", np.nan, 0, "page", ""), "above=nan"),
        (lambda: LineAlert("L", "g", 1, -1, "page", ""), "for_min=-1"),
    ],
)
def test_alerts_without_sense_are_refused(made, said):
    with pytest.raises(ValueError, match=said):
        made()


def test_pandas_columns_are_counted():
    counts = pd.DataFrame({"bad": [0, 1], "total": [2, 2]}, dtype="int32")
    half = BurnAlert("A", Objective("o", 0.5, "b", "t", ""), 2, 1, 0.4, "page")
    assert burning(half, counts["bad"], counts["total"]).tolist() == [False, True]
