"""The gate: rows that were learned are refused, and so is what is not shown."""

import numpy as np
import pandas as pd
import pytest
from flightline.loop.gate import NoWorse
from flightline.loop.policy import Model
from small_evidence import NOW, answers, evidence

WEEK = pd.Timedelta(weeks=1)


class Other:
    """A challenger whose odds are those of the champion, with noise."""

    def __init__(self, scored, *, noise=0.0, cut_off=NOW - WEEK, learned=()):
        self.model = Model("other", cut_off)
        self.learned = pd.Index(learned, dtype=object)
        odds = np.log(scored["score"] / (1 - scored["score"]))
        odds = odds + np.random.default_rng(3).normal(0, 1, len(odds)) * noise
        self.scores = pd.Series(1 / (1 + np.exp(-odds.to_numpy())), scored["id"])

    def score(self, ids):
        return self.scores.loc[ids]


@pytest.fixture
def scored():
    return answers()


def test_an_equal_challenger_passes(scored):
    verdict = NoWorse()(Other(scored, noise=0.05), evidence(scored))
    assert verdict.passed
    assert verdict.high < 0.02
    assert (verdict.days, verdict.rows) == (7, 700)
    assert "excludes a loss of 0.02" in verdict.why


def test_a_worse_challenger_does_not(scored):
    verdict = NoWorse()(Other(scored, noise=1.0), evidence(scored))
    assert not verdict.passed
    assert verdict.low > 0
    assert "does not exclude" in verdict.why


def test_undecided_is_not_passed(scored):
    verdict = NoWorse(margin=0.001)(Other(scored, noise=0.2), evidence(scored))
    assert verdict.low < 0.02 and verdict.high > 0.001
    assert not verdict.passed


def test_rows_that_were_learned_are_left_out(scored):
    newest = scored["asked_at"] > NOW - WEEK
    ids = scored.loc[newest, "id"]
    some = Other(scored, learned=ids[:100])
    assert NoWorse()(some, evidence(scored)).rows == 600
    verdict = NoWorse()(Other(scored, learned=ids), evidence(scored))
    assert not verdict.passed
    assert verdict.difference is None
    assert "0 rows of 0 days are new" in verdict.why and "holdout" in verdict.why


def test_rows_before_the_cut_off_are_left_out(scored):
    verdict = NoWorse()(Other(scored, cut_off=NOW), evidence(scored))
    assert not verdict.passed and verdict.rows == 0


def test_young_rows_and_rows_without_label_are_left_out(scored):
    day = scored["day"].unique()
    young = scored.assign(mature=scored["day"] != day[-1])
    assert NoWorse()(Other(scored), evidence(young)).days == 6
    lost = scored.assign(late=scored["late"].mask(scored["day"] == day[-2]))
    assert NoWorse()(Other(scored), evidence(lost)).rows == 600


@pytest.mark.parametrize("odd", [np.nan, 1.5, -0.1])
def test_what_is_no_probability_is_refused(scored, odd):
    other = Other(scored)
    other.scores.iloc[-3] = odd
    verdict = NoWorse()(other, evidence(scored))
    assert not verdict.passed
    assert "1 of 700 scores are no probabilities" in verdict.why


def test_judge_raises_for_learned_rows(scored):
    rows = scored.assign(challenger=scored["score"], late=scored["late"].astype(bool))
    with pytest.raises(ValueError, match=r"has learned 2 of the 2800 rows .*'0-0'"):
        NoWorse().judge(rows, pd.Index(["0-0", "0-7", "elsewhere"]))
    with pytest.raises(ValueError, match="rows lacks challenger"):
        NoWorse().judge(scored, pd.Index([]))


def test_a_model_that_memorised_is_caught_where_the_bad_gate_is_not(scored):
    late = scored["late"].astype(bool)
    learned = scored.loc[scored["asked_at"] <= NOW - WEEK, "id"]
    memoriser = Other(scored, noise=3.0, learned=learned)
    known = scored["id"].isin(learned).to_numpy()
    memoriser.scores[known] = np.where(late[known], 0.99, 0.01)
    old = scored.loc[known]
    bad_gate = NoWorse().judge(
        old.assign(challenger=memoriser.score(old["id"]).to_numpy(), late=late[known]),
        pd.Index([]),
    )
    assert bad_gate.passed and bad_gate.high < -0.3
    assert not NoWorse()(memoriser, evidence(scored)).passed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"margin": 0}, "margin=0"),
        ({"alpha": 1}, "alpha=1"),
        ({"least_days": 1}, "least_days=1"),
        ({"least_rows": 0}, "least_rows=0"),
    ],
)
def test_gates_without_sense_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        NoWorse(**given)
