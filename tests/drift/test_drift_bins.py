"""Kinds of columns, bins, and categories with many levels."""

import doctest
import importlib
import tracemalloc
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import drift

FILES = [p.stem for p in Path(drift.__file__).parent.glob("[a-z]*.py")]


@pytest.mark.parametrize("name", sorted(FILES))
def test_examples_of_the_package_run(name):
    module = importlib.import_module(f"flightline.drift.{name}")
    assert doctest.testmod(module).failed == 0


def words(rows, seed, levels=1000):
    """Return rows of one law with a long tail; sixty rows a day."""
    weight = 1 / np.arange(1, levels + 1)
    rng = np.random.default_rng(seed)
    drawn = rng.choice(levels, rows, p=weight / weight.sum())
    table = pd.DataFrame({"word": [f"w{k}" for k in drawn]})
    return table.assign(date=np.arange(rows) % max(rows // 60, 1))


@pytest.mark.parametrize("sizes", [(1200, 1200), (6000, 420), (420, 6000)])
@pytest.mark.parametrize("blocks", [None, "date"])
def test_many_levels_keep_their_rate_at_any_sizes(sizes, blocks):
    drifted = checked = 0
    for k in range(40):
        sides = [words(rows, 2 * k + side) for side, rows in enumerate(sizes)]
        if blocks is None:
            sides = [side[["word"]] for side in sides]
        table = drift.report(*sides, blocks=blocks, draws=199)
        drifted += table["drifted"].any()
        checked += drift.quality(*sides, blocks=blocks)["found"].any()
    assert drifted <= 6 and checked <= 6


@pytest.mark.parametrize("blocks", [None, "date"])
def test_new_and_doubled_levels_are_found_among_many(blocks):
    before, after = words(3000, 0), words(3000, 1)
    columns = ["word"] if blocks is None else ["word", "date"]
    new = after.assign(word=after["word"].mask(np.arange(3000) % 15 == 0, "new"))
    rare = after["word"].isin([f"w{k}" for k in range(200, 1000)])
    doubled = after.assign(word=after["word"].mask(rare & (after.index % 2 == 0), "w3"))
    for now, said in ((new, "unseen values, such as 'new'"), (doubled, "w3: ")):
        row = drift.report(before[columns], now[columns], blocks=blocks).loc["word"]
        assert row["drifted"] and row["evidence"].startswith(said)


def test_ids_that_are_all_new_are_called_unseen():
    ids = [pd.Series([f"{side}{n}" for n in range(600)]) for side in "ab"]
    before = pd.DataFrame({"id": ids[0].mask(ids[0].index < 570, "x")})
    after = pd.DataFrame({"id": ids[1].mask(ids[1].index < 300, "x")})
    row = drift.report(before, after).loc["id"]
    assert row["drifted"]
    assert row["evidence"].startswith("unseen values, such as 'b")
    assert row["evidence"].endswith("0.0% of the rows before, 50.0% now")


def test_few_rows_keep_their_rate_without_days():
    found = []
    for k in range(150):
        rng = np.random.default_rng(k)
        sides = [pd.DataFrame({"x": rng.standard_normal(n)}) for n in (120, 60)]
        found.append(drift.report(*sides, draws=499)["pvalue"].iloc[0] <= 0.05)
    assert np.mean(found) <= 0.1


def test_a_column_of_many_levels_does_not_widen_the_others():
    rng = np.random.default_rng(1)
    numbers = {f"x{k}": rng.standard_normal(60_000) for k in range(28)}
    day = np.arange(60_000) % 60
    before = pd.DataFrame({**numbers, "date": day})
    before["text"] = [f"t{k}" for k in rng.permutation(60_000) % 40_000]
    drift.psi(before[:9], before[:9])
    tracemalloc.start()
    drift.psi(before, before)
    drift.report(before, before, blocks="date", draws=199)
    drift.quality(before, before, blocks="date")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6


@pytest.mark.parametrize("now", [["a", "b"] * 50, [1.0, 2.0] * 50, [True, False] * 50])
@pytest.mark.parametrize("none", [np.nan, None])
def test_a_null_column_that_wakes_up_is_drift(none, now):
    before = pd.DataFrame({"x": pd.Series([none] * 100)})
    after = pd.DataFrame({"x": now})
    assert drift.psi(before, after)["x"] > 1 and drift.psi(before["x"], now) > 1
    assert drift.report(before, after).loc["x", "drifted"]
    finding = drift.compare(before, after)
    assert any(alert.feature == "x" for alert in finding.alerts())
    assert "x" in drift.to_html(finding)


def test_nan_and_na_in_a_nullable_column_are_both_null():
    values = pd.Series(np.arange(100.0), dtype="Float64")
    holes = values.mask(values < 20)
    zero = holes * 0 / (holes * 0)
    mixed = pd.concat([zero[:50], holes[50:]])
    kept = drift.profile(mixed)["value"]
    assert kept.counts[-1] == 50 and len(kept.known) == 50


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ([Decimal("1.5"), None], True),
        ([1, 2.5, None], True),
        ([True, None], False),
        (["1", "2"], False),
        (["12:30", "13:00"], False),
    ],
)
def test_objects_are_what_their_values_are(values, number):
    assert drift.is_number(pd.Series(values, dtype=object)) == number


@pytest.mark.parametrize(
    "values",
    [
        ["2013-07-01", "2013-07-02"],
        ["2013-07-01T10:00:00Z", None],
        ["1/7/2013", "2/7/2013"],
        pd.date_range("2013", periods=2, freq="D"),
        pd.to_timedelta([1, 2], unit="h"),
        pd.date_range("2013", periods=2, freq="D").date,
        [[1], [2]],
        [{"a": 1}, None],
    ],
)
def test_times_dates_as_texts_and_lists_are_refused(values):
    table = pd.DataFrame({"t": values})
    with pytest.raises(ValueError, match="'t' holds"):
        drift.report(table, table)
    assert not drift.quality(table, table)["found"].any()


def test_names_that_become_the_same_text_are_refused():
    table = pd.DataFrame([[1.0, 2.0]], columns=[1, "1"])
    with pytest.raises(ValueError, match="two columns '1'"):
        drift.psi(table, table)
