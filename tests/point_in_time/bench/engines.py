"""As-of joins of pandas, Polars and DuckDB, to time `join` beside.

Each engine does what its user would write: sort where it must, join, and put the rows
back into the order of the question. None of them knows a second clock, and none
promises which of two equal rows it takes: remove such ties first.
"""

from collections.abc import Sequence

import duckdb
import pandas as pd
import polars as pl

NO_PROGRESS_BAR = "SET enable_progress_bar = false"
"""In a notebook DuckDB shows a bar after two seconds, so on slow machines alone."""

ONE_THREAD: dict[str, str | bool | int | float | list[str]] = {"threads": 1}
"""DuckDB takes all cores unless told; the others use one."""


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
