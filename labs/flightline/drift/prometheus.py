"""A comparison as gauges that Prometheus scrapes."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from flightline.drift.decide import STEPS, Finding

COLUMNS = {
    "psi": "Population stability index.",
    "threshold": "PSI that chance exceeds at the false-alarm rate.",
    "adjusted": "P-value, corrected for many features.",
    "drifted": "1 if the feature drifted.",
}
"""The columns of a report that become gauges, and what they mean."""


def to_prometheus(finding: Finding) -> str:
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
    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        """Register one gauge."""
        return Gauge(f"flightline_drift_{name}", text, labels, registry=registry)

    for column, text in COLUMNS.items():
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
        for name, value in finding.change["value"].dropna().items():
            change.labels(str(name)).set(value)
    gauge("false_alarm_rate", "Rate that each family is set to.").set(finding.alpha)
    gauge("alerts", "Number of alerts.").set(len(finding.alerts()))
    step = gauge("next_step", "1 for the step that is due.", "step")
    for name in STEPS:
        step.labels(name).set(float(name == finding.next_step))
    return generate_latest(registry).decode()
