"""What a time to live gains in hits and loses in freshness, under popular traffic."""

import numpy as np
import pandas as pd
from flightline import latency, training
from labkit.latency.paired import auc_difference

FLIGHT = ["carrier", "flight", "origin", "dest"]
EARLIEST_H, LATEST_H = 6, 2
"""Flights are asked about so many hours before departure."""


def traffic(table, requests, *, exponent=1.0, seed=0):
    """Draw requests: popular flight numbers are asked about more often (Zipf).

    Parameters
    ----------
    table : DataFrame
        One row a flight.
    requests : int
        How many.
    exponent : float
        The k-th most popular flight number is asked about in proportion to
        `1 / k ** exponent`; which one that is, is drawn.
    seed : int

    Returns
    -------
    DataFrame
        `row` (place in the table), `lead_h` (hours before departure, 6 to 2, at which
        its features were renewed last) and `at_s` (the moment, within the hour after),
        in the order of time.
    """
    chance = np.random.default_rng(seed)
    groups = [rows for _, rows in table.reset_index().groupby(FLIGHT).indices.items()]
    order = chance.permutation(len(groups))
    weight = 1 / np.arange(1, len(groups) + 1) ** exponent
    numbers = order[chance.choice(len(groups), requests, p=weight / weight.sum())]
    rows = np.array([chance.choice(groups[number]) for number in numbers])
    lead_h = chance.integers(LATEST_H, EARLIEST_H + 1, requests)
    departs = table["sched_dep_utc"].astype("datetime64[us, UTC]").astype("int64")
    at_s = departs.to_numpy()[rows] / 1e6 - 3600 * (lead_h - chance.random(requests))
    found = pd.DataFrame({"row": rows, "lead_h": lead_h, "at_s": at_s})
    return found.sort_values("at_s", kind="stable", ignore_index=True)


def replay(asked, ttl_h):
    """Send requests through a cache on a clock of their own.

    Parameters
    ----------
    asked : DataFrame
        From `traffic`.
    ttl_h : float
        The time to live; zero is no cache.

    Returns
    -------
    hit_rate : float
    lead_h : array of int
        How many hours before departure the answer was computed that each request got.
    """
    now = 0.0
    cache = latency.PredictionCache(ttl_h * 3600, clock=lambda: now)
    served = []
    for row, lead_h, at_s in asked.itertuples(index=False):
        now = at_s
        found = cache.find(row)
        if found is None:
            found = lead_h
            cache.keep(row, found)
        served.append(found)
    return cache.hit_rate, np.array(served)


def price_of_ttl(aged, asked, table, ttls_h):
    """Say what each time to live gains in hits, and loses against fresh scores.

    Parameters
    ----------
    aged : DataFrame
        One row a flight, one column an age from 0 to 4 hours: the scores.
    asked : DataFrame
        From `traffic`.
    table : DataFrame
        The flights, with `late` and `sched_dep_utc`.
    ttls_h : sequence of float
        Hours; 0 is the control.

    Returns
    -------
    DataFrame
        One row a TTL. Ages count the hourly renewals that were missed; answers count,
        not flights, so that the AUC is weighted by popularity.
    """
    scores, row = aged.to_numpy(), asked["row"].to_numpy()
    lead_h = asked["lead_h"].to_numpy()
    late = training.labels(table)[row]
    day = table["sched_dep_utc"].dt.dayofyear.to_numpy()[row]
    fresh, rows = scores[row, lead_h - LATEST_H], []
    for ttl_h in ttls_h:
        hit_rate, served_h = replay(asked, ttl_h)
        got = scores[row, served_h - LATEST_H]
        gap = auc_difference(fresh, got, late, day, draws=1000)
        rows.append(
            {
                "ttl_h": ttl_h,
                "hit_rate": hit_rate,
                "age_h": float((served_h - lead_h).mean()),
                "off": float((np.abs(got - fresh) >= 0.1).mean()),
                "auc": training.auc(got, late),
                **gap,
            }
        )
    return pd.DataFrame(rows)
