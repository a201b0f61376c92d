"""A registration is written once, read as it was, and not exceeded."""

import json

import numpy as np
import pytest
from flightline import decisions
from flightline.decisions import Margin, Registration, RegistrationError

PLAN = {
    "metric": "reward",
    "unit": "points per flight",
    "horizon": 28,
    "looks": [7, 14, 21, 28],
    "analysis_date": "2013-09-30",
    "rule": "obrien_fleming",
    "alpha": 0.05,
    "cost": 0.005,
}


def plan(**changes):
    guards = {"precision": Margin(0.01, "share")}
    return Registration(**(PLAN | {"guardrails": guards} | changes))


def test_written_and_read(tmp_path):
    path = tmp_path / "plan.json"
    plan().write(path)
    read = decisions.read_registration(path)
    assert read == plan() and read.digest == plan().digest
    assert decisions.read_registration(path, plan().digest.upper() + "\n") == plan()


def test_the_bounds_are_those_of_the_rule():
    usual = decisions.boundaries("obrien_fleming", 4)
    assert plan().bounds.tolist() == usual.tolist()
    odd = plan(rule="lan_demets", looks=[5, 14, 28])
    spent = decisions.spending_bounds([5 / 28, 0.5, 1])
    assert odd.bounds.tolist() == spent.tolist()
    fixed = plan(rule="fixed", looks=[28])
    assert fixed.bounds == pytest.approx([1.959964])


def test_digest_covers_every_field():
    changes = [
        {"metric": "clicks"},
        {"unit": "percent"},
        {"horizon": 56, "looks": [14, 28, 42, 56]},
        {"looks": [14, 28]},
        {"analysis_date": "2013-10-01"},
        {"rule": "pocock"},
        {"alpha": 0.01},
        {"cost": 0.0},
        {"guardrails": {}},
        {"guardrails": {"precision": Margin(0.02, "share")}},
        {"guardrails": {"precision": Margin(0.01, "percent")}},
        {"guardrails": {"precision": Margin(0.01, "share", "lower")}},
    ]
    digests = {plan(**change).digest for change in changes}
    assert len(digests | {plan().digest}) == len(changes) + 1


def test_kinds_of_numbers_do_not_change_the_file(tmp_path):
    other = plan(horizon=np.int64(28), looks=(np.int8(7), 14, 21, np.int64(28)))
    other.write(tmp_path / "plan.json")
    assert decisions.read_registration(tmp_path / "plan.json") == plan()


def test_written_once(tmp_path):
    path = tmp_path / "plan.json"
    plan().write(path)
    before = path.read_bytes()
    with pytest.raises(RegistrationError, match="written once"):
        plan(alpha=0.2).write(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "field, value",
    [
        ("alpha", 0.1),
        ("metric", "clicks"),
        ("looks", [14, 21, 28]),
        ("cost", 0),
        ("guardrails", {}),
        ("unit", "percent"),
    ],
)
def test_a_changed_file_is_refused(tmp_path, field, value):
    path = tmp_path / "plan.json"
    plan().write(path)
    body = json.loads(path.read_text()) | {field: value}
    path.write_text(json.dumps(body))
    with pytest.raises(RegistrationError, match=r"changed since|no registration"):
        decisions.read_registration(path)


def test_a_changed_file_with_a_new_digest_needs_the_one_you_kept(tmp_path):
    kept = plan().digest
    other = tmp_path / "other.json"
    plan(alpha=0.2).write(other)
    assert decisions.read_registration(other).alpha == 0.2
    with pytest.raises(RegistrationError, match="digest you kept"):
        decisions.read_registration(other, kept)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"digest": "x"}',
        b'{"metric": "reward", "digest": "x"}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({**PLAN, "guardrails": [], "digest": "x"}).encode(),
        json.dumps({**PLAN, "guardrails": {"a": 1}, "digest": "x"}).encode(),
        json.dumps({**PLAN, "guardrails": {"a": {"x": 1}}, "digest": "x"}).encode(),
        json.dumps({**PLAN, "guardrails": {}, "looks": 28, "digest": "x"}).encode(),
        json.dumps({**PLAN, "guardrails": {}, "more": 1, "digest": "x"}).encode(),
        json.dumps({**PLAN, "guardrails": {}, "alpha": None, "digest": 3}).encode(),
    ],
)
def test_torn_and_foreign_files(tmp_path, body):
    path = tmp_path / "plan.json"
    path.write_bytes(body)
    with pytest.raises(RegistrationError, match=r"plan\.json is no registration"):
        decisions.read_registration(path)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"metric": ""}, "metric=''"),
        ({"metric": None}, "metric=None"),
        ({"unit": " "}, "unit=' '"),
        ({"horizon": 1, "looks": [1]}, "horizon=1"),
        ({"horizon": 28.5}, "horizon=28.5"),
        ({"looks": []}, "must rise"),
        ({"looks": [14, 7, 28]}, "must rise"),
        ({"looks": [7, 7, 28]}, "must rise"),
        ({"looks": [7, 14]}, "end at the horizon 28"),
        ({"looks": [7, 14, 21, 28, 35]}, "end at the horizon"),
        ({"looks": [1, 28]}, "a look=1"),
        ({"looks": "7"}, "give the days"),
        ({"looks": 28}, "give the days"),
        ({"looks": [7, 28]}, "needs equal looks"),
        ({"rule": "fixed"}, "has one look"),
        ({"rule": "peek"}, "rule='peek'"),
        ({"alpha": 0}, "alpha=0"),
        ({"alpha": "5%"}, "alpha='5%'"),
        ({"cost": -1}, "cost=-1"),
        ({"analysis_date": "soon"}, "analysis_date='soon'"),
        ({"guardrails": [1]}, "no mapping"),
        ({"guardrails": {"a": 0.1}}, "give a Margin"),
        ({"guardrails": {"reward": Margin(0.01, "x")}}, "primary metric and guardrail"),
    ],
)
def test_a_plan_that_contradicts_itself(changes, said):
    with pytest.raises(ValueError, match=said):
        plan(**changes)


@pytest.mark.parametrize(
    "margin, better", [(-0.01, "higher"), (0, "higher"), (1, "up")]
)
def test_a_margin_that_is_none(margin, better):
    with pytest.raises(ValueError, match=r"margin|better"):
        Margin(margin, "points", better)


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"metric": "clicks"}, "'clicks' is not the registered one"),
        ({"alpha": 0.1}, "alpha=0.1 is not the registered one"),
        ({"looks": [7, 9, 14, 15]}, "day 9, 15 were not registered"),
        ({"looks": [35]}, "day 35 were not registered"),
    ],
)
def test_an_analysis_that_goes_beyond(asked, said):
    usual = {"metric": "reward", "alpha": 0.05, "looks": [7, 14]}
    plan().allow(**usual)
    with pytest.raises(RegistrationError, match=said):
        plan().allow(**(usual | asked))
