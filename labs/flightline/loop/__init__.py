"""Closing the loop: the system runs for a year, and nobody has to look.

Which labels may judge (`labels`), when to train again (`triggers`), one decision for
all (`policy`), a gate, a trial on a part of the traffic (`canary`), comparisons by day
(`compare`), a year replayed by look-ups (`replay`), alerts with their rules for
Prometheus and a run book (`alerts`, `rules`). Lab 13 builds the core. `run` takes the
whole system through a simulated year: a lake, features, the service, the monitor and a
`journal` from which a killed run goes on; `lineage`, `cards`, `permits`, `retention`
and `page` answer who said what, who let it in, and what is kept. `python -m
flightline.loop` is the command line.
"""

from flightline.loop import (
    alerts,
    canary,
    cards,
    exposition,
    journal,
    labels,
    lineage,
    page,
    permits,
    policy,
    retention,
    rules,
    triggers,
)
from flightline.loop.clock import START, Backwards, Clock, Tick
from flightline.loop.compare import Paired, compare, over_starts, policies, units_of
from flightline.loop.core import Floats, losses
from flightline.loop.fits import Fit, fit_at, learned_at, model_of
from flightline.loop.gate import NoWorse
from flightline.loop.journal import BrokenJournal, Busy, Journal
from flightline.loop.labels import WAIT, LabelJoin, silence, silent_days, with_labels
from flightline.loop.lineage import Trace, trace
from flightline.loop.path import FAILPOINTS, Plan, run
from flightline.loop.policy import (
    Challenger,
    Decision,
    Evidence,
    Gate,
    Model,
    Policy,
    Train,
    Trigger,
    Verdict,
    decide,
    gather,
)
from flightline.loop.replay import Replay, Run
from flightline.loop.source import Source, read_source, source_of
from flightline.loop.standing import Standing, standing_of
from flightline.loop.triggers import (
    Calibration,
    Drift,
    Gap,
    Never,
    Performance,
    Schedule,
)

__all__ = [
    "FAILPOINTS",
    "START",
    "WAIT",
    "Backwards",
    "BrokenJournal",
    "Busy",
    "Calibration",
    "Challenger",
    "Clock",
    "Decision",
    "Drift",
    "Evidence",
    "Fit",
    "Floats",
    "Gap",
    "Gate",
    "Journal",
    "LabelJoin",
    "Model",
    "Never",
    "NoWorse",
    "Paired",
    "Performance",
    "Plan",
    "Policy",
    "Replay",
    "Run",
    "Schedule",
    "Source",
    "Standing",
    "Tick",
    "Trace",
    "Train",
    "Trigger",
    "Verdict",
    "alerts",
    "canary",
    "cards",
    "compare",
    "decide",
    "exposition",
    "fit_at",
    "gather",
    "journal",
    "labels",
    "learned_at",
    "lineage",
    "losses",
    "model_of",
    "over_starts",
    "page",
    "permits",
    "policies",
    "policy",
    "read_source",
    "retention",
    "rules",
    "run",
    "silence",
    "silent_days",
    "source_of",
    "standing_of",
    "trace",
    "triggers",
    "units_of",
    "with_labels",
]
