# Do not edit: exported from labs/04_point_in_time.ipynb.
# Change the lab, then run `make export`.

"""Lab 04: point-in-time features."""

__all__ = [
    "Array",
    "as_of",
    "clock",
    "held_at",
    "latest_rows",
    "leaking_columns",
    "log_at",
    "number_keys",
    "rolling",
    "waiting",
]

from collections.abc import Callable

import numpy as np
import pandas as pd

Array = np.ndarray


def clock(times: pd.Series) -> Array:
    """Return times with a zone as an array of instants in UTC."""
    return np.asarray(times.dt.tz_convert(None))


def number_keys(
    asks: pd.DataFrame, rows: pd.DataFrame, by: str | list[str]
) -> tuple[Array, Array]:
    """Give the keys of questions and rows numbers; equal keys, equal numbers.

    A null key is -2 in a question and -1 in a row.
    """
    names = [by] if isinstance(by, str) else by
    both = pd.concat([asks[names], rows[names]], ignore_index=True)
    number = both.groupby(names, sort=False).ngroup().fillna(-1)
    at_code, code = np.split(number.to_numpy(np.int64), [len(asks)])
    return np.where(at_code < 0, -2, at_code), code


def latest_rows(
    code: Array, event: Array, available: Array, at_code: Array, at: Array
) -> Array:
    """Find the row to join for each question: its position, or -1.

    Rows have a key (`code`) and two times, questions a key (`at_code`) and a time.
    Among the rows of its key with both times at or before it, a question gets the one
    with the latest event; among equals the latest available; then the last row.
    """
    order = np.lexsort((available, event, code))  # from worse to better
    rank = np.argsort(order)
    key = np.append(code, at_code)
    time = np.append(np.maximum(event, available), at)
    is_question = np.repeat([False, True], [len(code), len(at)])
    line = np.lexsort((is_question, time, key))
    best = np.append(rank, np.full(len(at), -1))[line]
    best = np.maximum.accumulate(best)
    place = np.argsort(line)[len(code) :]  # where each question stands
    found = np.append(order, -1)[best[place]]
    own_key = np.append(code, -1)[found] == at_code
    return np.where(own_key, found, -1)


def as_of(
    asks: pd.DataFrame,
    rows: pd.DataFrame,
    by: str | list[str],
    event: str,
    available: str | None = None,
    ttl_hours: int | None = None,
) -> pd.DataFrame:
    """Return for each question the newest row that was known; nulls if none was.

    Without `available`, a row counts as known at its event.
    """
    at_code, code = number_keys(asks, rows, by)
    at, events = clock(asks["prediction_time"]), clock(rows[event])
    found = latest_rows(code, events, clock(rows[available or event]), at_code, at)
    if ttl_hours is not None:
        too_old = at - events[found] > np.timedelta64(ttl_hours, "h")
        found = np.where(too_old, -1, found)
    return rows.reset_index(drop=True).reindex(found).set_axis(asks.index)


def held_at(
    code: Array, opens: Array, gone: Array, value: Array, at_code: Array, at: Array
) -> tuple[Array, Array]:
    """Count the rows that each question's key holds at its time, and sum their values.

    A row comes in at `opens`, and goes out at `gone`, which is later. The sum starts
    anew where nothing is held: no value of another key, or of long ago, is in it.
    """
    rows, asked = len(code), len(at)
    kind = np.repeat([0, 1, 2], [rows, rows, asked])  # out, in, question
    time = np.concatenate([gone, opens, at])
    line = np.lexsort((kind, time, np.concatenate([code, code, at_code])))
    change = np.array([-1, 1, 0])[kind]
    amount = change * np.concatenate([value, value, np.zeros(asked)])
    count = np.cumsum(change[line])
    stretch = np.cumsum(count == 0) - (count == 0)  # zeros before this place
    total = pd.Series(amount[line]).groupby(stretch).cumsum().to_numpy()
    place = np.argsort(line)[2 * rows :]  # where each question stands
    return count[place], total[place]


def rolling(
    asks: pd.DataFrame,
    events: pd.DataFrame,
    by: str | list[str],
    event: str,
    value: str,
    hours: int,
    available: str | None = None,
) -> pd.DataFrame:
    """Return count, sum and mean of the known values in the hours before each question.

    A null value, or one without its times, does not count. An empty mean is null.
    """
    starts = clock(events[event])
    opens = np.maximum(starts, clock(events[available or event]))
    gone = starts + np.timedelta64(hours, "h")
    values = events[value].to_numpy(np.float64)
    kept = (opens < gone) & ~np.isnan(values)
    at_code, code = number_keys(asks, events, by)
    rows = code[kept], opens[kept], gone[kept], values[kept]
    count, total = held_at(*rows, at_code, clock(asks["prediction_time"]))
    table = pd.DataFrame({"count": count, "sum": total}, asks.index)
    return table.assign(mean=table["sum"] / table["count"])


def waiting(
    asks: pd.DataFrame, log: pd.DataFrame, by: str | list[str], hours: int = 6
) -> pd.Series:
    """Count the flights of the last hours that have not left, for each question."""
    opens = clock(log["sched_dep_utc"])
    gone = np.fmin(clock(log["dep_utc"]), opens + np.timedelta64(hours, "h"))
    kept = opens < gone  # the others left early, and never wait
    at_code, code = number_keys(asks, log, by)
    rows = code[kept], opens[kept], gone[kept], np.zeros(kept.sum())
    count, _ = held_at(*rows, at_code, clock(asks["prediction_time"]))
    return pd.Series(count, asks.index)


def log_at(log: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Return the log of flights as it stood at one moment: later outcomes are null."""
    left, landed = log["dep_utc"] <= now, log["arr_utc"] <= now
    ends = dict.fromkeys(["dep_utc", "dep_time", "dep_delay", "cancelled"], left)
    ends |= dict.fromkeys(["arr_utc", "arr_time", "arr_delay", "air_time"], landed)
    return log.assign(**{n: log[n].where(ends[n]) for n in ends if n in log})


def leaking_columns(
    build: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
    asks: pd.DataFrame,
    log: pd.DataFrame,
    now: pd.Timestamp,
) -> list[str]:
    """Name the features that change when what became known after `now` is taken away.

    `build` takes questions and a log, and returns one row for each question. Only
    questions with a `prediction_time` up to `now` can tell.
    """
    asked = asks[asks["prediction_time"] <= now]
    full = build(asked, log)
    then = build(log_at(asked, now), log_at(log, now))
    same = (full == then) | (full.isna() & then.isna())
    return [str(name) for name in full.columns[~same.all()]]
