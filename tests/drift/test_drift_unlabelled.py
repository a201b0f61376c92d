"""Estimates without labels: right if the scores are true, blind to what changed."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from flightline import drift


def scores(rows, seed, law=(2, 6)):
    """Return scores of one law."""
    return pd.DataFrame({"score": np.random.default_rng(seed).beta(*law, rows)})


def labelled(table, seed, true=None):
    """Add labels that come true as the scores say, or as `true` says."""
    rng, true = np.random.default_rng(seed), table["score"] if true is None else true
    date = np.arange(len(table)) % 20
    return table.assign(late=rng.random(len(table)) < true, date=date)


def realised(table):
    """Return what the labels say."""
    found = drift.performance(table, base_rate=0.25)["value"]
    return [table["late"].mean(), found["log_loss"], found["auc"]]


@pytest.mark.parametrize("law", [(2, 6), (1, 1), (0.3, 0.5), (20, 30)])
def test_calibrated_scores_say_what_the_labels_will(law):
    table = scores(60_000, 1, law)
    found = drift.estimated(table)
    assert found.index.tolist() == drift.ESTIMATED
    assert np.allclose(found, realised(labelled(table, 2)), atol=0.012)


def test_harder_rows_show_before_their_labels_come():
    easy, hard = (
        drift.estimated(scores(5000, k, law))
        for k, law in enumerate([(0.3, 0.5), (20, 30)])
    )
    assert hard["log_loss"] > easy["log_loss"] + 0.2 and hard["auc"] < easy["auc"] - 0.2


def test_a_changed_relation_leaves_no_trace():
    table = scores(20_000, 1)
    same, changed = labelled(table, 2), labelled(table, 2, true=1 - table["score"])
    pd.testing.assert_series_equal(drift.estimated(same), drift.estimated(changed))
    assert realised(same)[2] > 0.65 and realised(changed)[2] < 0.35


def test_the_auc_is_that_of_all_pairs():
    value = np.array([0.1, 0.1, 0.4, 0.8, 0.8, 1.0, 0.0])
    pairs = list(permutations(value, 2))
    weight = [p * (1 - q) for p, q in pairs]
    won = [(p > q) + (p == q) / 2 for p, q in pairs]
    found = drift.estimated(pd.DataFrame({"score": value}))["auc"]
    assert found == pytest.approx(np.average(won, weights=weight))


def test_the_ends():
    sure = drift.estimated(pd.DataFrame({"score": [0.0, 0.0, 1.0]}))
    assert sure["log_loss"] == 0 and sure["auc"] == 1
    never = drift.estimated(pd.DataFrame({"score": [0.0, 0.0]}))
    assert never["share"] == 0 and np.isnan(never["auc"])
    flat = drift.estimated(pd.DataFrame({"score": [0.3] * 9}))
    assert flat["auc"] == pytest.approx(0.5)


def test_nulls_are_left_out():
    table = scores(500, 0).astype("Float64")
    holes = pd.concat([table, pd.DataFrame({"score": [pd.NA] * 9}, dtype="Float64")])
    pd.testing.assert_series_equal(drift.estimated(holes), drift.estimated(table))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.2, 1.2], "must be probabilities: found 0.2 to 1.2"),
        ([np.nan, np.nan], "holds null"),
        (["a", "b"], "holds a category"),
    ],
)
def test_what_are_no_scores_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        drift.estimated(pd.DataFrame({"score": values}))
    with pytest.raises(ValueError, match="'score' is missing"):
        drift.estimated(pd.DataFrame({"other": values}))
