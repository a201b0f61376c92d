"""Pages that need no network: a comparison, and the history of a metrics store."""

import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from flightline.drift.bins import awake, count
from flightline.drift.charts import plot_ratios, plot_shares, plot_track
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
        shown.append({"subject": subject, "track": Markup(plot_track(one)), **texts})
    return {
        "name": metric,
        "subjects": len(found),
        "found": int(found.sum()),
        "shown": shown,
    }


def _number(value: float) -> str:
    """Return a number or a limit as text."""
    return "none" if pd.isna(value) else f"{value:.4g}"
