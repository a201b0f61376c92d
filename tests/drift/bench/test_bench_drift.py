"""Lab 12 at full size: beside Evidently and SciPy, growth, and false alarms.

`make bench` runs it and writes `results/drift_*.{json,csv,txt}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio
or a verdict: only that the answers agree where they are defined the same.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.features import FEATURES
from labkit import bench, timing
from labkit.drift import peer
from scipy import stats
from stream import false_alarms, load_stream

RESULTS = Path(__file__).parent / "results"
COLUMNS = 20
ROWS = 337_000
PAGE = {
    "what": "What",
    "engine": "Engine",
    "seconds": "Seconds",
    "ratio": "Times ours",
    "kept": "Times ours, reference binned once",
    "peak_mib": "Peak memory, MiB",
}


def tables(rows=ROWS):
    """Return two tables of numbers with few ties and a few nulls."""
    rng = np.random.default_rng(12)
    names = [f"f{k}" for k in range(COLUMNS)]
    sides = [rng.gamma(2, 3, (rows, COLUMNS)) + shift for shift in (0.0, 0.1)]
    for side in sides:
        side[rng.random(side.shape) < 0.01] = np.nan
    return [
        pd.DataFrame(dict(zip(names, side.T.copy(), strict=True))) for side in sides
    ]


def ours(kind, rows=ROWS):
    """Return our PSI or KS of all columns, ready to run."""
    before, now = tables(rows)
    if kind == "psi":
        return lambda: drift.psi(before, now)
    return lambda: drift.ks(before, now)["pvalue"]


def ours_kept(kind):
    """Return our PSI with the reference binned before, as a monitor keeps it."""
    before, now = tables()
    kept = drift.profile(before)
    return lambda: drift.psi(kept, now)


def with_scipy(kind):
    """Return KS by SciPy, or PSI from its entropies over our bins."""
    before, now = tables()
    if kind == "psi":
        cuts = {n: np.append(drift.profile(before[n])[n].cuts, np.inf) for n in before}

        def entropies():
            found = {}
            for name, ends in cuts.items():
                sides = []
                for table in (before, now):
                    bins = np.searchsorted(ends, table[name].to_numpy())
                    counts = np.bincount(bins, minlength=len(ends) + 1)
                    sides.append(counts / counts.sum())
                p, q = sides
                found[name] = stats.entropy(p, q) + stats.entropy(q, p)
            return pd.Series(found)

        return entropies

    def each():
        return pd.Series(
            {
                name: stats.ks_2samp(before[name].dropna(), now[name].dropna()).pvalue
                for name in before
            }
        )

    return each


def with_evidently(kind):
    """Return Evidently's PSI or KS of all columns, ready to run."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    before, now = tables()
    kinds = DataDefinition(numerical_columns=list(before))
    sides = [Dataset.from_pandas(table, kinds) for table in (now, before)]
    metrics = [ValueDrift(column=name, method=kind) for name in before]

    def run():
        found = Report(metrics).run(*sides).dict()["metrics"]
        values = [float(one["value"]) for one in found]
        return pd.Series(values, list(before))

    return run


KEPT = "ours, reference binned once"
ENGINES = {
    "ours": ours,
    KEPT: ours_kept,
    "SciPy": with_scipy,
    "Evidently": with_evidently,
}


def measure(engine, kind):
    """Run one engine and print its answer and how far the memory rose."""
    piece = ENGINES[engine](kind)
    peak = Path("/proc/self/clear_refs")
    before = float("nan")
    if peak.exists():
        peak.write_text("5")  # forget the peak of loading
        before = resident("VmRSS:")
    answer = piece()
    rise = resident("VmHWM:") - before if peak.exists() else float("nan")
    print(json.dumps({"answer": answer.tolist(), "peak_mib": round(rise)}))


def resident(field):
    """Return a memory field of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {field} in /proc/self/status")


def memory(engine, kind):
    """Return answer and peak memory of one engine, in a process of its own."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [sys.executable, __file__, engine, kind],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_speed_and_memory(monkeypatch):
    monkeypatch.setenv("DO_NOT_TRACK", "1")
    pytest.importorskip("evidently")
    rows = []
    for kind in ("psi", "ks"):
        engines = {k: v for k, v in ENGINES.items() if kind == "psi" or k != KEPT}
        pieces = {name: make(kind) for name, make in engines.items()}
        times = timing.compare(pieces, repeats=3)
        found = {name: memory(name, kind) for name in engines}
        first = np.array(found["ours"]["answer"])
        near = 1e-9 if kind == "psi" else 1e-2  # KS: the tail is a limit here
        assert np.allclose(first, found["SciPy"]["answer"], rtol=near, atol=1e-12)
        if kind == "psi":
            assert np.allclose(first, found[KEPT]["answer"], rtol=1e-12)
        else:
            assert np.allclose(
                first, found["Evidently"]["answer"], rtol=1e-6, atol=1e-12
            )
        for name, one in times.iterrows():
            rows.append(
                {
                    "what": kind.upper(),
                    "engine": name,
                    "seconds": round(one["median_ms"] / 1000, 2),
                    "ratio": round(one["ratio"], 1),
                    "kept": (
                        round(one["median_ms"] / times.loc[KEPT, "median_ms"], 1)
                        if kind == "psi"
                        else ""
                    ),
                    "peak_mib": found[name]["peak_mib"],
                }
            )
    table = pd.DataFrame(rows)
    bench.record(RESULTS, "drift_engines", table, PAGE, beside(table))


def beside(table):
    """Say how many times as fast as Evidently one call is."""
    times = table[table["engine"] == "Evidently"].set_index("what")
    return (
        f"One call takes Evidently {times.loc['PSI', 'ratio']:g} times as long for PSI "
        f"and {times.loc['KS', 'ratio']:g} times as long for KS. With the reference "
        f"binned once, it is {times.loc['PSI', 'kept']:g} times for PSI."
    )


def test_the_same_numbers_where_the_bins_are_the_same():
    """Evidently gives every value of a category, or of few numbers, a bin."""
    pytest.importorskip("evidently")
    rng = np.random.default_rng(3)
    before, now = (
        pd.DataFrame(
            {
                "kind": rng.choice(list("abcdef"), 50_000),
                "day": rng.integers(0, 7, 50_000),
            }
        )
        for _ in range(2)
    )
    theirs = peer.evidently(before, now)
    assert np.allclose(drift.psi(before, now), theirs["psi"], rtol=1e-9)
    assert np.allclose(drift.js(before, now), theirs["js"], rtol=1e-9)


def test_cost_grows_with_the_rows():
    rows = []
    for size in (42_000, 84_000, 168_000, 337_000, 1_348_000):
        pieces = {kind: ours(kind, size) for kind in ("psi", "ks")}
        times = timing.compare(pieces, repeats=3)["median_ms"]
        per = {f"{kind} µs": round(times[kind] * 1000 / size, 2) for kind in pieces}
        rows.append({"rows": f"{size:,}", **per})
    page = {"rows": "Rows in each", "psi µs": "PSI, µs a row", "ks µs": "KS, µs a row"}
    note = "Medians of three rounds in turns, the whole call, reference included."
    bench.record(RESULTS, "drift_growth", pd.DataFrame(rows), page, note)


def test_false_alarms_of_every_month():
    """Each month dealt into halves, many times: the rate of the rule, with interval."""
    flights = load_stream()
    rows = []
    runs = 60
    for month in (2, 5, 8, 11):
        found = false_alarms(
            drift.report, flights[flights["month"] == month], runs=runs, seed=month
        )
        for name, one in found.iterrows():
            dealt, rule = str(name).split(", ")
            rows.append({"month": month, "dealt": dealt, "rule": rule, **one.round(3)})
    page = {
        "month": "Month",
        "dealt": "Dealt at random",
        "rule": "Rule",
        "one feature": "Alarms of one feature at 0.05",
        "low": "from",
        "high": "to",
        "any feature": "Any alarm after Holm",
    }
    table = pd.DataFrame(rows)
    assert table["one feature"].between(0, 1).all()
    note = (
        f"Days dealt {runs} times, rows {3 * runs} times; p-values by days from 999 "
        f"deals. Shares of {len(FEATURES)} features, with a 95% interval over the "
        "deals; the last column is a share of the deals."
    )
    bench.record(RESULTS, "drift_false_alarms", table, page, note, timed=False)


if __name__ == "__main__":
    measure(*sys.argv[1:])
