"""What comes in is never guessed: times, numbers, and the identity of a batch."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from batches import made, own, own_contract
from flightline import lake

NOON = pd.Timestamp("2013-07-02T12:00", tz="UTC")


def sent(tmp_path: Path, rows: pd.DataFrame) -> lake.Commit:
    """Append, and check that what is read is what was accepted."""
    receipt = lake.append(tmp_path, "departures", rows)
    assert receipt.rows_in == len(rows)
    assert len(lake.read(tmp_path, "departures")) == receipt.accepted
    return receipt


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (pd.Timestamp("2013-07-02T12:00"), "event_time has no time zone"),
        (np.datetime64("2013-07-02T12:00"), "event_time has no time zone"),
        (datetime(2013, 7, 2, 12), "event_time has no time zone"),
        ("2013-07-02T12:00:00", "event_time has no time zone"),
        ("2013-07-02 12:00", "event_time has no time zone"),
        ("02/07/2013 12:00", "event_time has the wrong type"),
        ("07/02/2013 12:00+00:00", "event_time has the wrong type"),
        ("2 July 2013 12:00 UTC", "event_time has the wrong type"),
        ("2013-07-02T12:00:00.1234567Z", "event_time has the wrong type"),
        ("2013-13-02T12:00Z", "event_time has the wrong type"),
        ("now", "event_time has the wrong type"),
        (1372766400, "event_time has the wrong type"),
        (1372766400.0, "event_time has the wrong type"),
        (True, "event_time has the wrong type"),
        (date(2013, 7, 2), "event_time has the wrong type"),
        (timedelta(hours=3), "event_time has the wrong type"),
        (pd.NaT, "event_time is missing"),
    ],
)
@pytest.mark.parametrize("mixed", [False, True], ids=["whole column", "one row"])
def test_a_time_has_a_zone(
    tmp_path: Path, value: Any, reason: str, mixed: bool
) -> None:
    good = [NOON] if mixed else []
    rows = made(1 + len(good))
    column = pd.Series([value, *good], dtype=object if mixed else None)
    rows["event_time"] = column
    rows["available_at"] = NOON
    receipt = sent(tmp_path, rows)
    assert (receipt.accepted, receipt.quarantined) == (len(good), 1)
    assert reason in lake.quarantine(tmp_path, "departures").reason.item()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["2013-07-02T12:00:00Z"]),
        pd.Series(["2013-07-02T08:00:00-04:00"]),
        pd.Series(["2013-07-02 14:00+0200"]),
        pd.Series(["2013-07-02T12:00:00.000000+00:00"], dtype="string"),
        pd.Series([datetime(2013, 7, 2, 12, tzinfo=UTC)], dtype=object),
        pd.Series([datetime(2013, 7, 2, 8, tzinfo=timezone(timedelta(hours=-4)))]),
        pd.Series([NOON.as_unit("s")]),
        pd.Series([NOON.as_unit("ns").tz_convert("America/New_York")]),
        pd.Series([NOON]).astype("timestamp[ms, tz=UTC][pyarrow]"),
        pd.Series([NOON]).astype("category"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_every_spelling_of_one_instant(tmp_path: Path, column: pd.Series) -> None:
    assert sent(tmp_path, made(1, event_time=column, available_at=column)).accepted == 1
    read = lake.read(tmp_path, "departures").event_time
    assert read.item() == NOON and read.dtype == lake.UTC


def test_a_time_finer_than_a_microsecond_is_set_aside(tmp_path: Path) -> None:
    fine = NOON.as_unit("ns") + pd.Timedelta(7, "ns")
    when = pd.Series([fine, NOON.as_unit("ns")])
    receipt = sent(tmp_path, made(2, event_time=when, available_at=when))
    assert (receipt.accepted, receipt.quarantined) == (1, 1)


@pytest.mark.parametrize(
    "value",
    [
        *[523.7, "523.7", "5e2", " 523", "0x20b", "five", b"523", Decimal("523.5")],
        *[True, np.True_, pd.Timestamp(523), pd.Timedelta(523), 523j],
        *[np.inf, 2**64, [523]],
    ],
    ids=repr,
)
@pytest.mark.parametrize("mixed", [False, True], ids=["whole column", "one row"])
def test_a_number_equals_itself_after_the_cast(
    tmp_path: Path, value: Any, mixed: bool
) -> None:
    rows = made(2 if mixed else 1)
    values = [value, 2] if mixed else [value]
    rows["flight"] = pd.Series(values, dtype=object if mixed else None)
    receipt = sent(tmp_path, rows)
    assert (receipt.accepted, receipt.quarantined) == (len(values) - 1, 1)


@pytest.mark.parametrize(
    "kind", ["int8", "uint8", "int16", "uint32", "int64", "uint64"]
)
@pytest.mark.parametrize("holder", ["{}", "nullable", "{}[pyarrow]", "category"])
def test_any_width_of_number(tmp_path: Path, kind: str, holder: str) -> None:
    dtype = kind if holder == "category" else holder.format(kind)
    if holder == "nullable":
        dtype = kind.replace("uint", "UInt").replace("int", "Int")
    number = pd.Series([1, 2, 3], dtype=dtype)
    number = number.astype("category") if holder == "category" else number
    assert sent(tmp_path, made(flight=number, dep_delay=number)).accepted == 3
    rows = lake.read(tmp_path, "departures")
    assert rows.flight.tolist() == rows.dep_delay.tolist() == [1, 2, 3]
    assert (rows.flight.dtype, rows.dep_delay.dtype) == ("int64", "float64")


@pytest.mark.parametrize("kind", ["object", "string", "string[pyarrow]", "category"])
def test_any_kind_of_text(tmp_path: Path, kind: str) -> None:
    rows = made().astype(dict.fromkeys(["carrier", "tailnum", "origin"], kind))
    rows.loc[1, "tailnum"] = None
    assert sent(tmp_path, rows).accepted == 3
    read = lake.read(tmp_path, "departures")
    assert read.carrier.dtype == read.tailnum.dtype == object
    assert read.tailnum.tolist() == ["N1JB", None, "N3JB"]


def test_a_whole_number_beyond_the_floats_is_not_rounded(tmp_path: Path) -> None:
    big = pd.Series([2**53 + 1, 5])
    contract = own_contract("float64")
    receipt = lake.append(tmp_path, "own", own(big), schema=contract)
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    nullable = own([2**53 + 1, None], "Int64")
    lake.append(tmp_path / "b", "own", nullable, schema=own_contract("Int64"))
    assert lake.read(tmp_path / "b", "own").value[0] == 2**53 + 1


def test_the_date_in_the_key_is_held_against_the_event(tmp_path: Path) -> None:
    ids = ["2013-01-01-B6-1-JFK", "2013-02-30-B6-2-JFK", "2013-07-02-B6-3-JFK"]
    sent(tmp_path, made(flight_id=ids))
    aside = lake.quarantine(tmp_path, "departures")
    assert aside.row.tolist() == [0, 1]
    assert aside.reason.str.contains("a week from the date in flight_id").all()


@pytest.mark.parametrize("year", ["1066", "1899", "1999", "2100", "2201", "9999"])
def test_the_contract_states_its_years(tmp_path: Path, year: str) -> None:
    when = pd.Series(np.array([f"{year}-07-02T12:00"], "M8[us]")).dt.tz_localize("UTC")
    rows = pd.DataFrame({name: [1.0] for name in lake.WEATHER}).assign(
        origin="JFK", temp=60.0, pressure=1000.0, event_time=when, available_at=when
    )
    receipt = lake.append(tmp_path, "weather", rows)
    assert (receipt.accepted, receipt.quarantined) == (0, 1)
    assert "outside the years" in lake.quarantine(tmp_path, "weather").reason.item()


# --- positions, not labels ------------------------------------------------------------


INDEXES: dict[str, Any] = {
    "repeated": [7, 7, 7],
    "unsorted": [2, 0, 1],
    "texts": ["b", "a", "b"],
    "missing": [np.nan, 1.0, np.nan],
    "two levels": pd.MultiIndex.from_tuples([(1, "x"), (1, "x"), (0, "y")]),
    "times": pd.DatetimeIndex([NOON, NOON, NOON]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_any_index_gives_the_same_answers(tmp_path: Path, index: Any) -> None:
    from labkit import data

    july = data.load_flights(months=[7])
    three = pd.concat([july[july.dest == d].head(1) for d in ("LAX", "MIA", "SJU")])
    plain, other = three.reset_index(drop=True), three.set_axis(index)
    airports = data.load_airports()
    times = lake.flight_times(other, airports)
    assert times.index.equals(other.index)
    expected = lake.flight_times(plain, airports)
    assert times.reset_index(drop=True).equals(expected)
    for name, rows in lake.events(other, airports).items():
        same = lake.events(plain, airports)[name]
        assert rows.reset_index(drop=True).equals(same.reset_index(drop=True))
        assert lake.batch_digest(rows) == lake.batch_digest(same)
    clock = lake.clock_minutes(other.dep_time)
    assert clock.tolist() == lake.clock_minutes(plain.dep_time).tolist()
    spoilt = made(dep_delay=[1.0, 1e9, 2.0]).set_axis(index)
    good, bad = lake.screen(spoilt, lake.contract("departures"))
    assert list(good.index) == [0, 2] and bad.row.tolist() == [1]
    events = times.assign(event_time=times.dep_utc, available_at=times.dep_utc)
    windows, late = lake.tumble(events, "1h")
    assert windows.events.sum() + len(late) == 3
    news = [n["t"] for _, n in lake.replay({"t": events}, "7h")]
    assert sum(map(len, news)) == 3
    assert sent(tmp_path, made().set_axis(index)).accepted == 3


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "Int8", "float32"])
def test_raw_flights_of_any_width(kind: str) -> None:
    from labkit import data

    july = data.load_flights(months=[7]).head(50)
    narrow = july.astype({"month": kind, "day": kind})
    expected = lake.flight_times(july, data.load_airports())
    found = lake.flight_times(narrow, data.load_airports())
    assert found.flight_id.equals(expected.flight_id)
    assert found.sched_dep_utc.equals(expected.sched_dep_utc)
    floats = july.astype({"flight": "float64", "dep_time": "Int16"})
    assert lake.flight_times(floats, data.load_airports()).flight_id.equals(
        expected.flight_id
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"month": 13}, r"month/day is no date of 2013 .* row 0, 13/2"),
        ({"day": 31.5}, "day is no whole number"),
        ({"month": "7"}, "month holds object, and no numbers"),
        ({"sched_dep_time": 517.5}, "sched_dep_time is no clock time"),
        ({"sched_dep_time": True}, "sched_dep_time holds bool"),
        ({"flight": 523.5}, "flight is no whole number"),
        ({"flight": np.nan}, "flight is missing"),
        ({"month": 3, "day": 10, "sched_dep_time": 230}, "skipped or doubled"),
        ({"month": 11, "day": 3, "sched_dep_time": 130}, "skipped or doubled"),
        ({"year": 2014}, "year is not 2013"),
    ],
)
def test_raw_flights_that_are_none(change: dict[str, Any], told: str) -> None:
    from labkit import data

    flight = data.recurring_flight().assign(**change)
    with pytest.raises(ValueError, match=told):
        lake.flight_times(flight, data.load_airports())


def test_a_zone_that_does_not_exist_is_named() -> None:
    start = pd.Series([NOON])
    with pytest.raises(ValueError, match=r"tz is no time zone .* Mars/Olympus"):
        lake.next_clock(start, pd.Series([700]), pd.Series(["Mars/Olympus"], name="tz"))
    with pytest.raises(ValueError, match="no times with a time zone"):
        lake.next_clock(start.dt.tz_localize(None), pd.Series([7]), pd.Series(["UTC"]))


# --- identity -------------------------------------------------------------------------


def alike() -> dict[str, pd.DataFrame]:
    """Return batches that differ in kind or value, however alike they look."""
    ms = int(NOON.timestamp() * 1000)
    columns = {
        "int": pd.Series([5]),
        "float": pd.Series([5.0]),
        "text": pd.Series(["5"]),
        "bool": pd.Series([True]),
        "one": pd.Series([1]),
        "decimal": pd.Series([Decimal(5)]),
        "milliseconds": pd.Series([ms]),
        "time": pd.Series(pd.DatetimeIndex(np.array([ms], "M8[ms]"), tz="UTC")),
        "naive time": pd.Series(np.array([ms], "M8[ms]")),
        "duration": pd.Series(np.array([ms], "m8[ms]")),
        "nothing": pd.Series([None], dtype=object),
        "zero": pd.Series([0]),
        "text None": pd.Series(["None"]),
        "text nan": pd.Series(["nan"]),
        "empty": pd.Series([""]),
        "bytes": pd.Series([b"5"]),
        "minus one": pd.Series([-1]),
        "all bits": pd.Series([2**64 - 1], dtype="uint64"),
        "mixed": pd.Series([[5]]),
        "two": pd.Series([5, 5]),
    }
    return {name: pd.DataFrame({"x": column}) for name, column in columns.items()}


def test_another_kind_or_value_is_another_batch() -> None:
    names = {name: lake.batch_digest(batch) for name, batch in alike().items()}
    assert len(set(names.values())) == len(names)


def test_the_same_values_are_the_same_batch() -> None:
    rows = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "x": [0.5, np.nan, -0.0],
            "s": ["a", None, "c"],
            "t": pd.date_range(NOON, periods=3, freq="1s"),
        }
    )
    name = lake.batch_digest(rows)
    others = [
        rows.iloc[[2, 0, 1]],
        rows[["t", "s", "x", "n"]].set_axis([5, 5, 5]),
        rows.astype({"n": "int8", "s": "category"}),
        rows.astype({"n": "UInt16", "s": "string", "x": "float32"}),
        rows.astype({"n": "int32[pyarrow]", "s": "string[pyarrow]", "x": "Float64"}),
        rows.assign(t=rows.t.dt.tz_convert("Asia/Tokyo").dt.as_unit("s")),
        rows.assign(x=[0.5, np.nan, 0.0], s=["a", np.nan, "c"]),
    ]
    assert [lake.batch_digest(other) for other in others] == [name] * len(others)
    with pytest.raises(ValueError, match="two columns 'n'"):
        lake.batch_digest(rows[["n", "n"]])


def test_the_log_holds_the_name_of_each_batch(tmp_path: Path) -> None:
    rows = made(6, dep_delay=[0.0, -0.0, 1.5, 2.0, 3.0, 4.0])
    kinds: list[dict[str, str]] = [
        {},
        {"flight": "int16", "carrier": "category", "dest": "string"},
        {"flight": "object", "dep_delay": "Float32", "origin": "string[pyarrow]"},
        {"dep_delay": "int64"},
    ]
    for number, kind in enumerate(kinds):
        batch = rows.astype(kind)
        batch.loc[number, "origin"] = "???" if number % 2 else "JFK"
        batch.loc[2, "tailnum"] = None
        lake.append(tmp_path / str(number), "departures", batch)
        entry = lake.log(tmp_path / str(number), "departures")[0]
        assert entry["batch"] == lake.batch_digest(batch)


def test_a_mended_batch_is_taken_and_the_spoilt_one_not_again(tmp_path: Path) -> None:
    ms = int(NOON.timestamp() * 1000)
    spoilt = made(1, event_time=ms, available_at=ms)
    right = made(1, event_time=NOON, available_at=NOON)
    assert sent(tmp_path, spoilt).accepted == 0
    assert not lake.append(tmp_path, "departures", spoilt).new
    assert lake.append(tmp_path, "departures", right).accepted == 1
    assert len(lake.log(tmp_path, "departures")) == 2


@pytest.mark.parametrize("good", [0, 2])
def test_what_was_set_aside_can_come_again(tmp_path: Path, good: int) -> None:
    from pandera.pandas import Check, Column

    rows = own([1.0] * good + [50.0, 60.0])
    strict = own_contract("float64", value=Column("float64", Check.le(10)))
    first = lake.append(tmp_path, "own", rows, schema=strict)
    assert (first.accepted, first.quarantined) == (good, 2)
    assert not lake.append(tmp_path, "own", rows, schema=strict).new
    again = lake.append(tmp_path, "own", rows, schema=own_contract("float64"))
    assert again.new and again.accepted == 2
    assert len(lake.read(tmp_path, "own")) == good + 2
    third = lake.append(tmp_path, "own", rows, schema=own_contract("float64"))
    assert not third.new
