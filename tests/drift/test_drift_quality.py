"""Data checks speak, whatever is broken; what decides names it."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift

CHANGES = {
    "times": lambda n: pd.to_datetime(np.arange(n), unit="s"),
    "dates as texts": lambda n: [f"2013-07-{1 + k % 28:02d}" for k in range(n)],
    "texts": lambda n: ["x"] * n,
    "lists": lambda n: [[1]] * n,
    "booleans": lambda n: np.arange(n) % 2 == 0,
}


def table(days, seed, first=0):
    """Return a feature, a score, a label and a date, forty rows a day."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(first, first + days), 40)
    score = rng.beta(2, 6, len(day))
    made = pd.DataFrame({"x": rng.normal(size=len(day)), "score": score})
    made["date"] = (pd.Timestamp("2013") + pd.to_timedelta(day, "D")).strftime("%F")
    return made.assign(late=rng.random(len(day)) < score)


def alerts(before, after, **options):
    """Return the alerts of a comparison as texts, by feature."""
    said = dict[str, str]()
    for one in drift.compare(before, after, **options).alerts():
        said[one.feature] = said.get(one.feature, "") + f"{one}\n"
    return said


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("blocks", [None, "date"])
def test_a_changed_type_is_named_both_ways(what, blocks):
    before, after = table(12, 0), table(9, 1, 12)
    odd = after.assign(x=CHANGES[what](len(after)))
    assert "changed type" in alerts(before, odd, blocks=blocks)["x"]
    odd = before.assign(x=CHANGES[what](len(before)))
    assert "changed type" in alerts(odd, after, blocks=blocks)["x"]


@pytest.mark.parametrize("what", CHANGES)
def test_a_column_that_goes_or_comes_is_named(what):
    before, after = table(12, 0), table(9, 1, 12)
    more = before.assign(seen=CHANGES[what](len(before)))
    assert "missing column" in alerts(more, after, blocks="date")["seen"]
    more = after.assign(seen=CHANGES[what](len(after)))
    assert "new column" in alerts(before, more, blocks="date")["seen"]


def test_what_is_not_compared_is_said():
    sides = [
        side.assign(at=pd.to_datetime(side["date"]), tags=[[1]] * len(side))
        for side in (table(12, 0), table(9, 1, 12))
    ]
    finding = drift.compare(*sides, blocks="date")
    assert finding.alerts() == [] and finding.next_step == "continue"
    assert [said.split(" holds")[0] for said in finding.left_out] == ["'at'", "'tags'"]
    assert list(finding.report.index) == ["x", "score"]


@pytest.mark.parametrize("kind", ["text", "datetime", "zone", "date", "period"])
def test_blocks_may_be_texts_or_times(kind):
    make = {
        "text": lambda day: day,
        "datetime": pd.to_datetime,
        "zone": lambda day: pd.to_datetime(day, utc=True),
        "date": lambda day: pd.to_datetime(day).dt.date,
        "period": lambda day: pd.to_datetime(day).dt.to_period("D"),
    }[kind]
    sides = [t.assign(date=make(t["date"])) for t in (table(12, 0), table(9, 1, 12))]
    finding = drift.compare(*sides, blocks="date")
    assert finding.alerts() == [] and finding.change is not None


SPOILS = {
    "null for days": lambda t: t["score"].mask(t["date"] < t["date"].unique()[4]),
    "null": lambda t: np.nan,
    "scaled": lambda t: t["score"] * 100,
    "negative": lambda t: -t["score"],
    "infinite": lambda t: t["score"].mask(t.index == 3, np.inf),
    "text": lambda t: t["score"].astype(str),
    "times": lambda t: pd.to_datetime(t["date"]),
}


@pytest.mark.parametrize("what", SPOILS)
def test_a_broken_score_is_an_alert_and_silences_nothing(what):
    before, after = table(20, 0), table(10, 1, 20).assign(x=9.0)
    broken = after.assign(score=SPOILS[what])
    said = alerts(before, broken, blocks="date")
    assert any("score" in text for text in said.values()) and "x" in said
    finding = drift.compare(before, broken, blocks="date")
    assert finding.next_step == "investigate"
    assert "score" in drift.to_html(finding) and drift.to_prometheus(finding)


def test_broken_labels_are_an_alert_and_silence_nothing():
    before, after = table(20, 0), table(10, 1, 20).assign(x=9.0)
    said = alerts(before, after.assign(late=after["late"] + 1), blocks="date")
    assert "'late' holds 2" in said["the model"] and "x" in said


def test_a_reference_that_cannot_be_judged_is_said_and_no_alert():
    before, after = table(20, 0), table(10, 1, 20)
    for odd in (before.assign(late=False), before.assign(score=before["score"] + 2)):
        finding = drift.compare(odd, after.assign(score=odd["score"]), blocks="date")
        assert finding.change is None and "performance" in finding.left_out[-1]


@pytest.mark.parametrize("blocks", [None, "date"])
def test_nan_inside_a_nullable_column_is_a_null(blocks):
    before, after = table(12, 0), table(9, 1, 12)
    zero = pd.Series(np.zeros(len(after)), dtype="Float64")
    before = before.assign(x=before["x"].astype("Float64"))
    said = alerts(before, after.assign(x=zero / zero), blocks=blocks)
    assert "nulls 100.00%" in said["x"]


def test_unseen_rows_that_come_in_clumps_are_no_finding():
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sides = [
            pd.DataFrame({"id": rng.integers(0, 2000, n)}).astype(str)
            for n in (300, 6000)
        ]
        found += drift.quality(*sides)["found"].any()
    assert found <= 6
    odd = sides[1].assign(id="x" + sides[1]["id"])
    assert drift.quality(sides[0], odd)["found"].any()


TYPES = [
    *("int8", "float32", "Float64", "Int64", "double[pyarrow]", "category"),
    *("string", "string[pyarrow]", "boolean", "bool[pyarrow]", object, "complex128"),
    *("datetime64[ns]", "timestamp[us][pyarrow]", "timedelta64[ns]"),
]


def typed(kind, seed):
    """Return a column of a type, with nulls where it has them; ten rows a day."""
    values = pd.Series(np.random.default_rng(seed).integers(0, 5, 200))
    if "bool" in str(kind):
        values = values > 2
    column = values.astype(str if "string" in str(kind) else values.dtype).astype(kind)
    made = column if kind == "int8" else column.mask(values.index % 7 == 0)
    table = pd.DataFrame({"v": made, "date": np.arange(200) // 10})
    return table.set_axis(np.zeros(200), axis=0)  # every index the same


@pytest.mark.parametrize("before", TYPES)
def test_every_type_is_compared_with_every_other(before):
    for after in TYPES:
        for blocks in (None, "date"):
            sides = [typed(before, 1), typed(after, 2)]
            if blocks is None:
                sides = [side[["v"]] for side in sides]
            finding = drift.compare(*sides, blocks=blocks)
            assert drift.to_html(finding) and drift.to_prometheus(finding)
            assert before != after or finding.alerts() == []


def test_a_table_of_days_alone_has_nothing_to_compare():
    table = pd.DataFrame({"date": np.arange(99) % 9})
    finding = drift.compare(table, table, blocks="date")
    assert finding.alerts() == [] and "No feature" in drift.to_html(finding)


def test_names_of_columns_may_be_numbers():
    table = pd.DataFrame({0: np.arange(200.0), 1: ["a", "b"] * 100})
    finding = drift.compare(table, table.assign(**{"2": 0}).rename(columns={"2": 2}))
    assert [alert.feature for alert in finding.alerts()] == ["2"]
    assert drift.to_html(drift.compare(table, table + table))
