"""The lake: exact times, contracts, commits, versions, streams, and clear errors."""

import json
from pathlib import Path
from typing import Any

import lake_peers as peers
import numpy as np
import pandas as pd
import pytest
from flightline import lake
from flightline.lake import __main__ as command
from flightline.lake import parquet, upkeep
from labkit import data

UTC = lake.UTC


@pytest.fixture(scope="module")
def july() -> dict[str, pd.DataFrame]:
    return lake.events(data.load_flights(months=[7]), data.load_airports())


@pytest.fixture(scope="module")
def departures(july: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return july["departures"].head(600).reset_index(drop=True)


@pytest.fixture
def filled(tmp_path: Path, departures: pd.DataFrame) -> Path:
    for n in range(3):
        batch = departures.iloc[200 * n : 200 * n + 200]
        lake.append(tmp_path, "departures", batch, source=f"part {n}")
    return tmp_path


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


# --- exact instants -----------------------------------------------------------


def test_every_flight_of_the_year_has_exact_instants() -> None:
    flights, airports = data.load_flights(), data.load_airports()
    times = lake.flight_times(flights, airports)
    landed = times[times.arr_delay.notna()]
    delay = pd.to_timedelta(landed.arr_delay, unit="min")
    assert times.index.equals(flights.index) and times.flight_id.is_unique
    assert times.cancelled.sum() == times.dep_utc.isna().sum() == 8_185
    assert times.arr_utc.isna().sum() == 9_356
    assert (landed.sched_arr_utc + delay == landed.arr_utc).all()
    assert {str(times[c].dtype) for c in times if c.endswith("_utc")} == {UTC}
    clock = times.dep_utc.dt.tz_convert(lake.NEW_YORK).dt
    left = ~times.cancelled
    shows = (clock.hour * 60 + clock.minute)[left]
    assert (shows == lake.clock_minutes(times.dep_time[left])).all()


def test_the_two_rows_of_the_nights_when_clocks_change() -> None:
    flights = data.load_flights(months=[3, 11])
    times = lake.flight_times(flights, data.load_airports()).set_index("flight_id")
    assert times.arr_utc["2013-03-09-B6-35-JFK"] == at("2013-03-10 07:03")
    assert times.arr_utc["2013-11-02-VX-413-JFK"] == at("2013-11-03 08:14")


def test_the_recurring_flight_as_events(july: dict[str, pd.DataFrame]) -> None:
    key = data.RECURRING_FLIGHT
    name = f"2013-{key.month:02d}-{key.day:02d}-{key.carrier}-{key.flight}-{key.origin}"
    found = {n: table[table.flight_id == name] for n, table in july.items()}
    assert all(len(rows) == 1 for rows in found.values())
    assert found["departures"].event_time.item() == at("2013-07-03 02:14")
    assert found["arrivals"].available_at.item() == at("2013-07-03 08:27")


def test_weather_is_known_an_hour_after_the_start_of_its_hour() -> None:
    raw = data.load_weather()
    weather = lake.weather_events(raw)
    wait = weather.available_at - weather.event_time
    assert (wait == pd.Timedelta(minutes=60)).all() and len(weather) == len(raw)
    assert not {"year", "month", "day", "hour"} & set(weather)
    assert not weather.duplicated(["origin", "event_time"]).any()


@pytest.mark.parametrize("clock", [2561.0, -5.0, 1299.0, 2401.0])
def test_an_impossible_clock_is_named_with_its_row(clock: float) -> None:
    readings = pd.Series([517.0, clock], index=[3, 9], name="dep_time")
    with pytest.raises(ValueError, match=r"dep_time .* row 9"):
        lake.clock_minutes(readings)


def test_midnight_is_both_0_and_2400() -> None:
    found = lake.clock_minutes(pd.Series([0.0, 2400.0, 517.0, np.nan]))
    assert found.fillna(-1).tolist() == [0, 0, 317, -1]


def test_bad_flights_and_airports_are_named() -> None:
    flights, airports = data.recurring_flight(), data.load_airports()
    with pytest.raises(ValueError, match="flights lacks the column air_time"):
        lake.flight_times(flights.drop(columns="air_time"), airports)
    with pytest.raises(ValueError, match="airports lacks the column tzone"):
        lake.events(flights, airports.drop(columns="tzone"))
    with pytest.raises(ValueError, match=r"dest 'XXX' \(row 0\) has no time zone"):
        lake.flight_times(flights.assign(dest="XXX"), airports)
    with pytest.raises(ValueError, match="weather lacks the column time_hour"):
        lake.weather_events(data.load_weather().drop(columns="time_hour"))


# --- contracts and quarantine -------------------------------------------------


def test_rows_in_are_accepted_plus_quarantined_on_the_whole_year() -> None:
    tables = lake.events(data.load_flights(), data.load_airports())
    tables["weather"] = lake.weather_events(data.load_weather())
    counts = {}
    for name, rows in tables.items():
        good, bad = lake.screen(rows, lake.contract(name))
        assert len(good) + len(bad) == len(rows)
        counts[name] = len(bad)
    assert counts == {"schedule": 0, "departures": 0, "arrivals": 714, "weather": 1}


BAD: list[tuple[str, Any, str]] = [
    ("dep_delay", "n/a", "dep_delay has the wrong type"),
    ("dep_delay", 1e6, "dep_delay is outside -180 to 2880"),
    ("dep_delay", None, "dep_delay is missing"),
    ("origin", "???", "origin is malformed"),
    ("origin", 7, "origin is malformed"),
    ("flight_id", None, "flight_id is missing"),
    ("tailnum", "", "tailnum is malformed"),
    ("event_time", pd.NaT, "event_time is missing"),
    ("available_at", at("2000-01-01"), "the event is known before it happened"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD)
def test_a_bad_row_is_set_aside_with_its_reason(
    departures: pd.DataFrame, column: str, value: Any, reason: str
) -> None:
    batch = departures.head(5).copy()
    if not isinstance(value, pd.Timestamp):
        batch[column] = batch[column].astype(object)
    batch.loc[3, column] = value
    good, bad = lake.screen(batch, lake.contract("departures"))
    assert reason in bad.reason.item().split("; ")
    assert bad.row.item() == 3 and list(good.index) == [0, 1, 2, 4]
    assert json.loads(bad.raw.item())["dest"] == batch.dest[3]
    assert good.dtypes.equals(departures[list(good)].dtypes)


def test_many_faults_in_one_batch_are_all_found(departures: pd.DataFrame) -> None:
    batch = departures.head(6).astype({"dep_delay": object})
    batch.loc[0, "dep_delay"] = "soon"
    batch.loc[1, "dep_delay"] = 99_999.0
    batch.loc[2, ["origin", "dest"]] = ["??", "??"]
    good, bad = lake.screen(batch, lake.contract("departures"))
    assert list(bad.row) == [0, 1, 2] and len(good) == 3
    assert bad.reason[2] == "dest is malformed; origin is malformed"


def test_a_change_of_columns_refuses_the_batch(departures: pd.DataFrame) -> None:
    schema = lake.contract("departures")
    with pytest.raises(ValueError, match="lacks the column dest"):
        lake.screen(departures.drop(columns="dest"), schema)
    with pytest.raises(ValueError, match="unknown column gate"):
        lake.screen(departures.assign(gate="B7"), schema)
    with pytest.raises(ValueError, match="as a whole: carrier fails"):
        lake.screen(departures.assign(carrier=7), schema)
    with pytest.raises(ValueError, match="No contract for 'gates'"):
        lake.contract("gates")


# --- commits ------------------------------------------------------------------


def test_the_same_batch_twice_changes_nothing(
    filled: Path, departures: pd.DataFrame
) -> None:
    before = peers.digests(filled)
    shuffled = departures.iloc[200:400].sample(frac=1, random_state=1)
    receipt = lake.append(filled, "departures", shuffled[shuffled.columns[::-1]])
    assert not receipt.new and receipt.version == 2
    assert peers.digests(filled) == before


def test_a_row_that_comes_again_goes_to_quarantine(
    filled: Path, departures: pd.DataFrame
) -> None:
    batch = pd.concat([departures.iloc[190:210], departures.iloc[190:195]])
    receipt = lake.append(filled, "departures", batch, source="again")
    assert (receipt.rows_in, receipt.accepted, receipt.quarantined) == (25, 0, 25)
    aside = lake.quarantine(filled, "departures")
    assert set(aside.reason) == {"is in the lake already"}
    assert set(aside.source) == {"again"} and set(aside.version) == {4}
    assert len(lake.read(filled, "departures")) == 600


def test_a_correction_is_a_new_row(filled: Path, departures: pd.DataFrame) -> None:
    later = departures.iloc[[5]].assign(dep_delay=99.0)
    later["available_at"] += pd.Timedelta(hours=2)
    assert lake.append(filled, "departures", later).accepted == 1
    name = later.flight_id.item()
    rows = lake.read(filled, "departures")
    assert rows[rows.flight_id == name].dep_delay.iloc[-1] == 99.0
    assert len(rows[rows.flight_id == name]) == 2


def test_a_batch_of_bad_rows_alone(tmp_path: Path, departures: pd.DataFrame) -> None:
    receipt = lake.append(tmp_path, "departures", departures.assign(origin="???"))
    assert (receipt.accepted, receipt.quarantined) == (0, 600)
    empty = lake.read(tmp_path, "departures")
    assert len(empty) == 0 and empty.dtypes.equals(departures.dtypes[list(empty)])


def test_the_order_of_columns_survives(filled: Path, departures: pd.DataFrame) -> None:
    rows = lake.read(filled, "departures")
    assert list(rows) == list(departures)
    expected = departures.sort_values(["event_time", "flight_id"], ignore_index=True)
    pd.testing.assert_frame_equal(rows, expected)


def test_a_batch_without_any_tail_number(
    tmp_path: Path, departures: pd.DataFrame
) -> None:
    first, second = departures.head(3).assign(tailnum=None), departures.tail(3)
    for rows in (first, second):
        lake.append(tmp_path, "departures", rows)
    read = lake.read(tmp_path, "departures")
    assert read.tailnum.isna().sum() == 3 and read.tailnum.dtype == object


def test_partitions_are_chosen_once(filled: Path, departures: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"by is 'day'. It can be month"):
        lake.append(filled, "departures", departures.tail(5), by="day")
    with pytest.raises(ValueError, match=r"by is 'week'. It can be day or month"):
        lake.append(filled / "other", "departures", departures, by="week")


def test_a_table_of_your_own_needs_its_contract(tmp_path: Path) -> None:
    from pandera.pandas import Column, DataFrameSchema

    columns = {"who": Column(str), "score": Column(float)}
    columns |= {name: Column(UTC) for name in ("event_time", "available_at")}
    schema = DataFrameSchema(
        columns, strict=True, name="scores", metadata={"key": "who"}
    )
    now = pd.Series([at("2013-07-02")]).astype(UTC)
    row = pd.DataFrame({"who": ["a"], "score": [0.5]})
    row = row.assign(event_time=now, available_at=now)
    lake.append(tmp_path, "scores", row, schema=schema)
    assert lake.read(tmp_path, "scores").equals(row)
    with pytest.raises(ValueError, match="No contract for 'scores'"):
        lake.append(tmp_path, "scores", row)


def test_changed_columns_of_a_table_are_refused(tmp_path: Path) -> None:
    from pandera.pandas import Column, DataFrameSchema

    now = pd.Series([at("2013-07-02")]).astype(UTC)
    for kind in (float, str):
        times = {name: Column(UTC) for name in ("event_time", "available_at")}
        columns = {"who": Column(str), "score": Column(kind), **times}
        schema = DataFrameSchema(columns, name="s", metadata={"key": "who"})
        row = pd.DataFrame({"who": ["a"], "score": pd.Series([0.5]).astype(kind)})
        row = row.assign(event_time=now, available_at=now)
        if kind is float:
            lake.append(tmp_path, "s", row, schema=schema)
        else:
            with pytest.raises(ValueError, match="s: score is float64"):
                lake.append(tmp_path, "s", row, schema=schema)


# --- versions -----------------------------------------------------------------


def test_any_version_reads_as_it_was(filled: Path, departures: pd.DataFrame) -> None:
    for version in (1, 2, 3):
        rows = lake.read(filled, "departures", as_of=version)
        assert set(rows.flight_id) == set(departures.flight_id.head(200 * version))
        listed = lake.files(filled, "departures", as_of=version)
        assert listed.rows.sum() == len(rows) and len(listed) == version
    newest, second = (
        lake.files(filled, "departures"),
        lake.files(filled, "departures", 2),
    )
    assert set(second.sha256) < set(newest.sha256)


def test_a_lake_built_again_has_the_same_bytes(
    filled: Path, tmp_path_factory: pytest.TempPathFactory, departures: pd.DataFrame
) -> None:
    again = tmp_path_factory.mktemp("again")
    for n in range(3):
        batch = departures.iloc[200 * n : 200 * n + 200]
        lake.append(again, "departures", batch, source=f"part {n}")
    assert peers.digests(again) == peers.digests(filled)


def test_reading_a_stretch_opens_only_its_files(
    tmp_path: Path, departures: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = departures.event_time.dt.date
    assert days.nunique() == 2
    lake.append(tmp_path, "departures", departures, by="day")
    opened: list[str] = []
    read_file = parquet.read_file
    monkeypatch.setattr(
        parquet,
        "read_file",
        lambda *a, **k: opened.append(a[1]["path"]) or read_file(*a),
    )
    rows = lake.read(tmp_path, "departures", end="2013-07-01T23:59:59Z")
    assert len(opened) == 1 and set(rows.event_time.dt.date) == {days.min()}
    assert len(rows) == (days == days.min()).sum()


@pytest.mark.parametrize("version", [0, 4, -1, 2.5, "2", True + 7])
def test_a_version_that_is_not_there(filled: Path, version: Any) -> None:
    with pytest.raises(ValueError, match=r"departures has no version .* only 1 to 3"):
        lake.read(filled, "departures", as_of=version)


def test_clear_errors_of_the_readers(filled: Path) -> None:
    with pytest.raises(ValueError, match=r"no table 'gates'. It has: \['departures'\]"):
        lake.read(filled, "gates")
    with pytest.raises(ValueError, match="It has: none"):
        lake.quarantine(filled / "nowhere", "departures")
    with pytest.raises(ValueError, match="departures lacks the column gate"):
        lake.read(filled, "departures", columns=["gate"])
    with pytest.raises(ValueError, match="start is '2013-07-01', without a time zone"):
        lake.read(filled, "departures", start="2013-07-01")


def test_columns_are_read_in_the_order_wanted(filled: Path) -> None:
    rows = lake.read(filled, "departures", columns=["dep_delay", "carrier"])
    assert list(rows) == ["dep_delay", "carrier"]
    full = lake.read(filled, "departures")
    assert rows.equals(full[["dep_delay", "carrier"]])


def test_other_readers_agree(filled: Path) -> None:
    rows = lake.read(filled, "departures")
    paths = [
        str(filled / "departures" / p) for p in lake.files(filled, "departures").path
    ]
    assert peers.arrow_read(paths, rows).equals(rows)
    assert peers.duckdb_read(paths, rows).equals(rows)
    peers.copy_to_delta(filled, "departures", filled / "delta")
    for version in (1, 2, 3):
        theirs = peers.delta_read(filled / "delta", version)
        assert theirs.equals(lake.read(filled, "departures", as_of=version))


# --- damage -------------------------------------------------------------------


def test_a_truncated_file_and_a_missing_one_are_named(filled: Path) -> None:
    path = filled / "departures" / lake.files(filled, "departures").path[0]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(lake.Damaged, match=path.name):
        lake.read(filled, "departures")
    path.unlink()
    with pytest.raises(lake.Damaged, match=rf"{path.name}: 0 bytes do not match"):
        lake.read(filled, "departures")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"entry": {}}', b"null"])
def test_a_damaged_log_entry_is_named(filled: Path, content: bytes) -> None:
    path = filled / "departures" / "_log" / "00000002.json"
    path.write_bytes(content)
    for action in (lake.read, lake.files, lake.quarantine, upkeep.compact):
        with pytest.raises(lake.Damaged, match=r"departures/_log/00000002.json"):
            action(filled, "departures")


def test_every_flipped_byte_of_an_entry_is_found(filled: Path) -> None:
    path = filled / "departures" / "_log" / "00000003.json"
    content = path.read_bytes()
    for at_byte in range(0, len(content), 37):
        changed = bytearray(content)
        changed[at_byte] ^= 1
        path.write_bytes(bytes(changed))
        with pytest.raises(
            (lake.Damaged, ValueError), match=r"00000003.json|no version"
        ):
            lake.read(filled, "departures")


def test_a_missing_entry_is_named(filled: Path) -> None:
    (filled / "departures" / "_log" / "00000002.json").unlink()
    with pytest.raises(lake.Damaged, match=r"00000003.json does not follow version 1"):
        lake.read(filled, "departures")


# --- upkeep -------------------------------------------------------------------


def test_compaction_keeps_rows_and_versions(filled: Path) -> None:
    before = lake.read(filled, "departures")
    version = upkeep.compact(filled, "departures")
    assert version == 4 and upkeep.compact(filled, "departures") == 4
    assert len(lake.files(filled, "departures")) == 1
    assert lake.read(filled, "departures").equals(before)
    assert lake.read(filled, "departures", as_of=3).equals(before)
    assert upkeep.compact(filled, "departures", by="day") == 5
    assert len(lake.files(filled, "departures")) == 2
    assert lake.read(filled, "departures").equals(before)
    assert (
        list(upkeep.history(filled, "departures").op)
        == ["append"] * 3 + ["compact"] * 2
    )
    assert upkeep.history(filled, "departures").accepted.sum() == 600


def test_appending_after_a_compaction_still_finds_repeats(
    filled: Path, departures: pd.DataFrame
) -> None:
    upkeep.compact(filled, "departures", by="day")
    assert not lake.append(filled, "departures", departures.iloc[200:400]).new
    overlap = lake.append(filled, "departures", departures.iloc[100:300])
    assert overlap.accepted == 0


def test_expiry_removes_only_what_no_version_names(filled: Path) -> None:
    before = lake.read(filled, "departures")
    (filled / "departures" / "data" / ".lost.draft").write_bytes(b"half")
    upkeep.compact(filled, "departures")
    assert len(lake.read(filled, "departures", as_of=1)) == 200
    assert upkeep.expire(filled, "departures", oldest=4) == 4
    assert lake.read(filled, "departures").equals(before)
    with pytest.raises(ValueError, match=r"no version 3, only 4 to 5"):
        lake.read(filled, "departures", as_of=3)
    assert upkeep.expire(filled, "departures", oldest=4) == 0
    with pytest.raises(ValueError, match="no version 9"):
        upkeep.expire(filled, "departures", oldest=9)


def test_the_command_line_of_upkeep(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [str(filled), "departures"]
    assert command.main(["history", *where]) == 0
    assert "part 2" in capsys.readouterr().out
    assert command.main(["compact", *where, "--by", "day"]) == 0
    assert command.main(["expire", *where, "--oldest", "4"]) == 0
    assert "3 files removed" in capsys.readouterr().out
    assert command.main(["history", str(filled), "gates"]) == 2
    assert "no table 'gates'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="by is 'week'"):
        upkeep.compact(*where, by="week")


# --- streams ------------------------------------------------------------------


def stream(*rows: tuple[str, str]) -> pd.DataFrame:
    times = [[at(f"2013-07-02 {t}") for t in row] for row in rows]
    frame = pd.DataFrame(times, columns=["event_time", "available_at"])
    return frame.astype(UTC)


def test_a_window_closes_when_the_watermark_passes_its_end() -> None:
    events = stream(
        ("10:10", "10:10"),
        ("10:50", "11:05"),
        ("11:09", "11:09"),
        ("10:59", "11:09:30"),
        ("11:10", "11:10"),
        ("10:30", "11:20"),
        ("11:30", "11:30"),
    )
    windows, late = lake.tumble(events, "1h", "10min")
    assert windows.events.tolist() == [3, 3]
    assert windows.closed_at.iloc[0] == at("2013-07-02 11:10")
    assert pd.isna(windows.closed_at.iloc[1])
    assert late.event_time.tolist() == [at("2013-07-02 10:30")]


def test_tumble_names_what_is_wrong() -> None:
    events = stream(("10:10", "10:10"))
    with pytest.raises(ValueError, match="lacks the column available_at"):
        lake.tumble(events.drop(columns="available_at"))
    with pytest.raises(ValueError, match="null time"):
        lake.tumble(events.assign(event_time=pd.NaT))


def test_the_replay_is_in_order_and_complete(july: dict[str, pd.DataFrame]) -> None:
    tables = {name: july[name].dropna(subset="event_time") for name in july}
    seen: dict[str, list[pd.DataFrame]] = {name: [] for name in tables}
    last = None
    for clock, news in lake.replay(tables, step="3h"):
        assert last is None or clock - last == pd.Timedelta("3h")
        last = clock
        for name, rows in news.items():
            assert (rows.available_at <= clock).all()
            assert (rows.available_at > clock - pd.Timedelta("3h")).all()
            seen[name].append(rows)
    for name, table in tables.items():
        order = ["available_at", "event_time"]
        expected = table.sort_values(order, kind="stable")
        pd.testing.assert_frame_equal(pd.concat(seen[name]), expected)


def test_a_replay_of_a_stretch(july: dict[str, pd.DataFrame]) -> None:
    start, end = at("2013-07-02"), at("2013-07-03")
    ticks = list(lake.replay({"d": july["departures"]}, "6h", start, end))
    known = july["departures"].available_at
    assert [clock for clock, _ in ticks] == list(pd.date_range(start, end, freq="6h"))[
        1:
    ]
    got = sum(len(news["d"]) for _, news in ticks)
    assert got == ((known > start) & (known <= end)).sum()
    with pytest.raises(ValueError, match="start is '2013-07-02', without a time zone"):
        next(lake.replay({"d": july["departures"]}, start="2013-07-02"))
    with pytest.raises(ValueError, match="d lacks the column event_time"):
        next(lake.replay({"d": july["departures"][["available_at"]]}))
