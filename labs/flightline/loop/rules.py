"""The same alerts for Prometheus: rules, and tests of rules for promtool.

Both are written from the definitions in `alerts`, so that what pages in the replay is
what pages in production. `promtool test rules` runs the tests without a server.
They agree to the minute with Prometheus 2, whose windows hold the sample at their
beginning; Prometheus 3 leaves it out, and extrapolates.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flightline.loop.alerts import (
    ALERTS,
    BurnAlert,
    LineAlert,
    above,
    burning,
)

RULES, TESTS = "flightline.rules.yml", "flightline.rules.test.yml"
"""The names of the files."""

RUNBOOK = Path(__file__).with_name("runbook.md")
"""What each alert means, where to look, and what to do."""

Alert = BurnAlert | LineAlert


def expression(alert: Alert) -> str:
    """Return the condition of an alert in Prometheus' language.

    Parameters
    ----------
    alert : BurnAlert or LineAlert

    Returns
    -------
    str
        `for` is not part of it.
    """
    if isinstance(alert, LineAlert):
        return f"{alert.gauge} > {alert.above:g}"
    bad, total = alert.objective.bad, alert.objective.total
    burn = " and ".join(
        f"sum(increase({bad}[{window}m])) / sum(increase({total}[{window}m]))"
        f" / (1 - {alert.objective.target:g}) > {alert.factor:g}"
        for window in (alert.long_min, alert.short_min)
    )
    # increase() extrapolates: 9.99 may stand for ten
    return f"{burn} and sum(increase({bad}[{alert.long_min}m])) > {alert.least - 0.5:g}"


def summary(alert: Alert) -> str:
    """Return one sentence that says why somebody was woken."""
    if isinstance(alert, LineAlert):
        return alert.meaning[0].upper() + alert.meaning[1:]
    objective = alert.objective
    return (
        f"The {objective.name} budget ({1 - objective.target:.0%} of answers in 30 "
        f"days) burns {alert.factor:g} times too fast"
    )


def anchor(alert: Alert) -> str:
    """Return where the run book speaks of an alert."""
    return f"runbook.md#{alert.name.lower()}"


def rules(alerts: Sequence[Alert] = ALERTS) -> str:
    """Return the rules as a file for Prometheus.

    Parameters
    ----------
    alerts : sequence of BurnAlert and LineAlert
        No two of one name.

    Returns
    -------
    str
        YAML.

    Raises
    ------
    ValueError
        If there is none, or two have one name.
    """
    names = [alert.name for alert in alerts]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"alerts={names}: give at least one, and no name twice.")
    lines = ["groups:", "  - name: flightline", "    rules:"]
    for alert in alerts:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {_quoted(expression(alert))}",
            f"        for: {alert.for_min if isinstance(alert, LineAlert) else 0}m",
            "        labels:",
            f"          severity: {alert.severity}",
            "        annotations:",
            f"          summary: {_quoted(summary(alert))}",
            f"          runbook: {_quoted(anchor(alert))}",
        ]
    return "\n".join(lines) + "\n"


def rule_tests(
    series: Mapping[str, npt.ArrayLike], alerts: Sequence[Alert] = ALERTS
) -> str:
    """Return a test for promtool: these alerts fire in the minutes that Python says.

    Parameters
    ----------
    series : mapping of str to array_like, shape (minutes,)
        By counter, what was counted in each minute; by gauge, its value. All of one
        length. What an alert needs and is not given is not there.
    alerts : sequence of BurnAlert and LineAlert

    Returns
    -------
    str
        YAML. Each minute is asked about each alert, from the first on whose windows
        are full.

    Raises
    ------
    ValueError
        If the lengths differ, or the minutes do not fill the windows.
    """
    lengths = {len(np.asarray(values)) for values in series.values()}
    if len(lengths) != 1:
        raise ValueError(f"series have {sorted(lengths)} minutes: give all the same.")
    minutes = lengths.pop()
    asked = [alert for alert in alerts if _given(alert, series)]
    longest = [a.long_min for a in asked if isinstance(a, BurnAlert)]
    if not asked or minutes <= max(longest, default=0):
        raise ValueError(
            f"{minutes} minutes of {', '.join(series)}: no alert can be asked about, "
            f"or its window is longer ({max(longest, default=0)} minutes)."
        )
    counters = {a.objective.bad for a in asked if isinstance(a, BurnAlert)}
    counters |= {a.objective.total for a in asked if isinstance(a, BurnAlert)}
    lines = [f"rule_files: [{RULES}]", "evaluation_interval: 1m", "tests:"]
    lines += ["  - interval: 1m", "    input_series:"]
    for name, values in series.items():
        shown = np.cumsum(values) if name in counters else np.asarray(values)
        lines += [f"      - series: {name}"]
        lines += [f"        values: {_quoted(' '.join(f'{v:.15g}' for v in shown))}"]
    lines += ["    alert_rule_test:"]
    for alert in asked:
        lines += _expected(alert, series, minutes)
    return "\n".join(lines) + "\n"


def write(
    folder: Path | str,
    series: Mapping[str, npt.ArrayLike] | None = None,
    alerts: Sequence[Alert] = ALERTS,
) -> list[Path]:
    """Write the rules of alerts, and tests of them, into a folder.

    Parameters
    ----------
    folder : path
        It is made if it is missing.
    series : mapping of str to array_like, optional
        As in `rule_tests`; without it, no test is written.
    alerts : sequence of BurnAlert and LineAlert

    Returns
    -------
    list of Path
        What was written. `promtool check rules` and `promtool test rules` read them.

    Raises
    ------
    ValueError
        As `rule_tests`.
    OSError
        If the disk refuses.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {RULES: rules(alerts)}
    if series is not None:
        texts[TESTS] = rule_tests(series, alerts)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def _given(alert: Alert, series: Mapping[str, npt.ArrayLike]) -> bool:
    """Tell whether an alert has what it needs."""
    if isinstance(alert, LineAlert):
        return alert.gauge in series
    return alert.objective.bad in series and alert.objective.total in series


def _expected(
    alert: Alert, series: Mapping[str, npt.ArrayLike], minutes: int
) -> list[str]:
    """Return what promtool shall find of an alert, minute by minute."""
    if isinstance(alert, LineAlert):
        fired, first = above(alert, series[alert.gauge]), 0
    else:
        counts = (series[n] for n in (alert.objective.bad, alert.objective.total))
        fired, first = burning(alert, *counts), alert.long_min
    lines = []
    for minute in range(first, minutes):
        lines += [f"      - eval_time: {minute}m", f"        alertname: {alert.name}"]
        if not fired[minute]:
            lines += ["        exp_alerts: []"]
            continue
        lines += [
            "        exp_alerts:",
            f"          - exp_labels: {{severity: {alert.severity}}}",
            "            exp_annotations:",
            f"              summary: {_quoted(summary(alert))}",
            f"              runbook: {_quoted(anchor(alert))}",
        ]
    return lines


def _quoted(text: str) -> str:
    """Return a text as YAML takes it whatever it holds."""
    return "'" + text.replace("'", "''") + "'"
