"""What people send: odd names, types and sizes, torn files, and rates that are none."""

import re
import sqlite3
import warnings
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.drift import __main__ as command

ROW = pd.DataFrame([["psi", "x", 1.0, np.nan, 0.5, 0.05, True]], columns=drift.CHECK)
LINE = b'{"time": "2013-07-01T00:00:00Z", "latency_ms": 1.5, "source": "model"}\n'


def scored(days=10, rows=60, seed=0):
    """Return a scored table with a feature, two carriers and a day for each row."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), rows)
    table = pd.DataFrame({"date": day, "x": rng.random(len(day))})
    score = rng.random(len(day))
    late = rng.random(len(day)) < score
    carrier = rng.choice(["AA", "UA"], len(day))
    return table.assign(score=score, late=late, carrier=carrier)


def page_of(before, now):
    """Return the page of a comparison; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return drift.to_html(drift.compare(before, now))


# --- pages ----------------------------------------------------------------------------

NAMES = [r"C:\users", r"\1", r"\g<0>", "日本語", "a\tb\nc", "\x07", "#0072b2", "$x^2"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_bears_any_name_of_a_column_or_a_level(name):
    x = np.linspace(0, 1, 300)
    column = page_of(pd.DataFrame({name: x}), pd.DataFrame({name: x + 0.5}))
    level = pd.DataFrame({"c": np.where(x < 0.5, name, "other")})
    for page in (column, page_of(level, level[x < 0.6])):
        described = "".join(re.findall("(?s)<desc>.*?</desc>", page))
        assert name.replace("<", "&lt;").replace(">", "&gt;") in described
        assert not re.search(r">[^<]*var\(--\w+\)[^<]*</text>", page)


def test_what_cannot_be_printed_is_a_blank_beside_a_chart():
    table = pd.DataFrame({"c": ["a\nb"] * 200 + ["\ud800"] * 100})
    page = page_of(table, table[150:])
    assert re.search("<text[^>]*>a b</text>", page)
    assert not re.search("<text[^>]*>\ud800", page)


# --- classifier -----------------------------------------------------------------------


@pytest.mark.parametrize("known", [0, 1, 40])
def test_a_column_of_nulls_or_nearly_so_tells_no_samples_apart(known):
    table = scored()[["x", "date"]]
    table["x"] = table["x"].where(table.index < known)
    found = drift.classify(table, table, blocks="date", draws=3)
    assert found.auc == pytest.approx(0.5, abs=0.1) and found.pvalue > 0.25


@pytest.mark.parametrize("name", [None, pd.Timestamp("2013-07-01"), 7, ("a", "b")])
def test_columns_of_the_classifier_may_have_any_name(name):
    table = pd.DataFrame(np.random.default_rng(0).random((90, 2)))
    table.columns = pd.Index([name, "other"], dtype=object, tupleize_cols=False)
    assert set(drift.classify(table, table, draws=1).used.index) == {str(name), "other"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": 1}, "folds=1"),
        ({"folds": 0}, "folds=0"),
        ({"draws": -1}, "draws=-1"),
        ({"rows": 0}, "rows=0"),
    ],
)
def test_a_classifier_that_cannot_be_trained_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        drift.classify(scored(), scored(), **{"draws": 1, **change})


def test_the_classifier_takes_nulls_that_became_a_category():
    before = pd.DataFrame({"c": [np.nan] * 400, "x": range(400)})
    found = drift.classify(before, before.assign(c="new"), draws=1)
    assert found.auc == 1 and found.used.index[0] == "c"


def test_the_classifier_tells_nulls_from_a_single_level():
    """Scikit-learn's trees, with the null as NaN, see one direction alone."""
    full = pd.DataFrame({"c": ["only"] * 400})
    half = full.assign(c=full["c"].where(full.index % 2 == 0, None))
    for sides in ((full, half), (half, full)):
        assert drift.classify(*sides, draws=1).auc > 0.7


def test_a_few_rows_among_many_are_said_to_be_drawn():
    many = pd.DataFrame({"x": np.arange(900.0)})
    with pytest.raises(ValueError, match="At most 2 rows were drawn"):
        drift.classify(many, many[:3], rows=2, draws=1)


def test_days_alone_tell_no_samples_apart():
    days = scored()[["date"]]
    with pytest.raises(ValueError, match="no column to tell"):
        drift.classify(days, days, blocks="date")


# --- slices ---------------------------------------------------------------------------


def test_no_row_of_a_slice_is_lost_if_its_value_was_a_number_and_is_a_text():
    before, now = scored(), scored(seed=1)
    table = drift.slices(before.assign(carrier=1), now.assign(carrier="1"), ["carrier"])
    assert table.loc[("carrier", "1"), "rows before"] == len(before)
    assert table.loc[("carrier", "1"), "rows now"] == len(now)


@pytest.mark.parametrize(
    "one", [1, 1.0, True, "1", pd.NA, None, np.nan, pd.Timestamp("2013"), (1, 2)]
)
def test_the_rows_of_all_slices_are_all_rows(one):
    table = scored()
    mixed = np.empty(len(table), object)
    mixed[:] = [(one, 1, "AA", None)[k % 4] for k in range(len(table))]
    found = drift.slices(table.assign(carrier=mixed), table, ["carrier"])
    assert found.loc["carrier", "rows before"].sum() == len(table)


def test_one_column_of_slices_needs_no_list():
    table = scored()
    expected = drift.slices(table, table, ["carrier"])
    pd.testing.assert_frame_equal(drift.slices(table, table, "carrier"), expected)


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}])
def test_nested_values_are_neither_slices_nor_days(value):
    table = scored()
    nested = table.assign(carrier=[value] * len(table))
    with pytest.raises(ValueError, match="'carrier' holds nested"):
        drift.slices(nested, nested, ["carrier"])
    for check in (drift.report, drift.quality, drift.compare):
        with pytest.raises(ValueError, match="'carrier' holds nested"):
            check(nested[["x", "carrier"]], nested[["x", "carrier"]], blocks="carrier")


# --- rates and draws ------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0, 1, 2, -0.1, np.nan])
def test_a_rate_that_is_none_is_refused(alpha):
    one, two = scored(), scored(seed=1)
    calls = [
        lambda: drift.report(one, two, alpha=alpha),
        lambda: drift.quality(one, two, alpha=alpha),
        lambda: drift.compare(one, two, alpha=alpha),
        lambda: drift.slices(one, two, ["carrier"], alpha=alpha),
        lambda: drift.worse(one, two, base_rate=0.5, alpha=alpha),
        lambda: drift.performance(one, base_rate=0.5, alpha=alpha),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"alpha={alpha}"):
            call()


@pytest.mark.parametrize("draws", [0, -1])
def test_a_report_needs_a_deal(draws):
    with pytest.raises(ValueError, match=f"draws={draws}"):
        drift.report(scored(), scored(), blocks="date", draws=draws)


@pytest.mark.parametrize("value", [1 + 1e-9, -1e-9])
def test_a_score_that_is_hardly_no_probability_is_shown_in_full(value):
    table = scored()
    table.loc[3, "score"] = value
    calls = [
        lambda: drift.estimated(table),
        lambda: drift.performance(table, base_rate=0.5),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=re.escape(str(value))):
            call()


# --- data checks ----------------------------------------------------------------------


def test_days_with_infinities_are_counted_as_days():
    """Rows over days made shares of 600%, and an alert where nothing had changed."""
    table = scored(12)[["x", "date"]]
    table.loc[table.index % 2 == 0, "x"] = np.inf
    checks = drift.quality(table, table, blocks="date").set_index("metric")
    assert checks.loc["infinite", "value"] == 1 and not checks["found"].any()


def test_an_infinity_where_there_was_none_is_a_finding_by_rows_and_by_days():
    table = scored(12)[["x", "date"]]
    now = table.copy()
    now.loc[5, "x"] = -np.inf
    for blocks, share in ((None, 1 / len(now)), ("date", 1 / 12)):
        names = ["x", "date"] if blocks else ["x"]
        row = drift.quality(table[names], now[names], blocks=blocks)
        row = row.set_index("metric")
        assert row.loc["infinite", "value"] == pytest.approx(share)
        assert row.loc["infinite", "found"]


@pytest.mark.parametrize("kind", ["float16", "int8", "Int64", "string[pyarrow]"])
def test_days_may_be_of_any_type(kind):
    table = scored()[["x", "date"]]
    expected = drift.quality(table, table, blocks="date")
    other = table.astype({"date": kind})
    found = drift.quality(other, other, blocks="date")
    pd.testing.assert_frame_equal(found, expected)


def test_levels_that_are_times_or_intervals_give_no_warning():
    table = pd.DataFrame({"x": pd.cut(scored()["x"], 4)})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not drift.quality(table, table)["found"].any()


# --- repeated looks -------------------------------------------------------------------


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1, 1e308 / 9])
def test_effective_days_have_no_unit(scale):
    days = np.array([3.0, 4, 6, 7, 9, 8, 6, 5, 3, 2, 1, 2])
    assert drift.effective_days(days * scale) == pytest.approx(
        drift.effective_days(days)
    )


def test_a_null_day_is_refused_whatever_its_type():
    for kind in ("Float64", object):
        with pytest.raises(ValueError, match="without nulls"):
            drift.effective_days(pd.Series([1, 2, 3, pd.NA, 5], dtype=kind))


def test_runs_of_a_category_are_in_order_of_time_not_of_its_levels():
    days = pd.Series(["07-03", "07-01", "07-02", "07-04"])
    levels = pd.CategoricalDtype(days.unique())
    assert drift.runs(days.astype(levels), 2).tolist() == [1, 0, 0, 1]


# --- files ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [object, "category", "string[pyarrow]"])
@pytest.mark.parametrize("first", [".csv", ".parquet"])
def test_codes_of_digits_are_texts_beside_a_parquet_file(kind, first, tmp_path):
    table = pd.DataFrame({"code": [str(k % 70) for k in range(300)]})
    table.astype(kind).to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    paths = sorted(tmp_path.iterdir(), key=lambda path: path.suffix != first)
    assert command.main(["compare", *map(str, paths)]) == 0


def test_an_index_with_a_name_is_a_column_of_the_file(tmp_path):
    table = scored()[["x", "date"]].set_index("date")
    table.to_parquet(tmp_path / "t.parquet")
    paths = [str(tmp_path / "t.parquet")] * 2
    assert command.main(["compare", *paths, "--blocks", "date"]) == 0


def test_categories_of_times_are_times():
    days = pd.date_range("2013-07-01", periods=4, tz="UTC").repeat(30)
    with pytest.raises(ValueError, match="times"):
        drift.report(*[pd.DataFrame({"day": pd.Categorical(days)})] * 2)


# --- torn files -----------------------------------------------------------------------


@pytest.mark.parametrize("torn", [b'{"airport": "Z\xc3', b'{"time"', b"\x00\x00"])
def test_a_last_line_may_be_torn_anywhere(torn, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(LINE + torn)
    assert len(drift.watch.read_log(path)) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": "\xff"}\n', "line 2 of .* is no JSON"),
        (b'{"time": null}\n', "line 2 of .* is no object with a time"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(line, message, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(LINE + line + LINE)
    with pytest.raises(ValueError, match=message):
        drift.watch.read_log(path)


@pytest.mark.parametrize("year", ["0001", "3013"])
def test_a_moment_that_could_not_be_read_again_is_not_written(year, tmp_path):
    store = tmp_path / "m.sqlite"
    drift.write_metrics(store, pd.Timestamp("2013", tz="UTC"), ROW)
    with pytest.raises(ValueError, match=year):
        drift.write_metrics(store, pd.Timestamp(f"{year}-01-01", tz="UTC"), ROW)
    assert len(drift.read_metrics(store)) == 1


def test_another_table_of_metrics_is_no_store(tmp_path):
    store = tmp_path / "m.sqlite"
    with closing(sqlite3.connect(store)) as base, base:
        base.execute("CREATE TABLE metrics (name TEXT, value REAL)")
    with pytest.raises(ValueError, match="no metrics store"):
        drift.read_metrics(store)


# --- counters and histories -----------------------------------------------------------


def scrape(*counts):
    """Return the text of a scrape, by status and count."""
    line = 'flightline_requests_total{{status="{}"}} {}\n'
    return "".join(line.format(status, count) for status, count in counts)


def test_counters_need_not_be_whole():
    now = scrape(("200", 90.25), ("500", 9.5))
    assert drift.watch.errors(scrape(("200", 0.5)), now)["found"].all()


@pytest.mark.parametrize("count", ["NaN", "+Inf"])
def test_a_counter_that_is_no_number_is_no_sound_service(count):
    with pytest.raises(ValueError, match="no request"):
        drift.watch.errors(scrape(("200", 5)), scrape(("200", count), ("500", 9)))


@pytest.mark.parametrize("last", [0, -1, 8, 9])
def test_no_history_is_said(last):
    days = pd.date_range("2013-07-01", periods=8, tz="UTC")
    with pytest.raises(ValueError, match=r"last=.* of 8 periods"):
        drift.watch.against_history(pd.DataFrame({"a": range(8)}, index=days), last)
