"""The counters and gauges of a run, as Prometheus scrapes them.

`python -m flightline.loop metrics FOLDER` prints them, for the textfile collector of a
node exporter or a small server; the rules of `rules.write` ask for these names.
"""

import time
from pathlib import Path

import pandas as pd
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from flightline.loop.alerts import LATENCY, LINES, QUALITY
from flightline.loop.journal import (
    NAME,
    last_tick,
    read_alerts,
    read_decisions,
    read_ticks,
    reading,
)
from flightline.loop.monitor import REFUSED, decided

AGE = "flightline_loop_age_hours"


def text(folder: Path | str, *, now_s: float | None = None) -> str:
    """Return the counters and gauges of a run in the text format of Prometheus.

    Parameters
    ----------
    folder : path
        The folder of a run.
    now_s : float, optional
        The time on the wall, in seconds since 1970, for the age of the last step: the
        moment at which the journal was written, not its simulated clock.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no run.
    """
    registry = CollectorRegistry()
    with reading(folder) as base:
        ticks = read_ticks(base)
        last, gauges = last_tick(base), decided(read_decisions(base))
        alerts = read_alerts(base)
    for name in (LATENCY.total, LATENCY.bad, QUALITY.total, QUALITY.bad):
        grown = sum(counts.get(name, 0) for counts in ticks["counts"])
        about = "Counted by the loop, over all steps."
        Counter(name.removesuffix("_total"), about, registry=registry).inc(grown)
    gauges[REFUSED] = float(ticks["refused"].iloc[-1]) if len(ticks) else 0.0
    raised = set(alerts.loc[alerts["at"] == last, "name"])
    written = (Path(folder) / NAME).stat().st_mtime
    at = time.time() if now_s is None else now_s
    gauges[AGE] = max(at - written, 0.0) / 3600
    for alert in LINES:
        value, about = gauges.get(alert.gauge), alert.meaning
        if value is None:  # the journal keeps that there were any, not how many
            value = float(alert.name in raised) * (alert.above + 1)
            about = f"{alert.meaning} (a flag: {alert.above + 1:g} or 0, no count)"
        Gauge(alert.gauge, about, registry=registry).set(value)
    clock = "The simulated clock, in seconds since 1970."
    shown = Gauge("flightline_loop_clock_seconds", clock, registry=registry)
    shown.set(last.timestamp() if isinstance(last, pd.Timestamp) else 0)
    return generate_latest(registry).decode()
