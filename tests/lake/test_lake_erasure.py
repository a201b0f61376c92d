"""Forget one aircraft, correct the past, and say what that costs."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import lake_peers as peers
import numpy as np
import pandas as pd
import pytest
from batches import made
from flightline import lake
from flightline.lake import __main__ as command

GONE = "N2JB"


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """Return a lake with three versions; the aircraft is in rows and in quarantine."""
    lake.append(tmp_path, "departures", made(6), source="first")
    spoilt = made(3, dep_delay=[5.0, 1e9, 7.0]).assign(
        flight_id=[
            "2013-07-02-B6-91-JFK",
            "2013-07-02-B6-92-JFK",
            "2013-07-02-B6-93-JFK",
        ]
    )
    lake.append(tmp_path, "departures", spoilt, source="spoilt")
    lake.compact(tmp_path, "departures", by="day")
    return tmp_path


def named_anywhere(folder: Path) -> list[str]:
    """Name the files below a folder that hold the aircraft, packed or not."""
    found = []
    for path in folder.rglob("*"):
        if path.suffix == ".parquet":
            text = pd.read_parquet(path).to_csv()
        elif path.is_file():
            text = path.read_bytes().decode(errors="replace")
        else:
            continue
        if GONE in text:
            found.append(path.name)
    return found


def test_an_aircraft_is_gone_from_every_file_and_version(filled: Path) -> None:
    assert len(named_anywhere(filled)) >= 3
    before = lake.read(filled, "departures")
    done = lake.erase(filled, "departures", "tailnum", GONE)
    assert (done.rows, done.quarantined, done.versions_lost) == (1, 1, 3)
    assert done.version == 4 and done.files_removed >= 3
    assert named_anywhere(filled) == []
    rows = lake.read(filled, "departures")
    assert rows.equals(before[before.tailnum != GONE].reset_index(drop=True))
    assert len(lake.quarantine(filled, "departures")) == 0
    listed = lake.history(filled, "departures")
    assert listed.op.tolist() == ["append", "append", "compact", "erase"]
    assert listed.readable.tolist() == [False, False, False, True]
    assert listed.erased.tolist() == [0, 0, 0, 1]


def test_time_travel_says_what_happened(filled: Path) -> None:
    lake.erase(filled, "departures", "tailnum", GONE)
    for version in (1, 2, 3):
        with pytest.raises(
            lake.Gone, match=r"no version .* Version 4 \(erase\) gave up 1 to 3"
        ):
            lake.read(filled, "departures", as_of=version)
    with pytest.raises(ValueError, match="only 4 to 4") as told:
        lake.read(filled, "departures", as_of=9)
    assert not isinstance(told.value, lake.Gone)


def test_what_was_erased_does_not_come_back(filled: Path) -> None:
    lake.erase(filled, "departures", "tailnum", GONE)
    again = lake.append(filled, "departures", made(6))
    assert not again.new
    other = made(2, available_at=made(2).available_at + pd.Timedelta(hours=1))
    receipt = lake.append(filled, "departures", other)
    assert (receipt.accepted, receipt.quarantined) == (1, 1)
    aside = lake.quarantine(filled, "departures")
    assert aside.reason.tolist() == ["was erased"] and aside.raw.tolist() == [""]
    assert named_anywhere(filled) == []


def test_nothing_to_erase_loses_no_version(filled: Path) -> None:
    done = lake.erase(filled, "departures", "tailnum", "N404")
    assert (done.rows, done.versions_lost, done.version) == (0, 0, 3)
    assert len(lake.read(filled, "departures", as_of=1)) == 6
    with pytest.raises(ValueError, match="lacks the column tail"):
        lake.erase(filled, "departures", "tail", GONE)
    with pytest.raises(ValueError, match="value is None"):
        lake.erase(filled, "departures", "tailnum", None)


def test_a_second_call_finishes_what_a_killed_one_began(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flightline.lake import upkeep

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "remove_unnamed", killed)
        with pytest.raises(KeyboardInterrupt):
            lake.erase(filled, "departures", "tailnum", GONE)
    assert named_anywhere(filled)
    with pytest.raises(lake.Gone):
        lake.read(filled, "departures", as_of=1)
    done = lake.erase(filled, "departures", "tailnum", GONE)
    assert done.files_removed > 0 and named_anywhere(filled) == []


def test_a_number_can_be_erased(filled: Path) -> None:
    assert lake.erase(filled, "departures", "flight", 3).rows == 2
    assert (lake.read(filled, "departures").flight != 3).all()


def test_the_command_line_erases(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [str(filled), "departures"]
    assert command.main(["erase", *where, "--column", "tailnum", "--value", GONE]) == 0
    assert json.loads(capsys.readouterr().out)["versions_lost"] == 3
    assert command.main(["erase", *where, "--column", "tail", "--value", GONE]) == 2
    assert "lacks the column tail" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("flight", "3"),
        ("flight", 3.0),
        ("flight", np.int64(3)),
        ("flight", Decimal("3.00")),
        ("dep_delay", "9"),
        ("event_time", "2013-07-02T10:02Z"),
        ("event_time", "2013-07-02 06:02:00-04:00"),
        ("event_time", pd.Timestamp("2013-07-02T12:02", tz="Europe/Berlin")),
        ("tailnum", "N3JB"),
    ],
    ids=repr,
)
def test_a_value_is_found_however_it_is_written(
    tmp_path: Path, column: str, value: object
) -> None:
    lake.append(tmp_path, "departures", made(4))
    spoilt = made(4, origin="???", flight=[1.0, 2.0, 3.0, 4.0])
    lake.append(tmp_path, "departures", spoilt)
    done = lake.erase(tmp_path, "departures", column, value)
    assert (done.rows, done.quarantined) == (1, 1)
    later = pd.Timedelta(hours=1)
    for number, kind in enumerate(["int8", "float64", "object", "string"], start=1):
        again = made(4, available_at=made(4).available_at + number * later)
        again["flight"] = again["flight"].astype(kind)
        again["dep_delay"] = again["dep_delay"].astype(kind)
        again["event_time"] = again["event_time"].dt.tz_convert("Asia/Tokyo")
        receipt = lake.append(tmp_path, "departures", again)
        assert (receipt.accepted, receipt.quarantined) == (3, 1)
    reasons = lake.quarantine(tmp_path, "departures").query("raw == ''").reason
    assert reasons.tolist() == ["was erased"] * 4


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("flight", "N3JB"), ("flight", 3.5), ("flight", True), ("tailnum", 3)],
        *[
            ("event_time", "2013-07-02T10:02"),
            ("event_time", "02/07/2013"),
            ("dest", b""),
        ],
    ],
)
def test_a_value_that_the_column_cannot_hold_is_refused(
    filled: Path, column: str, value: object
) -> None:
    with pytest.raises(ValueError, match="Nothing was erased"):
        lake.erase(filled, "departures", column, value)
    with pytest.raises(ValueError, match="Name one value"):
        lake.erase(filled, "departures", column, [value])
    assert len(lake.log(filled, "departures")) == 3


def test_a_row_with_its_columns_mixed_up_hides_nothing(filled: Path) -> None:
    mixed = made(3).rename(columns={"carrier": "tailnum", "tailnum": "carrier"})
    assert lake.append(filled, "departures", mixed).accepted == 0
    assert lake.erase(filled, "departures", "tailnum", GONE).quarantined == 2
    assert named_anywhere(filled) == []
    more = mixed.assign(available_at=mixed.available_at + pd.Timedelta(hours=1))
    assert lake.append(filled, "departures", more).quarantined == 3
    assert named_anywhere(filled) == []


# --- backfill -------------------------------------------------------------------------


def test_a_backfill_adds_corrections_and_counts_the_cost(filled: Path) -> None:
    old = lake.read(filled, "departures")
    known = pd.Timestamp("2013-08-01T00:00Z")
    cost = lake.backfill(
        filled,
        "departures",
        lambda rows: rows.assign(dep_delay=rows.dep_delay.clip(upper=6)),
        known_at=known,
    )
    changed = int((old.dep_delay > 6).sum())
    assert (cost.rows_read, cost.rows_changed) == (len(old), changed)
    assert cost.quarantined == 0 and cost.files_added == 1
    assert cost.bytes_read == lake.files(filled, "departures", 3).bytes.sum()
    assert cost.bytes_added > 0 and cost.version == 4
    rows = lake.read(filled, "departures")
    assert len(rows) == len(old) + changed
    then = rows[rows.available_at < known].reset_index(drop=True)
    assert then.equals(old)
    newest = rows.drop_duplicates("flight_id", keep="last")
    assert newest.dep_delay.max() == 6
    assert lake.read(filled, "departures", as_of=3).equals(old)


def test_a_backfill_that_changes_nothing(filled: Path) -> None:
    known = "2013-08-01T00:00Z"
    cost = lake.backfill(filled, "departures", lambda rows: rows, known_at=known)
    assert (cost.rows_changed, cost.files_added, cost.version) == (0, 0, 3)
    late = lake.backfill(
        filled, "departures", lambda r: r, known_at=known, start="2013-08-01T00:00Z"
    )
    assert (late.rows_read, late.files_read) == (0, 0)


def test_a_backfill_of_a_new_column(filled: Path) -> None:
    from pandera.pandas import Column

    wider = lake.contract("departures").add_columns({"gate": Column("object")})
    cost = lake.backfill(
        filled,
        "departures",
        lambda rows: rows.assign(gate="B7"),
        known_at="2013-08-01T00:00Z",
        schema=wider,
    )
    assert cost.rows_changed == 8
    assert lake.read(filled, "departures").gate.notna().sum() == 8


def test_a_backfill_refuses_what_is_none(filled: Path) -> None:
    where = (filled, "departures")
    with pytest.raises(ValueError, match="must return the same rows"):
        lake.backfill(*where, lambda r: r.head(2), known_at="2013-08-01T00:00Z")
    with pytest.raises(ValueError, match="without a time zone"):
        lake.backfill(*where, lambda r: r, known_at="2013-08-01")
    with pytest.raises(ValueError, match="Give a later moment"):
        lake.backfill(*where, lambda r: r, known_at="2013-07-02T10:01Z")


# --- lineage --------------------------------------------------------------------------


def test_the_sources_of_a_rewritten_file(filled: Path) -> None:
    entries = lake.log(filled, "departures")
    path = lake.files(filled, "departures").path[0]
    assert lake.sources_of(entries, path) == ["first", "spoilt"]
    first = lake.files(filled, "departures", 1).path[0]
    assert lake.sources_of(entries, first) == ["first"]
    with pytest.raises(ValueError, match="added 'nothing'"):
        lake.sources_of(entries, "nothing")


def test_a_copied_lake_is_a_lake(
    filled: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = shutil.copytree(filled, tmp_path_factory.mktemp("copy") / "lake")
    assert lake.read(copy, "departures").equals(lake.read(filled, "departures"))
    assert peers.digests(copy) == peers.digests(filled)
