"""Lab 10 at full size: A/A, designs by day, lost outcomes, SRM, segments.

`make bench STEM=experiments` runs it and writes `results/experiments_*.{json,csv,txt}`;
the chapter shows them as recorded. Nothing here asserts a duration or a ratio: only
that fast sums and the package agree.
"""

from pathlib import Path

import by_day
import dealt
import numpy as np
import pandas as pd
from flightline import experiments
from labkit import bench
from scipy import stats

RESULTS = Path(__file__).parent / "results"
AA_RUNS = 20_000
RUNS = 4_000
FEW_RUNS = 300


# --- nothing changed ------------------------------------------------------------------


def test_what_is_assigned_and_what_is_analysed(flights):
    rows = []
    for unit in dealt.UNITS:
        units = dealt.unit_of(flights, unit)
        sums = dealt.sums_of(flights["reward_a"], units)
        must_agree(flights, units, sums)
        found = {
            name: dealt.wilson(dealt.rejects(test, sums, sums, AA_RUNS), AA_RUNS)
            for name, test in (("rows", dealt.by_rows), ("units", dealt.by_units))
        }
        rows.append({"unit": unit, "units assigned": len(sums.rows), **found})
    page = {
        "unit": "Assigned by",
        "units assigned": "Units",
        "rows": "Rejected with errors of flights",
        "units": "Rejected with errors of the unit",
    }
    chance = 1.96 * np.sqrt(0.05 * 0.95 / AA_RUNS)
    note = (
        f"Policy A in both arms, {AA_RUNS:,} deals by a coin for each unit, tests at "
        f"0.05, which chance moves by {chance:.3f}; in parentheses the share's 95% "
        "interval."
    )
    bench.record(RESULTS, "experiments_aa", pd.DataFrame(rows), page, note, timed=False)


def must_agree(flights, units, sums):
    """Hold the first dealt experiment against the package."""
    arms = next(dealt.deals(len(sums.rows), 1))
    treated, reward = arms[0][units], flights["reward_a"]
    flat = experiments.mean_effect(reward[treated], reward[~treated])
    clustered = experiments.clustered_effect(reward, treated, units)
    assert np.isclose(dealt.by_rows(arms, sums, sums)[0], flat.pvalue, rtol=1e-6)
    assert np.isclose(dealt.by_units(arms, sums, sums)[0], clustered.pvalue, rtol=1e-6)


# --- designs --------------------------------------------------------------------------


def designs(days):
    """Return each design: its name, how arms are dealt, and how they are analysed."""
    near = by_day.adjacent(len(days.a))

    def dealt_in(pairs):
        return lambda runs, rng: by_day.coins(pairs, runs, rng)

    def halved(runs, rng):
        return by_day.halves(len(days.a), runs, rng)

    def with_covariate(test, covariate):
        return lambda y, arms: test(by_day.less(y, covariate[: y.shape[1]]), arms)

    plain, pair = by_day.unpaired, by_day.paired(near)
    return {
        "days, Welch": (halved, plain),
        "days, CUPED with A's score": (halved, with_covariate(plain, days.score_a)),
        "days, CUPED with B's score": (halved, with_covariate(plain, days.score_b)),
        "adjacent days, paired": (dealt_in(near), pair),
        "adjacent days, analysed unpaired": (dealt_in(near), plain),
        "days in strict alternation, Welch": (alternating(len(days.a)), plain),
    }


def alternating(days):
    """Deal every other day: there are two such deals, however many are asked for."""

    def deal(runs, rng):
        return (np.arange(days) + np.arange(2)[:, None]) % 2 == 0

    return deal


def test_designs_on_the_days(flights):
    days = by_day.days_of(flights)
    first = by_day.less(days.a[None, :], days.score_b)[0]
    np.testing.assert_allclose(first, experiments.cuped(days.a, days.score_b))
    rows = []
    for name, (deal, analyse) in designs(days).items():
        arms = deal(RUNS, np.random.default_rng(10))
        a, b = (mean[: arms.shape[1]] for mean in (days.a, days.b))
        row = {"design": name, "units": arms.shape[1]}
        for what, treated in (("power", b), ("aa", a)):
            found = analyse(np.where(arms, treated, a), arms) < 0.05
            row[what] = dealt.wilson(int(found.sum()), RUNS)
            if len(found) < RUNS:  # all deals that there are: no sample, no interval
                row[what] = f"{found.sum()} of {len(found)}"
        rows.append(row)
    rows += [finer(flights, unit) for unit in ("origin and day", "hour and day")]
    page = {
        "design": "Design and analysis",
        "units": "Units assigned",
        "power": "Finds B's effect (power)",
        "aa": "Finds one where there is none",
    }
    planned = experiments.power_of(
        effect=days.b.mean() - days.a.mean(),
        sd=np.sqrt((days.a.var(ddof=1) + days.b.var(ddof=1)) / 2),
        units=len(days.a) / 2,
    )
    note = (
        f"July to September, {RUNS:,} deals of each design, tests at 0.05; in "
        f"parentheses the share's 95% interval. Planned power of days by Welch: "
        f"{planned:.2f}. Strict alternation has two deals only, which are counted: an "
        "interval would speak of a chance that is not in them."
    )
    bench.record(
        RESULTS, "experiments_designs", pd.DataFrame(rows), page, note, timed=False
    )


def finer(flights, unit):
    """Return power and A/A of parts of days as units, with their errors."""
    units = dealt.unit_of(flights, unit)
    a, b = (dealt.sums_of(flights[f"reward_{policy}"], units) for policy in "ab")
    row = {"design": f"{unit}, errors of the unit", "units": len(a.rows)}
    for what, treated in (("power", b), ("aa", a)):
        found = dealt.rejects(dealt.by_units, treated, a, RUNS)
        row[what] = dealt.wilson(found, RUNS)
    return row


def test_how_many_flights_each_way_takes(flights):
    """Sizes at power 0.8 for B's true effect, as the package plans them."""
    a, b, day = flights["reward_a"], flights["reward_b"], flights["day"]
    effect, daily = b.mean() - a.mean(), len(flights) / day.nunique()
    sd = np.sqrt((a.var() + b.var()) / 2)
    differ = (flights["warns_a"] != flights["warns_b"]).to_numpy()
    arm = np.random.default_rng(1).random(len(flights)) < 0.5
    trigger = experiments.triggered_effect(np.where(arm, b, a), arm, differ)
    np.testing.assert_allclose(trigger.share, differ.mean())
    among = np.sqrt((a[differ].var() + b[differ].var()) / 2)
    days = by_day.days_of(flights)
    by_days = np.sqrt((days.a.var(ddof=1) + days.b.var(ddof=1)) / 2)
    gain, pairs = b - a, days.b - days.a
    size = experiments.sample_size
    found = {
        "experiment by flight": 2 * size(effect=effect, sd=sd),
        "experiment by flight, triggered": 2
        * size(effect=effect / differ.mean(), sd=among)
        / differ.mean(),
        "experiment by day": 2 * size(effect=effect, sd=by_days) * daily,
        "experiment by day, design effect": 2
        * size(
            effect=effect,
            sd=sd,
            design_effect=experiments.design_effect(a, day).design_effect,
        ),
        "paired shadow, these days": size(effect=effect, sd=gain.std() / np.sqrt(2)),
        "paired shadow, other days": size(
            effect=effect, sd=pairs.std(ddof=1) / np.sqrt(2)
        )
        * daily,
    }
    table = pd.DataFrame(
        {
            "way": list(found),
            "flights": [f"{round(n):,}" for n in found.values()],
            "days": [round(n / daily, 1) for n in found.values()],
        }
    )
    shadow = experiments.shadow_effect(b, a, day)
    note = (
        f"B's effect is {shadow}, by days; decisions differ on {differ.mean():.3f} of "
        "the flights. Both arms together, power 0.8."
    )
    page = {"way": "Comparison", "flights": "Flights", "days": "Days"}
    bench.record(RESULTS, "experiments_sizes", table, page, note, timed=False)


# --- outcomes that are lost -----------------------------------------------------------


def lost_outcomes(flights, share, where, rng):
    """Return which flights would lose their outcome in the treatment."""
    if where == "at random":
        return rng.random(len(flights)) < share
    return (flights["score_b"] >= flights["score_b"].quantile(1 - share)).to_numpy()


def test_outcomes_that_are_lost_in_one_arm(flights):
    rng = np.random.default_rng(11)
    a, b = flights["reward_a"].to_numpy(), flights["reward_b"].to_numpy()
    score = flights["score_a"].to_numpy()
    cases = [(0.0, "at random"), (0.05, "at random")]
    cases += [(share, "at the highest risk") for share in (0.01, 0.02, 0.05)]
    rows = []
    for share, where in cases:
        found = {"aa": [], "ab": [], "balance": [], "scores": []}
        for _ in range(FEW_RUNS):
            arm = rng.random(len(a)) < 0.5
            kept = ~(arm & lost_outcomes(flights, share, where, rng))
            for name, treated in (("aa", a), ("ab", b)):
                effect = experiments.mean_effect(treated[arm & kept], a[~arm])
                found[name].append(effect)
            counts = {"lost": int((arm & kept).sum()), "all": int((~arm).sum())}
            found["balance"].append(experiments.srm_pvalue(counts, HALVES) < 0.001)
            left = score[arm & kept], score[~arm]
            found["scores"].append(experiments.mean_effect(*left).pvalue < 0.001)
        rows.append(survivors(share, where, found, (b - a).mean()))
    page = {
        "lost": "Outcomes lost in the treatment",
        "bias": "Bias, nothing changed",
        "rejected": "Rejected, nothing changed",
        "estimate": "B's effect as measured",
        "alarms": "The counts of outcomes alarm",
        "scores": "A's scores of what is left alarm",
    }
    z = stats.norm.isf(0.001 / 2) + stats.norm.ppf(0.8)
    enough = (z / 0.01) ** 2 * 1.99  # in each arm, before one of them loses 1%
    note = (
        f"By flight, {FEW_RUNS} deals; the true effect is {(b - a).mean():+.4f}. "
        "Alarms at 0.001: a sample ratio of the units that have an outcome, and a t "
        "test of A's scores. To see a loss of 1% by the counts in 80% of the "
        "experiments takes "
        f"{enough:,.0f} flights in each arm, {2 * enough / len(a):.0f} times these."
    )
    bench.record(
        RESULTS, "experiments_lost", pd.DataFrame(rows), page, note, timed=False
    )


HALVES = {"lost": 0.5, "all": 0.5}


def survivors(share, where, found, truth):
    """Return the row of one way to lose outcomes."""
    bias = np.mean([one.estimate for one in found["aa"]])
    rejected = sum(one.pvalue < 0.05 for one in found["aa"])
    measured = np.mean([one.estimate for one in found["ab"]])
    assert share > 0 or abs(measured - truth) < 0.001
    return {
        "lost": f"{share:.0%}, {where}" if share else "none",
        "bias": f"{bias:+.4f}",
        "rejected": dealt.wilson(rejected, FEW_RUNS),
        "estimate": f"{measured:+.4f}",
        "alarms": dealt.wilson(sum(found["balance"]), FEW_RUNS),
        "scores": dealt.wilson(sum(found["scores"]), FEW_RUNS),
    }


# --- sample ratio ---------------------------------------------------------------------


def test_robots_that_a_sample_ratio_finds(flights):
    rng, daily = np.random.default_rng(12), len(flights) / flights["day"].nunique()
    rows = []
    for share in (0.0, 0.01, 0.02, 0.05):
        row = {"robots": f"{share:.0%}"}
        for days in (7, 28, 92):
            units = round(daily * days)
            control = rng.binomial(units, 0.5, FEW_RUNS * 4)
            treated = np.round((units - control) * (1 + share)).astype(int)
            row[f"{days} days"] = alarms(control, treated)
        rows.append(row)
    note = (
        f"Robots as a share of one arm, {FEW_RUNS * 4:,} experiments by flight with "
        f"{daily:.0f} flights a day; alarms at 0.001."
    )
    page = {"robots": "Robots"} | {f"{k} days": f"{k} days" for k in (7, 28, 92)}
    bench.record(
        RESULTS, "experiments_srm", pd.DataFrame(rows), page, note, timed=False
    )


def alarms(control, treated):
    """Return how often the sizes of two halves alarm."""
    sizes = zip(control.tolist(), treated.tolist(), strict=True)
    found = [
        experiments.srm_pvalue({"lost": t, "all": c}, HALVES) < 0.001 for c, t in sizes
    ]
    return dealt.wilson(sum(found), len(found))


def test_a_sample_ratio_of_what_was_not_assigned(flights):
    rows = []
    for unit in dealt.UNITS:
        units = dealt.unit_of(flights, unit)
        many = np.bincount(units)
        rng = np.random.default_rng(13)
        arms = [rng.random(len(many)) < 0.5 for _ in range(FEW_RUNS * 4)]
        sizes = [(int(arm.sum()), int(many[arm].sum())) for arm in arms]
        treated, flown = np.array(sizes).T
        rows.append(
            {
                "unit": unit,
                "units": alarms(len(many) - treated, treated),
                "flights": alarms(many.sum() - flown, flown),
            }
        )
    page = {
        "unit": "Assigned by",
        "units": "Alarms, units counted",
        "flights": "Alarms, flights counted",
    }
    note = f"No robots, {FEW_RUNS * 4:,} experiments of 92 days; alarms at 0.001."
    bench.record(
        RESULTS, "experiments_srm_units", pd.DataFrame(rows), page, note, timed=False
    )


# --- segments -------------------------------------------------------------------------


def test_false_winners_among_twenty_segments(flights):
    largest = flights["dest"].value_counts().index[:20]
    part = flights[flights["dest"].isin(largest)].reset_index(drop=True)
    gain = (part["reward_b"] - part["reward_a"]).groupby(part["dest"]).mean()
    rows = [false_winners(part, unit) for unit in ("flight", "day")]
    shown, true = best_of(part, gain)
    page = {
        "unit": "Assigned by, errors of",
        "plain": "Any false winner",
        "holm": "Any false winner, Holm",
        "many": "Segments found of 20, on average",
    }
    note = (
        f"The 20 largest destinations, policy A in both arms, {FEW_RUNS // 3} deals. "
        f"With B in one arm, the best of the 20 shows {shown:.3f}, and its true effect "
        f"is {true:.3f}, on average."
    )
    table = pd.DataFrame([row for pair in rows for row in pair])
    bench.record(RESULTS, "experiments_segments", table, page, note, timed=False)


def false_winners(part, unit):
    """Return how often a segment wins, with errors of flights and of the unit."""
    units, reward = dealt.unit_of(part, unit), part["reward_a"]
    clusters = {f"{unit}, flights": None}
    if unit != "flight":
        clusters[f"{unit}, {unit}s"] = units
    found = {name: [] for name in clusters}
    for arms in dealt.deals(units.max() + 1, FEW_RUNS // 3, seed=15):
        for arm in arms:
            for name, cluster in clusters.items():
                table = experiments.by_segment(
                    reward, arm[units], part["dest"], cluster=cluster, least=20
                )
                found[name].append(table[["pvalue", "adjusted"]].to_numpy() < 0.05)
    return [winners(name, np.array(one)) for name, one in found.items()]


def winners(name, found):
    """Return the row of one analysis: [runs, segments, plain and Holm]."""
    anywhere = found.any(axis=1).sum(axis=0)
    return {
        "unit": name,
        "plain": dealt.wilson(int(anywhere[0]), len(found)),
        "holm": dealt.wilson(int(anywhere[1]), len(found)),
        "many": round(float(found[:, :, 0].sum(axis=1).mean()), 1),
    }


def best_of(part, gain):
    """Return what the best segment shows with B in one arm, and its true effect."""
    shown = []
    for arms in dealt.deals(len(part), FEW_RUNS // 3, seed=16):
        for arm in arms:
            values = np.where(arm, part["reward_b"], part["reward_a"])
            table = experiments.by_segment(values, arm, part["dest"])
            best = table["estimate"].idxmax()
            shown.append((table.loc[best, "estimate"], gain[best]))
    return np.mean(shown, axis=0)
