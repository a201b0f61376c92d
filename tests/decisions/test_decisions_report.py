"""A finished experiment: what is printed, what it decides, what it refuses."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import decisions
from flightline.decisions import Margin, Registration, RegistrationError
from flightline.decisions import __main__ as command
from scipy import stats

LABS = Path(__file__).resolve().parents[2] / "labs"


def plan(**changes):
    usual = {
        "metric": "reward",
        "unit": "points per flight",
        "horizon": 28,
        "looks": [7, 14, 21, 28],
        "analysis_date": "2013-09-30",
        "rule": "obrien_fleming",
        "cost": 0.005,
        "guardrails": {"precision": Margin(0.05, "share")},
    }
    return Registration(**(usual | changes))


def days(effect, count=28, seed=0, guard=0.0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "day": pd.date_range("2013-09-01", periods=count).strftime("%Y-%m-%d"),
            "reward": rng.normal(effect, 0.03, count),
            "precision": rng.normal(guard, 0.03, count),
        }
    )


# --- decisions -----------------------------------------------------------------------


def test_a_large_effect_ships_before_the_horizon():
    report = decisions.analyse(plan(), days(0.06))
    assert report.decision.action == "ship"
    assert report.looks["day"].iloc[-1] < 28 and report.looks["crossed"].iloc[-1]
    assert "came after it; not used" in str(report)
    assert report.primary.low > 0.005


def test_days_after_the_decision_change_nothing():
    usual = days(0.06)
    stop = int(decisions.analyse(plan(), usual).looks["day"].iloc[-1])
    later = usual.copy()
    later.loc[stop:, ["reward", "precision"]] = -9.0
    changed = decisions.analyse(plan(), later)
    assert changed.decision == decisions.analyse(plan(), usual).decision


def test_a_loss_is_killed_and_a_useless_change_is_not_shipped():
    assert decisions.analyse(plan(), days(-0.06)).decision.action == "kill"
    nothing = decisions.analyse(plan(), days(0.0, seed=3)).decision
    assert nothing.action in ("iterate", "kill")


def test_a_guardrail_keeps_a_gain_from_being_shipped():
    hurt = decisions.analyse(plan(), days(0.06, guard=-0.2))
    assert hurt.decision.action == "iterate"
    assert hurt.guardrails["precision"].state == "harmed"
    assert "loses more than 0.05 share" in str(hurt)


def test_before_the_horizon_it_goes_on():
    report = decisions.analyse(plan(), days(0.0, count=14, seed=1))
    assert report.decision is None
    assert "look after day 21" in str(report)


def test_one_look_is_students_t():
    table = days(0.01)
    report = decisions.analyse(plan(rule="fixed", looks=[28]), table)
    expected = stats.ttest_1samp(table["reward"], 0)
    interval = expected.confidence_interval()
    assert report.primary.pvalue == pytest.approx(expected.pvalue)
    assert report.primary.low == pytest.approx(interval.low)
    assert report.primary.high == pytest.approx(interval.high)


def test_a_gain_below_the_cost_is_killed_and_one_at_the_cost_stays_open():
    """Both are clearly above nothing."""
    small = days(0.02).assign(reward=lambda t: t["reward"] / 10)
    assert decisions.analyse(plan(cost=0.0), small).decision.action == "ship"
    assert decisions.analyse(plan(cost=0.01), small).decision.action == "kill"
    at = float(small["reward"].mean())
    open_still = decisions.analyse(plan(cost=at), small)
    assert open_still.decision.action == "iterate"
    assert not open_still.looks["crossed"].any()


def test_intervals_of_all_looks_hold_together():
    """Without an effect 5% of experiments leave one of their four intervals."""
    rng = np.random.default_rng(11)
    outside = []
    no_guards = plan(guardrails={}, rule="pocock", cost=0.0)
    for _ in range(250):
        table = pd.DataFrame({"day": range(28), "reward": rng.normal(0, 1, 28)})
        outside.append(decisions.analyse(no_guards, table).looks["crossed"].any())
    assert np.mean(outside) < 0.105


def test_order_index_and_kinds_do_not_matter():
    usual = days(0.02)
    expected = str(decisions.analyse(plan(), usual))
    shuffled = usual.sample(frac=1, random_state=1).set_index(np.zeros(28, int))
    assert str(decisions.analyse(plan(), shuffled)) == expected
    arrow = usual.astype({"reward": "double[pyarrow]", "precision": "Float64"})
    assert str(decisions.analyse(plan(), arrow)) == expected
    dates = usual.assign(day=pd.to_datetime(usual["day"]))
    assert str(decisions.analyse(plan(), dates)) == expected
    short = usual.assign(day=usual["day"].str[5:])
    assert str(decisions.analyse(plan(), short)) == expected
    clocks = pd.date_range("2013-10-20", periods=28, tz="America/New_York")
    assert str(decisions.analyse(plan(), usual.assign(day=clocks))) == expected
    numbered = usual.assign(day=range(100, 128), other="x")
    assert str(decisions.analyse(plan(), numbered)) == expected


# --- refusals ------------------------------------------------------------------------


def lacking(table):
    return table.drop(columns="precision")


def twice(table):
    return pd.concat([table, table.iloc[:1]])


def gap(table):
    return table.drop(index=3)


def null(table):
    return table.assign(reward=table["reward"].mask(table.index == 4))


def flat(table):
    return table.assign(precision=0.1)


def text(table):
    return table.assign(reward="x")


def no_day(table):
    return table.assign(day=table["day"].mask(table.index == 4))


def words(table):
    return table.assign(
        day=[f"day {letter}" for letter in "abcdefghijklmnopqrstuvwxyzåä"]
    )


def mixed(table):
    return table.assign(day=[1, "2", *range(3, 29)])


def huge(table):
    return table.assign(reward=table["reward"] * 1e305)


def doubled(table):
    return pd.concat([table, table[["reward"]]], axis=1)


@pytest.mark.parametrize(
    "change, said",
    [
        (lacking, "lack precision, which was registered"),
        (twice, "comes twice"),
        (gap, "a day is missing"),
        (null, "reward holds 1 of 28 values"),
        (flat, "precision has no variance"),
        (text, "reward holds something else than numbers"),
        (no_day, "day is missing in 1 rows"),
        (words, "give numbers, or dates"),
        (doubled, "'reward' twice"),
        (mixed, "give numbers, or dates"),
        (huge, "which unit"),
        (lambda table: table.T.to_dict(), "are no table"),
    ],
)
def test_days_that_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        decisions.analyse(plan(), change(days(0.02)))


@pytest.mark.parametrize(
    "count, said",
    [
        (29, "29 days are more than the registered 28"),
        (9, "day 9 were not registered"),
        (27, "day 27 were not registered"),
        (0, "not registered"),
    ],
)
def test_more_or_other_looks_than_registered(count, said):
    with pytest.raises(RegistrationError, match=said):
        decisions.analyse(plan(), days(0.0, count=count))


# --- the command line ----------------------------------------------------------------


@pytest.fixture
def run(tmp_path, capsys):
    def analyse(table, registration=None, suffix=".csv", *arguments):
        paths = tmp_path / "plan.json", tmp_path / f"days{suffix}"
        (registration or plan()).write(paths[0])
        if suffix == ".parquet":
            table.to_parquet(paths[1])
        else:
            table.to_csv(paths[1], index=False)
        code = command.main([*map(str, paths), *arguments])
        return code, *capsys.readouterr()

    return analyse


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_ship_is_0(run, suffix):
    code, printed, said = run(days(0.06), None, suffix)
    assert (code, said) == (0, "")
    assert "SHIP\n- The effect is +0.0" in printed
    assert "all of it lies above the cost 0.005" in printed


@pytest.mark.parametrize("effect, count", [(-0.06, 28), (0.0, 28), (0.0, 14)])
def test_not_to_ship_is_1(run, effect, count):
    code, printed, said = run(days(effect, count=count, seed=1), None)
    assert (code, said) == (1, "")
    assert any(word in printed for word in ("KILL", "ITERATE", "No look excludes"))


@pytest.mark.parametrize(
    "table, arguments",
    [
        (lacking(days(0)), []),
        (gap(days(0)), []),
        (days(0, count=30), []),
        (days(0, count=0), []),
        (days(0), ["--digest", "abc"]),
    ],
)
def test_no_answer_is_2_and_one_line(run, table, arguments):
    code, printed, said = run(table, None, ".csv", *arguments)
    assert (code, printed) == (2, "")
    assert said.startswith("decisions: ") and said.count("\n") == 1


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"day,reward\n1,2,3\n", b"day\n1"])
def test_torn_files_are_2(tmp_path, capsys, body):
    plan().write(tmp_path / "plan.json")
    for name in ("days.csv", "days.parquet", "days.txt"):
        (tmp_path / name).write_bytes(body)
        assert command.main([str(tmp_path / "plan.json"), str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert command.main([str(tmp_path / "none.json"), str(tmp_path / "days.csv")]) == 2


def test_wrong_arguments_are_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["--nonsense"])
    assert "decisions: " in capsys.readouterr().err


def test_as_a_module(tmp_path):
    plan().write(tmp_path / "plan.json")
    days(0.06).to_csv(tmp_path / "days.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-m", "flightline.decisions", "plan.json", "days.csv"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(LABS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SHIP" in done.stdout
