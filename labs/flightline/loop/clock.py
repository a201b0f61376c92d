"""A simulated clock: which moments a run passes, and at which of them it decides."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from flightline.lake import NEW_YORK

START = pd.Timestamp("2013-04-01T04:00Z").as_unit("us")
"""The first moment of the stream: midnight in New York, a Monday."""

DAY = pd.Timedelta(days=1).as_unit("us")
WEEK = pd.Timedelta(weeks=1)


class Backwards(ValueError):
    """The clock shows less than it has shown before; nothing was done."""


class Tick(NamedTuple):
    """One step of the clock: what lies in (since, now] happens in it."""

    since: pd.Timestamp
    now: pd.Timestamp


@dataclass(frozen=True)
class Clock:
    """A clock that moves in equal steps from a start to an end.

    Parameters
    ----------
    start : Timestamp
        With a zone. Nothing before it is answered; the first model learns from it.
    end : Timestamp
        With a zone, not before the start. The last step ends here at the latest.
    step : Timedelta
        Positive. The start lies at New York's midnight in summer; in winter the same
        steps end at eleven in the evening, so that no day has 25 hours.

    Raises
    ------
    ValueError
        If a time has no zone, the step is not positive, or the end lies before the
        start.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    step: pd.Timedelta = DAY

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"{name}={getattr(self, name)} has no zone. Use UTC.")
        if not self.step > pd.Timedelta(0):
            raise ValueError(f"step={self.step}: the clock must move forward.")
        if self.end < self.start:
            raise ValueError(f"end={self.end} lies before start={self.start}.")

    def ticks(self, after: pd.Timestamp | None = None) -> Iterator[Tick]:
        """Yield the steps that follow a moment, in order.

        Parameters
        ----------
        after : Timestamp, optional
            The end of the last step that was done; by default none was.

        Yields
        ------
        Tick

        Raises
        ------
        Backwards
            If `after` lies behind the end: this clock has been there before.
        ValueError
            If `after` is no moment at which this clock stands.
        """
        since = self.start if after is None else after
        if since > self.end:
            raise Backwards(
                f"the clock would go back: it ends at {self.end}, and the run is at "
                f"{since} already. Take a later end."
            )
        off = (since - self.start) % self.step
        if since < self.start or off != pd.Timedelta(0):
            raise ValueError(
                f"{since} is no moment of a clock that starts at {self.start} and "
                f"moves by {self.step}. Was the run begun with another clock?"
            )
        while since < self.end:
            now = since + self.step
            if now > self.end:
                return  # a part of a step waits for the rest of it
            yield Tick(since, now)
            since = now


def decides(tick: Tick, start: pd.Timestamp) -> bool:
    """Tell whether a decision is due at the end of a step: a week is over.

    Parameters
    ----------
    tick : Tick
    start : Timestamp
        From when on weeks are counted.

    Returns
    -------
    bool
    """
    return bool((tick.now - start) // WEEK > (tick.since - start) // WEEK)


def day_of(times: pd.Series) -> pd.Series:
    """Return New York's date of some times, as text such as "2013-07-02".

    Parameters
    ----------
    times : Series of times
        With a zone.

    Returns
    -------
    Series of str
    """
    return times.dt.tz_convert(NEW_YORK).dt.strftime("%Y-%m-%d")
