"""As-of joins and time windows of pandas, Polars and DuckDB, to hold `join` against.

Each engine does what its user would write: sort where it must, join, and put the rows
back into the order of the question. None of them knows a second clock, and none
promises which of two equal rows it takes: remove such ties first, with
`last_of_equals`.
"""

from collections.abc import Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

NO_PROGRESS_BAR = "SET enable_progress_bar = false"
"""In a notebook DuckDB shows a bar after two seconds, so on slow machines alone."""

ONE_THREAD: dict[str, str | bool | int | float | list[str]] = {"threads": 1}
"""DuckDB takes all cores unless told; the others use one."""


def last_of_equals(rows: pd.DataFrame, by: Sequence[str], time: str) -> pd.DataFrame:
    """Keep the last row of each key and time.

    Parameters
    ----------
    rows : DataFrame
        In any order; the last of equal rows is kept.
    by : sequence of str
        The key columns.
    time : str
        The column of times.

    Returns
    -------
    DataFrame
        The rows that are left, in order of time.
    """
    kept = rows.drop_duplicates([*by, time], keep="last")
    return kept.sort_values(time, kind="stable")


def with_pandas(
    asks: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str], at: str, time: str
) -> pd.DataFrame:
    """Join with `pandas.merge_asof`.

    Parameters
    ----------
    asks, rows : DataFrame
        The questions, and the rows without ties, in any order.
    by : sequence of str
        The key columns, of the same names in both.
    at, time : str
        The columns of times in `asks` and in `rows`.

    Returns
    -------
    DataFrame
        The questions in their order, with the columns of the rows and `row_number`.
    """
    left = asks.reset_index(drop=True).reset_index(names="row_number")
    joined = pd.merge_asof(
        left.sort_values(at, kind="stable"),
        rows.sort_values(time, kind="stable"),
        left_on=at,
        right_on=time,
        by=list(by),
    )
    return joined.sort_values("row_number")


def with_polars(
    asks: pl.DataFrame, rows: pl.DataFrame, by: Sequence[str], at: str, time: str
) -> pl.DataFrame:
    """Join with `polars.DataFrame.join_asof`.

    Parameters
    ----------
    asks, rows : polars.DataFrame
        The questions, and the rows without ties, in any order.
    by, at, time
        As in `with_pandas`.

    Returns
    -------
    polars.DataFrame
        The questions in their order, with the columns of the rows and `row_number`.
    """
    left = asks.with_row_index("row_number").sort(at)
    joined = left.join_asof(
        rows.sort(time),
        left_on=at,
        right_on=time,
        by=list(by),
        strategy="backward",
        check_sortedness=False,
    )
    return joined.sort("row_number")


def with_duckdb(
    asks: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str], at: str, time: str
) -> pd.DataFrame:
    """Join with DuckDB's `ASOF JOIN`.

    Parameters
    ----------
    asks, rows, by, at, time
        As in `with_pandas`.

    Returns
    -------
    DataFrame
        The questions in their order, with the columns of the rows and `row_number`.
    """
    same = " AND ".join(f'l."{key}" = r."{key}"' for key in by)
    keys = ", ".join(f'"{key}"' for key in by)
    query = f"""
        SELECT l.*, r.* EXCLUDE ({keys})
        FROM (SELECT row_number() OVER () AS row_number, * FROM asks) l
        ASOF LEFT JOIN rows_ r ON {same} AND l."{at}" >= r."{time}"
        ORDER BY l.row_number"""
    with duckdb.connect(config=ONE_THREAD) as connection:
        connection.execute(NO_PROGRESS_BAR)
        connection.register("asks", asks)
        connection.register("rows_", rows)
        return connection.sql(query).df()


def by_filter(
    asks: pd.DataFrame, rows: pd.DataFrame, by: Sequence[str], at: str, time: str
) -> pd.DataFrame:
    """Join by filtering the whole table for every question: slow and plain.

    Parameters
    ----------
    asks, rows, by, at, time
        As in `with_pandas`; `rows` in order of time.

    Returns
    -------
    DataFrame
        The questions in their order and index, with the columns of the rows.
    """
    added = [name for name in rows.columns if name not in by]
    found = []
    for ask in asks[[*by, at]].itertuples(index=False):
        fits = rows[time] <= ask[-1]
        for key, value in zip(by, ask, strict=False):
            fits &= rows[key] == value
        known = rows.loc[fits, added]
        found.append(known.iloc[-1] if len(known) else pd.Series(index=added))
    return pd.concat([asks, pd.DataFrame(found).set_axis(asks.index)], axis=1)


def rolling_sums(
    events: pd.DataFrame, by: str, time: str, value: str, minutes: int
) -> dict[str, npt.NDArray[np.float64]]:
    """Sum the values of the minutes up to each event, with Polars and with DuckDB.

    Parameters
    ----------
    events : DataFrame
        In any order, with times in whole minutes.
    by, time, value : str
        The key column, the column of times and the column to add up.
    minutes : int
        The length of the window, which is open on the left.

    Returns
    -------
    dict of str to array of float64
        "Polars" and "DuckDB": one sum per event, in their order.
    """
    # SQL closes a window on both sides: one minute less is the same, in whole minutes
    query = f"""
        SELECT sum("{value}") OVER (PARTITION BY "{by}" ORDER BY "{time}"
            RANGE BETWEEN INTERVAL {int(minutes) - 1} MINUTE PRECEDING
            AND CURRENT ROW) AS total
        FROM (SELECT row_number() OVER () AS row_number, * FROM events)
        ORDER BY row_number"""
    with duckdb.connect(config=ONE_THREAD) as connection:
        connection.execute(NO_PROGRESS_BAR)
        connection.register("events", events)
        ranged = connection.sql(query).df()["total"]
    total = pl.col(value).rolling_sum_by(time, f"{minutes}m").over(by)
    rolled = pl.from_pandas(events[[by, time, value]]).with_row_index("row_number")
    rolled = rolled.sort(time).with_columns(total=total).sort("row_number")
    return {
        "Polars": rolled["total"].to_numpy(),
        "DuckDB": ranged.to_numpy(np.float64),
    }


def agree(left: pd.DataFrame, right: pd.DataFrame, columns: Sequence[str]) -> bool:
    """Return whether all cells of the columns are equal, nulls included.

    Parameters
    ----------
    left, right : DataFrame
        Rows in the same order; the index does not matter.
    columns : sequence of str
        Columns of times, numbers or text, in both.

    Returns
    -------
    bool
        False also where the numbers of rows differ.
    """
    if len(left) != len(right):
        return False
    pairs = ((left[name].array, right[name].array) for name in columns)
    return all(
        bool(np.all((a == b) | (pd.isna(a) & pd.isna(b))))
        for a, b in map(_comparable, pairs)
    )


def _comparable(
    pair: tuple[pd.api.extensions.ExtensionArray, pd.api.extensions.ExtensionArray],
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    """Return two columns as plain arrays; times of any zone as instants in UTC."""
    a, b = (
        np.asarray(side.tz_convert("UTC").tz_localize(None)).astype("datetime64[us]")
        if isinstance(getattr(side, "dtype", None), pd.DatetimeTZDtype)
        else np.asarray(side)
        for side in pair
    )
    return a, b
