"""Repeated looks share their alpha; runs of days keep a rate that days do not."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift

ALPHA = 0.05


def spell(days, seed, keep=0.9, rows=10):
    """Return rows whose level lasts: the next day keeps so much of it."""
    rng = np.random.default_rng(seed)
    level = [rng.standard_normal()]
    for step in rng.standard_normal(days - 1):
        level.append(keep * level[-1] + np.sqrt(1 - keep**2) * step)
    day = np.repeat(np.arange(days), rows)
    temp = np.array(level)[day] + 0.3 * rng.standard_normal(len(day))
    return pd.DataFrame({"date": day, "temp": temp})


def pvalues(looks, seed):
    """Return the p-values of several looks at samples of one law."""
    rng = np.random.default_rng(seed)
    before = rng.standard_normal(300)
    return [drift.ks(before, rng.standard_normal(300)).pvalue for _ in range(looks)]


def test_looks_that_share_their_alpha_keep_the_rate_of_any_alarm():
    each = drift.alpha_per_look(ALPHA, 10)
    least = np.array([min(pvalues(10, seed)) for seed in range(200)])
    assert np.mean(least <= each) <= 0.09 and np.mean(least <= ALPHA) >= 0.2


def test_any_alarm_is_the_rate_of_looks_that_share_nothing():
    rng = np.random.default_rng(0)
    least = rng.random((20_000, 10)).min(axis=1)
    assert drift.any_alarm(ALPHA, 10) == pytest.approx(
        np.mean(least <= ALPHA), abs=0.01
    )
    each = drift.alpha_per_look(ALPHA, 10)
    assert 0.95 * ALPHA < drift.any_alarm(each, 10) <= ALPHA
    assert drift.any_alarm(ALPHA, 1) == pytest.approx(ALPHA)


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_effective_days_are_those_of_the_mean(keep):
    """The variance of a mean of n days is that of one day over the effective days."""
    days, found, means = 400, [], []
    for seed in range(60):
        daily = spell(days, seed, keep).groupby("date")["temp"].mean()
        found.append(drift.effective_days(daily))
        means.append(daily.mean())
    truth = days * (1 - keep) / (1 + keep)
    assert np.median(found) == pytest.approx(truth, rel=0.25)
    assert 1 / np.var(means) == pytest.approx(truth, rel=0.6)


def test_effective_days_stay_between_one_and_all():
    assert drift.effective_days([3.0] * 10) == 1
    assert drift.effective_days([0.1 + 0.2] * 10) == 1
    assert drift.effective_days([0, 1] * 10) == 20
    assert 1 <= drift.effective_days(np.arange(30)) < 5
    for wrong in ([1, 2, 3], [1, 2, 3, np.nan], [1, 2, 3, np.inf]):
        with pytest.raises(ValueError, match="days"):
            drift.effective_days(wrong)


def test_runs_keep_the_rate_that_single_days_do_not():
    by_day, by_run = [], []
    for seed in range(40):
        whole = spell(120, seed)
        whole["run"] = drift.runs(whole["date"], 15)
        sides = whole[whole["date"] < 75], whole[whole["date"] >= 75]
        for found, blocks, other in ((by_day, "date", "run"), (by_run, "run", "date")):
            plain = [side.drop(columns=other) for side in sides]
            table = drift.report(*plain, blocks=blocks, draws=299)
            found.append(table["drifted"].any())
    assert np.mean(by_day) >= 0.3 and np.mean(by_run) <= 0.15


def test_runs_are_of_days_in_order():
    days = pd.Series(["03-04", "03-01", "03-02", "03-01", "03-07"])
    assert drift.runs(days, 2).tolist() == [1, 0, 0, 0, 1]
    assert drift.runs(pd.to_datetime("2013-" + days), 3).tolist() == [0, 0, 0, 0, 1]
    for wrong, length in ((days, 0), (days.mask(days == "03-02"), 2)):
        with pytest.raises(ValueError, match="length"):
            drift.runs(wrong, length)


@pytest.mark.parametrize(("alpha", "looks"), [(0, 3), (1, 3), (0.05, 0)])
def test_no_rate_and_no_looks_are_refused(alpha, looks):
    for function in (drift.alpha_per_look, drift.any_alarm):
        with pytest.raises(ValueError, match=f"looks={looks}"):
            function(alpha, looks)
