"""Features for a request: from any source in time, or from the timetable alone."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import pandas as pd

from flightline.features import (
    CATEGORICAL,
    FEATURES,
    NUMERIC,
    VIEWS,
    OnlineSource,
    answer,
)
from flightline.serving.core import read_in_time
from flightline.serving.requests import NEW_YORK, Flight, frame_of
from flightline.serving.rows import Rows, Source, timetable_rows

LOGGER = logging.getLogger("flightline.serving")
Q = TypeVar("Q")
A = TypeVar("A")


class FeatureSource(Protocol):
    """Where features come from: an online store, a table, a fake.

    A source may also have `rows(flights)`, which returns `Rows` and spares a request
    the tables, and an attribute `blocks`, False if it never waits for anything. An
    unknown flight is a LookupError; every other exception is a failure of the source.
    """

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return FEATURES, one row a request; may raise, and may be slow."""


class TableFeatures:
    """Features from a table that holds them already, by `flight_id`.

    Parameters
    ----------
    table : DataFrame
        `flight_id`, once each, and FEATURES, as `features.training_table` returns.

    Raises
    ------
    ValueError
        If a column is missing, or a flight stands there twice.
    """

    blocks = False  # it never waits, so that it needs no thread

    def __init__(self, table: pd.DataFrame) -> None:
        missing = [n for n in ("flight_id", *FEATURES) if n not in table.columns]
        if missing:
            raise ValueError(f"the table of features lacks {', '.join(missing)}.")
        twice = table["flight_id"].duplicated()
        if twice.any():
            name = table["flight_id"][twice].iloc[0]
            raise ValueError(
                f"{twice.sum()} flights stand in the table of features more than once "
                f"(first: {name}). Keep one row of each."
            )
        self.at = {name: at for at, name in enumerate(table["flight_id"])}
        self.table = table[FEATURES].reset_index(drop=True)
        self._all = Rows.of(self.table)

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the requested flights; an unknown one is a KeyError."""
        return self.table.take([self.at[name] for name in requests["flight_id"]])

    def rows(self, flights: Sequence[Flight]) -> Rows:
        """Return the same rows without a table."""
        places = [self.at[flight.flight_id] for flight in flights]
        texts = [[values[at] for at in places] for values in self._all.texts]
        return Rows(texts, self._all.numbers[places])


def timetable_only(requests: pd.DataFrame) -> pd.DataFrame:
    """Return what the requests themselves tell; every other feature is missing.

    Parameters
    ----------
    requests : DataFrame
        As `frame_of` returns it.

    Returns
    -------
    DataFrame
        FEATURES, one row a request; what only the store knows is missing.
    """
    depart = requests["sched_dep_utc"]
    local = pd.DatetimeIndex(depart).tz_convert(NEW_YORK)
    block = (requests["sched_arr_utc"] - depart) / pd.Timedelta(minutes=1)
    known: dict[str, Any] = {name: requests[name] for name in CATEGORICAL}
    known |= {
        "minute_of_day": local.hour * 60 + local.minute,
        "weekday": local.dayofweek,
        "distance_mi": requests["distance"],
        "block_min": block,
    }
    return pd.DataFrame(
        {name: known.get(name, math.nan) for name in FEATURES}, index=requests.index
    )


class Breaker:
    """Stop asking a source that fails, and try it again after a rest.

    Parameters
    ----------
    failures : int
        So many in a row open the breaker.
    rest_s : float
        How long it stays open; then one call may try, and decides.
    """

    def __init__(self, failures: int = 5, rest_s: float = 0.5) -> None:
        self.failures, self.rest_s = failures, rest_s
        self.count, self.open_until = 0, -math.inf

    def allows(self, now: float) -> bool:
        """Return whether a call may go out now; a try after a rest is counted."""
        if self.count >= self.failures and now < self.open_until:
            return False
        self.open_until = (
            now + self.rest_s
        )  # while it is open, others wait for this one
        return True

    def record(self, ok: bool, now: float) -> None:
        """Tell how the call went."""
        self.count, self.open_until = (0 if ok else self.count + 1), now + self.rest_s


def _at_once(read: Callable[[Q], A]) -> Callable[[Q], Awaitable[A]]:
    """Return what asks a source that never waits."""

    async def ask(question: Q) -> A:
        return read(question)

    return ask


def _nothing(question: object) -> None:
    """Fall back to nothing: the caller of the guard knows what to do."""


class Guard:
    """Ask a source within a deadline, and stop asking while it fails.

    Parameters
    ----------
    deadline_s : float
        How long a request waits for it, in line or for its read.
    breaker : Breaker, optional
        When to stop asking.
    readers : int
        How many reads may run, or hang, at once: more than one only if the source
        has a connection for each.
    """

    def __init__(
        self, deadline_s: float, breaker: Breaker | None = None, readers: int = 1
    ) -> None:
        self.deadline_s, self.breaker = deadline_s, breaker or Breaker()
        self.pool = ThreadPoolExecutor(readers)

    async def ask(
        self,
        read: Callable[[Q], A],
        question: Q,
        *,
        blocks: bool = True,
        within_s: float = math.inf,
    ) -> A | None:
        """Return the answer, or None if there is none in time.

        Parameters
        ----------
        read : callable
            What asks the source. A LookupError is an answer, that it knows of no such
            thing: it is nobody's failure, and the breaker counts none.
        question
            What `read` takes.
        blocks : bool
            Whether it may wait, and so needs a thread.
        within_s : float
            How long the caller still waits, if that is less than the deadline.
        """
        began = time.monotonic()
        if not self.breaker.allows(began):
            return None
        limit_s = min(self.deadline_s, within_s)
        asked = self._in_thread(read) if blocks else _at_once(read)
        found = await read_in_time(asked, question, limit_s, _nothing)
        now = time.monotonic()
        hurry = within_s < self.deadline_s and now - began >= within_s
        # A caller in a hurry is no failure of the source; a source's own timeout is.
        if not (found.failure == "TimeoutError" and hurry):
            self.breaker.record(not found.failure, now)
        if found.failure:
            LOGGER.warning("features: %s", found.failure)
        return cast("A | None", found.features)

    def _in_thread(self, read: Callable[[Q], A]) -> Callable[[Q], Awaitable[A]]:
        """Return what asks in a thread of the pool."""
        loop = asyncio.get_running_loop()
        return lambda question: loop.run_in_executor(self.pool, read, question)

    def close(self) -> None:
        """Let go of the threads; a read that hangs is not waited for."""
        self.pool.shutdown(wait=False, cancel_futures=True)


class GuardedFeatures(Guard):
    """Read features within a deadline, or fall back to the timetable.

    Parameters
    ----------
    source : FeatureSource
        What is asked first: in a thread, unless its attribute `blocks` is False.
    deadline_s, breaker, readers
        As for `Guard`.
    """

    def __init__(
        self,
        source: FeatureSource,
        deadline_s: float = 0.05,
        breaker: Breaker | None = None,
        readers: int = 1,
    ) -> None:
        super().__init__(deadline_s, breaker, readers)
        self.source = source

    async def read(self, requests: pd.DataFrame) -> tuple[pd.DataFrame, Source]:
        """Return FEATURES as a table, and where they come from."""
        blocks = getattr(self.source, "blocks", True)
        table = await self.ask(self._read, requests, blocks=blocks)
        if table is None:
            return timetable_only(requests), "fallback"
        return table, "online"

    async def rows(
        self, flights: Sequence[Flight], within_s: float = math.inf
    ) -> tuple[Rows, Source]:
        """Return FEATURES as rows, and where they come from."""
        blocks = getattr(self.source, "blocks", True)
        found = await self.ask(self._rows, flights, blocks=blocks, within_s=within_s)
        if found is None:
            return timetable_rows(flights), "fallback"
        return found, "stale" if found.stale else "online"

    def _read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Ask the source, and do not trust the shape of what it returns."""
        table = self.source.read(requests)
        if len(table) != len(requests):
            raise ValueError(f"{len(table)} rows for {len(requests)} requests.")
        if list(table.columns) == FEATURES:
            return table
        if missing := [name for name in FEATURES if name not in table.columns]:
            raise ValueError(f"the source lacks {', '.join(missing)}.")
        return table[FEATURES]

    def _rows(self, flights: Sequence[Flight]) -> Rows:
        """Ask the source for rows, or for a table if that is all that it has."""
        rows = getattr(self.source, "rows", None)
        if rows is None:
            return Rows.of(self._read(frame_of(flights)))
        found: Rows = rows(flights)
        if found.numbers.shape != (len(flights), len(NUMERIC)):
            raise ValueError(f"{len(found)} rows for {len(flights)} requests.")
        return found


MOVING = [name for name, view in VIEWS.items() if view.ttl is not None]
"""The views whose values grow old."""


class StoreFeatures(OnlineSource):
    """Features from an online store, read once a request.

    Where no value that grows old is fresh, the store does not cover the flight's time:
    the rows are *stale*, whatever else it knows.
    """

    def rows(self, flights: Sequence[Flight]) -> Rows:
        """Return the rows of some flights, and whether the store covers their time."""
        requests = frame_of(flights)
        now = self.clock() if self.clock else None
        values, state = answer(self.store, requests, now=now)
        found = Rows.of(values)
        known = [name for name in MOVING if name in state]
        found.stale = not bool(np.any(state[known].to_numpy() == "fresh"))
        return found
