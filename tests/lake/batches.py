"""Small batches for the tests of the lake."""

from typing import Any

import numpy as np
import pandas as pd
from flightline import lake
from pandera.pandas import Column, DataFrameSchema


def times(count: int, start: str = "2013-07-02T10:00") -> pd.DatetimeIndex:
    """Return minutes in a row, in UTC."""
    first = pd.Timestamp(start, tz="UTC")
    return pd.date_range(first, periods=count, freq="1min").as_unit("us")


def made(count: int = 3, **changes: Any) -> pd.DataFrame:
    """Return departures of 2 July, with some columns changed."""
    when = times(count)
    number = np.arange(count) + 1
    rows = pd.DataFrame(
        {
            "flight_id": [f"2013-07-02-B6-{n}-JFK" for n in number],
            "carrier": "B6",
            "flight": number,
            "tailnum": [f"N{n}JB" for n in number],
            "origin": "JFK",
            "dest": "BUR",
            "dep_delay": number * 3.0,
            "event_time": when,
            "available_at": when,
        }
    )
    return rows.assign(**changes)


def own(
    values: Any, dtype: Any = None, start: str = "2013-07-02T10:00"
) -> pd.DataFrame:
    """Return rows of a table of one's own, with these values."""
    column = pd.Series(values, dtype=dtype)
    when = times(len(column), start)
    who = [f"{start}-{n}" for n in range(len(column))]
    named = {"who": who, "value": column, "event_time": when, "available_at": when}
    return pd.DataFrame(named)


def own_contract(kind: Any, **more: Any) -> DataFrameSchema:
    """Return the contract of that table, with more columns perhaps."""
    columns = {"who": Column(str), "value": Column(kind, nullable=True)}
    columns |= {name: Column(lake.UTC) for name in ("event_time", "available_at")}
    columns |= more
    return DataFrameSchema(columns, strict=True, name="own", metadata={"key": "who"})
