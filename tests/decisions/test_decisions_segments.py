"""Effects by segment and by age of exposure: corrected, and asked if they differ."""

import numpy as np
import pandas as pd
import pytest
from flightline import decisions
from scipy import stats


def table(effects, days=60, seed=0, shared=1.0):
    rng = np.random.default_rng(seed)
    common = shared * rng.standard_normal((days, 1))
    noise = rng.standard_normal((days, len(effects)))
    names = [f"s{number}" for number in range(len(effects))]
    return pd.DataFrame(common + noise + np.array(effects), columns=names)


def test_each_segment_is_a_t_test():
    daily = table([0.0, 0.5, 1.0])
    found = decisions.segments(daily)
    expected = stats.ttest_1samp(daily, 0).pvalue
    assert list(found) == decisions.SEGMENT_EFFECT
    assert np.allclose(found["pvalue"], expected)
    assert np.allclose(found["adjusted"], decisions.holm_adjusted(expected))
    reach = stats.t.isf(0.05 / 6, 59) * daily["s1"].sem()
    assert found.loc["s1", "high"] == pytest.approx(daily["s1"].mean() + reach)


def test_false_winners_are_rare_only_after_correction():
    raw, found, differs = [], [], []
    for seed in range(150):
        result = decisions.segments(table([0.0] * 10, seed=seed))
        raw.append((result["pvalue"] < 0.05).any())
        found.append(result["found"].any())
        differs.append(result["differs"].any())
    assert np.mean(raw) > 0.2
    assert np.mean(found) < 0.12 and np.mean(differs) < 0.12


def test_found_is_not_different():
    """The same effect everywhere is found, and no segment differs."""
    same = decisions.segments(table([1.0] * 5, shared=0.2), alpha=0.001)
    assert same["found"].all() and not same["differs"].any()
    other = decisions.segments(table([1.0, 1.0, 1.0, 3.0], shared=0.2))
    assert other.loc["s3", "differs"] and other.loc["s3", "apart"] > 1.5


def test_missing_days_and_one_segment():
    daily = table([0.0, 0.5])
    daily.loc[3:10, "s0"] = np.nan
    found = decisions.segments(daily.astype("Float64"))
    assert found["days"].tolist() == [52, 60]
    alone = decisions.segments(daily[["s1"]])
    assert np.isnan(alone.loc["s1", "apart"]) and not alone.loc["s1", "differs"]


def flat():
    return table([0, 0]).assign(s0=1.0)


@pytest.mark.parametrize(
    "daily, said",
    [
        (pd.DataFrame(), "no segments"),
        (pd.Series([1.0]), "no segments"),
        (flat(), "segment 's0' has no variance"),
        (table([0, 0], days=2), "'s0' has 2 days"),
        (table([0]).assign(s1="x"), "'s1' holds something else"),
        (table([0]).assign(s1=np.nan), "'s1' has 0 days"),
        (table([0]).assign(s1=np.inf), "'s1' holds 60 of 60"),
        (table([0, 0]).set_axis(["a", "a"], axis=1), "segment twice: a"),
    ],
)
def test_segments_refuse(daily, said):
    with pytest.raises(ValueError, match=said):
        decisions.segments(daily)


# --- exposure ------------------------------------------------------------------------


def test_by_exposure_means():
    found = decisions.by_exposure([1.0, 3.0, 5.0, 7.0], [0, 0, 1, 1])
    assert found["values"].tolist() == [2, 2]
    assert found["estimate"].tolist() == [2, 6]
    assert found.loc[0.0, "high"] == pytest.approx(2 + 12.7062, abs=1e-3)
    assert decisions.by_exposure([1.0], [0])["low"].isna().all()


def test_trend_finds_novelty_and_little_else():
    ages = np.tile(np.arange(28), 3)
    falls, stays = [], []
    for seed in range(400):
        noise = np.random.default_rng(seed).normal(0, 0.5, len(ages))
        stays.append(decisions.exposure_trend(1 + noise, ages).pvalue < 0.05)
        novelty = decisions.exposure_trend(1 + np.exp(-ages / 7) + noise, ages)
        falls.append(novelty.high < 0)
    assert abs(np.mean(stays) - 0.05) < 0.04
    assert np.mean(falls) > 0.9


def test_trend_is_least_squares():
    found = decisions.exposure_trend([1.0, 2.0, 2.0, 4.0], [0, 1, 2, 3])
    assert found.slope == pytest.approx(0.9)
    assert found.low < 0.9 < found.high


@pytest.mark.parametrize(
    "values, ages, said",
    [
        ([], [], "one age for each"),
        ([1.0], [0, 1], "one age for each"),
        ([1.0, np.nan, 2.0], [0, 1, 2], "1 of 3 values"),
        ([1.0, 2.0, 3.0], [0, 1, -1], "exposure starts at 0"),
    ],
)
def test_exposure_refuses(values, ages, said):
    for call in (decisions.by_exposure, decisions.exposure_trend):
        with pytest.raises(ValueError, match=said):
            call(values, ages)


@pytest.mark.parametrize(
    "values, ages, said",
    [
        ([1.0, 2.0], [0, 1], "needs three"),
        ([1.0, 2.0, 3.0], [1, 1, 1], "two ages"),
        ([1.0, 2.0, 3.0], [0, 1, 2], "no variance"),
        ([1.0, 1.0, 1.0], [0, 1, 2], "no variance"),
    ],
)
def test_trend_refuses(values, ages, said):
    with pytest.raises(ValueError, match=said):
        decisions.exposure_trend(values, ages)
