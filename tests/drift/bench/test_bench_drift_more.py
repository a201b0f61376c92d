"""Slices, a classifier, estimates without labels, and repeated looks, on the flights.

`make bench` runs it and writes `results/drift_*.{json,csv,txt}` for the chapter. No
assertion here says what comes out: only that the tables are what they claim to be.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.features import FEATURES
from labkit import bench
from labkit.drift import trees
from stream import load_stream

RESULTS = Path(__file__).parent / "results"
REFERENCE = 3
MONTHS = range(4, 13)
ALPHA = 0.05
LOOKED_AT = ["score", "temp", "wind_speed", "carrier"]
LOOKS = 30
HISTORY = 28


@pytest.fixture(scope="module")
def stream():
    """Return the year, scored by a model of its first two months."""
    table = load_stream()
    model = trees.fit(table[table["month"] < REFERENCE])
    return table.assign(score=trees.score(model, table))


def month(table, number):
    """Return the rows of one month."""
    return table[table["month"] == number]


def said(changes):
    """Name the slices that are found, with their change."""
    found = changes[changes["found"]]["value"]
    return ", ".join(f"{key[1]} {value:+.3f}" for key, value in found.items()) or "none"


def test_slices_of_each_month(stream):
    rows = []
    for number in MONTHS:
        now, row = month(stream, number), {"month": number}
        for metric in ("gap", "auc"):
            by = ["carrier", "origin"]
            table = drift.slices(month(stream, REFERENCE), now, by, metric=metric)
            whole = table.iloc[0]
            span = (
                f"{whole['value']:+.3f} ({whole['low']:+.3f} to {whole['high']:+.3f})"
            )
            row |= {metric: span, f"{metric} found": said(table.iloc[1:])}
        judged = int((table["why"].iloc[1:] == "").sum())
        assert judged == table["pvalue"].iloc[1:].notna().sum()
        rows.append(row | {"judged": f"{judged} of {len(table) - 1}"})
    table = pd.DataFrame(rows)
    page = {
        "month": "Month",
        "gap": "Change of the gap's size, all rows",
        "gap found": "Slices found by gap",
        "auc": "Change of the AUC, all rows",
        "auc found": "Slices found by AUC",
        "judged": "Slices judged",
    }
    note = f"Carriers and airports against March; alpha is {ALPHA} for all slices."
    bench.record(RESULTS, "drift_slices", table, page, note, timed=False)


def dealt(table, runs, seed):
    """Return two random halves of the days of a table, many times."""
    rng, days = np.random.default_rng(seed), table["date"].unique()
    for _ in range(runs):
        mine = table["date"].isin(rng.permutation(days)[: len(days) // 2])
        yield table[~mine], table[mine]


def fortnights(table):
    """Return every two fortnights that follow each other."""
    run = drift.runs(table["date"], 14)
    for k in range(int(run.max()) - 1):  # the last one is short
        yield table[run == k], table[run == k + 1]


def test_a_classifier_of_all_columns(stream):
    whole = stream[[*FEATURES, "date", "month"]]
    march = month(whole, REFERENCE)
    cases = {
        "days of March, dealt at random": list(dealt(march, 20, seed=3)),
        "a fortnight and the next": list(fortnights(whole)),
    }
    cases |= {f"March and month {k}": [(march, month(whole, k))] for k in MONTHS}
    rows = []
    for name, pairs in cases.items():
        found = [
            drift.classify(
                *(side[[*FEATURES, "date"]] for side in pair),
                blocks="date",
                draws=19,
                rows=5_000,
                seed=k,
            )
            for k, pair in enumerate(pairs)
        ]
        first = Counter(one.used.index[0] for one in found).most_common(2)
        rows.append(
            {
                "what": name,
                "pairs": len(found),
                "auc": round(float(np.median([one.auc for one in found])), 2),
                "alarms": sum(one.pvalue <= ALPHA for one in found),
                "used": ", ".join(name for name, _ in first),
            }
        )
    table = pd.DataFrame(rows)
    assert (
        table["auc"].between(0, 1).all() and (table["alarms"] <= table["pairs"]).all()
    )
    page = {
        "what": "Samples",
        "pairs": "Pairs",
        "auc": "AUC (median)",
        "alarms": "Alarms at 0.05",
        "used": "Used most",
    }
    note = "5,000 rows of each pair; each p-value from 19 deals of the days."
    bench.record(RESULTS, "drift_classifier", table, page, note, timed=False)


def test_estimates_without_labels(stream):
    rows = []
    for number in MONTHS:
        now = month(stream, number)
        now = now[now["late"].notna()]
        guess = drift.estimated(now)
        found = drift.performance(now, base_rate=0.5)["value"]
        came = [float(now["late"].mean()), found["log_loss"], found["auc"]]
        row = {"month": number}
        for name, one, other in zip(drift.ESTIMATED, guess, came, strict=True):
            row |= {f"{name} estimated": one, f"{name} came": other}
        rows.append(row)
    table = pd.DataFrame(rows).round(3)
    page = {"month": "Month"}
    words = {"share": "Share late", "log_loss": "Log-loss", "auc": "AUC"}
    for name, word in words.items():
        page[f"{name} estimated"] = f"{word}, estimated"
        page[f"{name} came"] = f"{word}, by labels"
    off = [(table[f"{n} estimated"] - table[f"{n} came"]).abs().mean() for n in words]
    moved = [table[f"{n} came"].diff().abs().mean() for n in words]
    note = "; ".join(
        f"{word}: off by {one:.3f} on average, where a month differs from the one "
        f"before by {other:.3f}"
        for word, one, other in zip(words.values(), off, moved, strict=True)
    )
    bench.record(RESULTS, "drift_unlabelled", table, page, f"{note}.", timed=False)


def any_alarms(table):
    """Tell which features alarm in any of thirty daily looks at the last week.

    The reference is the 28 days before the first look's day; the days are in `day`.
    """
    before = table[table["day"] < HISTORY]
    least = pd.Series(1.0, LOOKED_AT)
    for last in range(HISTORY, HISTORY + LOOKS):
        week = table[table["day"].between(max(last - 6, HISTORY), last)]
        sides = [side[[*LOOKED_AT, "day"]] for side in (before, week)]
        found = drift.report(*sides, blocks="day", draws=1199)["pvalue"]
        least = np.minimum(least, found.astype(float))
    each = drift.alpha_per_look(ALPHA, LOOKS)
    return pd.DataFrame({"each": least <= ALPHA, "shared": least <= each})


def test_repeated_looks(stream):
    days, rng = stream["date"].unique(), np.random.default_rng(7)
    spans = range(0, len(days) - HISTORY - LOOKS, LOOKS)
    ordered, shuffled = [], []
    for start in spans:
        names = days[start : start + HISTORY + LOOKS]
        part = stream[stream["date"].isin(names)]
        ordered.append(any_alarms(part.assign(day=part["date"].map(place(names)))))
        for _ in range(3):
            other = part["date"].map(place(rng.permutation(names)))
            shuffled.append(any_alarms(part.assign(day=other)))
    rows = []
    for name in LOOKED_AT:
        row = {"feature": name}
        for way, found in (("shuffled", shuffled), ("ordered", ordered)):
            for rule in ("each", "shared"):
                hits = sum(bool(one.loc[name, rule]) for one in found)
                row[f"{way} {rule}"] = f"{hits} of {len(found)}"
        rows.append(row | worth(stream, name))
    page = {
        "feature": "Feature",
        "shuffled each": "Days shuffled: each look at 0.05",
        "shuffled shared": "Shuffled: 0.05 shared",
        "ordered each": "Days in order: each look at 0.05",
        "ordered shared": "In order: 0.05 shared",
        "thirty": "Days that 30 are worth",
        "year": "Days that the year is worth",
    }
    alone = drift.any_alarm(ALPHA, LOOKS)
    note = f"Thirty looks that share nothing would alarm in {alone:.0%} of the months."
    bench.record(RESULTS, "drift_looks", pd.DataFrame(rows), page, note, timed=False)


def place(names):
    """Return the place of each day."""
    return {name: k for k, name in enumerate(names)}


def worth(stream, name):
    """Return the effective days of a month (median) and of the year."""
    value = stream[name] if name != "carrier" else stream["carrier"] == "UA"
    daily = value.astype(float).groupby(stream["date"]).mean()
    spans = [daily.iloc[k : k + LOOKS] for k in range(0, len(daily) - LOOKS, LOOKS)]
    month_days = float(np.median([drift.effective_days(one) for one in spans]))
    return {
        "thirty": round(month_days),
        "year": f"{drift.effective_days(daily):.0f} of {len(daily)}",
    }
