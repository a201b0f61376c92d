"""Lab 13 at full size: the year by policies, two faults, canaries, and feedback.

`make bench` runs it and writes `results/loop_*.{json,csv,txt}` for the chapter. No
assertion here says what comes out: only that the tables are what they claim to be.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import estimate, training
from flightline.loop import labels, policy, triggers
from flightline.loop.compare import over_starts, policies
from flightline.loop.core import losses, paired_by_day
from flightline.loop.fits import Fit, due_at
from flightline.loop.gate import NoWorse
from flightline.loop.replay import Replay
from labkit import bench
from labkit.loop import trees
from loop_year import (
    FEED,
    START,
    WEEK,
    asked,
    in_hours,
    model_at,
    silent,
    skill,
    without,
    year,
)
from scipy import stats

RESULTS = Path(__file__).parent / "results"
MONTHLY = "every 4 weeks"
HOLDOUT = "every 4 weeks, behind a gate"
CONTROL = "control: every 4, other seed"
STARTS = 4
USD_AN_HOUR = 0.05
"""What an hour of one core is assumed to cost."""
FAULT_WEEKS = range(5, 33, 4)
"""Mondays, counted from 1 April, on which a fault begins: early May to November."""


def plans(start):
    """Return the policies that run from a moment on."""

    def each(name, trigger, **more):
        return policy.Policy(name, trigger, **more)

    def every(weeks):
        return triggers.Schedule(weeks, start)

    return [
        each(MONTHLY, every(4)),
        each("never", triggers.Never()),
        each("every 8 weeks", every(8)),
        each("weekly", every(1)),
        each("PSI > 0.2 against the first weeks", triggers.Drift(0.2)),
        each("PSI > 0.2 against training", triggers.Drift(0.2, against="training")),
        each("gap > 0.05", triggers.Gap(0.05)),
        each("gap, test by days", triggers.Calibration(0.01)),
        each("AUC -5%", triggers.Performance("auc", 0.05)),
        each("skill -5%", triggers.Performance("skill", 0.05)),
        each("Platt weekly, no retraining", every(1), remedy="recalibrate"),
        each(HOLDOUT, every(4), gate=NoWorse(), holdout=4 * WEEK),
    ]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """Return the year at full size, one model a Monday, kept for all tests."""
    folder = tmp_path_factory.mktemp("models")
    return Replay(year(), folder, fit=Fit())


def slim(run):
    """Return what a run served, as small as it can be compared."""
    rows = run.judged[["id", "day", "score", "late"]]
    return rows.reset_index(drop=True)


def test_policies(replayed):
    runs = {p.name: replayed.run(p, START) for p in plans(START)}
    other = Replay(year(), fit=Fit(seed=1))
    runs[CONTROL] = other.run(plans(START)[0], START)
    served = {name: slim(run) for name, run in runs.items()}
    table = policies(served, MONTHLY, best="weekly")
    assert list(table.index) == list(runs)
    table = table.drop(columns="pvalue").assign(
        retrainings=[run.trainings for run in runs.values()],
        cpu_s=[f"{run.cpu_s:.0f}" for run in runs.values()],
        usd=[
            f"{estimate.cost_usd(1, run.cpu_s / 3600, USD_AN_HOUR):.4f}"
            for run in runs.values()
        ],
        days=len(set(served["never"]["day"])),
    )
    page = {
        "policy": "Policy",
        "retrainings": "Trainings",
        "log_loss": "Log-loss",
        "auc": "AUC",
        "ece": "ECE",
        "bad_days": "Bad days",
        "span": "Difference from every 4",
        "finding": "After Holm",
    }
    price = {
        "policy": "Policy",
        "retrainings": "Trainings",
        "cpu_s": "CPU, s",
        "usd": "USD",
    }
    table["span"] = [
        ""
        if np.isnan(r.difference)
        else f"{r.difference:+.4f} ({r.low:+.4f} to {r.high:+.4f})"
        for r in table.itertuples()
    ]
    order = [MONTHLY, CONTROL, *[n for n in table.index if n not in (MONTHLY, CONTROL)]]
    shown = table.loc[order].rename_axis("policy").reset_index()
    days = int(table["days"].iloc[0])
    note = f"Log-losses are compared on the days that all policies share; {days} days."
    counted = shown.drop(columns=["cpu_s", "usd"])
    bench.record(
        RESULTS, "loop_policies", counted, page, form=figure, note=note, timed=False
    )
    note = f"USD: at an assumed {USD_AN_HOUR} USD for an hour of one core."
    bench.record(RESULTS, "loop_price", shown[[*price]], price, note=note)


def test_policies_over_starts(replayed):
    runs = {}
    for k in range(STARTS):
        start = START + k * WEEK
        runs[str(start.date())] = {
            p.name: slim(replayed.run(p, start)) for p in plans(start)
        }
    table = over_starts(runs, MONTHLY).drop(columns="pvalue")
    assert len(table) == len(plans(START)) - 1
    note = f"Differences of log-loss from every 4 weeks; {STARTS} starts, a week apart."
    table["span"] = [
        f"{r.difference:+.4f} ({r.low:+.4f} to {r.high:+.4f})"
        for r in table.itertuples()
    ]
    shown = table.rename_axis("policy").reset_index()
    page = {
        "policy": "Policy",
        "span": "Mean difference, interval by weeks",
        "least": "Least",
        "most": "Most",
        "finding": "After Holm",
    }
    bench.record(
        RESULTS, "loop_starts", shown, page, note=note, form=figure, timed=False
    )


def test_silent_feed():
    """The feed of departures is silent for two weeks; who is hurt?"""
    since, until = (pd.Timestamp(f"2013-07-{d:02} 04:00", tz="UTC") for d in (8, 22))
    worlds = {"nothing": year(), "departures silent": silent(since, until)}
    worlds["backlog nulled too"] = without(worlds["departures silent"], FEED)
    models = {
        "first model": model_at(year(), START),
        "monthly model": model_at(year(), START + 13 * WEEK),
        "spare, without the feed": model_at(without(year(), FEED), START + 13 * WEEK),
    }
    rows = []
    for world, table in worlds.items():
        during = asked(table, since, until)
        for name, model in models.items():
            seen = without(during, FEED) if name.startswith("spare") else during
            waits = float(during["origin_waiting"].median())
            rows.append(
                {"world": world, "model": name, **skill(model, seen), "waiting": waits}
            )
    table = pd.DataFrame(rows)
    assert len(table) == 9
    table["count"] = table["waiting"].map(whole)
    note = "Log-loss and AUC of 8 to 21 July; waiting: the median of origin_waiting."
    page = {
        "world": "World",
        "model": "Model",
        "log_loss": "Log-loss",
        "auc": "AUC",
        "count": "Waiting",
    }
    bench.record(
        RESULTS, "loop_silent", table, page, note=note, form=figure, timed=False
    )


def test_broken_unit():
    """Delays come in hours for two weeks; a model is trained in the middle."""
    rows = []
    for week in FAULT_WEEKS:
        since = START + week * WEEK
        until, middle = since + 2 * WEEK, since + WEEK
        broken = in_hours(since, until)
        models = {
            "before": model_at(year(), since),
            "in the middle": model_at(broken, middle),
            "in the middle, mended first": model_at(year(), middle),
        }
        spans = {
            "second week of the fault": asked(broken, middle, until),
            "four weeks after the repair": asked(year(), until, until + 4 * WEEK),
        }
        for span, part in spans.items():
            late, day = part["late"].to_numpy(np.float64), part["day"].to_numpy()
            base = models["before"].predict(part)
            for name, model in models.items():
                found = paired_by_day(base, model.predict(part), late, day)
                rows.append({"fault": week, "span": span, "model": name} | ends(found))
    table = pd.DataFrame(rows)
    assert len(table) == len(FAULT_WEEKS) * 6
    shown = table.groupby(["span", "model"], sort=False)["difference"]
    shown = shown.agg(
        ["mean", "min", "max", lambda x: int((x > 0).sum())]
    ).reset_index()
    shown.columns = ["span", "model", "mean", "least", "most", "dates above zero"]
    shown["dates"] = len(FAULT_WEEKS)
    note = (
        "Log-loss less that of the model from before the fault; faults on seven dates."
    )
    page = {name: name.capitalize() for name in shown}
    bench.record(RESULTS, "loop_unit", shown, page, note=note, form=figure, timed=False)


def ends(found):
    """Name the three numbers of a paired comparison."""
    return dict(zip(("difference", "low", "high"), found, strict=True))


def test_canary():
    """A model that learned by heart gets 5% of the traffic: when is it found?"""
    table = year().sort_values(["prediction_time", "flight_id"], ignore_index=True)
    matrix, waited = trees.inputs(table), due_at(table) + labels.WAIT
    rng, rows = np.random.default_rng(13), []
    for week in range(8, 36, 4):
        now = START + week * WEEK
        part = asked(table, now, now + 4 * WEEK)
        late, day = part["late"].to_numpy(np.float64), pd.factorize(part["day"])[0]
        ready = {}
        for name, at, more in (
            ("champion", now - 8 * WEEK, {}),
            ("equal", now - 8 * WEEK, {"seed": 1}),
            ("by heart", now, trees.BY_HEART),
        ):
            known = ((waited <= at) & (table["label_time"] <= at)).to_numpy()
            truth = table["late"].to_numpy(np.float64, na_value=np.nan)[known]
            model = trees.fit(matrix[known], truth, **more)
            ready[name] = trees.score(model, matrix[part.index])
        for name in ("equal", "by heart"):
            for draw in range(40):
                small = rng.random(len(part)) < 0.05
                for measure, value in (
                    ("log-loss", losses),
                    ("cost of warnings", cost),
                ):
                    old = value(ready["champion"], late)
                    new = value(ready[name], late)
                    found = found_on(old[~small], day[~small], new[small], day[small])
                    rows.append((name, measure, week, draw, found))
    columns = ["challenger", "measure", "week", "draw", "day"]
    table = pd.DataFrame(rows, columns=columns)
    groups = table.groupby(["challenger", "measure"], sort=False)["day"]
    shown = pd.DataFrame(
        {
            "trials": groups.size(),
            "taken back": groups.apply(lambda d: (d > 0).mean()),
            "by day 3": groups.apply(lambda d: ((d > 0) & (d <= 3)).mean()),
            "by day 7": groups.apply(lambda d: ((d > 0) & (d <= 7)).mean()),
        }
    ).reset_index()
    note = "A twentieth of the traffic for 28 days, a t test by days at each look."
    page = {name: name.capitalize() for name in shown}
    bench.record(
        RESULTS, "loop_canary", shown, page, note=note, form=percent, timed=False
    )


def cost(score, late):
    """Return what a warning costs (lab 10): 0.4 if wrong, -1 if right, else nothing."""
    warned = score > 0.4 / 1.4
    return np.where(warned, np.where(late > 0, -1.0, 0.4), 0.0)


def found_on(old, old_day, new, new_day):
    """Return the first day on which the canary is worse by days at 2.5%, or 0."""
    sides = [
        pd.Series(value).groupby(day).mean()
        for value, day in ((old, old_day), (new, new_day))
    ]
    apart = (sides[1] - sides[0]).dropna().to_numpy()[:28]
    for look in range(3, len(apart) + 1):
        test = stats.ttest_1samp(apart[:look], 0, alternative="greater")
        if test.pvalue < 0.025:
            return look
    return 0


def test_feedback():
    """A warning changes what happens, and the labels that are learned from."""
    table = year().sort_values(["prediction_time", "flight_id"], ignore_index=True)
    matrix, waited = trees.inputs(table), due_at(table) + labels.WAIT
    truth = table["late"].to_numpy(np.float64, na_value=np.nan)
    months = [START + 4 * k * WEEK for k in range(10)]
    worlds = {
        "warnings change nothing": (0.0, "all"),
        "half of the warned are saved, learn from all": (0.5, "all"),
        "the same, learn from a tenth left alone": (0.5, "alone"),
    }
    rows = []
    for world, (saved, learn) in worlds.items():
        rng = np.random.default_rng(0)
        luck, alone = rng.random(len(table)), rng.random(len(table)) < 0.1
        seen, weight = truth.copy(), np.ones(len(table), bool)
        for number, (now, end) in enumerate(pairwise(months)):
            known = (waited <= now) & (table["label_time"] <= now) & weight
            known = known.to_numpy()
            model = trees.fit(matrix[known], seen[known])
            when = table["prediction_time"]
            part = np.flatnonzero((when > now) & (when <= end) & table["late"].notna())
            score = trees.score(model, matrix[part])
            warned = score > 0.4 / 1.4
            acted = warned & ~alone[part] & (luck[part] < saved)
            seen[part] = np.where(acted, 0.0, truth[part])
            if learn == "alone":
                weight[part] = alone[part] | ~warned
            rows.append(
                {
                    "world": world,
                    "month": number,
                    "warned": float(warned.mean()),
                    "gap": float(truth[part].mean() - score.mean()),
                    "auc": training.auc(score, truth[part]),
                    "auc as seen": training.auc(score, seen[part]),
                }
            )
    table = pd.DataFrame(rows)
    assert len(table) == 3 * 9
    last = table[table["month"] >= 5].drop(columns="month")
    shown = last.groupby("world", sort=False).mean().reset_index()
    note = (
        "Simulated: whoever is warned is saved from being late with chance one half. "
        "Monthly retraining, means of the last four months; gap and AUC against what "
        "would have happened without a warning."
    )
    shown["share"] = shown["warned"].map(percent)
    page = {
        "world": "World",
        "share": "Warned",
        "gap": "Gap",
        "auc": "AUC",
        "auc as seen": "AUC as seen",
    }
    bench.record(
        RESULTS, "loop_feedback", shown, page, note=note, form=figure, timed=False
    )


def figure(value, form=".4f"):
    """Write a number as the chapter shows it."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:{form}}"
    return "" if value is None else str(value)


def percent(value):
    """Write a share as the chapter shows it."""
    return figure(value, ".0%")


def whole(value):
    """Write a count that may be missing, without decimals."""
    return figure(value, ".0f")
