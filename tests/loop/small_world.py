"""A small world for the loop: two carriers at one airport, in spring.

The raw rows are real; only fewer. A run of three weeks takes seconds.
"""

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pandas as pd
from flightline import loop
from labkit import data

START = pd.Timestamp("2013-03-25T04:00Z").as_unit("us")
DAY = pd.Timedelta(days=1)
WEEK = 7 * DAY
FIT = loop.Fit(rounds=20)
WEEKLY = loop.Schedule(1, START)


@cache
def small() -> loop.Source:
    """Return the feeds of March and April for Delta and Envoy at LaGuardia."""
    flights = data.load_flights(months=[3, 4])
    few = flights[(flights.origin == "LGA") & flights.carrier.isin(["DL", "MQ"])]
    weather = data.load_weather()
    return loop.source_of(few, data.load_airports(), weather[weather.origin == "LGA"])


def changed(feed: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> loop.Source:
    """Return the small world with one feed changed."""
    tables = dict(small().tables)
    return loop.Source({**tables, feed: change(tables[feed])})


def plan(**more: object) -> loop.Plan:
    """Return a cheap plan: twenty trees each week."""
    policy = more.pop("policy", loop.Policy("weekly", WEEKLY))
    return loop.Plan(policy, **{"fit": FIT, "start": START, **more})


def decisions(folder: Path) -> list[tuple[pd.Timestamp, str, Mapping[str, object]]]:
    """Read what a run has decided."""
    with loop.journal.reading(folder) as base:
        return loop.journal.read_decisions(base)


def outcomes(folder: Path) -> list[str]:
    """Return what the weekly decisions of a run came to."""
    found = [body.get("decision") for _, _, body in decisions(folder)]
    return [each["outcome"] for each in found if each]


def alerts(folder: Path) -> pd.DataFrame:
    """Read the alerts of a run."""
    with loop.journal.reading(folder) as base:
        return loop.journal.read_alerts(base)


def in_child(work: Callable[[], object], **environ: str) -> int:
    """Run something in a child process; return its exit status as `os.wait` gives it.

    Everything is imported already, so a child starts in milliseconds, and a kill hits
    what is to be tested.
    """
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    os.environ.update(environ)
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
