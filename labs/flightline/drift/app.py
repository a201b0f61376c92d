"""Compare two tables in a pipeline, and draw what the metrics store holds.

`python -m flightline.drift compare REFERENCE CURRENT --html drift.html` reads two
Parquet or CSV files, prints the alerts, and can write a page, a file for Prometheus and
rows for a metrics store. `python -m flightline.drift dashboard STORE --html PAGE`
draws the store. The pages need no network.

Exit codes: 0, nothing found; 1, at least one alert, each with its next step; 2, no
answer: a file cannot be read or compared, or the arguments are wrong. The step is to
investigate, to retrain, or to continue: the labels show no harm, so that the model
stays as it is, but somebody still has to name what moved.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from flightline.drift import core, watch

CONTINUE, ALERT, FAILED = 0, 1, 2

JUDGED = ["gap", "auc"]
"""What decides whether a model is worse; half of alpha goes to each."""

STEPS = {
    "continue": "Nothing was found: nothing to do.",
    "investigate": "Ask the owner of the feed what changed, before anybody retrains.",
    "retrain": "No data check failed and the model is worse: rule out a broken feed "
    "among the alerts, then train it on newer rows.",
}

HARMLESS = (
    "The labels show no harm: leave the model as it is. They do not say what moved: "
    "ask the owner of the feed."
)
"""What to continue means after an alert."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --page: #ffffff; --muted: #525c6a;
  --line: #c3cad3; --dot: #0072b2; --limit: #b34a00; --bar: #9ccdea; --now: #e69f00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --page: #14181e;
  --muted: #b3bcc8; --line: #4a5461; --dot: #56b4e9; --limit: #f08a3c; --bar: #2d6f99;
  --now: #e69f00; } }
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 60rem; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
caption { color: var(--muted); text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem;
  text-align: right; }
th:first-child, td.text, th.text { text-align: left; }
svg { display: block; height: auto; max-width: 100%; }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif; }
svg .axis { stroke: var(--line); }
svg .limit { stroke: var(--limit); stroke-width: 2.5; }
svg .dot { fill: var(--dot); }
svg .before { fill: var(--bar); }
svg .now { fill: var(--now); }
svg .track { fill: none; stroke: var(--dot); stroke-width: 2; }
svg .out { fill: var(--limit); }
.step { border-left: .4rem solid var(--limit); padding-left: .8rem; }
"""


@dataclass(frozen=True)
class Alert:
    """One finding: which feature, what was seen, and what to do next."""

    feature: str
    evidence: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.next_step.upper()} {self.feature}: {self.evidence}"


@dataclass(frozen=True)
class Finding:
    """All that one comparison found.

    Parameters
    ----------
    report, quality : DataFrame
        What `drift.report` and `drift.quality` returned.
    change : DataFrame or None
        What `drift.worse` returned; None without labels.
    alpha : float
        The false-alarm rate that they were made with.
    made : mapping of str to Column
        The bins of the reference, for the figures.
    after : DataFrame
        The current sample, for the figures.
    """

    report: pd.DataFrame
    quality: pd.DataFrame
    change: pd.DataFrame | None
    alpha: float
    made: Mapping[str, core.Column]
    after: pd.DataFrame

    @property
    def worse(self) -> bool | None:
        """Whether calibration or ranking got worse; None without labels."""
        if self.change is None:
            return None
        return bool(self.change.loc[JUDGED, "found"].any())

    @property
    def broken(self) -> bool:
        """Whether a data check found a fault, or a column cannot be compared."""
        lost = self.report["drifted"] & self.report["psi"].isna()
        return bool(self.quality["found"].any() or lost.any())

    @property
    def next_step(self) -> str:
        """What to do about all of it."""
        drifted = bool(self.report["drifted"].any())
        return core.next_step(self.broken, drifted, self.worse)

    @property
    def advice(self) -> str:
        """What the next step means, in a sentence or two."""
        harmless = self.next_step == "continue" and self.alerts()
        return HARMLESS if harmless else STEPS[self.next_step]

    def alerts(self) -> list[Alert]:
        """Return a line for each finding; none if nothing was found."""
        found = [
            Alert(row.subject or "the table", _said(row), "investigate")
            for row in self.quality[self.quality["found"]].itertuples()
        ]
        known = {alert.feature for alert in found}
        step = "investigate" if self.worse is None or self.broken else self.next_step
        for name, row in self.report[self.report["drifted"]].iterrows():
            evidence = str(row["evidence"])
            if not np.isnan(row["psi"]):
                evidence = (
                    f"PSI {row['psi']:.3f}, threshold {row['threshold']:.3f}, "
                    f"adjusted p {row['adjusted']:.3g}; {evidence}"
                )
            elif name in known:
                continue
            found.append(Alert(str(name), evidence, step))
        if self.change is not None:
            judged = self.change.loc[JUDGED]
            for name, row in judged[judged["found"]].iterrows():
                span = f"{row['low']:+.3f} to {row['high']:+.3f}"
                text = f"changed by {row['value']:+.3f} ({span})"
                found.append(Alert(f"the model's {name}", text, self.next_step))
        return found


def _said(row: object) -> str:
    """Put one data check into words."""
    metric, value, high = (getattr(row, name) for name in ("metric", "value", "high"))
    if metric in ("missing column", "new column", "changed type", "rows"):
        return metric if metric != "rows" else "no rows came"
    low = getattr(row, "low")  # noqa: B009
    return f"{metric} {value:.2%}, limits {low:.2%} to {high:.2%}"


def compare(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    blocks: str | None = None,
    bins: int = 10,
    alpha: float = 0.05,
    score: str = "score",
    label: str = "late",
) -> Finding:
    """Run every check that two tables allow.

    Parameters
    ----------
    reference, current : DataFrame
        Features, and perhaps a score, a label and a column of blocks. Columns of times
        are left out.
    blocks : str, optional
        As in `drift.report`. Performance is judged only with blocks, a score and
        labels of seven days on both sides.
    bins, alpha : int, float
        As in `drift.report`.
    score, label : str
        Names of columns that may be there. The label is no feature.

    Returns
    -------
    Finding

    Raises
    ------
    ValueError
        If the reference has no rows, or `blocks` is no column of both.
    """
    times = [
        name
        for table in (reference, current)
        for name in table.select_dtypes(["datetime", "datetimetz", "timedelta"])
    ]
    before, after = (
        table.drop(columns=[n for n in {*times, label} if n in table])
        for table in (reference, current)
    )
    plain = [
        table.drop(columns=blocks or [], errors="ignore") for table in (before, after)
    ]
    checks = core.quality(before, after, alpha=alpha, blocks=blocks)
    if not len(current):
        empty = pd.DataFrame(columns=core.REPORT)
        return Finding(empty, checks, None, alpha, {}, after)
    table = core.report(before, after, bins=bins, alpha=alpha, blocks=blocks)
    change = None
    if blocks and all({score, label} <= set(t) for t in (reference, current)):
        labelled = [t[t[label].notna()] for t in (reference, current)]
        if all(t[blocks].nunique() >= 7 for t in labelled):
            rate = float(labelled[0][label].astype(float).mean())
            change = core.worse(
                *labelled,
                base_rate=rate,
                alpha=alpha,
                score=score,
                label=label,
                blocks=blocks,
            )
    return Finding(table, checks, change, alpha, core.profile(plain[0], bins), after)


# --- Prometheus -----------------------------------------------------------------------


def prometheus(finding: Finding) -> str:
    """Return a comparison as gauges in the text format of Prometheus.

    Parameters
    ----------
    finding : Finding
        What `compare` returned.

    Returns
    -------
    str
        For the textfile collector, or a scrape. A value that is not defined is left
        out.
    """
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"flightline_drift_{name}", text, labels, registry=registry)

    for column, text in (
        ("psi", "Population stability index."),
        ("threshold", "PSI that chance exceeds at the false-alarm rate."),
        ("adjusted", "P-value, corrected for many features."),
        ("drifted", "1 if the feature drifted."),
    ):
        one = gauge(column, text, "feature")
        for name, value in finding.report[column].astype(float).dropna().items():
            one.labels(str(name)).set(value)
    checks = gauge("quality_value", "Value of a data check.", "check", "column")
    found = gauge("quality_found", "1 if the check found a fault.", "check", "column")
    for row in finding.quality.itertuples():
        checks.labels(row.metric, row.subject).set(row.value)
        found.labels(row.metric, row.subject).set(float(row.found))
    if finding.change is not None:
        change = gauge("performance_change", "Change; of a gap, its size.", "metric")
        for name, value in finding.change["value"].items():
            change.labels(str(name)).set(value)
    gauge("false_alarm_rate", "Rate that each family is set to.").set(finding.alpha)
    gauge("alerts", "Number of alerts.").set(len(finding.alerts()))
    step = gauge("next_step", "1 for the step that is due.", "step")
    for name in STEPS:
        step.labels(name).set(float(name == finding.next_step))
    return generate_latest(registry).decode()


# --- pages ----------------------------------------------------------------------------


def _page(title: str, *parts: str) -> str:
    """Return a page that needs nothing else."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body><main><h1>{escape(title)}</h1>\n"
        + "\n".join(parts)
        + "\n</main></body></html>\n"
    )


def _cell(value: object) -> str:
    """Return one cell of a table."""
    if isinstance(value, bool | np.bool_):
        return f'<td class="text">{"yes" if value else "no"}</td>'
    if isinstance(value, int | float | np.number):
        return f"<td>{'' if np.isnan(value) else f'{value:.4g}'}</td>"
    return f'<td class="text">{escape(str(value))}</td>'


def _table(caption: str, table: pd.DataFrame, first: str) -> str:
    """Return a table as HTML, with its index as row headings."""
    heads = "".join(
        f'<th scope="col" class="text">{escape(str(n))}</th>' for n in [first, *table]
    )
    rows = "".join(
        f'<tr><th scope="row" class="text">{escape(str(name))}</th>'
        + "".join(_cell(value) for value in row)
        + "</tr>"
        for name, row in zip(table.index, table.itertuples(index=False), strict=True)
    )
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _svg(width: int, height: int, title: str, text: str, body: str) -> str:
    """Return a figure that a screen reader can tell."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(text)}">'
        f"<title>{escape(title)}</title><desc>{escape(text)}</desc>{body}</svg>"
    )


def plot_ratios(report: pd.DataFrame) -> str:
    """Draw the PSI of each feature over its threshold, on a logarithmic axis."""
    known = report[report["threshold"].notna()]
    known = known.assign(ratio=known["psi"] / known["threshold"]).sort_values("ratio")[
        ::-1
    ]
    if known.empty:
        return "<p>No feature could be compared.</p>"
    place = np.clip(np.log10(known["ratio"].clip(lower=1e-3)), -2, 3)
    height, zero = 24 * len(known) + 50, 240 + 2 * 80
    parts = [
        f'<line class="limit" x1="{zero}" y1="24" x2="{zero}" y2="{height - 20}"/>'
    ]
    parts.append(f'<text x="{zero}" y="16" text-anchor="middle">threshold</text>')
    for k, (name, x) in enumerate(place.items()):
        y = 42 + 24 * k
        parts.append(
            f'<text x="228" y="{y + 5}" text-anchor="end">{escape(str(name))}</text>'
            f'<line class="axis" x1="240" y1="{y}" x2="640" y2="{y}"/>'
            f'<circle class="{"out" if known.loc[name, "drifted"] else "dot"}" '
            f'cx="{240 + (x + 2) * 80:.1f}" cy="{y}" r="6"/>'
        )
    for power in range(-2, 4):
        x_tick, text = 240 + (power + 2) * 80, f"{10.0**power:g}"
        parts.append(
            f'<text x="{x_tick}" y="{height - 4}" text-anchor="middle">{text}</text>'
        )
    drifted = ", ".join(map(str, known.index[known["drifted"].astype(bool)])) or "none"
    text = f"PSI over its threshold for {len(known)} features. Drifted: {drifted}."
    return _svg(660, height, "PSI over threshold", text, "".join(parts))


def plot_shares(column: core.Column, before: np.ndarray, now: np.ndarray) -> str:
    """Draw the shares of one feature's bins, before and now, as pairs of bars."""
    p, q = before / before.sum(), now / now.sum()
    used = np.flatnonzero(before + now)
    order = (
        used[np.argsort(-(p + q)[used], kind="stable")][:12] if len(used) > 12 else used
    )
    top, parts = max(float(p.max()), float(q.max())), []
    for k, b in enumerate(order):
        y, label = 30 + 40 * k, escape(column.label(int(b)))
        old, new = 360 * p[b] / top, 360 * q[b] / top
        end = 206 + max(old, new)
        parts.append(
            f'<text x="190" y="{y + 18}" text-anchor="end">{label}</text>'
            f'<rect class="before" x="200" y="{y}" width="{old:.1f}" height="14"/>'
            f'<rect class="now" x="200" y="{y + 15}" width="{new:.1f}" height="14"/>'
            f'<text x="{end:.1f}" y="{y + 18}">{p[b]:.0%} → {q[b]:.0%}</text>'
        )
    said = "; ".join(
        f"{column.label(int(b))}: {p[b]:.0%} before, {q[b]:.0%} now" for b in order
    )
    legend = '<text x="200" y="18">upper bar: reference; lower bar: current</text>'
    return _svg(
        660,
        40 + 40 * len(order),
        column.name,
        f"{column.name}. {said}",
        legend + "".join(parts),
    )


def to_html(finding: Finding, title: str = "Drift report") -> str:
    """Return a comparison as one page, which needs no network.

    Parameters
    ----------
    finding : Finding
        What `compare` returned.
    title : str
        Its heading.

    Returns
    -------
    str
    """
    alerts = finding.alerts()
    items = "".join(
        f"<li><strong>{escape(a.feature)}</strong>: {escape(a.evidence)}. "
        f"Next: {escape(a.next_step)}.</li>"
        for a in alerts
    )
    found = finding.report["drifted"].astype(bool) & finding.report["psi"].notna()
    worst = finding.report[found].sort_values("psi", ascending=False).index[:3]
    figures = [
        plot_shares(
            finding.made[name],
            finding.made[name].counts,
            core.counts({name: finding.made[name]}, finding.after).after[0],
        )
        for name in worst
    ]
    parts = [
        f'<p class="step"><strong>Next step: {finding.next_step}.</strong> '
        f"{escape(finding.advice)}</p>",
        f"<p>False-alarm rate of features and of checks: {finding.alpha:g}.</p>",
        f"<h2>Alerts</h2><ul>{items or '<li>None.</li>'}</ul>",
        "<h2>Features</h2>",
        plot_ratios(finding.report),
        _table("Every feature, with its threshold", finding.report, "feature"),
        *(["<h2>Where the shares moved most</h2>", *figures] if figures else []),
        "<h2>Data checks</h2>",
        _table(
            "Findings of the data checks",
            finding.quality[finding.quality["found"]].set_index("metric"),
            "check",
        ),
        f"<p>{len(finding.quality)} checks were made.</p>",
    ]
    if finding.change is not None:
        parts += [
            "<h2>Performance</h2>",
            _table(
                "Change (of a gap, its size), with interval by day",
                finding.change,
                "metric",
            ),
        ]
    return _page(title, *parts)


def _track(rows: pd.DataFrame) -> str:
    """Draw one series of the metrics store, points outside their limits marked."""
    value = rows["value"].astype(float)
    low, high = float(value.min()), float(value.max())
    span = (high - low) or 1.0
    xs = np.linspace(10, 290, len(rows)) if len(rows) > 1 else np.array([150.0])
    ys = 60 - 50 * (value.to_numpy() - low) / span
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    dots = "".join(
        f'<circle class="{"out" if out else "dot"}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        for x, y, out in zip(xs, ys, rows["found"], strict=True)
    )
    outside = int(rows["found"].sum())
    text = f"{len(rows)} values from {low:.4g} to {high:.4g}, {outside} outside"
    return _svg(
        300, 70, "history", text, f'<polyline class="track" points="{points}"/>{dots}'
    )


def dashboard(metrics: pd.DataFrame, title: str = "Metrics") -> str:
    """Return the history of a metrics store as one page.

    Parameters
    ----------
    metrics : DataFrame
        What `drift.read_metrics` returned.
    title : str
        Its heading.

    Returns
    -------
    str
    """
    moments, outside = metrics["at"].nunique(), int(metrics["found"].sum())
    said = f"{len(metrics)} values at {moments} moments, {outside} outside their limits"
    parts = [f"<p>{said}.</p>"]
    for metric, rows in metrics.groupby("metric", sort=True):
        found = rows.groupby("subject")["found"].any()
        shown = list(found.index[found]) or list(found.index[:1])
        said = f"{len(found)} subjects, {int(found.sum())} with findings"
        parts.append(f"<h2>{escape(str(metric))}</h2><p>{said}.</p>")
        for subject in shown[:12]:
            one = rows[rows["subject"] == subject]
            last = one.iloc[-1]
            limits = f"{_limit(last['low'])} to {_limit(last['high'])}"
            parts.append(
                f"<h3>{escape(str(subject) or 'all')}</h3>{_track(one)}"
                f"<p>Last: {last['value']:.4g}; limits {limits}; "
                f"false-alarm rate {last['false_alarm']:.3g}.</p>"
            )
    return _page(title, *parts)


def _limit(value: float) -> str:
    """Return a limit as text."""
    return "none" if pd.isna(value) else f"{value:.4g}"


# --- the command line -----------------------------------------------------------------


def read(path: Path) -> pd.DataFrame:
    """Read a table from Parquet or CSV.

    Raises
    ------
    ValueError
        If the file is not there, or is neither.
    """
    readers = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    if path.suffix not in readers:
        raise ValueError(f"{path.name}: write a .parquet or a .csv file.")
    try:
        return readers[path.suffix](path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    whole = argparse.ArgumentParser(
        prog="python -m flightline.drift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True)
    one = commands.add_parser("compare", help="compare two tables")
    one.add_argument("reference", type=Path, help="a Parquet or CSV file")
    one.add_argument("current", type=Path, help="a file with the same columns")
    one.add_argument("--blocks", help="the column that names the day of each row")
    one.add_argument("--alpha", type=float, default=0.05, help="false-alarm rate")
    one.add_argument("--bins", type=int, default=10, help="bins of a number")
    one.add_argument("--score", default="score", help="the column of the score")
    one.add_argument("--label", default="late", help="the column of the label")
    one.add_argument("--at", help="the moment of the check, for the store (now)")
    one.add_argument("--html", type=Path, help="write a page")
    one.add_argument("--prometheus", type=Path, help="write metrics for a scrape")
    one.add_argument("--store", type=Path, help="add to a metrics store (SQLite)")
    two = commands.add_parser("dashboard", help="draw a metrics store")
    two.add_argument("store", type=Path, help="a metrics store")
    two.add_argument("--html", type=Path, required=True, help="write the page here")
    return whole


def _compare(given: argparse.Namespace) -> int:
    """Run `compare` and write what was asked for."""
    if not 0 < given.alpha < 1:
        raise ValueError(f"--alpha {given.alpha} is no probability between 0 and 1.")
    names = {
        n: getattr(given, n) for n in ("blocks", "alpha", "bins", "score", "label")
    }
    finding = compare(read(given.reference), read(given.current), **names)
    if given.html:
        given.html.write_text(to_html(finding), encoding="utf-8")
    if given.prometheus:
        given.prometheus.write_text(prometheus(finding), encoding="utf-8")
    if given.store:
        at = pd.Timestamp(given.at) if given.at else pd.Timestamp.now(tz="UTC")
        tables = [watch.as_metrics(finding.report, finding.alpha), finding.quality]
        if finding.change is not None:
            tables.append(watch.as_metrics(finding.change, finding.alpha))
        core.write_metrics(given.store, at, *tables)
    for alert in finding.alerts():
        print(alert)
    print(f"next step: {finding.next_step}. {finding.advice}")
    return CONTINUE if not finding.alerts() else ALERT


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default the command line.

    Returns
    -------
    int
        0 without an alert, 1 with one, 2 if there is no answer.
    """
    given = parser().parse_args(arguments)
    try:
        if given.command == "compare":
            return _compare(given)
        metrics = core.read_metrics(given.store)
        given.html.write_text(dashboard(metrics), encoding="utf-8")
    except (ValueError, OSError) as error:
        print(f"drift: {error}", file=sys.stderr)
        return FAILED
    return CONTINUE
