"""Lab 11 at full size: what every rule decides on pairs whose truth is known.

`make bench` runs it and writes `results/decisions_*.{json,csv,txt}`; the chapter shows
them as recorded. Nothing here asserts a duration or a
verdict: only that the controls are what they must be.
"""

from pathlib import Path

import decided
import numpy as np
import pandas as pd
import pytest
from flightline import decisions
from flightline.decisions.core import crossing
from labkit import bench, replay, timing
from labkit.decisions import pairs
from scipy import stats

RESULTS = Path(__file__).parent / "results"
RUNS = 2_000
SEED = 11


@pytest.fixture(scope="module")
def earned():
    """Return what every policy earns on every flight of the replay."""
    return pairs.rewards(replay.load())


@pytest.fixture(scope="module")
def known(earned):
    """Return the pairs with their true effects."""
    return pairs.known(earned)


@pytest.fixture(scope="module")
def shown(earned, known):
    """Return what the dashboards show: estimates and errors, (pairs, runs, days)."""
    daily = pairs.experiments(earned, known, RUNS, decided.DAYS, SEED)
    return pairs.looks(daily)


@pytest.fixture(scope="module")
def stopped(shown):
    """Return what each rule says of each run."""
    return decided.decide_all(decisions.rules(decided.DAYS), *shown)


def of_kind(known, kind):
    return np.array([pair.kind == kind for pair in known])


def three(value):
    """Return a number as the chapter writes it; nothing where there is none."""
    if not isinstance(value, float):
        return value
    return "" if np.isnan(value) else f"{value:.3f}"


# --- rules and regret ----------------------------------------------------------------


def test_rules(known, stopped):
    """The rules that the lab does not play, beside its control."""
    table = decided.table_of_rules(known, stopped).set_index("rule")
    rows = ["fixed", "sequence", "bayes"]
    table = table.loc[[decided.NAMES[row] for row in rows]].reset_index()
    assert abs(table.loc[0, "nil decided"] - 0.05) < 0.02
    page = {
        "rule": "Rule",
        "nil decided": "Useless change gets a verdict",
        "nil decided, ±": "±",
        "small shipped": "Small gain shipped",
        "large shipped": "Large gain shipped",
        "negative killed": "Loss killed",
        "day, small": "Median day, small gain",
        "day, large": "Median day, large gain",
    }
    note = (
        f"{RUNS:,} experiments a pair; ± is half of a 95% interval over them. A run "
        "without a verdict counts as day 28."
    )
    bench.record(RESULTS, "decisions_rules", table, page, note, three, timed=False)


def test_pairs(known, stopped):
    table = decided.table_of_pairs(known, stopped, ("one look, day 28", "peek daily"))
    page = {
        "pair": "Control -> treatment",
        "effect": "True effect",
        "rule": "Rule",
        "verdict": "Verdict",
        "rate": "Share of runs",
        "low": "from",
        "high": "to",
    }
    note = "Points per flight; intervals by Wilson."
    table["effect"] = [f"{effect + 0:+.4f}" for effect in table["effect"].round(4)]
    bench.record(RESULTS, "decisions_pairs", table, page, note, three, timed=False)


def test_regret(earned, known, stopped, shown):
    """The regret of the lab with the days counted in which an experiment runs."""
    flights = len(earned) / earned.index.nunique()
    table = decided.table_of_regret(known, stopped, shown[0], flights)
    assert (table["regret"] > 0).all()
    wide = table.pivot_table(
        index="rule", columns="cost", values="regret", sort=False
    ).add_prefix("cost ")
    rows = [
        "one look, day 28",
        "peek daily",
        "O'Brien-Fleming, weekly",
        "better than cost",
        "ship nothing",
    ]
    page = {"rule": "Rule"} | dict(
        zip(wide, ("Shipping is free", "Cost .002", "Cost .005"), strict=True)
    )
    note = (
        "Thousand points lost in a hundred experiments, in the year that begins with "
        f"the experiment, {flights:.0f} flights a day. No 95% interval reaches further "
        f"than {table['±'].max():.1f} from its number."
    )
    wide = wide.loc[rows].reset_index()
    bench.record(RESULTS, "decisions_regret", wide, page, note, timed=False)


# --- peeking -------------------------------------------------------------------------


def test_peeking(known, shown):
    """Looks at equal times: in theory, on normal values, and on real pairs."""
    rng = np.random.default_rng(SEED)
    steps = rng.standard_normal((20_000, 92))
    sums = np.abs(steps.cumsum(axis=1)) / np.sqrt(np.arange(1, 93))
    nil = of_kind(known, "nil")
    z = np.abs(decisions.normal_scores(shown[0][nil], shown[1][nil]))
    rows = []
    for looks in (1, 2, 4, 7, 14, 28, 92):
        simulated = decided.wilson((sums[:, :looks] > 1.959964).any(axis=1))
        row = {
            "looks": looks,
            "theory": crossing(np.full(looks, 1.959964), 200),
            "normal values": simulated["rate"],
        }
        gap = decided.DAYS // looks
        if gap >= 2:
            at = np.arange(gap, decided.DAYS + 1, gap) - 1
            row["real pairs"] = decided.by_runs((z[..., at] > 1.959964).any(-1))["rate"]
        rows.append(row)
        assert simulated["low"] - 0.01 < row["theory"] < simulated["high"] + 0.01
    page = {
        "looks": "Looks",
        "theory": "Computed",
        "normal values": "20,000 walks of normal steps",
        "real pairs": "Useless changes on the replay, 28 days",
    }
    table = pd.DataFrame(rows).round(3)
    note = "One day has no variance, so equal looks at 28 days are 14 at most."
    bench.record(RESULTS, "decisions_peeking", table, page, note, three, timed=False)


# --- guardrails ----------------------------------------------------------------------


def test_a_guardrail_that_hides_a_loss(earned, known):
    """A real small loss: how often is it "not significant", how often shown safe?"""
    pair = next(one for one in known if one.name == "full -> warns above .25")
    rows = []
    for days, runs in ((28, RUNS), (92, 1_000), (365, 300)):
        daily = pairs.experiments(earned, [pair], runs, days, SEED)[0]
        means, ses = daily.mean(axis=1), stats.sem(daily, axis=1)
        pvalues = 2 * stats.t.sf(np.abs(means / ses), days - 1)
        row = {"days": days, "not significant": (pvalues >= 0.05).mean()}
        for margin in (0.002, 0.01):
            safe = [
                decisions.Guardrail(mean, se, margin, days=days).state == "safe"
                for mean, se in zip(means, ses, strict=True)
            ]
            row[f"safe by {margin:g}"] = np.mean(safe)
        rows.append(row)
    assert all(row["safe by 0.002"] < 0.1 for row in rows)
    page = {
        "days": "Days",
        "not significant": "Not significant",
        "safe by 0.002": "Shown: loses less than .002",
        "safe by 0.01": "Shown: less than .01",
    }
    note = (
        f"The threshold lowered to .25: the true loss is {-pair.effect:.4f} points a "
        "flight. With Student's quantile, where the lab takes the normal one."
    )
    table = pd.DataFrame(rows).round(3)
    bench.record(RESULTS, "decisions_guardrail", table, page, note, three, timed=False)


def test_days_to_show_a_margin(earned):
    same = pairs.Pair("full", "full", 0.0)
    daily = pairs.experiments(earned, [same], 500, decided.DAYS, SEED)
    sd = float(daily.std())
    rows = [
        {"margin": margin, "days": decisions.days_to_show(margin, sd)}
        for margin in (0.001, 0.002, 0.005, 0.01)
    ]
    page = {"margin": "Margin, points per flight", "days": "Days, if the truth is 0"}
    note = f"Standard deviation of the difference of a day: {sd:.4f}."
    table = pd.DataFrame(rows)
    bench.record(RESULTS, "decisions_margins", table, page, note, three, timed=False)


# --- Bayesian stopping, and many metrics ---------------------------------------------


def bayesian(estimates, ses, prior_sd):
    """Return what stopping at P > .95 or P < .05 says, daily from day 7."""
    likely = decisions.probability_better(
        estimates[..., 6:], ses[..., 6:], prior_sd=prior_sd
    )
    stops = (likely > 0.95) | (likely < 0.05)
    first = np.where(stops.any(axis=-1), stops.argmax(axis=-1), -1)
    at = np.take_along_axis(likely, first[..., None], axis=-1)[..., 0]
    return np.where(stops.any(axis=-1), np.where(at > 0.5, 1, -1), 0)


def test_bayesian_stopping(known, shown):
    rng = np.random.default_rng(SEED)
    sd, prior_sd, days = 0.03, 0.01, decided.DAYS
    truth = rng.normal(0, prior_sd, 20_000)
    daily = truth[:, None] + rng.normal(0, sd, (len(truth), days))
    errors = np.broadcast_to(sd / np.sqrt(np.arange(1, days + 1)), daily.shape)
    said = bayesian(daily.cumsum(axis=1) / np.arange(1, days + 1), errors, prior_sd)
    ours = bayesian(*shown, np.inf)
    effects = np.array([pair.effect for pair in known])
    nil = of_kind(known, "nil")
    right = (ours == np.sign(effects)[:, None]) & ~nil[:, None] & (ours != 0)
    rows = [
        {"truths": "drawn from the prior", "prior": "the same", **true_of(said, truth)}
    ]
    for share in decided.USELESS:
        weights = np.where(nil, share / nil.sum(), (1 - share) / (~nil).sum())
        decided_share = float(weights @ (ours != 0).mean(axis=1))
        true_share = float(weights @ right.mean(axis=1))
        rows.append(
            {
                "truths": f"pairs of the replay, {share:.0%} useless",
                "prior": "flat",
                "decided": round(decided_share, 3),
                "true": round(true_share / decided_share, 3),
            }
        )
    assert rows[0]["true"] > 0.93
    page = {
        "truths": "Truths",
        "prior": "Prior",
        "decided": "Decided",
        "true": "Of these, right",
    }
    note = (
        f"Stops from day 7 on at a probability above .95 or below .05, {days} days at "
        f"most. The first row draws {len(truth):,} truths from a normal prior with a "
        f"standard deviation of {prior_sd:g}; the others weigh {RUNS:,} runs of each "
        "pair."
    )
    table = pd.DataFrame(rows)
    bench.record(RESULTS, "decisions_bayes", table, page, note, three, timed=False)


def true_of(said, truth):
    """Return how many runs were decided, and how many of these truly."""
    some = said != 0
    true = (np.sign(truth) == said)[some].mean()
    return {"decided": round(some.mean(), 3), "true": round(float(true), 3)}


def test_ten_metrics(earned):
    """A/A: the rewards of ten policies as ten correlated metrics."""
    same = [pairs.Pair(name, name, 0.0) for name in list(earned) if name != "never"]
    daily = pairs.experiments(earned, same[:10], RUNS, decided.DAYS, SEED)
    t = daily.mean(axis=-1) / stats.sem(daily, axis=-1)
    pvalues = 2 * stats.t.sf(np.abs(t), decided.DAYS - 1).T
    rules = {
        "each at .05": lambda p, alpha: p < alpha,
        "Bonferroni": decisions.bonferroni,
        "Holm": decisions.holm,
        "Benjamini-Hochberg": decisions.benjamini_hochberg,
    }
    rows = [{"rule": "one metric at .05", **decided.wilson(pvalues[:, 0] < 0.05)}]
    for name, rule in rules.items():
        found = [bool(rule(row, 0.05).any()) for row in pvalues]
        rows.append({"rule": name, **decided.wilson(found)})
    page = {"rule": "Rule", "rate": "Any find", "low": "from", "high": "to"}
    note = (
        f"Nothing is changed: the rewards of {len(daily)} policies as metrics, "
        f"{decided.DAYS} days, {RUNS:,} runs; intervals by Wilson."
    )
    table = pd.DataFrame(rows).round(3)
    bench.record(RESULTS, "decisions_metrics", table, page, note, three, timed=False)


# --- the confidence sequence, and speed ----------------------------------------------


def test_sequence_coverage(earned):
    """Ever outside of the sequence, by the day on which one begins to look."""
    same = [pairs.Pair(name, name, 0.0) for name in ("timetable", "full")]
    daily = pairs.experiments(earned, same, RUNS, decided.DAYS, SEED)
    normal = np.random.default_rng(SEED).standard_normal((4_000, 1_000))
    rows = []
    for first in (2, 3, 5, 7, 14):
        real, long = (
            decisions.confidence_sequence(values, burn_in=first)
            for values in (daily, normal)
        )
        rows.append(
            {
                "first look": first,
                **decided.by_runs(ever_outside(*real)),
                "1,000 normal values": ever_outside(*long).mean(),
            }
        )
    exact = decisions.confidence_sequence(normal, sd=1.0)
    assert ever_outside(*exact).mean() < 0.055
    page = {
        "first look": "First look, day",
        "rate": "28 days of the replay",
        "low": "from",
        "high": "to",
        "1,000 normal values": "1,000 normal values in a row",
    }
    table = pd.DataFrame(rows).round(3)
    known_sd = ever_outside(*exact).mean()
    note = (
        "Shares of the runs; nothing is changed in any. If the variance of the normal "
        f"values is known, with looks from the first on, {known_sd:.3f} of them miss."
    )
    bench.record(RESULTS, "decisions_coverage", table, page, note, three, timed=False)


def ever_outside(low, high):
    """Return which runs leave the interval of a truth of 0 at any time."""
    return ((low > 0) | (high < 0)).any(axis=-1)


def test_sequence_width():
    days = np.array([7, 14, 28, 56, 92, 365])
    table = pd.DataFrame(
        {"days": days, "ratio": (decisions.sequence_bounds(days) / 1.959964).round(2)}
    )
    page = {"days": "Days", "ratio": "Width, times the interval of one look"}
    note = (
        "Computed, at 5% for the sequence and for the one look, with a variance that "
        "is known."
    )
    bench.record(RESULTS, "decisions_width", table, page, note, timed=False)


def inside(bounds):
    """Return how often no bound is crossed, by SciPy's multivariate normal."""
    k = np.arange(1, len(bounds) + 1)
    covariance = np.sqrt(np.minimum.outer(k, k) / np.maximum.outer(k, k))
    return stats.multivariate_normal.cdf(
        bounds,
        cov=covariance,
        lower_limit=-bounds,
        abseps=1e-6,
        releps=1e-6,
        maxpts=1_000_000,
        rng=np.random.default_rng(0),
    )


def test_speed_beside_scipy():
    """Ours solves for the bounds; SciPy only checks them, once."""
    rows = []
    for looks in (2, 5, 10):
        bounds = decisions.boundaries("pocock", looks)
        assert inside(bounds) == pytest.approx(0.95, abs=2e-4)
        pieces = {
            "solve for the bounds": lambda n=looks: decisions.boundaries("pocock", n),
            "check them once": lambda b=bounds: crossing(b),
            "SciPy checks them once": lambda b=bounds: inside(b),
        }
        times = timing.compare(pieces, repeats=5)
        for name, one in times.iterrows():
            rows.append(
                {
                    "looks": looks,
                    "piece": name,
                    "ms": round(one["median_ms"], 1),
                    "ratio": round(one["ratio"], 2),
                }
            )
    page = {"looks": "Looks", "piece": "What", "ms": "ms", "ratio": "Times the first"}
    bench.record(RESULTS, "decisions_speed", pd.DataFrame(rows), page)
