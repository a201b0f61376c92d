"""The lake: raw tables become events that are kept whole, in versions.

Departures, arrivals, plans and weather with exact times (`times`, `events`) and the
moment at which each became known; contracts and quarantine (`contracts`, `screening`);
append and read as of a version (`tables`, `log`); windows and replay (`stream`). Lab 03
builds the core. `upkeep` lists, compacts and expires versions, `erase` forgets, and
`backfill` corrects the past and counts the cost. `sealed` says which week nobody looks
at before the capstone, and `python -m flightline.lake` is the command line.
"""

from flightline.lake import upkeep
from flightline.lake.backfill import Backfill, backfill
from flightline.lake.commits import commit
from flightline.lake.contracts import (
    OPTIONAL,
    ORDER,
    RANGES,
    TEXTS,
    WHOLE,
    YEARS,
    contract,
)
from flightline.lake.core import (
    Conflict,
    draft,
    failpoint,
    publish,
)
from flightline.lake.erasure import Erasure, erase
from flightline.lake.events import (
    COLUMNS,
    PLAN_LEAD,
    WEATHER,
    WEATHER_DELAY,
    events,
    weather_events,
)
from flightline.lake.flights import known_flights
from flightline.lake.identity import batch_digest
from flightline.lake.log import (
    Damaged,
    Gone,
    LogEntry,
    Record,
    Snapshot,
    log,
    snapshot,
    tables,
)
from flightline.lake.parquet import write_parts
from flightline.lake.screening import screen
from flightline.lake.sealed import SEALED_FROM, SEALED_UNTIL, is_sealed
from flightline.lake.stream import choose_wait, is_late, replay, tumble
from flightline.lake.tables import (
    FAILPOINTS,
    Commit,
    append,
    files,
    quarantine,
    read,
)
from flightline.lake.times import (
    MISSING_ZONES,
    NEW_YORK,
    RAW,
    UTC,
    WHO,
    YEAR,
    clock_minutes,
    flight_times,
    next_clock,
)
from flightline.lake.upkeep import compact, expire, history, sources_of

__all__ = [
    "COLUMNS",
    "FAILPOINTS",
    "MISSING_ZONES",
    "NEW_YORK",
    "OPTIONAL",
    "ORDER",
    "PLAN_LEAD",
    "RANGES",
    "RAW",
    "SEALED_FROM",
    "SEALED_UNTIL",
    "TEXTS",
    "UTC",
    "WEATHER",
    "WEATHER_DELAY",
    "WHO",
    "WHOLE",
    "YEAR",
    "YEARS",
    "Backfill",
    "Commit",
    "Conflict",
    "Damaged",
    "Erasure",
    "Gone",
    "LogEntry",
    "Record",
    "Snapshot",
    "append",
    "backfill",
    "batch_digest",
    "choose_wait",
    "clock_minutes",
    "commit",
    "compact",
    "contract",
    "draft",
    "erase",
    "events",
    "expire",
    "failpoint",
    "files",
    "flight_times",
    "history",
    "is_late",
    "is_sealed",
    "known_flights",
    "log",
    "next_clock",
    "publish",
    "quarantine",
    "read",
    "replay",
    "screen",
    "snapshot",
    "sources_of",
    "tables",
    "tumble",
    "upkeep",
    "weather_events",
    "write_parts",
]
