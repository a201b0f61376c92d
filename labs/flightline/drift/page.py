"""Pages that need no network: a comparison, and the history of a metrics store."""

from html import escape

import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from flightline.drift.bins import Column, awake, count
from flightline.drift.columns import Integers
from flightline.drift.decide import Finding

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

BASE = """
{%- macro table(caption, frame, first) -%}
<div class="wide" tabindex="0" role="group" aria-label="{{ caption }}">
<table><caption>{{ caption }}</caption><thead><tr>
{%- for name in [first] + frame.columns|list %}
<th scope="col" class="text">{{ name }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for row in frame.itertuples(name=None) %}
<tr><th scope="row" class="text">{{ row[0] }}</th>
{%- for value in row[1:] %}
<td{% if value is not figure %} class="text"{% endif %}>{{ value|cell }}</td>
{%- endfor %}</tr>
{%- endfor %}</tbody></table></div>
{%- endmacro -%}
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{{ title }}</title>
<style>{{ style }}</style></head>
<body><main><h1>{{ title }}</h1>
BODY
</main></body></html>
"""

REPORT_PAGE = """
<p class="step"><strong>Next step: {{ finding.next_step }}.</strong>
{{ finding.advice }}</p>
<p>False-alarm rate of features and of checks: {{ "%g" % finding.alpha }}.</p>
<h2>Alerts</h2>
<ul>
{%- for alert in finding.alerts() %}
<li><strong>{{ alert.feature }}</strong>: {{ alert.evidence }}.
Next: {{ alert.next_step }}.</li>
{%- else %}
<li>None.</li>
{%- endfor %}
{%- for sentence in finding.left_out %}
<li>Left out: {{ sentence }}.</li>
{%- endfor %}
</ul>
<h2>Features</h2>
{{ ratios }}
{{ table("Every feature, with its threshold", finding.report, "feature") }}
{%- if figures %}
<h2>Where the shares moved most</h2>
{%- for figure in figures %}
{{ figure }}
{%- endfor %}
{%- endif %}
<h2>Data checks</h2>
{{ table("Findings of the data checks", checks, "check") }}
<p>{{ finding.quality|length }} checks were made.</p>
{%- if finding.change is not none %}
<h2>Performance</h2>
{{ table("Change (of a gap, its size), with interval by day", finding.change,
         "metric") }}
{%- endif %}
"""

DASHBOARD_PAGE = """
<p>{{ values }} values at {{ moments }} moments, {{ outside }} outside their limits.</p>
{%- for metric in metrics %}
<h2>{{ metric.name }}</h2>
<p>{{ metric.subjects }} subjects, {{ metric.found }} with findings.</p>
{%- for one in metric.shown %}
<h3>{{ one.subject or "all" }}</h3>
{{ one.track }}
<p>Last: {{ one.last }}; limits {{ one.low }} to {{ one.high }};
false-alarm rate {{ one.rate }}.</p>
{%- endfor %}
{%- endfor %}
"""


def _is_figure(value: object) -> bool:
    """Tell whether a value of a table is a number."""
    number = isinstance(value, int | float | np.number)
    return number and not isinstance(value, bool | np.bool_)


def _cell(value: object) -> str:
    """Return the text of one cell of a table."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return "" if np.isnan(value) else f"{value:.4g}"
    return str(value)


def _page(body: str, title: str, **values: object) -> str:
    """Fill a page that needs nothing else; every text is escaped."""
    pages = Environment(autoescape=True)
    pages.filters["cell"], pages.tests["figure"] = _cell, _is_figure
    template = pages.from_string(BASE.replace("BODY", body.strip()))
    return template.render(title=title, style=Markup(STYLE), **values) + "\n"


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
        HTML, light and dark, with figures that a screen reader can tell.
    """
    found = finding.report["drifted"].astype(bool) & finding.report["psi"].notna()
    worst = finding.report[found].sort_values("psi", ascending=False).index[:3]
    figures = []
    for name in worst:
        column, now = awake(finding.made[name], finding.after[name])
        figures.append(Markup(plot_shares(column, column.counts, count(column, now))))
    return _page(
        REPORT_PAGE,
        title,
        finding=finding,
        ratios=Markup(plot_ratios(finding.report)),
        figures=figures,
        checks=finding.quality[finding.quality["found"]].set_index("metric"),
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
        HTML; of each metric the subjects with findings, at most twelve.
    """
    shown = [
        _history(str(name), rows) for name, rows in metrics.groupby("metric", sort=True)
    ]
    return _page(
        DASHBOARD_PAGE,
        title,
        values=len(metrics),
        moments=metrics["at"].nunique(),
        outside=int(metrics["found"].sum()),
        metrics=shown,
    )


def _history(metric: str, rows: pd.DataFrame) -> dict[str, object]:
    """Return what the dashboard shows of one metric."""
    found = rows.groupby("subject")["found"].any()
    subjects = list(found.index[found]) or list(found.index[:1])
    shown = []
    for subject in subjects[:12]:
        one = rows[rows["subject"] == subject]
        last = one.iloc[-1]
        names = {"last": "value", "low": "low", "high": "high", "rate": "false_alarm"}
        texts = {name: _number(last[column]) for name, column in names.items()}
        shown.append({"subject": subject, "track": Markup(_track(one)), **texts})
    return {
        "name": metric,
        "subjects": len(found),
        "found": int(found.sum()),
        "shown": shown,
    }


def _number(value: float) -> str:
    """Return a number or a limit as text."""
    return "none" if pd.isna(value) else f"{value:.4g}"


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


def plot_shares(column: Column, before: Integers, now: Integers) -> str:
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


def _track(rows: pd.DataFrame) -> str:
    """Draw one series of the metrics store, points outside their limits marked."""
    rows = rows[np.isfinite(rows["value"].astype(float))]
    if rows.empty:
        return "<p>No value that could be drawn.</p>"
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
