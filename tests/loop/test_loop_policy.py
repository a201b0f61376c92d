"""One decision: who is asked, who answers afterwards, and what must not pass."""

from dataclasses import dataclass, field, replace

import pandas as pd
import pytest
from flightline.loop.labels import LabelJoin
from flightline.loop.policy import (
    Decision,
    Evidence,
    Model,
    Policy,
    Verdict,
    decide,
    gather,
)
from small_evidence import CHAMPION, NOW, answers, evidence

DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(weeks=1)


@dataclass
class Given:
    """A challenger that was there before."""

    model: Model
    learned: pd.Index = field(default_factory=lambda: pd.Index([]))

    def score(self, ids):
        return pd.Series(0.3, ids)


def trained(name="new"):
    """Return a training that always gives this name, and the cut-offs it was asked."""
    asked = []

    def train(cut_off, remedy, evidence):
        asked.append((cut_off, remedy, evidence.now))
        return Given(Model(name, cut_off))

    return train, asked


def because(evidence):
    return "a reason"


def never(evidence):
    return None


def passing(challenger, evidence):
    return Verdict(True, "fine")


def refusing(challenger, evidence):
    return Verdict(False, "too bad")


def not_asked(*given):
    raise AssertionError("it must not be asked")


def test_without_a_reason_nothing_is_trained():
    decision = decide(evidence(), Policy("never", never, not_asked), not_asked)
    assert decision == Decision(NOW, CHAMPION, None, None, None, None, "keep", CHAMPION)


@pytest.mark.parametrize(
    ("gate", "trial", "outcome", "after"),
    [
        (None, False, "promoted", "new"),
        (None, True, "trial", "champion"),
        (passing, False, "promoted", "new"),
        (passing, True, "trial", "champion"),
        (refusing, False, "refused", "champion"),
        (refusing, True, "refused", "champion"),
    ],
)
def test_gate_and_trial_stand_between_a_challenger_and_the_traffic(
    gate, trial, outcome, after
):
    train, _ = trained()
    policy = Policy("p", because, gate, trial)
    decision = decide(evidence(), policy, train)
    assert (decision.outcome, decision.champion_after.name) == (outcome, after)
    assert decision.reason == "a reason"
    assert decision.challenger == Model("new", NOW)
    assert (decision.gate is None) == (gate is None)


def test_the_holdout_is_kept_from_the_training():
    train, asked = trained()
    policy = Policy("p", because, holdout=WEEK, remedy="recalibrate")
    decision = decide(evidence(), policy, train)
    assert asked == [(NOW - WEEK, "recalibrate", NOW)]
    assert decision.cut_off == NOW - WEEK == decision.champion_after.cut_off


def test_a_challenger_that_learned_too_long_is_refused():
    def train(cut_off, remedy, evidence):
        return Given(Model("new", cut_off + DAY))

    with pytest.raises(ValueError, match=r"new has learned until .* asked to stop at"):
        decide(evidence(), Policy("p", because, holdout=WEEK), train)


def test_the_same_model_again_changes_nothing():
    train, _ = trained(CHAMPION.name)
    decision = decide(evidence(), Policy("p", because, not_asked, True), train)
    assert decision.outcome == "keep"
    assert decision.champion_after == CHAMPION


def test_during_a_trial_no_other_model_is_asked_for():
    on_trial = evidence(on_trial=Model("tried", NOW - WEEK))
    assert decide(on_trial, Policy("p", not_asked), not_asked).outcome == "keep"


def test_equal_decisions_are_equal_in_every_field():
    train, _ = trained()
    policy = Policy("p", because, passing)
    one, two = (decide(evidence(), policy, train) for _ in range(2))
    assert one == two
    assert one != replace(one, reason="another")


def test_moments_without_zone_and_champions_from_the_future_are_refused():
    with pytest.raises(ValueError, match=r"cut_off=.*no time zone"):
        Model("m", pd.Timestamp("2013-04-01"))
    with pytest.raises(ValueError, match="learned from the future"):
        evidence(now=CHAMPION.cut_off - DAY)
    with pytest.raises(ValueError, match=r"now=.*no time zone"):
        evidence(now=pd.Timestamp("2013-06-03"))
    with pytest.raises(ValueError, match="reference lacks mature"):
        Evidence(NOW, CHAMPION, answers(), answers().drop(columns="mature"))
    with pytest.raises(ValueError, match=r"holdout=.*negative"):
        Policy("p", because, holdout=-DAY)


def log(days=70, rows=20):
    """Return answers of a champion of twelve weeks ago, and their labels."""
    table = answers(days, rows).drop(columns="mature")
    known = table.assign(available_at=table["due_at"])[["id", "available_at", "late"]]
    return table.drop(columns="late"), known


def test_gather_cuts_window_and_reference():
    asked, known = log()
    champion = Model("champion", NOW - 9 * WEEK)
    found = gather(NOW, champion, asked, known, join=LabelJoin())
    moments = found.scored["asked_at"]
    assert moments.min() > NOW - 4 * WEEK
    assert moments.max() <= NOW
    first = found.reference["asked_at"]
    assert first.min() > champion.cut_off
    assert first.max() <= champion.cut_off + 4 * WEEK
    assert len(found.scored) == 28 * 20 == len(found.reference)
    assert found.reference["mature"].all() and not found.scored["mature"].all()


def test_gather_leaves_out_what_the_champion_has_learned_and_what_is_to_come():
    asked, known = log()
    champion = Model("champion", NOW - WEEK)
    found = gather(NOW, champion, asked, known, join=LabelJoin())
    assert found.scored["asked_at"].min() > champion.cut_off
    assert found.reference.empty
    earlier = gather(
        NOW - 3 * DAY, champion, asked, known, join=LabelJoin(), window=2 * DAY
    )
    assert earlier.scored["asked_at"].max() <= NOW - 3 * DAY
    assert earlier.scored["late"].notna().any()


def test_a_label_from_the_future_is_not_seen():
    asked, known = log()
    champion = Model("champion", NOW - 9 * WEEK)
    late = known.assign(available_at=NOW + DAY)
    found = gather(NOW, champion, asked, late, join=LabelJoin())
    assert found.scored["late"].isna().all()
    assert found.judged.empty


def test_the_reference_waits_until_all_of_it_is_mature():
    asked, known = log()
    champion = Model("champion", NOW - 4 * WEEK)
    at_once = gather(NOW, champion, asked, known, join=LabelJoin())
    later = gather(NOW + 2 * DAY, champion, asked, known, join=LabelJoin())
    assert at_once.reference.empty
    assert len(later.reference) == 28 * 20


def test_a_window_of_nothing_is_refused():
    asked, known = log()
    with pytest.raises(ValueError, match="window="):
        gather(NOW, CHAMPION, asked, known, join=LabelJoin(), window=0 * DAY)
