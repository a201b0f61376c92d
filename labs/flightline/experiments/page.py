"""A running experiment as one page that needs no network."""

from typing import cast

import numpy as np
import pandas as pd
from markupsafe import Markup

from flightline.experiments.charts import plot_interval
from flightline.experiments.frame import fill_page
from flightline.experiments.report import Report
from flightline.experiments.words import AS_IT_IS, metric_in_words

PAGE = """
{%- for finding in report.findings() %}
<p class="callout"><strong>Finding:</strong> {{ finding }}</p>
{%- else %}
<p>No finding.</p>
{%- endfor %}
<p>{{ as_it_is }}</p>
<h2>Arms</h2>
{{ table("Units that were assigned, beside the plan", sizes.columns,
         sizes.itertuples(index=False, name=None)) }}
<p>
{%- if report.srm is none %}No unit is in the experiment yet.
{%- else %}Sample ratio: p = {{ "%.2g" % report.srm }}.{% endif %}</p>
<h2>Metrics</h2>
{%- for metric in metrics %}
<h3>{{ metric.title }}</h3>
<p><strong>{{ metric.state }}.</strong> {{ metric.words }}.</p>
{{ metric.drawing }}
{%- endfor %}
{{ table("Every metric", report.metrics.columns,
         report.metrics.itertuples(index=False, name=None)) }}
"""


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
    return fill_page(
        PAGE,
        title or f"Experiment {report.experiment.name}",
        "th.text, td.text { white-space: nowrap; }\n",
        report=report,
        as_it_is=AS_IT_IS,
        sizes=_sizes(report),
        metrics=[_metric(report, row) for row in report.metrics.to_dict("records")],
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
