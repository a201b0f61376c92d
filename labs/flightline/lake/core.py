# Do not edit: exported from labs/03_lake.ipynb.
# Change the lab, then run `make export`.

"""Lab 03: ingestion and the lake."""

__all__ = [
    "COLUMNS",
    "EVER",
    "FAILPOINTS",
    "MISSING_ZONES",
    "NEW_YORK",
    "OPTIONAL",
    "ORDER",
    "PLAN_LEAD",
    "RANGES",
    "RAW",
    "TEXTS",
    "UTC",
    "WEATHER",
    "WEATHER_DELAY",
    "WHO",
    "WHOLE",
    "YEAR",
    "Commit",
    "Conflict",
    "Damaged",
    "Record",
    "Snapshot",
    "append",
    "batch_digest",
    "clock_minutes",
    "commit",
    "contract",
    "events",
    "failpoint",
    "files",
    "flight_times",
    "log",
    "next_clock",
    "publish",
    "quarantine",
    "read",
    "replay",
    "screen",
    "snapshot",
    "tumble",
    "weather_events",
    "write_parts",
]

import hashlib
import json
import os
import re
import signal
import sys
import uuid
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Record = dict[str, Any]
YEAR, NEW_YORK, UTC = 2013, "America/New_York", "datetime64[us, UTC]"
# Four destinations are absent from the airports table; all lie in one zone.
MISSING_ZONES = dict.fromkeys(("BQN", "SJU", "PSE", "STT"), "America/Puerto_Rico")
WEATHER = [
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
WHO = ["flight_id", "carrier", "flight", "tailnum", "origin", "dest"]
RAW = ["month", "day", "sched_dep_time", "dep_time", "sched_arr_time", "arr_time"]
RAW += ["dep_delay", "arr_delay", "air_time", "distance", *WHO[1:]]


@dataclass(frozen=True)
class Commit:
    """What an append did; `new` is False if the lake held the batch already."""

    table: str
    version: int
    rows_in: int
    accepted: int
    quarantined: int
    new: bool


def _require(frame: pd.DataFrame, columns: list[str], name: str) -> None:
    """Raise a ValueError that names the columns a frame lacks."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{name} lacks the column {', '.join(missing)}. "
            f"It has: {', '.join(map(str, frame.columns))}."
        )


def clock_minutes(clock: pd.Series) -> pd.Series:
    """Turn clock readings hhmm into minutes after midnight.

    Parameters
    ----------
    clock : Series
        Readings such as 517 (05:17) or 2400 (midnight); missing stays missing.

    Returns
    -------
    Series of float
        0 to 1439; NaN where the reading is missing.

    Raises
    ------
    ValueError
        If a reading is no clock time; it names the first row.
    """
    value = clock.astype("float64")
    wrong = value.notna() & ~(value.between(0, 2400) & (value % 100 < 60))
    if wrong.any():
        row = wrong.idxmax()
        raise ValueError(
            f"{clock.name} is no clock time in {wrong.sum()} rows "
            f"(first: row {row}, {value[row]:g}). Expected hhmm from 0 to 2400."
        )
    return (value // 100 * 60 + value % 100) % 1440


def next_clock(start_utc: pd.Series, clock: pd.Series, zone: pd.Series) -> pd.Series:
    """Find the first instant from `start_utc` on at which a clock shows `clock`.

    The clock is set to the local time at `start_utc` and runs on: it ignores a
    change between summer and winter time on the way.

    Parameters
    ----------
    start_utc : Series of datetime64[us, UTC]
        Where to start looking; missing gives missing.
    clock : Series
        Clock readings hhmm at the place; missing gives missing.
    zone : Series of str
        The time zone of the place, by name.

    Returns
    -------
    Series of datetime64[us, UTC]
        With the index of `start_utc`. The wait is counted in elapsed minutes, 0 to
        1439, so that it exists and is unique also when clocks change.
    """
    shown = pd.Series(np.nan, index=start_utc.index)
    for name, rows in start_utc.groupby(zone).groups.items():
        local = start_utc.loc[rows].dt.tz_convert(str(name)).dt
        shown.loc[rows] = local.hour * 60 + local.minute
    wait = pd.to_timedelta((clock_minutes(clock) - shown) % 1440, unit="min")
    return (start_utc + wait).astype(UTC)


def _local_departure(flights: pd.DataFrame) -> pd.Series:
    """Return the scheduled departure in UTC; a skipped or doubled hour raises."""
    date = {"year": YEAR, "month": flights.month, "day": flights.day}
    clock = pd.to_timedelta(clock_minutes(flights.sched_dep_time), unit="min")
    return (pd.to_datetime(date) + clock).dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")


def _flight_ids(flights: pd.DataFrame) -> pd.Series:
    """Return date, carrier, number and origin as one key, unique in the year."""
    stamp = flights.month * 100 + flights.day
    days = {n: f"{YEAR}-{n // 100:02d}-{n % 100:02d}-" for n in stamp.unique()}
    number = "-" + flights.flight.astype(str) + "-"
    return stamp.map(days) + flights.carrier + number + flights.origin


def flight_times(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """Give every flight its key and its exact instants in UTC.

    Parameters
    ----------
    flights : DataFrame
        Raw flights of 2013: month, day, local clock readings hhmm, minutes of delay.
    airports : DataFrame
        `faa` and `tzone`, for the clocks at the destinations.

    Returns
    -------
    DataFrame
        The flights in their own order and index, with `flight_id`,
        `sched_dep_utc`, `sched_arr_utc`, `dep_utc` (null: cancelled), `arr_utc`
        (null: no landing whose instant is known) and `cancelled`, which nobody
        knew before departure.

    Raises
    ------
    ValueError
        If a column is missing, a destination has no time zone, or a clock reading
        is impossible; the message names the first row.
    """
    _require(flights, RAW, "flights")
    _require(airports, ["faa", "tzone"], "airports")
    zones = dict(zip(airports.faa, airports.tzone, strict=True)) | MISSING_ZONES
    zone = flights["dest"].map(zones)
    if zone.isna().any():
        row = zone.isna().idxmax()
        raise ValueError(
            f"dest {flights.dest[row]!r} (row {row}) has no time zone. "
            "Add it to airports, or to MISSING_ZONES."
        )
    sched_dep = _local_departure(flights).astype(UTC)
    dep = (sched_dep + pd.to_timedelta(flights.dep_delay, unit="min")).astype(UTC)
    earliest = (dep + pd.to_timedelta(flights.air_time, unit="min")).astype(UTC)
    return flights.assign(
        flight_id=_flight_ids(flights),
        sched_dep_utc=sched_dep,
        sched_arr_utc=next_clock(sched_dep, flights.sched_arr_time, zone),
        dep_utc=dep,
        arr_utc=next_clock(earliest, flights.arr_time, zone),
        cancelled=flights.dep_time.isna(),
    )


PLAN_LEAD, WEATHER_DELAY = pd.Timedelta(hours=24), pd.Timedelta(minutes=60)
COLUMNS = {
    "schedule": [*WHO, "distance", "sched_dep_utc", "sched_arr_utc"],
    "departures": [*WHO, "dep_delay"],
    "arrivals": [*WHO, "arr_delay", "air_time"],
    "weather": ["origin", *WEATHER],
}


def events(flights: pd.DataFrame, airports: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Turn flights into what was reported, and when.

    Parameters
    ----------
    flights, airports : DataFrame
        As for `flight_times`.

    Returns
    -------
    dict of DataFrame
        `schedule` (one row a flight, published PLAN_LEAD before departure),
        `departures` and `arrivals` (one row a report), each with `flight_id`,
        `event_time` and `available_at` in UTC. An arrival that states a clock but
        no `air_time` has no `event_time`; the contract sends it to quarantine.
    """
    table = flight_times(flights, airports)
    rows = {
        "schedule": table.assign(
            event_time=(table.sched_dep_utc - PLAN_LEAD).astype(UTC)
        ),
        "departures": table[table.dep_time.notna()].assign(event_time=table.dep_utc),
        "arrivals": table[table.arr_time.notna()].assign(event_time=table.arr_utc),
    }
    return {
        name: each[[*COLUMNS[name], "event_time"]].assign(available_at=each.event_time)
        for name, each in rows.items()
    }


def weather_events(weather: pd.DataFrame) -> pd.DataFrame:
    """Give every weather report its event time and the time it becomes known.

    Parameters
    ----------
    weather : DataFrame
        `origin`, `time_hour` (UTC, start of the hour) and the measurements.

    Returns
    -------
    DataFrame
        The measurements with `event_time` and `available_at` in UTC. The local
        month, day and hour are left out: they repeat in November.
    """
    _require(weather, [*COLUMNS["weather"], "time_hour"], "weather")
    hour = pd.to_datetime(weather["time_hour"], utc=True).astype(UTC)
    known = (hour + WEATHER_DELAY).astype(UTC)
    return weather[COLUMNS["weather"]].assign(event_time=hour, available_at=known)


TEXTS = {
    "flight_id": r"\d{4}-\d\d-\d\d-\w\w-\d+-[A-Z]{3}",
    "carrier": r"\w\w",
    "tailnum": r"\w+",
    "origin": "EWR|JFK|LGA",
    "dest": "[A-Z]{3}",
}
RANGES = {
    "flight": (1, 9999),
    "distance": (1, 12_000),
    "air_time": (1, 1440),
    "dep_delay": (-180, 2880),
    "arr_delay": (-180, 2880),
    "temp": (-40, 130),
    "dewp": (-60, 100),
    "humid": (0, 100),
    "wind_dir": (0, 360),
    "wind_speed": (0, 200),
    "wind_gust": (0, 200),
    "precip": (0, 10),
    "pressure": (870, 1090),
    "visib": (0, 100),
}
WHOLE = ("flight", "distance")
OPTIONAL = ("tailnum", *WEATHER)


def _match(texts: pd.Series, pattern: str) -> pd.Series:
    """Mark the texts that match; each distinct one is looked at once."""
    form = re.compile(pattern)
    distinct = (text for text in texts.unique() if isinstance(text, str))
    return texts.isin([text for text in distinct if form.fullmatch(text)])


def _column(name: str) -> Any:
    """Return the pandera column for a name that the course knows."""
    from pandera.pandas import Check, Column

    kind, rule = UTC, None
    if name in TEXTS:
        kind = "object"
        rule = Check(lambda texts: _match(texts, TEXTS[name]), error="is malformed")
    elif name in RANGES:
        low, high = RANGES[name]
        kind = "int64" if name in WHOLE else "float64"
        rule = Check.in_range(low, high, error=f"is outside {low} to {high}")
    return Column(kind, rule, nullable=name in OPTIONAL, coerce=name not in TEXTS)


ORDER = "is known before it happened"


@cache
def contract(table: str) -> Any:
    """Return the contract of a table: columns, types, ranges, order of the times.

    Parameters
    ----------
    table : str
        schedule, departures, arrivals or weather.

    Returns
    -------
    pandera.DataFrameSchema
        Its metadata names the `key`: the column that says what an event is about.

    Raises
    ------
    ValueError
        If the table has no contract.
    """
    from pandera.pandas import Check, DataFrameSchema

    if table not in COLUMNS:
        known = ", ".join(COLUMNS)
        raise ValueError(f"No contract for {table!r}, only for {known}. Pass schema=.")
    names = [*COLUMNS[table], "event_time", "available_at"]
    columns, key = {name: _column(name) for name in names}, {"key": names[0]}
    order = Check(lambda rows: ~(rows.available_at < rows.event_time), error=ORDER)
    return DataFrameSchema(columns, order, strict=True, name=table, metadata=key)


def _reasons(cases: pd.DataFrame) -> pd.Series:
    """Turn pandera's failure cases into one text a row, by position."""
    rule = cases.check.replace("not_nullable", "is missing")
    rule = rule.where(~rule.str.contains("dtype"), "has the wrong type")
    named = cases.column.where(rule != ORDER, "the event") + " " + rule
    texts = named.groupby(cases["index"].astype(int))
    return texts.agg(lambda found: "; ".join(sorted(set(found))))


def _validate(rows: pd.DataFrame, schema: Any) -> tuple[pd.DataFrame, pd.Series]:
    """Return rows in the contract's types, and the reason for each bad position."""
    from pandera.errors import SchemaErrors

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return schema.validate(rows, lazy=True), pd.Series(dtype=object)
    except SchemaErrors as error:
        cases = error.failure_cases
    if cases["index"].isna().all():
        what = f"{cases.column.iloc[0]} fails {cases.check.iloc[0]}"
        raise ValueError(f"The batch for {schema.name} as a whole: {what}.")
    return rows, _reasons(cases.dropna(subset=["index"]))


def _reject(batch: pd.DataFrame, reasons: Mapping[int, str]) -> pd.DataFrame:
    """Describe rejected rows: position, reason, and the row as it was delivered."""
    rows = sorted(reasons)
    raw = batch.iloc[rows].to_dict(orient="records")
    return pd.DataFrame(
        {
            "row": pd.Series(rows, dtype="int64"),
            "reason": pd.Series([reasons[row] for row in rows], dtype=object),
            "raw": pd.Series([json.dumps(r, default=str) for r in raw], dtype=object),
        }
    )


def screen(batch: pd.DataFrame, schema: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split a batch into rows that keep the contract and rows that break it.

    Parameters
    ----------
    batch : DataFrame
        The rows as delivered; the index is ignored.
    schema : pandera.DataFrameSchema
        As `contract` returns it.

    Returns
    -------
    accepted : DataFrame
        The good rows in the contract's columns and types; the index is the
        position in the batch.
    rejected : DataFrame
        `row` (position in the batch), `reason`, and `raw`, the row as JSON.

    Raises
    ------
    ValueError
        If a column is missing, unknown or of another type: no row of such a batch
        can be trusted.
    """
    names = list(schema.columns)
    _require(batch, names, f"The batch for {schema.name}")
    if extra := sorted(set(batch.columns) - set(names)):
        raise ValueError(
            f"The batch for {schema.name} has the unknown column {', '.join(extra)}. "
            "Drop it, or change the contract first."
        )
    good = batch[names].reset_index(drop=True)
    found: dict[int, str] = {}
    while True:
        checked, reasons = _validate(good, schema)
        if reasons.empty:
            break
        found |= reasons.to_dict()
        good = good.drop(index=reasons.index)
    return checked, _reject(batch[names], found)


def batch_digest(batch: pd.DataFrame) -> str:
    """Name a batch by its rows, in whatever order they come.

    Parameters
    ----------
    batch : DataFrame
        Any rows; the index is ignored, and so is the order of the columns.

    Returns
    -------
    str
        A sha256 in hex.
    """
    names = sorted(map(str, batch.columns))
    rows = pd.util.hash_pandas_object(batch[names], index=False)
    return _sha(json.dumps(names).encode() + np.sort(rows.to_numpy()).tobytes())


class Conflict(RuntimeError):
    """Another writer committed first; nothing of this batch is in the lake."""


class Damaged(RuntimeError):
    """A file of the lake is not what the log says; the message names it."""


def failpoint(name: str) -> None:
    """Send this process a signal, if the environment asks for it here.

    Tests set `FLIGHTLINE_FAILPOINT` to `name:SIGNAL`, such as `file-half:SIGKILL`,
    and so end a commit at any named step with a real `kill -9`.

    Parameters
    ----------
    name : str
        One of FAILPOINTS.
    """
    wanted, _, what = os.environ.get("FLIGHTLINE_FAILPOINT", "").partition(":")
    if wanted == name:
        sys.stderr.write(f"failpoint {name}\n")
        os.kill(os.getpid(), signal.Signals[what])


FAILPOINTS = (
    "start",
    "file-half",
    "file-draft",
    "file-named",
    "entry-half",
    "entry-draft",
    "entry-named",
)


def _sha(content: bytes) -> str:
    """Return the sha256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def _draft(folder: Path, content: bytes, what: str) -> Path:
    """Write a complete, synced draft; leave none behind if the disk refuses."""
    folder.mkdir(parents=True, exist_ok=True)
    path, half = folder / f".{uuid.uuid4().hex}.draft", len(content) // 2
    try:
        with path.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint(f"{what}-half")
            stream.write(content[half:])
            os.fsync(stream.fileno())
        failpoint(f"{what}-draft")
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path


def publish(draft: Path, path: Path) -> None:
    """Give a finished draft its final name, unless somebody took the name first.

    Parameters
    ----------
    draft : Path
        A complete file in the folder of `path`. It is gone afterwards.
    path : Path
        The final name.

    Raises
    ------
    Conflict
        If `path` exists; it is left as it is.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise Conflict(
            f"{path.parent.parent.name}: another writer committed {path.stem} first. "
            "Nothing of this batch is in the lake. Append it again."
        ) from None
    finally:
        draft.unlink()


def _sync(folder: Path) -> None:
    """Make the names in a folder, and its own, survive a power cut."""
    for place in (folder, folder.parent):
        handle = os.open(place, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def _entry(path: Path) -> tuple[Record, str]:
    """Read one log entry and its digest, or say that it is damaged."""
    try:
        stored = json.loads(path.read_bytes())
        entry, digest = stored["entry"], stored["sha256"]
        intact = digest == _sha(json.dumps(entry, sort_keys=True).encode())
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        name = f"{path.parent.parent.name}/_log/{path.name}"
        raise Damaged(f"{name} does not match its own digest. Restore it from a copy.")
    return entry, digest


def log(lake_dir: Path | str, table: str) -> list[Record]:
    """Read the entries of a table, oldest first, and verify their chain.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    table : str
        The table; one that does not exist yet has no entries.

    Returns
    -------
    list of dict
        One entry a version: `op`, `source`, `add`, `remove`, `reject`, counts.

    Raises
    ------
    Damaged
        If an entry is damaged or missing.
    """
    entries: list[Record] = []
    parent = ""
    for path in sorted((Path(lake_dir) / table / "_log").glob("*.json")):
        entry, digest = _entry(path)
        if entry["version"] != len(entries) + 1 or entry["parent"] != parent:
            raise Damaged(
                f"{table}/_log/{path.name} does not follow version {len(entries)}: an "
                "entry is missing or changed. Restore the log from a copy."
            )
        entries.append(entry | {"sha256": digest})
        parent = digest
    return entries


@dataclass
class Snapshot:
    """What one version of a table consists of.

    Attributes
    ----------
    version : int
        0 for a table that does not exist yet.
    oldest : int
        The first version that can still be read.
    by, key, columns
        How the table is cut, what its events are about, and its types.
    files, rejects : dict
        The records of data and quarantine files, by path.
    batches : dict
        The entry of each batch that was appended, by the digest of its rows.
    """

    root: Path
    version: int = 0
    oldest: int = 1
    parent: str = ""
    by: str = ""
    key: str = ""
    columns: list[list[str]] = field(default_factory=list)
    files: Record = field(default_factory=dict)
    rejects: Record = field(default_factory=dict)
    batches: Record = field(default_factory=dict)


def _latest(lake_dir: Path | str, table: str, as_of: int | None = None) -> Snapshot:
    """Fold the log up to a version; of a table without entries, give version 0."""
    state = Snapshot(Path(lake_dir) / table)
    for entry in log(lake_dir, table)[:as_of]:
        for name in ("version", "by", "key", "columns", "oldest"):
            setattr(state, name, entry[name])
        state.parent = entry["sha256"]
        state.files |= {record["path"]: record for record in entry["add"]}
        state.rejects |= {record["path"]: record for record in entry["reject"]}
        for path in entry["remove"]:
            del state.files[path]
        if entry["op"] == "append":
            state.batches[entry["batch"]] = entry
    return state


def snapshot(lake_dir: Path | str, table: str, as_of: int | None = None) -> Snapshot:
    """Return what a version consists of.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.
    as_of : int, optional
        A version from 1 on; the newest by default.

    Returns
    -------
    Snapshot

    Raises
    ------
    ValueError
        If the table or the version does not exist, or was expired.
    Damaged
        If the log is damaged.
    """
    newest = _latest(lake_dir, table)
    if newest.version == 0:
        known = sorted(path.parent.name for path in Path(lake_dir).glob("*/_log"))
        raise ValueError(f"The lake has no table {table!r}. It has: {known or 'none'}.")
    as_of = newest.version if as_of is None else as_of
    if as_of not in range(newest.oldest, newest.version + 1):
        span = f"{newest.oldest} to {newest.version}"
        raise ValueError(f"{table} has no version {as_of!r}, only {span}.")
    return _latest(lake_dir, table, as_of)


def _parquet(rows: pd.DataFrame, order: list[str]) -> bytes:
    """Return rows as a Parquet file; the same rows give the same bytes."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    # a text column without any text would get a type of its own
    kinds = [
        f.with_type(pa.string()) if f.type == pa.null() else f for f in table.schema
    ]
    table = table.cast(pa.schema(kinds)).sort_by(
        [(name, "ascending") for name in order]
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _write(state: Snapshot, folder: str, rows: pd.DataFrame) -> Record:
    """Write rows as one Parquet file named by its content, and describe it."""
    events = "event_time" in rows
    content = _parquet(rows, _order(state.key) if events else ["version", "row"])
    path = state.root / folder / f"{_sha(content)[:32]}.parquet"
    _draft(path.parent, content, "file").replace(path)  # same name, same bytes
    _sync(path.parent)
    failpoint("file-named")
    record = {"path": str(path.relative_to(state.root)), "sha256": _sha(content)}
    if events:
        low, high = rows.event_time.min(), rows.event_time.max()
        record |= {"start": low.isoformat(), "end": high.isoformat()}
    return record | {"rows": len(rows), "bytes": len(content)}


def write_parts(state: Snapshot, rows: pd.DataFrame) -> list[Record]:
    """Write accepted rows, one file a partition; nobody sees them before a commit.

    Parameters
    ----------
    state : Snapshot
        Says where, and how the table is cut.
    rows : DataFrame
        Rows that keep the contract.

    Returns
    -------
    list of dict
        A record for each file: path, sha256, rows, bytes, start and end.
    """
    unit = {"day": "D", "month": "M"}[state.by]
    stamps = rows.event_time.dt.tz_localize(None).to_numpy()
    parts = rows.groupby(stamps.astype(f"datetime64[{unit}]").astype(str))
    return [_write(state, f"data/{state.by}={part}", each) for part, each in parts]


def _order(key: str) -> list[str]:
    """Return the columns that identify an event row, in the order of reading."""
    return ["event_time", key, "available_at"]


def _receipt(table: str, entry: Record, new: bool) -> Commit:
    """Describe an append by its entry."""
    good = sum(record["rows"] for record in entry["add"])
    bad = sum(record["rows"] for record in entry["reject"])
    return Commit(table, entry["version"], good + bad, good, bad, new)


def _read_file(
    root: Path, record: Record, columns: list[str] | None = None
) -> pa.Table:
    """Read one file, from the very bytes whose digest was checked."""
    path = root / record["path"]
    content = path.read_bytes() if path.exists() else b""
    if _sha(content) != record["sha256"]:
        what = f"{len(content)} bytes do not match the {record['bytes']} in the log"
        raise Damaged(f"{root.name}/{record['path']}: {what}. Restore it from a copy.")
    return pq.read_table(pa.BufferReader(content), columns=columns)


def _overlapping(state: Snapshot, start: Any, end: Any) -> list[Record]:
    """Return the records of the files that may hold events from start to end."""
    return [
        record
        for record in state.files.values()
        if pd.Timestamp(record["start"]) <= end and pd.Timestamp(record["end"]) >= start
    ]


def _repeats(state: Snapshot, rows: pd.DataFrame) -> pd.Series:
    """Mark the rows that the lake, or the batch before them, holds already."""
    order = _order(state.key)
    repeated = rows.duplicated(order)
    near = _overlapping(state, rows.event_time.min(), rows.event_time.max())
    if near and len(rows):
        held = pa.concat_tables([_read_file(state.root, r, order) for r in near])
        known = pd.MultiIndex.from_frame(held.to_pandas()[order])
        repeated |= pd.MultiIndex.from_frame(rows[order]).isin(known)
    return repeated


def _settle(state: Snapshot, schema: Any, rows: pd.DataFrame, by: str | None) -> None:
    """Fix key, columns and partition with the first batch; hold later ones to them."""
    by, fixed = by or state.by or "month", (state.by,) if state.by else ("day", "month")
    if by not in fixed:
        raise ValueError(
            f"{schema.name}: by is {by!r}. It can be {' or '.join(fixed)}."
        )
    columns = [[name, str(kind)] for name, kind in rows.dtypes.items()]
    if state.columns not in ([], columns):
        was, now = dict(state.columns), dict(columns)
        raise ValueError(f"{schema.name}: the columns were {was}, and now are {now}.")
    state.by, state.columns = by, columns
    state.key = state.key or schema.metadata["key"]


def commit(state: Snapshot, op: str, **fields: Any) -> Record:
    """Publish the next entry: from here on the new version exists.

    Parameters
    ----------
    state : Snapshot
        The version that the change was prepared on.
    op : str
        append, compact or expire.
    **fields
        What the entry says besides: `add`, `remove`, `reject`, `source`.

    Returns
    -------
    dict
        The entry.

    Raises
    ------
    Conflict
        If somebody else made the next version meanwhile.
    """
    fixed = {name: getattr(state, name) for name in ("by", "key", "columns", "oldest")}
    lists: Record = {"source": "", "add": [], "remove": [], "reject": []}
    chain = {"version": state.version + 1, "parent": state.parent, "op": op}
    entry = {**fixed, **lists, **chain, **fields}
    digest = _sha(json.dumps(entry, sort_keys=True).encode())
    stored = json.dumps({"entry": entry, "sha256": digest}, sort_keys=True)
    folder = state.root / "_log"
    draft = _draft(folder, stored.encode(), "entry")
    publish(draft, folder / f"{entry['version']:08d}.json")
    _sync(folder)
    failpoint("entry-named")
    return entry


def append(
    lake_dir: Path | str,
    table: str,
    batch: pd.DataFrame,
    *,
    source: str = "",
    by: str | None = None,
    schema: Any = None,
) -> Commit:
    """Append a batch: the whole of it or nothing, and never twice.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake; it is made if it is missing.
    table : str
        The table; the first batch creates it.
    batch : DataFrame
        Rows with the columns of the contract. Bad rows go to quarantine, and so do
        rows whose key and times the lake holds already.
    source : str
        Where the batch comes from; kept in the log and beside quarantined rows.
    by : {"month", "day"}, optional
        How a new table is cut into partitions, by `event_time`.
    schema : pandera.DataFrameSchema, optional
        The contract of a table that the course does not know, with
        `metadata={"key": ...}`, `event_time` and `available_at`.

    Returns
    -------
    Commit
        `rows_in == accepted + quarantined`. If the lake holds the same rows from an
        earlier append, nothing changes, and `new` is False.

    Raises
    ------
    Conflict
        If another writer committed meanwhile. Append again.
    ValueError
        If the batch lacks a column, or has one too many.
    Damaged
        If the lake is damaged.
    """
    schema = contract(table) if schema is None else schema
    state, identity = _latest(lake_dir, table), batch_digest(batch)
    if identity in state.batches:
        return _receipt(table, state.batches[identity], new=False)
    failpoint("start")
    good, bad = screen(batch, schema)
    _settle(state, schema, good, by)
    twice = _repeats(state, good)
    known = dict.fromkeys(good.index[twice], "is in the lake already")
    bad = pd.concat([bad, _reject(batch[list(good)], known)], ignore_index=True)
    bad = bad.assign(source=source, version=state.version + 1)
    reject = [_write(state, "quarantine", bad)] if len(bad) else []
    add = write_parts(state, good[~twice])
    fields = {"batch": identity, "source": str(source), "add": add, "reject": reject}
    return _receipt(table, commit(state, "append", **fields), new=True)


EVER = (pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC"))


def _moment(value: Any, name: str) -> pd.Timestamp:
    """Return a moment with a time zone; refuse one without."""
    moment = pd.Timestamp(value)
    if moment.tzinfo is None:
        raise ValueError(f"{name} is {value!r}, without a time zone. Give it in UTC.")
    return moment


def read(
    lake_dir: Path | str,
    table: str,
    as_of: int | None = None,
    *,
    columns: list[str] | None = None,
    start: Any = EVER[0],
    end: Any = EVER[1],
) -> pd.DataFrame:
    """Read a version of a table.

    Parameters
    ----------
    lake_dir, table
        The lake's folder and the table.
    as_of : int, optional
        A version; the newest by default.
    columns : list of str, optional
        The columns to read; all by default.
    start, end : timestamp with a time zone, optional
        Keep events from `start` to `end`, both included. Files outside are not
        opened.

    Returns
    -------
    DataFrame
        In the order of `event_time`, key and `available_at`, whatever files the
        rows lie in. The same digests give an equal frame.

    Raises
    ------
    ValueError
        If the table, the version or a column does not exist.
    Damaged
        If a file is missing or changed; the message names it.
    """
    state = snapshot(lake_dir, table, as_of)
    types, order = dict(state.columns), _order(state.key)
    wanted = list(types) if columns is None else list(columns)
    _require(pd.DataFrame(columns=list(types)), wanted, table)
    low, high = _moment(start, "start"), _moment(end, "end")
    near, names = _overlapping(state, low, high), list({*wanted, *order})
    if not near:
        return pd.DataFrame({name: pd.Series(dtype=types[name]) for name in wanted})
    parts = pa.concat_tables([_read_file(state.root, r, names) for r in near])
    rows = parts.sort_by([(name, "ascending") for name in order]).to_pandas()
    inside = rows.event_time.between(low, high)
    return rows.loc[inside, wanted].reset_index(drop=True)


def files(lake_dir: Path | str, table: str, as_of: int | None = None) -> pd.DataFrame:
    """List the files of a version: path, sha256, rows, bytes, start and end.

    Parameters
    ----------
    lake_dir, table, as_of
        As for `read`.

    Returns
    -------
    DataFrame
        One row a file; `path` is relative to the folder of the table.
    """
    records = snapshot(lake_dir, table, as_of).files.values()
    names = ["path", "sha256", "rows", "bytes", "start", "end"]
    return pd.DataFrame(records, columns=names).sort_values("path", ignore_index=True)


def quarantine(
    lake_dir: Path | str, table: str, as_of: int | None = None
) -> pd.DataFrame:
    """Read the rows that were set aside.

    Parameters
    ----------
    lake_dir, table, as_of
        As for `read`.

    Returns
    -------
    DataFrame
        `version` and `source` of the batch, `row` (position in it), `reason`, and
        `raw`, the row as JSON.
    """
    state = snapshot(lake_dir, table, as_of)
    names = ["version", "source", "row", "reason", "raw"]
    parts = [_read_file(state.root, r, names) for r in state.rejects.values()]
    return pa.concat_tables(parts).to_pandas() if parts else pd.DataFrame(columns=names)


def tumble(
    events: pd.DataFrame, window: str = "1h", lateness: str = "10min"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count events in windows, as a stream reader does that sees them arrive.

    Parameters
    ----------
    events : DataFrame
        `event_time` and `available_at`, without nulls, in any order.
    window, lateness : str
        The length of a window, and how far the watermark stays behind the newest
        event time seen.

    Returns
    -------
    windows : DataFrame
        Indexed by `window_start`: `events`, and `closed_at`, the available time at
        which the window closed (null: still open).
    late : DataFrame
        The events that came after their window had closed.

    Raises
    ------
    ValueError
        If a column is missing or a time is null.
    """
    _require(events, ["event_time", "available_at"], "events")
    if events[["event_time", "available_at"]].isna().any(axis=None):
        raise ValueError("events holds a null time. Screen the rows first.")
    flow = events.sort_values(["available_at", "event_time"], kind="stable")
    newest = flow.event_time.cummax()
    start = flow.event_time.dt.floor(window).rename("window_start")
    due = start + pd.Timedelta(window) + pd.Timedelta(lateness)
    late = newest.shift() >= due  # the watermark had passed before this report came
    windows = start[~late].value_counts().sort_index().rename("events").to_frame()
    due = windows.index + pd.Timedelta(window) + pd.Timedelta(lateness)
    step = newest.searchsorted(due)  # the first report that pushes it past the end
    seen = [*flow.available_at, pd.NaT]
    return windows.assign(closed_at=[seen[at] for at in step]), flow[late]


def replay(
    tables: Mapping[str, pd.DataFrame],
    step: str = "1h",
    start: Any = None,
    end: Any = None,
) -> Iterator[tuple[pd.Timestamp, dict[str, pd.DataFrame]]]:
    """Replay tables on a simulated clock, in the order in which rows became known.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Each with `event_time` and `available_at`.
    step : str
        How far the clock moves at a time.
    start, end : timestamp with a time zone, optional
        Rows known at `start` or before are left out, as are rows known after
        `end`. By default the replay holds every row.

    Yields
    ------
    now : Timestamp
        The clock.
    news : dict of DataFrame
        For each table the rows that became known in `(now - step, now]`, in the
        order of `available_at`, then `event_time`; empty where there is no news.
    """
    for name, table in tables.items():
        _require(table, ["event_time", "available_at"], name)
    order = ["available_at", "event_time"]
    ordered = {
        n: table.sort_values(order, kind="stable") for n, table in tables.items()
    }
    known = pd.concat([table.available_at for table in ordered.values()])
    before = known.min().ceil(step) - pd.Timedelta(step)
    first = before if start is None else _moment(start, "start")
    last = known.max().ceil(step) if end is None else _moment(end, "end")
    clock = pd.date_range(first, last, freq=step).as_unit("us")
    cuts = {n: t.available_at.searchsorted(clock, "right") for n, t in ordered.items()}
    for tick, now in enumerate(clock[1:], start=1):
        yield (
            now,
            {
                name: table.iloc[cuts[name][tick - 1] : cuts[name][tick]]
                for name, table in ordered.items()
            },
        )
