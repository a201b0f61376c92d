"""Triggers: each fires on its own fault, and not on a champion that is fine."""

from dataclasses import replace

import pandas as pd
import pytest
from flightline.loop.policy import Model
from flightline.loop.triggers import (
    Calibration,
    Drift,
    Gap,
    Never,
    Performance,
    Schedule,
)
from small_evidence import NOW, answers, evidence

DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(weeks=1)
ALL = [
    Never(),
    Drift(),
    Performance("auc"),
    Performance("skill", drop=0.3),
    Gap(),
    Calibration(),
]


@pytest.mark.parametrize("trigger", ALL, ids=repr)
@pytest.mark.parametrize("seed", [0, 2, 4])
def test_a_champion_that_is_fine_is_left_alone(trigger, seed):
    same = answers(seed=seed), answers(seed=seed + 1)
    assert trigger(evidence(*same)) is None


FAULTS = {
    "late": {"shift": 1.0},
    "useless": {"flat": 0.0, "shift": -1.0},
    "other scores": {"base": 0.5, "shift": 0.0},
}


@pytest.mark.parametrize(
    ("trigger", "fires"),
    [
        (Never(), set()),
        (Drift(), {"other scores"}),
        (Performance("auc"), {"useless"}),
        (Performance("skill"), {"useless", "late"}),
        (Gap(), {"late"}),
        (Calibration(), {"late"}),
    ],
    ids=["never", "drift", "auc", "skill", "gap", "calibration"],
)
def test_each_trigger_sees_its_own_faults(trigger, fires):
    found = {
        name: trigger(evidence(answers(seed=5, **fault)))
        for name, fault in FAULTS.items()
    }
    assert {name for name, reason in found.items() if reason} == fires


def test_a_reason_says_what_was_seen():
    late = evidence(answers(shift=1.0))
    assert "share late less the mean score is +0." in Gap()(late)
    assert "p < 0.01" in Calibration()(late)
    assert "PSI of the scores" in Drift()(evidence(answers(base=0.5)))
    assert "auc fell from" in Performance("auc")(evidence(answers(flat=0.0, shift=-1)))


@pytest.mark.parametrize(
    "trigger",
    [Performance("auc"), Performance("skill"), Gap(), Calibration()],
    ids=repr,
)
def test_labels_that_have_not_come_or_are_young_are_no_reason(trigger):
    bad = answers(flat=0.0, shift=2.0)
    assert trigger(evidence(bad)) is not None
    none = bad.assign(late=bad["late"].mask(bad["late"].notna()))
    assert trigger(evidence(none)) is None
    assert trigger(evidence(bad.assign(mature=False))) is None
    few = bad[bad["day"].isin(bad["day"].unique()[:6])]
    assert trigger(evidence(few)) is None


@pytest.mark.parametrize("trigger", [Drift(), Performance("skill")], ids=repr)
def test_without_a_reference_there_is_no_comparison(trigger):
    bad = answers(base=2.0, shift=-5.0)
    assert trigger(evidence(bad)) is not None
    assert trigger(evidence(bad, bad.iloc[:0])) is None


def test_drift_against_what_was_learned():
    trigger = Drift(against="training")
    same, moved = answers(seed=7)["score"], answers(base=0.5)["score"]
    assert trigger(evidence(learned_scores=same)) is None
    assert "PSI of the scores" in trigger(evidence(learned_scores=moved))
    assert trigger(evidence(learned_scores=moved.iloc[:0])) is None
    with pytest.raises(ValueError, match="no scores of learned rows"):
        trigger(evidence())


def test_one_class_alone_is_no_reason():
    late = answers(rows=20)
    late = late.assign(late=pd.array([True] * len(late), dtype="boolean"))
    assert Performance("auc")(evidence(late)) is None


def test_the_schedule_fires_on_its_days_alone():
    first = NOW - 5 * WEEK
    schedule = Schedule(4, first)
    champion = Model("c", first - WEEK)
    at_first = evidence(now=first, champion=champion)
    found = [
        schedule(replace(at_first, now=first + k * DAY)) is not None
        for k in range(-7, 57)
    ]
    assert [k - 7 for k, fired in enumerate(found) if fired] == [0, 28, 56]
    assert schedule(at_first) == "the schedule of every 4 weeks"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Schedule(0, NOW), "weeks=0"),
        (lambda: Schedule(1, pd.Timestamp("2013-04-01")), "first=.*no time zone"),
        (lambda: Drift(0), "limit=0"),
        (lambda: Drift(0.2, "march"), "against='march'"),
        (lambda: Performance("f1"), "metric='f1'"),
        (lambda: Performance("auc", 1.0), "drop=1.0"),
        (lambda: Gap(0), "limit=0"),
        (lambda: Calibration(1), "alpha=1"),
    ],
)
def test_triggers_without_sense_are_refused(made, said):
    with pytest.raises(ValueError, match=said):
        made()


def test_the_test_by_days_keeps_its_rate():
    fired = [
        Calibration(alpha=0.05)(evidence(rows, rows)) is not None
        for rows in (answers(rows=20, seed=seed) for seed in range(100, 300))
    ]
    assert 1 <= sum(fired) <= 20  # ten are expected


def test_a_relative_drop_that_is_not_tested_fires_by_chance():
    """Five percent of the skill are within the noise of four weeks of few flights."""
    fired = [
        Performance("skill")(evidence(answers(seed=k), answers(seed=k + 50)))
        for k in range(10)
    ]
    assert sum(reason is not None for reason in fired) >= 2
