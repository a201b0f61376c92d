"""Tables of one's own: types that come back, far dates, and columns that come later."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from batches import made, own, own_contract
from flightline import lake
from pandera.pandas import Column, DataFrameSchema

LATER = "2013-08-02T10:00"
KEPT: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "decimals": (object, [Decimal("1.5"), None], [Decimal("12.125")]),
    "whole objects": (object, [1, None, 2**60], [3]),
    "bytes": (object, [b"\x00", None], [b"ab"]),
    "dates": (object, [datetime.date(2013, 7, 2), None], [datetime.date(1, 1, 1)]),
    "texts": (object, ["a", None], [""]),
    "nothing yet": (object, [None, None], [Decimal("0.1")]),
    "categories": ("category", ["a", "b"], ["c"]),
    "nullable": ("Int64", [2**53 + 1, pd.NA], [-5]),
    "narrow nullable": ("UInt8", [255, pd.NA], [0]),
    "yes or no": ("boolean", [True, pd.NA], [False]),
    "plain bool": ("bool", [True, False], [True]),
    "strings": ("string", ["a", pd.NA], ["b"]),
    "Arrow's": (pd.ArrowDtype(pa.int64()), [1, pd.NA], [2**62]),
    "without a zone": ("datetime64[ns]", [pd.Timestamp("2013-07-02")], [pd.NaT]),
    "lengths of time": ("timedelta64[us]", [pd.Timedelta("1h")], [pd.NaT]),
    "unsigned": ("uint64", [2**63 + 1], [0]),
    "half": ("float16", [1.5, np.nan], [0.25]),
}


@pytest.mark.parametrize(("kind", "first", "second"), KEPT.values(), ids=KEPT)
def test_own_types_come_back(
    tmp_path: Path, kind: Any, first: list[Any], second: list[Any]
) -> None:
    contract = own_contract(kind)
    lake.append(tmp_path, "own", own(first, kind), schema=contract, by="day")
    lake.append(tmp_path, "own", own(second, kind, LATER), schema=contract)
    rows = lake.read(tmp_path, "own")
    expected = pd.concat([own(first, kind), own(second, kind, LATER)])
    given = expected.value.astype(object).tolist()
    for wanted, value in zip(given, rows.value.astype(object), strict=True):
        assert (pd.isna(wanted) and pd.isna(value)) or wanted == value
    assert str(rows.value.dtype) == str(own(first, kind).value.dtype)
    lake.compact(tmp_path, "own", by="month")
    assert lake.read(tmp_path, "own").equals(rows)
    again = lake.append(tmp_path, "own", own(first, kind), schema=contract)
    assert not again.new


@pytest.mark.parametrize(
    "values",
    [
        *([1, "a"], ["a", b"b"], [[1], [2]], [{"a": 1}], [1j], [2**70], [object()]),
        *([True, 1], [pd.Period("2013-07")], [pd.Timestamp(1), None]),
        [pd.Timestamp("2013-01-01"), pd.Timestamp("2013-01-01", tz="UTC")],
    ],
    ids=lambda values: " ".join(type(value).__name__ for value in values),
)
def test_what_cannot_come_back_is_refused(tmp_path: Path, values: list[Any]) -> None:
    rows = own(pd.Series(values, dtype=object))
    with pytest.raises(ValueError, match="value"):
        lake.append(tmp_path, "own", rows, schema=own_contract(object))
    assert lake.tables(tmp_path) == []


@pytest.mark.parametrize("second", [["a"], [b"a"], [Decimal("1.5")], [2.5], [True]])
def test_a_column_keeps_its_kind(tmp_path: Path, second: list[Any]) -> None:
    contract = own_contract(object)
    lake.append(tmp_path, "own", own([1, 2], object), schema=contract)
    with pytest.raises(ValueError, match="own: value is object"):
        lake.append(tmp_path, "own", own(second, object, LATER), schema=contract)
    assert lake.read(tmp_path, "own").value.tolist() == [1, 2]


def test_decimals_grow_as_far_as_there_are_digits(tmp_path: Path) -> None:
    contract = own_contract(object)
    values = [Decimal(10**60), Decimal("0.000000000000001")]
    for value, start in zip(values, ["2013-07-02T10:00", LATER], strict=True):
        lake.append(tmp_path, "own", own([value], object, start), schema=contract)
    assert lake.read(tmp_path, "own").value.tolist() == values
    finest = own([Decimal("1e-40")], object, "2013-09-02T10:00")
    with pytest.raises(ValueError, match="own: value: its decimals need 101 digits"):
        lake.append(tmp_path, "own", finest, schema=contract)
    assert lake.read(tmp_path, "own").value.tolist() == values


def test_a_contract_must_say_what_an_event_is(tmp_path: Path) -> None:
    rows = own([1.0])
    whole = own_contract("float64")
    without = {n: c for n, c in whole.columns.items() if n != "available_at"}
    cases = {
        "names no key": DataFrameSchema(whole.columns, name="own"),
        "lacks available_at": DataFrameSchema(
            without, name="own", metadata={"key": "who"}
        ),
        "without a time zone": own_contract(
            "float64", event_time=Column("datetime64[ns]")
        ),
    }
    for told, contract in cases.items():
        with pytest.raises(ValueError, match=told):
            lake.append(tmp_path, "own", rows, schema=contract)


def test_a_row_without_a_key_is_set_aside(tmp_path: Path) -> None:
    rows = own([1.0, 2.0]).assign(who=["a", None])
    contract = own_contract("float64", who=Column(object, nullable=True))
    receipt = lake.append(tmp_path, "own", rows, schema=contract)
    assert (receipt.accepted, receipt.quarantined) == (1, 1)


# --- far dates ------------------------------------------------------------------------


def far(year: int) -> pd.DataFrame:
    """Return one row in a year, as the microseconds of NumPy allow."""
    stamp = np.datetime64(0, "us") + np.timedelta64((year - 1970) * 31_556_952, "s")
    when = pd.Series(np.array([stamp], "M8[us]")).dt.tz_localize("UTC")
    return pd.DataFrame(
        {"who": f"y{year}", "value": [year], "event_time": when, "available_at": when}
    )


YEARS = [-200_000, -44, 1, 1066, 1677, 1899, 2013, 2201, 2263, 9999, 12_013, 200_000]


@pytest.mark.parametrize("by", ["day", "month"])
def test_no_row_is_lost_for_its_date(tmp_path: Path, by: str) -> None:
    contract = own_contract("int64")
    for year in YEARS:
        assert (
            lake.append(tmp_path, "own", far(year), schema=contract, by=by).accepted
            == 1
        )
    assert lake.read(tmp_path, "own").value.tolist() == YEARS
    lake.compact(tmp_path, "own", by="month" if by == "day" else "day")
    newest = len(lake.log(tmp_path, "own"))
    lake.expire(tmp_path, "own", newest)
    assert lake.read(tmp_path, "own").value.tolist() == YEARS
    assert lake.files(tmp_path, "own").rows.sum() == len(YEARS)
    assert not lake.append(tmp_path, "own", far(1066), schema=contract).new
    some = lake.read(
        tmp_path, "own", start="1700-01-01T00:00Z", end="2200-01-01T00:00Z"
    )
    assert some.value.tolist() == [1899, 2013]


def test_a_compaction_that_loses_a_row_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flightline.lake import upkeep

    contract = own_contract("int64")
    for year in (2012, 2013):
        lake.append(tmp_path, "own", far(year), schema=contract)
    load = upkeep.parquet.load
    with monkeypatch.context() as patch:
        patch.setattr(upkeep.parquet, "load", lambda *a: load(*a).slice(1))
        with pytest.raises(lake.Damaged, match="hold 1 rows, and the files of"):
            lake.compact(tmp_path, "own", by="day")
    assert len(lake.read(tmp_path, "own")) == 2


def test_a_local_time_zone_is_kept_and_cut_in_utc(tmp_path: Path) -> None:
    zone = "datetime64[ns, America/New_York]"
    times = {n: Column(zone) for n in ("event_time", "available_at")}
    contract = own_contract("int64", **times)
    when = pd.date_range(
        "2013-11-02T22:00", periods=6, freq="1h", tz="America/New_York"
    )
    rows = own(range(6)).assign(event_time=when, available_at=when)
    lake.append(tmp_path, "own", rows, schema=contract, by="day")
    assert lake.read(tmp_path, "own").equals(rows.astype({"value": "int64"}))
    folders = {Path(p).parent.name for p in lake.files(tmp_path, "own").path}
    assert folders == {"day=2013-11-03"}


# --- columns that come later ----------------------------------------------------------


def test_a_new_column_is_missing_in_older_rows(tmp_path: Path) -> None:
    old = own_contract("float64")
    new = own_contract("float64", gate=Column("int64"), open=Column(bool))
    lake.append(tmp_path, "own", own([1.0, 2.0]), schema=old)
    lake.append(
        tmp_path, "own", own([3.0], None, LATER).assign(gate=7, open=True), schema=new
    )
    rows = lake.read(tmp_path, "own")
    assert rows.gate.tolist() == [pd.NA, pd.NA, 7] and rows.gate.dtype == "Int64"
    assert rows.open.dtype == "boolean" and rows.open.isna().sum() == 2
    assert "gate" not in lake.read(tmp_path, "own", as_of=1)
    assert lake.read(tmp_path, "own", columns=["gate"]).gate.notna().sum() == 1
    lake.append(tmp_path, "own", own([4.0], None, "2013-09-02T10:00"), schema=old)
    after = lake.read(tmp_path, "own")
    assert after.gate.isna().sum() == 3
    lake.compact(tmp_path, "own", by="day")
    assert lake.read(tmp_path, "own").equals(after)


def test_a_new_column_of_the_course(tmp_path: Path) -> None:
    departures = made(200)
    wider = lake.contract("departures").add_columns(
        {"gate": Column("object", nullable=True)}
    )
    lake.append(tmp_path, "departures", departures.head(5))
    more = departures.tail(5).assign(gate="B7")
    with pytest.raises(ValueError, match="unknown column gate"):
        lake.append(tmp_path, "departures", more)
    assert lake.append(tmp_path, "departures", more, schema=wider).accepted == 5
    assert lake.read(tmp_path, "departures").gate.tolist() == [None] * 5 + ["B7"] * 5


def test_a_renamed_column_is_refused(tmp_path: Path) -> None:
    departures = made(200)
    lake.append(tmp_path, "departures", departures.head(5))
    renamed = departures.tail(5).rename(columns={"dep_delay": "delay"})
    with pytest.raises(ValueError, match="lacks the column dep_delay"):
        lake.append(tmp_path, "departures", renamed)
    columns = dict(lake.contract("departures").columns)
    columns["delay"] = columns.pop("dep_delay")
    contract = DataFrameSchema(
        columns, name="departures", metadata={"key": "flight_id"}
    )
    with pytest.raises(ValueError, match="lacks dep_delay, which the table has had"):
        lake.append(tmp_path, "departures", renamed, schema=contract)
    assert len(lake.read(tmp_path, "departures")) == 5


def test_the_key_of_a_table_stays(tmp_path: Path) -> None:
    contract = own_contract("int64")
    lake.append(tmp_path, "own", own([1]), schema=contract)
    other = DataFrameSchema(contract.columns, name="own", metadata={"key": "value"})
    with pytest.raises(ValueError, match="the key was 'who', and now is 'value'"):
        lake.append(tmp_path, "own", own([2], None, LATER), schema=other)
