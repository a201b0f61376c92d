"""Monitoring and drift: what moved, whether it is chance, and what to do next.

Distances and tests over whole tables, column by column or by one classifier;
thresholds with a known rate of false alarms, also for repeated looks; data checks;
performance by mature labels, by slices, or by the scores alone; a metrics store. Lab 12
builds the core; `watch` reads logs, feeds and metrics of the service, `compare` runs
every check that two tables allow, and `python -m flightline.drift` is the command line.
"""

from flightline.drift import watch
from flightline.drift.bins import (
    Column,
    Pair,
    Reference,
    bins_used,
    counts,
    cut_points,
    log_ratio,
    profile,
    shares,
)
from flightline.drift.classifier import Classified, classify
from flightline.drift.columns import Floats, Integers, Values, is_number
from flightline.drift.core import mature, next_step
from flightline.drift.days import block_counts, block_null
from flightline.drift.decide import HARMLESS, Alert, Finding, compare
from flightline.drift.distances import (
    Test,
    chi2,
    js,
    kl,
    ks,
    largest_gap,
    psi,
    wasserstein,
)
from flightline.drift.labels import METRICS, performance, worse
from flightline.drift.page import dashboard, to_html
from flightline.drift.pooling import pool
from flightline.drift.prometheus import to_prometheus
from flightline.drift.quality import CHECK, quality
from flightline.drift.repeated import (
    alpha_per_look,
    any_alarm,
    effective_days,
    runs,
)
from flightline.drift.report import REPORT, report
from flightline.drift.slices import SLICE, slices
from flightline.drift.store import old_metrics, read_metrics, write_metrics
from flightline.drift.thresholds import (
    Limits,
    holm,
    psi_threshold,
    rank_limits,
    rows_needed,
)
from flightline.drift.unlabelled import ESTIMATED, estimated

__all__ = [
    "CHECK",
    "ESTIMATED",
    "HARMLESS",
    "METRICS",
    "REPORT",
    "SLICE",
    "Alert",
    "Classified",
    "Column",
    "Finding",
    "Floats",
    "Integers",
    "Limits",
    "Pair",
    "Reference",
    "Test",
    "Values",
    "alpha_per_look",
    "any_alarm",
    "app",
    "bins_used",
    "block_counts",
    "block_null",
    "chi2",
    "classify",
    "compare",
    "counts",
    "cut_points",
    "dashboard",
    "effective_days",
    "estimated",
    "holm",
    "is_number",
    "js",
    "kl",
    "ks",
    "largest_gap",
    "log_ratio",
    "mature",
    "next_step",
    "old_metrics",
    "performance",
    "pool",
    "profile",
    "psi",
    "psi_threshold",
    "quality",
    "rank_limits",
    "read_metrics",
    "report",
    "rows_needed",
    "runs",
    "shares",
    "slices",
    "to_html",
    "to_prometheus",
    "wasserstein",
    "watch",
    "worse",
    "write_metrics",
]
