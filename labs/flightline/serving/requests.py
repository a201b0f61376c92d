"""What a caller may ask about: one scheduled flight, and how it becomes a table."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_CODES = """
ABQ ACK ALB ANC ATL AUS AVL BDL BGR BHM BNA BOS BQN BTV BUF BUR BWI BZN CAE CAK CHO CHS
CLE CLT CMH CRW CVG DAY DCA DEN DFW DSM DTW EGE EYW FLL GRR GSO GSP HDN HNL HOU IAD IAH
ILM IND JAC JAX LAS LAX LEX LGA LGB MCI MCO MDW MEM MHT MIA MKE MSN MSP MSY MTJ MVY MYR
OAK OKC OMA ORD ORF PBI PDX PHL PHX PIT PSE PSP PVD PWM RDU RIC ROC RSW SAN SAT SAV SBN
SDF SEA SFO SJC SJU SLC SMF SNA SRQ STL STT SYR TPA TUL TVC TYS XNA"""
DESTINATIONS = _CODES.split()
NEW_YORK = ZoneInfo("America/New_York")
# The last evening of 2013 in New York is the first morning of 2014 in UTC.
INSTANT = (
    "^(2013-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))|2014-01-01)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
)
EXAMPLE = {
    "carrier": "B6",
    "flight": 523,
    "origin": "JFK",
    "dest": "LAX",
    "distance": 2475,
    "sched_dep_utc": "2013-07-03T00:49:00Z",
    "block_min": 359,
}
_KNOWN = frozenset(DESTINATIONS)
_WHOLE_INSTANT = re.compile(INSTANT[:-1])


def _destination(value: object) -> str:
    """Return a destination that the timetable knows."""
    if not isinstance(value, str) or value not in _KNOWN:
        raise ValueError("is no destination of this service, such as LAX or ORD")
    return value


def _instant(value: object) -> datetime:
    """Return an instant of the service's year, from its text in UTC."""
    if not isinstance(value, str) or not _WHOLE_INSTANT.fullmatch(value):
        raise ValueError("is no instant of 2013 in UTC, such as 2013-07-03T00:49:00Z")
    return datetime.fromisoformat(value)


def _whole(value: object) -> object:
    """Return 245.0 as 245: JSON does not tell them apart. The rest is left as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Code = Annotated[
    str,
    BeforeValidator(_destination),
    WithJsonSchema({"type": "string", "enum": DESTINATIONS}),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "pattern": INSTANT}),
]
Whole = Annotated[int, BeforeValidator(_whole)]


class Flight(BaseModel):
    """One scheduled flight, two hours before it leaves; other fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    carrier: str = Field(pattern="^[A-Z0-9]{2}$", examples=["B6"])
    flight: Whole = Field(ge=1, le=9999, examples=[523])
    origin: Literal["EWR", "JFK", "LGA"]
    dest: Code
    distance: float = Field(ge=1, le=12_000, description="miles", examples=[2475])
    sched_dep_utc: Instant
    block_min: Whole = Field(
        ge=15, le=1440, description="scheduled minutes, gate to gate"
    )
    tailnum: object = Field(
        default=None,
        exclude=True,
        deprecated=True,
        description="ignored: nobody knows two hours before which aircraft will fly",
    )

    @cached_property
    def departs_local(self) -> datetime:
        """The scheduled departure on the clocks of New York."""
        return self.sched_dep_utc.astimezone(NEW_YORK)

    @cached_property
    def flight_id(self) -> str:
        """The flight's name: local day, carrier, number and origin."""
        day = self.departs_local.date().isoformat()
        return f"{day}-{self.carrier}-{self.flight}-{self.origin}"


def frame_of(flights: Iterable[Flight]) -> pd.DataFrame:
    """Return flights as a table, as sources that read tables expect them.

    Parameters
    ----------
    flights : iterable of Flight

    Returns
    -------
    DataFrame
        One row a flight: what was asked, `flight_id`, and `sched_arr_utc`.
    """
    rows = list(flights)
    asked = ("carrier", "flight", "origin", "dest", "distance")
    table = {name: [getattr(row, name) for row in rows] for name in asked}
    departs = [row.sched_dep_utc for row in rows]
    arrives = [row.sched_dep_utc + timedelta(minutes=row.block_min) for row in rows]
    # Columns are made one by one: a third of the time that pandas needs to guess types.
    for name, instants in {"sched_dep_utc": departs, "sched_arr_utc": arrives}.items():
        table[name] = pd.DatetimeIndex(instants, tz="UTC").as_unit("us")
    table["flight_id"] = [row.flight_id for row in rows]
    return pd.DataFrame(table)


def request_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a request for one row of the lake's schedule.

    Parameters
    ----------
    row : mapping
        A row of `lake.flight_times` or of the table `schedule`, as a dict.

    Returns
    -------
    dict
        What `Flight` accepts, ready for `json.dumps`.
    """
    body = {name: row[name] for name in ("carrier", "flight", "origin", "dest")}
    block = (row["sched_arr_utc"] - row["sched_dep_utc"]) / timedelta(minutes=1)
    instant = f"{row['sched_dep_utc']:%Y-%m-%dT%H:%M:%SZ}"
    return body | {
        "distance": float(row["distance"]),
        "sched_dep_utc": instant,
        "block_min": round(block),
    }
