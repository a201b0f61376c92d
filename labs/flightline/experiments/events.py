"""The metrics logger: exposures and outcomes are events in the lake.

An exposure says that a unit met its arm; an outcome, which comes hours later, may come
late, twice or corrected, or never. All of it is kept with the time at which it became
known, so that any past answer can be computed again. `joining` puts the two together.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from flightline import lake
from flightline.experiments.assignment import NULL_TEXTS
from flightline.experiments.experiment import TEXT_FIELDS, Experiment
from flightline.experiments.values import NUMBERS

if TYPE_CHECKING:
    from pandera.pandas import Column, DataFrameSchema

EXPOSURES = "exposures"
"""The lake's table of exposures, of all experiments."""

OUTCOMES = "outcomes"
"""The lake's table of outcomes, one row a unit and metric."""

TIMES = ["event_time", "available_at"]

EXPOSURE = ["event_id", "experiment", "unit_id", "arm", *TEXT_FIELDS, *TIMES]
"""The columns of an exposure; `event_id` is what the lake knows it by."""

OUTCOME = ["event_id", "unit_id", "metric", "value", *TIMES]
"""The columns of an outcome."""

ATTEMPTS = 100
"""How often a batch is offered again while other writers commit first."""


def log_exposures(
    lake_dir: Path | str, exposures: pd.DataFrame, experiment: Experiment
) -> lake.Commit:
    """Append exposures of an experiment to the lake.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    exposures : DataFrame
        `unit_id`, `arm`, `event_time` (with a time zone), and if they are known
        `available_at` (else the event's time) and the request's `carrier`, `origin`
        and `dest`. Leave out the units to which `assign` answers "".
    experiment : Experiment

    Returns
    -------
    lake.Commit
        How many rows are in, and how many were set aside with a reason (see
        `lake.quarantine`): no id, an arm that the experiment does not have, no time,
        known before it happened, in the lake already.

    Raises
    ------
    ValueError
        If a column is missing or of another type: no row can be trusted then.
    lake.Conflict
        If other writers came first a hundred times.
    """
    rows = _prepared(exposures, ["unit_id", "arm"], "exposures")
    for name in TEXT_FIELDS:
        given = name in exposures
        rows[name] = texts_of(exposures[name], name) if given else None
        rows[name] = rows[name].astype(object)
    rows["experiment"] = experiment.name
    rows["event_id"] = _joined_texts(rows, ["experiment", "arm", "unit_id"])
    return _append(lake_dir, rows[EXPOSURE], _exposures_contract(experiment.arms))


def log_outcomes(lake_dir: Path | str, outcomes: pd.DataFrame) -> lake.Commit:
    """Append outcomes to the lake.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    outcomes : DataFrame
        `unit_id`, `metric`, `value` (a finite number), `event_time` (with a time
        zone) and, if it differs, `available_at`. A correction has the event's time
        and a later `available_at`.

    Returns
    -------
    lake.Commit
        As for `log_exposures`; a value that is null or not finite is set aside.

    Raises
    ------
    ValueError, lake.Conflict
        As for `log_exposures`.
    """
    rows = _prepared(outcomes, ["unit_id", "metric"], "outcomes")
    must_have(outcomes, ["value"], "outcomes")
    rows["value"] = values_of(outcomes["value"])
    rows["event_id"] = _joined_texts(rows, ["metric", "unit_id"])
    return _append(lake_dir, rows[OUTCOME], _outcomes_contract())


def read_exposures(lake_dir: Path | str, experiment: str) -> pd.DataFrame:
    """Read the exposures of an experiment from the lake.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.
    experiment : str
        Its name.

    Returns
    -------
    DataFrame
        As `joined` takes them; no rows if nothing was logged yet.

    Raises
    ------
    lake.Damaged
        If the lake is damaged.
    """
    rows = _read(lake_dir, EXPOSURES, EXPOSURE)
    return rows[rows["experiment"] == experiment].reset_index(drop=True)


def read_outcomes(lake_dir: Path | str) -> pd.DataFrame:
    """Read all outcomes from the lake.

    Parameters
    ----------
    lake_dir : path
        The folder of the lake.

    Returns
    -------
    DataFrame
        As `joined` takes them; no rows if nothing was logged yet.

    Raises
    ------
    lake.Damaged
        If the lake is damaged.
    """
    return _read(lake_dir, OUTCOMES, OUTCOME)


def _read(lake_dir: Path | str, table: str, columns: list[str]) -> pd.DataFrame:
    """Read a table of the lake, or an empty one while there is none."""
    if not lake.log(lake_dir, table):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    return lake.read(lake_dir, table)


def must_be_a_table(table: object, name: str) -> None:
    """Refuse what has no columns."""
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"{name} is a {type(table).__name__}. Give a DataFrame.")


def must_have(table: pd.DataFrame, columns: list[str], name: str) -> None:
    """Refuse a table that lacks a column, or has one twice, and what is no table."""
    must_be_a_table(table, name)
    held = list(table.columns)
    for column in columns:
        if held.count(column) != 1:
            raise ValueError(
                f"{name} has {held.count(column)} columns {column!r} and needs one. It "
                f"has: {', '.join(map(str, held)) or 'none'}."
            )


def texts_of(column: pd.Series, name: str) -> pd.Series:
    """Return texts as objects, null as None; refuse anything else.

    Parameters
    ----------
    column : Series
        Texts of any type: objects, Arrow strings, categories.
    name : str
        For the message.

    Returns
    -------
    Series of object
        With an index from 0.
    """
    values = [None if null else value for value, null in
              zip(column.tolist(), column.isna(), strict=True)]  # fmt: skip
    for row, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise ValueError(
                f"{name} is {value!r} ({type(value).__name__}) in row {row}, no text. "
                "Write ids and names as str, the same way everywhere."
            )
    return pd.Series(values, dtype=object, name=name)


def times_of(column: pd.Series, name: str) -> pd.Series:
    """Return instants in UTC to the microsecond; refuse those without a time zone.

    Parameters
    ----------
    column : Series
        Datetimes with a time zone, of any unit; null stays null.
    name : str
        For the message.

    Returns
    -------
    Series of datetime64[us, UTC]
        With an index from 0.
    """
    if column.empty:
        return pd.Series([], dtype=lake.UTC, name=name)
    if getattr(getattr(column, "dt", None), "tz", None) is None:
        raise ValueError(
            f"{name} holds {column.dtype}, no times with a time zone. Use UTC."
        )
    return column.dt.tz_convert("UTC").astype(lake.UTC).reset_index(drop=True)


def values_of(column: pd.Series) -> pd.Series:
    """Return numbers as float64, null as NaN, true and false as 1 and 0.

    Parameters
    ----------
    column : Series
        Numbers of any type, nullable ones and categories too; infinite ones stay, so
        that the contract sets their rows aside and keeps the others.

    Returns
    -------
    Series of float64
        With an index from 0.
    """
    kind = column.dtype
    plain = pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)
    if not plain:
        column = column.astype(object)
    inside = pd.api.types.infer_dtype(column, skipna=True)
    if not (plain or inside in NUMBERS) or pd.api.types.is_complex_dtype(kind):
        raise ValueError(f"value holds {inside} ({kind}), no numbers. Give one a row.")
    values = column.to_numpy(dtype="float64", na_value=float("nan"))
    return pd.Series(values, name="value")


def _prepared(rows: pd.DataFrame, texts: list[str], name: str) -> pd.DataFrame:
    """Return texts and times of a batch in the lake's types."""
    must_have(rows, [*texts, "event_time"], name)
    found = pd.DataFrame({text: texts_of(rows[text], text) for text in texts})
    found["event_time"] = times_of(rows["event_time"], "event_time")
    found["available_at"] = found["event_time"]
    if "available_at" in rows:
        must_have(rows, ["available_at"], name)
        found["available_at"] = times_of(rows["available_at"], "available_at")
    return found


def _joined_texts(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    """Return what an event is about: one exposure or outcome among all others."""
    parts = [rows[name].fillna("") for name in names]
    return parts[0].str.cat(parts[1:], sep="|") if len(rows) else parts[0]


def is_an_id(values: pd.Series) -> pd.Series:
    """Mark the texts that identify somebody."""
    blank = values.str.strip() == ""
    return ~(blank | values.isin(NULL_TEXTS))


def _text_column(
    check: Callable[[pd.Series], pd.Series], error: str, nullable: bool = False
) -> "Column":
    """Return the pandera column of a text."""
    from pandera.pandas import Check, Column

    return Column("object", Check(check, error=error), nullable=nullable)


def _exposures_contract(arms: tuple[str, ...]) -> "DataFrameSchema":
    """Return the contract of exposures of an experiment with these arms."""
    columns = {
        "event_id": _text_column(is_an_id, "is no id"),
        "experiment": _text_column(is_an_id, "is no id"),
        "unit_id": _text_column(is_an_id, "is no id"),
        "arm": _text_column(lambda arm: arm.isin(arms), "is no arm of the experiment"),
    }
    for name in TEXT_FIELDS:
        columns[name] = _text_column(is_an_id, "is malformed", nullable=True)
    return _contract(EXPOSURES, columns)


def _outcomes_contract() -> "DataFrameSchema":
    """Return the contract of outcomes."""
    from pandera.pandas import Check, Column

    finite = Check(lambda value: value.abs() < float("inf"), error="is not finite")
    columns = {
        "event_id": _text_column(is_an_id, "is no id"),
        "unit_id": _text_column(is_an_id, "is no id"),
        "metric": _text_column(is_an_id, "is no id"),
        "value": Column("float64", finite),
    }
    return _contract(OUTCOMES, columns)


def _contract(name: str, columns: "dict[str, Column]") -> "DataFrameSchema":
    """Return a contract of the lake: columns, times, and what an event is about."""
    from pandera.pandas import Check, Column, DataFrameSchema

    times = {time: Column(lake.UTC) for time in TIMES}
    order = Check(
        lambda rows: ~(rows.available_at < rows.event_time),
        error="is known before it happened",
    )
    key = {"key": "event_id"}
    return DataFrameSchema(columns | times, order, strict=True, name=name, metadata=key)


def _append(
    lake_dir: Path | str, rows: pd.DataFrame, contract: "DataFrameSchema"
) -> lake.Commit:
    """Append a batch; offer it again while another writer commits first."""
    for _ in range(ATTEMPTS):
        try:
            return lake.append(lake_dir, contract.name, rows, schema=contract, by="day")
        except lake.Conflict as conflict:
            last = conflict
    raise last
