"""What rules decide about pairs with known effects, and what that costs."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline.decisions import Floats, Rule, Stopped
from labkit.decisions.pairs import Pair
from statsmodels.stats.proportion import proportion_confint

DAYS = 28
YEAR = 365
NAMES = {
    "fixed": "one look, day 28",
    "peek daily": "peek daily",
    "pocock": "Pocock, weekly",
    "obrien_fleming": "O'Brien-Fleming, weekly",
    "spending daily": "spending, daily",
    "sequence": "sequence, daily, t taken as Z",
    "bayes": "posterior, flat prior, daily",
    "sign": "better than zero",
}
"""What lab 11 calls the rules of `decisions.rules`, or what sets them apart from it."""

SHARE = {"nil": 0.7, "negative": 0.1, "small": 0.15, "large": 0.05}
"""Assumed shares of a team's ideas, as in lab 11."""

USELESS = (0.9, 0.7, 0.4)
"""Shares of useless ideas, where the others are drawn evenly from all other pairs."""

COSTS = (0.0, 0.002, 0.005)
"""What a shipped change costs, in points per flight."""


def wilson(hits: npt.ArrayLike) -> dict[str, float]:
    """Return a rate with its 95% interval by Wilson; runs are independent."""
    flags = np.asarray(hits, bool).ravel()
    low, high = proportion_confint(flags.sum(), flags.size, method="wilson")
    return {"rate": flags.mean(), "low": low, "high": high}


def by_runs(hits: npt.ArrayLike) -> dict[str, float]:
    """Return the mean rate of several pairs with its 95% interval.

    Pairs of one run share its days and its assignment, so that the run is the unit.
    """
    runs = np.asarray(hits, float).mean(axis=0)
    reach = 1.96 * runs.std(ddof=1) / np.sqrt(len(runs))
    return {
        "rate": runs.mean(),
        "low": runs.mean() - reach,
        "high": runs.mean() + reach,
    }


def decide_all(
    rules: Mapping[str, Rule], estimates: Floats, ses: Floats
) -> dict[str, Stopped]:
    """Return when each rule stops each run of each pair, and what it says."""
    return {NAMES[name]: rule(estimates, ses) for name, rule in rules.items()}


def table_of_rules(
    pairs: Sequence[Pair], stopped: Mapping[str, Stopped]
) -> pd.DataFrame:
    """Return false positives, power and median days of each rule, by kind of pair."""
    kinds = np.array([pair.kind for pair in pairs])
    asked = {
        "nil decided": ("nil", lambda said: said != 0),
        "small shipped": ("small", lambda said: said == 1),
        "large shipped": ("large", lambda said: said == 1),
        "negative killed": ("negative", lambda said: said == -1),
    }
    rows = []
    for rule, found in stopped.items():
        row: dict[str, object] = {"rule": rule}
        for name, (kind, says) in asked.items():
            one = by_runs(says(found.said[kinds == kind]))
            row[name] = round(one["rate"], 3)
            row[f"{name}, ±"] = round((one["high"] - one["low"]) / 2, 3)
        for kind in ("small", "large"):
            row[f"day, {kind}"] = int(np.median(found.day[kinds == kind]))
        rows.append(row)
    return pd.DataFrame(rows)


def table_of_pairs(
    pairs: Sequence[Pair], stopped: Mapping[str, Stopped], rules: Sequence[str]
) -> pd.DataFrame:
    """Return the share of runs in which each rule ships, and kills, of each pair."""
    rows = []
    for place, pair in enumerate(pairs):
        for rule in rules:
            said = stopped[rule].said[place]
            for verdict, sign in (("ships", 1), ("kills", -1)):
                one = {name: round(v, 3) for name, v in wilson(said == sign).items()}
                truth = {"pair": pair.name, "effect": round(pair.effect, 4)}
                rows.append({**truth, "rule": rule, "verdict": verdict, **one})
    return pd.DataFrame(rows)


def regret(
    effect: float, stopped: Stopped, cost: float, flights_a_day: float
) -> Floats:
    """Return what each run loses against knowing the truth, in points in a year.

    The year begins with the experiment. While it lasts, half of the flights are in the
    arm that is worse; afterwards all are, if the decision was wrong. A change that is
    not shipped is dropped.
    """
    worth = effect - cost
    wrong = (stopped.said == 1) != (worth > 0)
    days = stopped.day / 2 + np.where(wrong, YEAR - stopped.day, 0)
    return np.asarray(abs(worth) * flights_a_day * days)


def table_of_regret(
    pairs: Sequence[Pair],
    stopped: Mapping[str, Stopped],
    estimates: Floats,
    flights_a_day: float,
) -> pd.DataFrame:
    """Return thousand points lost in a hundred experiments, by rule and cost."""
    kinds = np.array([pair.kind for pair in pairs])
    weights = np.array([SHARE[kind] / np.sum(kinds == kind) for kind in kinds])
    last = np.full(estimates.shape[:2], DAYS)
    never = Stopped(last, np.zeros_like(last))
    rows = []
    for cost in COSTS:
        above = Stopped(last, np.where(estimates[..., -1] > cost, 1, -1))
        more = {"better than cost": above, "ship nothing": never}
        for rule, found in {**stopped, **more}.items():
            lost = [
                regret(pair.effect, Stopped(day, said), cost, flights_a_day)
                for pair, day, said in zip(pairs, *found, strict=True)
            ]
            runs = 100 * (weights @ lost) / 1000
            reach = 1.96 * runs.std(ddof=1) / np.sqrt(len(runs))
            row = {"cost": cost, "rule": rule, "regret": runs.mean(), "±": reach}
            rows.append(row)
    return pd.DataFrame(rows).round({"regret": 1, "±": 1})
