"""A report in words, for a terminal and for a page."""

from typing import cast

import numpy as np

from flightline.experiments.report import Report

AS_IT_IS = (
    "Each interval holds for one look, decided on before. This page decides nothing."
)
"""What stands under every report."""


def to_text(report: Report) -> str:
    """Return a report as text.

    Parameters
    ----------
    report : Report
        What `report` returned.

    Returns
    -------
    str
        Lines: the findings first, then the sizes of the arms, then each metric.
    """
    findings = [f"FINDING {sentence}" for sentence in report.findings()]
    lines = [*findings, f"experiment {report.experiment.name}", _sizes(report)]
    for row in report.metrics.to_dict("records"):
        lines.append(f"{row['role']} {row['metric']}, {row['arm']}: {row['state']}")
        lines.append(f"  {metric_in_words(row)}")
    return "\n".join([*lines, AS_IT_IS, ""])


def _sizes(report: Report) -> str:
    """Return the units of each arm beside its weight, and the check of both."""
    total = sum(report.counts.values())
    if report.srm is None:
        return "No unit is in the experiment yet."
    weights = report.experiment.weights
    arms = [
        f"{name} {size:,} ({size / total:.1%} of {weights[name]:.1%})"
        for name, size in report.counts.items()
    ]
    return f"units: {', '.join(arms)}; sample ratio p = {report.srm:.2g}"


def metric_in_words(row: dict[str, object]) -> str:
    """Return what is known of a metric: units, interval, and what could be found."""
    units = f"{row['units']:,} units with an outcome, {row['waiting']:,} without"
    names = ("estimate", "low", "high", "detectable now", "detectable at plan")
    estimate, low, high, now, plan = (cast(float, row[name]) for name in names)
    if np.isnan(estimate):
        return units
    found = f"power 0.8 for an effect of {now:.2g} now"
    if not np.isnan(plan):
        found += f", of {plan:.2g} at the planned size"
    return f"{estimate:+.4g} ({low:+.4g} to {high:+.4g}); {units}; {found}"
