"""Pages that need no network: a comparison, and the history of a metrics store."""

import pandas as pd
from markupsafe import Markup

from flightline.drift.bins import awake, count
from flightline.drift.charts import plot_ratios, plot_shares, plot_track
from flightline.drift.decide import Finding
from flightline.experiments import fill_page

REPORT_PAGE = """
<p class="callout"><strong>Next step: {{ finding.next_step }}.</strong>
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
{{ table("Every feature, with its threshold", ["feature"] + finding.report.columns|list,
         finding.report.itertuples(name=None)) }}
{%- if figures %}
<h2>Where the shares moved most</h2>
{%- for figure in figures %}
{{ figure }}
{%- endfor %}
{%- endif %}
<h2>Data checks</h2>
{{ table("Findings of the data checks", ["check"] + checks.columns|list,
         checks.itertuples(name=None)) }}
<p>{{ finding.quality|length }} checks were made.</p>
{%- if finding.change is not none %}
<h2>Performance</h2>
{{ table("Change (of a gap, its size), with interval by day",
         ["metric"] + finding.change.columns|list,
         finding.change.itertuples(name=None)) }}
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
    return fill_page(
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
    return fill_page(
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
