"""Two models on the same days against SciPy; many policies; several starts."""

import numpy as np
import pandas as pd
import pytest
from flightline.loop.compare import (
    POLICY,
    Paired,
    compare,
    over_starts,
    policies,
    units_of,
)
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score
from small_evidence import answers


def served(noise=0.0, seed=1, days=28, rows=60):
    """Return what a policy served: true odds with noise in them."""
    table = answers(days, rows)
    odds = np.log(table["score"] / (1 - table["score"]))
    moved = odds + np.random.default_rng(seed).normal(0, 1, len(odds)) * noise
    late = table["late"].astype(bool)
    return table.assign(score=1 / (1 + np.exp(-moved)), late=late)


def by_sklearn(table):
    """Return the mean log-loss of each day, by another library."""
    days = table.groupby("day")
    return pd.Series(
        {k: log_loss(d["late"], d["score"], labels=[0, 1]) for k, d in days}
    )


def test_compare_agrees_with_scipy():
    old, new = served(), served(0.5)
    found = compare(old["score"], new["score"], old["late"], old["day"])
    by_day = by_sklearn(new) - by_sklearn(old)
    test = stats.ttest_1samp(by_day, 0)
    low, high = test.confidence_interval()
    assert found.difference == pytest.approx(by_day.mean())
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.pvalue == pytest.approx(test.pvalue)
    assert (found.units, found.rows) == (28, len(old))
    assert found.finding == "worse"


def test_compare_changes_sign_with_the_sides():
    old, new = served(), served(0.5)
    one = compare(old["score"], new["score"], old["late"], old["day"])
    other = compare(new["score"], old["score"], old["late"], old["day"])
    assert one.difference == pytest.approx(-other.difference)
    assert (one.finding, other.finding) == ("worse", "better")


def test_equal_models_are_undecided():
    old = served()
    found = compare(old["score"], old["score"], old["late"], old["day"])
    assert (found.difference, found.pvalue, found.finding) == (0, 1, "undecided")


def test_the_same_difference_on_each_day_has_a_p_value():
    found = compare([0.5] * 4, [0.4] * 4, [0] * 4, [1, 1, 2, 2])
    assert 0 < found.pvalue < 1e-6


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"champion": [0.5, 0.5, 1.2]}, "champion holds 1 of 3 .*position 2"),
        ({"challenger": [0.5, np.nan, 0.2]}, "challenger holds 1 of 3 .*position 1"),
        ({"challenger": [0.5, 0.5]}, "3 scores of the champion, 2 of the challenger"),
        ({"late": [0, 1, None]}, "late holds 1 of 3"),
        ({"late": [0, 1, 0.5]}, "late holds numbers between"),
        ({"day": [1, 1, 1]}, "1 days, 0 rows"),
        ({"day": ["a", "b", None]}, "2 days, 1 rows"),
        ({"alpha": 0}, "alpha=0"),
        ({"champion": [[0.5], [0.5], [0.5]]}, r"shape \(3, 1\)"),
    ],
)
def test_compare_refuses_what_it_cannot_judge(change, said):
    given = {
        "champion": [0.5, 0.5, 0.5],
        "challenger": [0.5, 0.4, 0.2],
        "late": [0, 1, 0],
        "day": [1, 2, 3],
    } | change
    with pytest.raises(ValueError, match=said):
        compare(
            **{k: np.array(v, object) if k == "day" else v for k, v in given.items()}
        )


def test_nullable_columns_are_read():
    found = compare(
        pd.Series([0.5, 0.5, 0.5], dtype="Float64"),
        pd.Series([0.5, 0.4, 0.2], dtype="Float32"),
        pd.Series([0, 1, 0], dtype="Int8"),
        pd.Series([1, 2, 3]),
    )
    assert isinstance(found, Paired) and found.units == 3


def test_units_are_blocks_of_the_calendar():
    day = pd.Series(["2013-04-01", "2013-04-07", "2013-04-08", "2013-04-22"])
    assert units_of(day, 7).tolist() == [0, 0, 1, 3]
    assert units_of(day, 1).tolist() == [0, 6, 7, 21]
    with pytest.raises(ValueError, match="days=0"):
        units_of(day, 0)


def test_policies_are_held_against_one():
    runs = {"control": served(), "same": served(0.02), "bad": served(1.5)}
    found = policies(runs, "control", days=1)
    assert list(found.columns) == POLICY
    assert list(found.index) == list(runs)
    assert found["finding"].tolist() == [None, "undecided", "worse"]
    assert found.loc["control", ["difference", "pvalue", "adjusted"]].isna().all()
    bad = runs["bad"]
    assert found.loc["bad", "log_loss"] == pytest.approx(
        log_loss(bad["late"], bad["score"])
    )
    assert found.loc["bad", "auc"] == pytest.approx(
        roc_auc_score(bad["late"], bad["score"])
    )
    excess = by_sklearn(bad) - by_sklearn(runs["control"])
    assert found.loc["bad", "bad_days"] == (excess > 0.02).sum() > 0
    assert found.loc["control", "bad_days"] == 0
    assert found.loc["bad", "difference"] == pytest.approx(excess.mean())


def test_the_order_of_the_rows_does_not_matter():
    runs = {"control": served(), "bad": served(1.5)}
    mixed = runs | {"bad": runs["bad"].sample(frac=1, random_state=0)}
    pd.testing.assert_frame_equal(policies(runs, "control"), policies(mixed, "control"))


def test_many_policies_are_corrected():
    runs = {"control": served()} | {str(k): served(0.05, seed=k) for k in range(10)}
    found = policies(runs, "control", days=1).iloc[1:]
    assert (found["adjusted"] >= found["pvalue"]).all()
    first = found["pvalue"].idxmin()
    expected = min(10 * found.loc[first, "pvalue"], 1)
    assert found.loc[first, "adjusted"] == pytest.approx(expected)


def test_policies_of_other_requests_are_refused():
    runs = {"control": served(), "fewer": served().iloc[1:]}
    with pytest.raises(ValueError, match=r"did not answer the same requests: 1 differ"):
        policies(runs, "control")
    twice = pd.concat([served(), served().iloc[:1]])
    with pytest.raises(ValueError, match="has answered '0-0' twice"):
        policies({"control": twice}, "control")
    with pytest.raises(ValueError, match="'other' is none of control"):
        policies({"control": served()}, "other")


def test_over_starts_takes_the_mean_of_the_starts():
    runs = {
        "1 April": {"control": served(), "bad": served(0.8, seed=1)},
        "8 April": {"control": served(), "bad": served(0.8, seed=2)},
    }
    found = over_starts(runs, "control", days=1)
    each = [
        (by_sklearn(run["bad"]) - by_sklearn(run["control"])).mean()
        for run in runs.values()
    ]
    assert found.loc["bad", "difference"] == pytest.approx(np.mean(each))
    assert found.loc["bad", ["least", "most"]].tolist() == pytest.approx(sorted(each))
    assert found.loc["bad", "finding"] == "worse"


def test_starts_that_do_not_agree_are_undecided():
    good, bad = served(), served(1.5)
    runs = {
        "a": {"control": bad.assign(score=0.5), "p": good},
        "b": {"control": good, "p": good.assign(score=good["score"] * 0.99)},
    }
    found = over_starts(runs, "control", days=1)
    assert found.loc["p", "adjusted"] < 0.05
    assert found.loc["p", "least"] < 0 < found.loc["p", "most"]
    assert found.loc["p", "finding"] == "undecided"


def test_over_starts_uses_the_days_that_all_share():
    whole, later = served(), served()
    later = later[later["day"] >= sorted(later["day"].unique())[14]]
    runs = {"a": {"c": whole, "p": whole}, "b": {"c": later, "p": later}}
    assert over_starts(runs, "c", days=1).loc["p", "difference"] == 0
    with pytest.raises(ValueError, match="share 0 units"):
        first = whole[whole["day"] < sorted(whole["day"].unique())[14]]
        over_starts({"a": {"c": first, "p": first}, "b": runs["b"]}, "c")
    with pytest.raises(ValueError, match="run the same policies"):
        over_starts(runs | {"c": {"c": whole}}, "c")
    with pytest.raises(ValueError, match="there is no run"):
        over_starts({}, "c")
