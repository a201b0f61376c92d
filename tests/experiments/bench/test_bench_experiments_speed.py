"""Lab 10: assignment and effects beside their peers, in turns in one run.

Nothing here asserts a duration or a ratio: only that shares and p-values agree.
"""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from flightline import experiments
from labkit import bench, timing
from scipy import stats

RESULTS = Path(__file__).parent / "results"
IDS = 1_000_000
ROWS = 200_000
REPEATS = 5


def assignments():
    """Return the assignment of a million ids by each engine, ready to run."""
    ids = pd.Series([f"2013-07-01-UA-{k}-EWR" for k in range(IDS)], dtype=object)
    test = experiments.Experiment("speed", {"control": 0.5, "treatment": 0.5})
    texts, columns = ids.tolist(), pl.Series("id", ids.tolist())
    database = duckdb.connect()
    database.execute("SET threads = 1")
    database.register("ids", pd.DataFrame({"id": ids}))
    query = "SELECT count(*) FROM ids WHERE hash('speed' || id) % 1000 < 500"
    return {
        "ours, all at once": lambda: (
            experiments.assign_many(ids, test).eq("treatment").sum()
        ),
        "ours, one by one": lambda: sum(
            experiments.assign(text, test) == "treatment" for text in texts
        ),
        "pandas hash_array": lambda: (
            pd.util.hash_array(
                ids.to_numpy(), hash_key="speed-0123456789", categorize=False
            )
            % 1000
            < 500
        ).sum(),
        "DuckDB": lambda: database.execute(query).fetchone()[0],
        "Polars": lambda: (columns.hash(10) % 1000 < 500).sum(),
    }


def test_speed_of_assignment():
    pieces = assignments()
    for name, piece in pieces.items():
        assert abs(piece() / IDS - 0.5) < 0.005, name
    times = timing.compare(pieces, repeats=3)
    rows = [
        {
            "engine": name,
            "ns": round(one["median_ms"] * 1e6 / IDS),
            "ratio": round(one["ratio"], 2),
        }
        for name, one in times.iterrows()
    ]
    page = {"engine": "Engine", "ns": "ns an id", "ratio": "Times ours"}
    note = (
        f"{IDS:,} text ids, one thread. Ours hashes by SHA-256, twice, for an answer "
        "that any language can repeat; the others' hashes are their own."
    )
    bench.record(RESULTS, "experiments_assign", pd.DataFrame(rows), page, note)


@pytest.fixture(scope="module")
def table():
    """Return units with an arm, a covariate, an outcome, a ratio and a cluster."""
    rng = np.random.default_rng(14)
    columns = {"variant": (rng.random(ROWS) < 0.5).astype(int)}
    columns["before"] = rng.normal(0, 1, ROWS)
    columns["value"] = columns["before"] + rng.normal(0, 1, ROWS)
    columns["below"] = rng.poisson(5, ROWS) + 1.0
    columns["above"] = rng.binomial(columns["below"].astype(int), 0.4).astype(float)
    columns["cluster"] = rng.integers(0, 2_000, ROWS)
    return pd.DataFrame(columns)


def by_tea(table, metric):
    """Return the analysis by tea-tasting, ready to run."""
    whole = tt.Experiment(m=metric)
    return lambda: whole.analyze(table)["m"].pvalue


def analyses(table):
    """Return each analysis by us and by its peers, ready to run."""
    treated = table["variant"] == 1
    ours = {name: (table[name][treated], table[name][~treated]) for name in table}

    def adjusted():
        less = experiments.cuped(table["value"], table["before"])
        return experiments.mean_effect(less[treated], less[~treated]).pvalue

    def ratio():
        sides = zip(ours["above"], ours["below"], strict=True)
        return experiments.ratio_effect(*sides).pvalue

    def by_statsmodels():
        design = sm.add_constant(treated.to_numpy(float))
        groups = {"groups": table["cluster"].to_numpy()}
        fit = sm.OLS(table["value"].to_numpy(), design).fit(
            cov_type="cluster", cov_kwds=groups, use_t=True
        )
        return fit.pvalues[1]

    return {
        "mean": {
            "ours": lambda: experiments.mean_effect(*ours["value"]).pvalue,
            "SciPy": lambda: stats.ttest_ind(*ours["value"], equal_var=False).pvalue,
            "tea-tasting": by_tea(table, tt.Mean("value")),
        },
        "CUPED": {
            "ours": adjusted,
            "tea-tasting": by_tea(table, tt.Mean("value", "before")),
        },
        "ratio": {
            "ours": ratio,
            "tea-tasting": by_tea(table, tt.RatioOfMeans("above", "below")),
        },
        "by cluster": {
            "ours": lambda: (
                experiments.clustered_effect(
                    table["value"], treated, table["cluster"]
                ).pvalue
            ),
            "statsmodels": by_statsmodels,
        },
    }


def test_speed_of_effects(table):
    rows = []
    for what, pieces in analyses(table).items():
        answers = [piece() for piece in pieces.values()]
        np.testing.assert_allclose(answers, answers[0], rtol=1e-6)
        for engine, one in timing.compare(pieces, repeats=REPEATS).iterrows():
            rows.append(
                {
                    "what": what,
                    "engine": engine,
                    "ms": round(one["median_ms"], 1),
                    "ratio": round(one["ratio"], 1),
                }
            )
    page = {
        "what": "Effect",
        "engine": "Engine",
        "ms": "Milliseconds",
        "ratio": "Times ours",
    }
    note = f"{ROWS:,} rows, the same p-values to six digits."
    bench.record(RESULTS, "experiments_effects", pd.DataFrame(rows), page, note)
