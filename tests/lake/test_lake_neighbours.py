"""Neighbours of what the lake promises: odd columns, moments, places and waits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from batches import made, own, own_contract
from flightline import lake
from labkit import data

NIGHT = pd.Timestamp("2013-11-03T00:10", tz="UTC")  # a clock change in New York


def reports(count: int = 20) -> pd.DataFrame:
    """Return events of a night in which clocks change, each known after 7 minutes."""
    happened = pd.Series(
        pd.date_range(NIGHT, periods=count, freq="30min").as_unit("us")
    )
    known = happened + pd.Timedelta(minutes=7)
    return pd.DataFrame({"event_time": happened, "available_at": known})


# --- columns --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64(), pa.time64("us")], ids=str)
@pytest.mark.parametrize("column", ["event_time", "flight", "dep_delay"])
def test_a_date_of_arrow_is_no_moment_and_no_number(
    tmp_path: Path, kind: pa.DataType, column: str
) -> None:
    days = pa.array([15_888 * (86_400_000 if kind == pa.date64() else 1)] * 3)
    width = pa.int32() if kind == pa.date32() else pa.int64()
    array = pd.arrays.ArrowExtensionArray(
        pa.chunked_array([days.cast(width).cast(kind)])
    )
    receipt = lake.append(tmp_path, "departures", made(**{column: pd.Series(array)}))
    assert (receipt.accepted, receipt.quarantined) == (0, 3)
    reasons = lake.quarantine(tmp_path, "departures").reason
    assert reasons.str.contains(f"{column} has the wrong type").all()


@pytest.mark.parametrize(
    "nothing",
    [
        pd.Series([np.nan] * 3),
        pd.Series([pd.NA] * 3, dtype="Int64"),
        pd.Series(pd.array([None] * 3, dtype=pd.ArrowDtype(pa.null()))),
        pd.Series([pd.NaT] * 3),
        pd.Series([None] * 3, dtype="category"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_a_column_in_which_nothing_is_known(tmp_path: Path, nothing: pd.Series) -> None:
    assert lake.append(tmp_path, "departures", made(tailnum=nothing)).accepted == 3
    assert lake.read(tmp_path, "departures").tailnum.tolist() == [None] * 3
    receipt = lake.append(tmp_path, "departures", made(dep_delay=nothing))
    assert (receipt.accepted, receipt.quarantined) == (0, 3)
    aside = lake.quarantine(tmp_path, "departures")
    assert aside.reason.str.contains("dep_delay is missing").all()


@pytest.mark.parametrize(
    "rows", [made(0), made(0).astype(object)], ids=["typed", "not"]
)
def test_a_batch_without_rows(tmp_path: Path, rows: pd.DataFrame) -> None:
    receipt = lake.append(tmp_path, "departures", rows)
    assert (receipt.rows_in, receipt.accepted, receipt.quarantined) == (0, 0, 0)
    assert lake.append(tmp_path, "departures", made()).accepted == 3
    assert len(lake.read(tmp_path, "departures", as_of=1)) == 0


@pytest.mark.parametrize("column", ["tailnum", "flight_id", "dep_delay", "event_time"])
def test_half_a_character_is_set_aside(tmp_path: Path, column: str) -> None:
    rows = made()
    rows[column] = rows[column].astype(object)
    rows.loc[1, column] = "N\ud800"
    receipt = lake.append(tmp_path, "departures", rows)
    assert (receipt.accepted, receipt.quarantined) == (2, 1)
    assert column in lake.quarantine(tmp_path, "departures").reason.item()
    assert not lake.append(tmp_path, "departures", rows).new


def test_half_a_character_in_an_own_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="value cannot be stored"):
        lake.append(tmp_path, "own", own(["\ud800"]), schema=own_contract(object))


# --- moments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("02/07/2013 12:00+00:00", "no moment in ISO 8601"),
        ("2 July 2013 12:00 UTC", "no moment in ISO 8601"),
        ("2013-07-02T12:00:00.1234567Z", "no moment in ISO 8601"),
        ("now", "no moment in ISO 8601"),
        ("", "no moment in ISO 8601"),
        ("2013-07-02T12:00", "without a time zone"),
        ("2013-07-02", "without a time zone"),
        (1372766400, "and no moment"),
        (np.datetime64("2013-07-02T12:00"), "and no moment"),
        (pd.NaT, "without a time zone"),
    ],
    ids=repr,
)
def test_a_moment_is_not_guessed(tmp_path: Path, text: Any, told: str) -> None:
    lake.append(tmp_path, "departures", made())
    for name in ("start", "end"):
        with pytest.raises(ValueError, match=f"{name} is .*{told}"):
            lake.read(tmp_path, "departures", **{name: text})
        with pytest.raises(ValueError, match=f"{name} is .*{told}"):
            lake.replay({"t": reports()}, **{name: text})
    with pytest.raises(ValueError, match=f"known_at is .*{told}"):
        lake.backfill(tmp_path, "departures", lambda rows: rows, known_at=text)


def test_a_clock_shows_its_minute_from_the_first_second_on() -> None:
    start = pd.Series([pd.Timestamp("2013-07-02T03:50:30Z")] * 3)
    zone = pd.Series(["America/New_York"] * 3)
    found = lake.next_clock(start, pd.Series([2350, 2351, 2349]), zone)
    wanted = ["2013-07-02T03:50:30Z", "2013-07-02T03:51Z", "2013-07-03T03:49Z"]
    assert found.tolist() == [pd.Timestamp(each) for each in wanted]


def test_a_landing_that_nothing_confirms_has_no_instant() -> None:
    flight, airports = data.recurring_flight(), data.load_airports()
    assert lake.flight_times(flight, airports).arr_utc.notna().all()
    alone = lake.flight_times(flight.assign(air_time=np.nan), airports)
    assert alone.arr_utc.equals(lake.flight_times(flight, airports).arr_utc)
    assert (
        lake.flight_times(flight.assign(arr_delay=np.nan), airports)
        .arr_utc.isna()
        .all()
    )


@pytest.mark.parametrize("number", [2**53 + 1, 2**53, 523 + 3j])
def test_a_number_that_no_float_holds_is_refused(number: Any) -> None:
    flight = data.recurring_flight().assign(flight=number)
    with pytest.raises(ValueError, match=r"too large to be exact|and no numbers"):
        lake.flight_times(flight, data.load_airports())


# --- waits ----------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("window", ["1h", "90s", "1D"])
def test_lateness_does_not_depend_on_the_zone(zone: str, window: str) -> None:
    events = reports().sample(frac=1, random_state=5)
    events.loc[3, "available_at"] += pd.Timedelta(hours=9)
    local = events.apply(lambda times: times.dt.tz_convert(zone)).set_axis([7] * 20)
    late = lake.is_late(local, window, 10)
    assert late.index.tolist() == [7] * 20
    assert late.tolist() == lake.is_late(events, window, 10).tolist()
    _, counted = lake.tumble(events, window, "10min")
    assert set(events.index[late]) == set(counted.index)


def test_a_wait_names_what_is_wrong() -> None:
    events = reports()
    assert lake.choose_wait(events, [30, 0], 0.0) == 0
    assert lake.is_late(events.head(0), "1h", 0).tolist() == []
    naive = events.apply(lambda times: times.dt.tz_localize(None))
    for told, wrong in {
        "no times with a time zone": lambda: lake.is_late(naive, "1h", 0),
        "lacks the column": lambda: lake.is_late(events[["event_time"]], "1h", 0),
        "has no unit|no unit": lambda: lake.is_late(events, "60", 0),
        "-5 minutes": lambda: lake.is_late(events, "1h", -5),
        "nan minutes": lambda: lake.choose_wait(events, [np.nan], 0.1),
        "no share": lambda: lake.choose_wait(events, [5], 5),
        "no events": lambda: lake.choose_wait(events.head(0), [5], 0.1),
        "or no candidates": lambda: lake.choose_wait(events, [], 0.1),
    }.items():
        with pytest.raises(ValueError, match=told):
            wrong()


# --- places ---------------------------------------------------------------------------


def test_a_lake_in_new_folders_is_synced_up_to_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    fsync, link = os.fsync, os.link

    def noted(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    before: list[Path] = []

    def named(draft: Path, path: Path) -> None:
        before.extend(synced)
        link(draft, path)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(os, "link", named)
    root = tmp_path / "a" / "b" / "lake"
    lake.append(root, "departures", made())
    above = {tmp_path, tmp_path / "a", tmp_path / "a" / "b", root, root / "departures"}
    assert above <= set(before)
    synced.clear()
    lake.append(root, "departures", made(9).tail(5))
    assert tmp_path not in synced


@contextmanager
def acting_as_nobody() -> Iterator[None]:
    """Act as a user to whom permissions apply."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_an_erasure_does_not_pass_over_a_folder_that_it_cannot_see(
    tmp_path: Path,
) -> None:
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & 0o005:
            folder.chmod(0o755)
    tmp_path.chmod(0o777)
    with acting_as_nobody():
        lake.append(tmp_path / "lake", "departures", made(), by="day")
        lake.compact(tmp_path / "lake", "departures", by="month")
        (shut,) = (tmp_path / "lake" / "departures" / "data").glob("day=*")
        shut.chmod(0o000)
        try:
            with pytest.raises(PermissionError):
                lake.expire(tmp_path / "lake", "departures", 2)
            with pytest.raises(PermissionError):
                lake.erase(tmp_path / "lake", "departures", "tailnum", "N2JB")
        finally:
            shut.chmod(0o755)
        assert lake.erase(
            tmp_path / "lake", "departures", "tailnum", "N2JB"
        ).files_removed
        assert not list(shut.iterdir())
