"""Read what a running system leaves behind: its log, its counters, its feeds.

Findings have the columns `drift.CHECK`, ready for the metrics store:
`drift.write_metrics` keeps them, and `python -m flightline.drift dashboard`
draws them.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from prometheus_client.parser import text_string_to_metric_families
from scipy import stats

from flightline.drift.quality import CHECK
from flightline.drift.thresholds import rank_limits

REQUESTS = "flightline_requests_total"
"""The counter of answers, by `status`."""


def read_log(path: Path | str) -> pd.DataFrame:
    """Read a prediction log: one JSON object a line, as `flightline.serving` writes it.

    Parameters
    ----------
    path : path
        A file of JSON Lines. A last line without its end is being written, and is left
        out if it is torn.

    Returns
    -------
    DataFrame
        One row an answer; `time` in UTC. Other values are as they were written: an id
        of digits stays a text.

    Raises
    ------
    ValueError
        If a line is no JSON object with a time.
    """
    rows: list[dict[str, object]] = []
    lines = Path(path).read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8"))
        except ValueError as error:
            if number == len(lines):
                break
            raise ValueError(f"line {number} of {path} is no JSON: {error}.") from error
        if not isinstance(row, dict) or row.get("time") is None:
            raise ValueError(f"line {number} of {path} is no object with a time.")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path} holds no answer yet.")
    table = pd.DataFrame.from_records(rows)
    return table.assign(time=pd.to_datetime(table["time"], utc=True, format="ISO8601"))


def operations(log: pd.DataFrame, every: str = "1h") -> pd.DataFrame:
    """Summarise a prediction log by period; shadow answers are left out.

    Parameters
    ----------
    log : DataFrame
        With `time`, `latency_ms`, `source` and perhaps `shadow`: an answer that does
        not say so is live.
    every : str
        The length of a period.

    Returns
    -------
    DataFrame
        By period with answers: `answers`, `p50_ms`, `p99_ms`, `fallback_share`.
    """
    live = log
    if "shadow" in log:
        live = log[~log["shadow"].astype(object).eq(True).fillna(False).astype(bool)]
    fell = live["source"].eq("fallback")
    groups = live.assign(fell=fell).groupby(live["time"].dt.floor(every))
    return pd.DataFrame(
        {
            "answers": groups.size(),
            "p50_ms": groups["latency_ms"].median(),
            "p99_ms": groups["latency_ms"].quantile(0.99),
            "fallback_share": groups["fell"].mean(),
        }
    )


def against_history(
    table: pd.DataFrame, last: int, alpha: float = 0.05
) -> pd.DataFrame:
    """Hold the last periods of a table of metrics against those before them.

    Parameters
    ----------
    table : DataFrame
        Numbers, one row a period, indexed by time.
    last : int
        How many periods are new.
    alpha : float
        The highest false-alarm rate that is wanted, for each number and period.

    Returns
    -------
    DataFrame
        One row a metric and new period, with the columns CHECK; the subject is the
        time of the period.
    """
    if not 0 < last < len(table):
        raise ValueError(f"last={last} of {len(table)} periods: no history is left.")
    rows: list[list[object]] = []
    for name in table:
        limits = rank_limits(table[name].iloc[:-last], alpha)
        for time, value in table[name].iloc[-last:].items():
            found = not limits.low <= value <= limits.high
            when = f"{time:%Y-%m-%d %H:%M}"
            rows.append([str(name), when, float(value), *limits, found])
    return pd.DataFrame(rows, columns=CHECK)


def errors(
    before: str, after: str, *, allowed: float = 0.001, alpha: float = 0.01
) -> pd.DataFrame:
    """Judge the errors between two scrapes of the service's metrics.

    Parameters
    ----------
    before, after : str
        Prometheus text with `flightline_requests_total` by `status`. Series of other
        labels beside it (of models, of processes) are summed.
    allowed : float
        The share of errors (status 500 and over) that the objective allows.
    alpha : float
        The chance of an alarm while the objective is just met.

    Returns
    -------
    DataFrame
        One row with the columns CHECK. A process whose counter went back, told by its
        other labels, was started anew.

    Raises
    ------
    ValueError
        If no request came in between.
    """
    first, last = _requests(before), _requests(after)
    came = defaultdict[str, float](float)
    for labels, statuses in last.items():
        old = first.get(labels, {})
        anew = any(statuses.get(s, 0) < value for s, value in old.items())
        for status, value in statuses.items():
            came[status] += value - (0 if anew else old.get(status, 0))
    total = sum(came.values())
    if not 0 < total < np.inf:
        raise ValueError("no request between the two scrapes: nothing to judge.")
    failed = sum(value for status, value in came.items() if int(status) >= 500)
    most = float(stats.binom.ppf(1 - alpha, round(total), allowed))
    share = [failed / total, 0.0, most / total]
    row = ["error share", "service", *share, alpha, failed > most]
    return pd.DataFrame([row], columns=CHECK)


def _requests(text: str) -> Mapping[frozenset[tuple[str, str]], dict[str, float]]:
    """Return the counts by status, for each set of other labels."""
    found = defaultdict[frozenset[tuple[str, str]], dict[str, float]](dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            status = sample.labels.get("status", "")
            if sample.name != REQUESTS or not status.isdigit():
                continue
            rest = {k: v for k, v in sample.labels.items() if k != "status"}
            one = found[frozenset(rest.items())]
            one[status] = one.get(status, 0.0) + sample.value
    return found


def feed(
    arrived: pd.Series, now: pd.Timestamp, *, every: str = "1h", alpha: float = 0.05
) -> pd.DataFrame:
    """Check that rows keep coming: the age of the newest one, and how many came.

    Parameters
    ----------
    arrived : Series of times
        When each row became available; later than `now` does not count.
    now : Timestamp
        The moment of the check.
    every : str
        The time between two checks. History is looked at on the same grid.
    alpha : float
        The highest false-alarm rate of each check that is wanted.

    Returns
    -------
    DataFrame
        `age_h`, which can only be too high, and `rows` in the last period; with the
        columns CHECK. The rates hold as `drift.rank_limits` says.

    Raises
    ------
    ValueError
        If there is no history of four periods.
    """
    times = pd.DatetimeIndex(arrived[arrived <= now].sort_values())
    step = pd.Timedelta(every)
    if len(times) < 2 or now - times[0] < 4 * step:
        raise ValueError("feed needs a history of four periods. Wait, or check less.")
    back = np.arange(int((now - times[0]) / step))[::-1]
    grid = pd.DatetimeIndex([now - step * int(k) for k in back])
    until = times.searchsorted(grid, side="right")
    ages = np.asarray((grid - times[np.maximum(until - 1, 0)]) / pd.Timedelta("1h"))
    came = np.diff(until)
    old = rank_limits(ages[:-1], min(2 * alpha, 0.99))
    few = rank_limits(came[:-1], alpha)
    late = bool(ages[-1] > old.high)
    odd = not few.low <= came[-1] <= few.high
    rows = [
        ["age_h", "feed", ages[-1], np.nan, old.high, old.false_alarm / 2, late],
        ["rows", "feed", came[-1], *few, odd],
    ]
    return pd.DataFrame(rows, columns=CHECK)


def as_metrics(table: pd.DataFrame, alpha: float = 0.05) -> pd.DataFrame:
    """Bring what `drift.report` or `drift.worse` returned into the columns CHECK.

    Parameters
    ----------
    table : DataFrame
        By feature, or by metric.
    alpha : float
        The rate that the table was made with: of any false alarm for a report, of each
        side's half for a change.

    Returns
    -------
    DataFrame
        Metric "psi", with the threshold of the feature alone as the high limit, or
        metric "change".
    """
    if "psi" in table:
        made = {"metric": "psi", "value": table["psi"], "high": table["threshold"]}
        made |= {"low": np.nan, "found": table["drifted"]}
    else:
        made = {name: table[name] for name in ("value", "low", "high", "found")}
        made |= {"metric": "change"}
    rows = pd.DataFrame(made, index=table.index).assign(false_alarm=alpha)
    names = [str(name) for name in table.index]
    return rows.assign(subject=names)[CHECK].reset_index(drop=True)
