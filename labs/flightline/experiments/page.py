"""A running experiment as one page that needs no network."""

from typing import cast

import numpy as np
import pandas as pd
from jinja2 import Environment
from markupsafe import Markup

from flightline.experiments.charts import plot_interval
from flightline.experiments.report import Report
from flightline.experiments.words import AS_IT_IS, metric_in_words

STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --page: #ffffff; --muted: #525c6a;
  --line: #c3cad3; --dot: #0072b2; --limit: #b34a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --page: #14181e;
  --muted: #b3bcc8; --line: #4a5461; --dot: #56b4e9; --limit: #f08a3c; } }
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 60rem; overflow-wrap: anywhere; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; }
caption { color: var(--muted); text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem;
  text-align: right; }
th.text, td.text { text-align: left; white-space: nowrap; }
svg { display: block; height: auto; max-width: 100%; }
.finding { border-left: .4rem solid var(--limit); padding-left: .8rem; }
"""

PAGE = """
{%- macro table(caption, frame) -%}
<div class="wide" tabindex="0" role="group" aria-label="{{ caption }}">
<table><caption>{{ caption }}</caption><thead><tr>
{%- for name in frame.columns %}
<th scope="col" class="text">{{ name }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for row in frame.itertuples(index=False, name=None) %}
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
{%- for finding in report.findings() %}
<p class="finding"><strong>Finding:</strong> {{ finding }}</p>
{%- else %}
<p>No finding.</p>
{%- endfor %}
<p>{{ as_it_is }}</p>
<h2>Arms</h2>
{{ table("Units that were assigned, beside the plan", sizes) }}
<p>
{%- if report.srm is none %}No unit is in the experiment yet.
{%- else %}Sample ratio: p = {{ "%.2g" % report.srm }}.{% endif %}</p>
<h2>Metrics</h2>
{%- for metric in metrics %}
<h3>{{ metric.title }}</h3>
<p><strong>{{ metric.state }}.</strong> {{ metric.words }}.</p>
{{ metric.drawing }}
{%- endfor %}
{{ table("Every metric", report.metrics) }}
</main></body></html>
"""


def _is_figure(value: object) -> bool:
    """Tell whether a value of a table is a number."""
    number = isinstance(value, int | float | np.number)
    return number and not isinstance(value, bool | np.bool_)


def _cell(value: object) -> str:
    """Return the text of one cell of a table."""
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.4g}"
    return str(value)


def to_html(report: Report, title: str = "") -> str:
    """Return a report as one page, which needs no network.

    Parameters
    ----------
    report : Report
        What `report` returned.
    title : str
        Its heading; by default the name of the experiment.

    Returns
    -------
    str
        HTML, light and dark, with drawings that a screen reader can tell. Every name
        is escaped.
    """
    pages = Environment(autoescape=True)
    pages.filters["cell"], pages.tests["figure"] = _cell, _is_figure
    return (
        pages.from_string(PAGE.strip()).render(
            title=title or f"Experiment {report.experiment.name}",
            style=Markup(STYLE),
            report=report,
            as_it_is=AS_IT_IS,
            sizes=_sizes(report),
            metrics=[_metric(report, row) for row in report.metrics.to_dict("records")],
        )
        + "\n"
    )


def _sizes(report: Report) -> pd.DataFrame:
    """Return the arms with units, share and weight."""
    total = sum(report.counts.values())
    return pd.DataFrame(
        {
            "arm": list(report.counts),
            "units": list(report.counts.values()),
            "share": [n / total if total else np.nan for n in report.counts.values()],
            "weight": list(report.experiment.weights.values()),
        }
    )


def _metric(report: Report, row: dict[str, object]) -> dict[str, object]:
    """Return what the page says of one metric, with its drawing if it has numbers."""
    title = f"{row['metric']}, {row['arm']} beside {report.experiment.control}"
    drawing = ""
    if not pd.isna(row["estimate"]):
        names = ("estimate", "low", "high", "margin")
        drawing = plot_interval(title, *(cast(float, row[name]) for name in names))
    return {
        "title": title,
        "state": row["state"],
        "words": metric_in_words(row),
        "drawing": Markup(drawing),
    }
