"""The year for the benches of the loop: tables with and without faults, and models."""

from functools import cache

import numpy as np
import pandas as pd
from flightline import features, lake, training
from flightline.features import BACKLOG, DEPARTURES
from flightline.loop.core import losses
from flightline.loop.fits import fit_at
from labkit import data

START = pd.Timestamp("2013-04-01 04:00", tz="UTC")
WEEK = pd.Timedelta(weeks=1)
FEED = [*DEPARTURES, *BACKLOG]
"""The features that come from reported departures."""


@cache
def raw():
    """Return flights with their times, and weather events."""
    flights = lake.flight_times(data.load_flights(), data.load_airports())
    return flights, lake.weather_events(data.load_weather())


def dated(table):
    """Add the local date of a flight."""
    local = table["sched_dep_utc"].dt.tz_convert(lake.NEW_YORK)
    return table.assign(day=local.dt.strftime("%Y-%m-%d"))


@cache
def year():
    """Return the features of every flight as they were known."""
    return dated(features.training_table(*raw()))


def silent(since, until):
    """Return the features if no departure is reported between two moments."""
    flights, weather = raw()
    lost = flights["dep_utc"].between(since, until)
    known = flights.assign(
        dep_utc=flights["dep_utc"].mask(lost), dep_delay=flights["dep_delay"].mask(lost)
    )
    return dated(features.training_table(known, weather))


def in_hours(since, until):
    """Return the features if delays of departure come in hours for a while."""
    flights, weather = raw()
    wrong = flights["dep_utc"].between(since, until)
    delay = flights["dep_delay"].where(~wrong, flights["dep_delay"] / 60)
    return dated(features.training_table(flights.assign(dep_delay=delay), weather))


def without(table, names):
    """Return a table whose columns of these names are null."""
    return table.assign(**dict.fromkeys(names, np.nan))


def asked(table, since, until):
    """Return the rows with a label that were asked for in (since, until]."""
    when = table["prediction_time"]
    return table[(when > since) & (when <= until) & table["late"].notna()]


def model_at(table, cut_off):
    """Return the full-size model of a cut-off."""
    return fit_at(table, cut_off)


def skill(model, rows):
    """Return log-loss and AUC of a model on some rows."""
    score, late = model.predict(rows), rows["late"].to_numpy(np.float64)
    return {
        "log_loss": float(losses(score, late).mean()),
        "auc": training.auc(score, late),
    }
