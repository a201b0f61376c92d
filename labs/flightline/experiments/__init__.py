"""Designing an online experiment: assignment that holds, and honest effects.

An experiment is one checked object; units are assigned by a salted hash, in layers that
exclude each other, by a configuration that a service reloads. Exposures and outcomes
are events in the lake and are joined by age. Lab 10 builds the core. Later stages share
how its command line fails (`Parser`, `answer`), how its pages are framed (`fill_page`)
and how they draw (`as_svg`).
"""

from flightline.experiments.assignment import (
    OUTSIDE,
    assign,
    assign_many,
    eligible,
    layers,
    slot_of,
)
from flightline.experiments.by_segment import SEGMENT, by_segment
from flightline.experiments.clustered import Clusters, clustered_effect, design_effect
from flightline.experiments.command import Parser, answer
from flightline.experiments.config import Config, assignment_function, moved
from flightline.experiments.cuped import cuped
from flightline.experiments.document import (
    Watched,
    from_json,
    load_config,
    save_config,
    to_json,
)
from flightline.experiments.effects import Effect, NotEstimable, mean_effect
from flightline.experiments.events import (
    EXPOSURE,
    EXPOSURES,
    OUTCOME,
    OUTCOMES,
    log_exposures,
    log_outcomes,
    read_exposures,
    read_outcomes,
)
from flightline.experiments.experiment import (
    NUMBER_FIELDS,
    SLOTS,
    TEXT_FIELDS,
    Condition,
    Experiment,
)
from flightline.experiments.flags import Flag, is_on
from flightline.experiments.frame import PAGE_STYLE, fill_page
from flightline.experiments.joining import UNIT, Joined, joined
from flightline.experiments.judge import METRIC
from flightline.experiments.metrics import (
    MEASURED,
    METRICS,
    Metric,
    judged_by,
    measured,
)
from flightline.experiments.novelty import by_age, simulated_novelty
from flightline.experiments.page import to_html
from flightline.experiments.power import (
    detectable_effect,
    duration,
    power_of,
    proportion_size,
    sample_size,
)
from flightline.experiments.ratio import ratio_effect
from flightline.experiments.report import Report, report
from flightline.experiments.shadow import shadow_effect
from flightline.experiments.srm import needs_exact, srm_exact, srm_pvalue
from flightline.experiments.svg import PAGE_COLOURS, SVG_SETTINGS, as_svg
from flightline.experiments.triggered import Triggered, triggered_effect
from flightline.experiments.words import to_text

__all__ = [
    "EXPOSURE",
    "EXPOSURES",
    "MEASURED",
    "METRIC",
    "METRICS",
    "NUMBER_FIELDS",
    "OUTCOME",
    "OUTCOMES",
    "OUTSIDE",
    "PAGE_COLOURS",
    "PAGE_STYLE",
    "SEGMENT",
    "SLOTS",
    "SVG_SETTINGS",
    "TEXT_FIELDS",
    "UNIT",
    "Clusters",
    "Condition",
    "Config",
    "Effect",
    "Experiment",
    "Flag",
    "Joined",
    "Metric",
    "NotEstimable",
    "Parser",
    "Report",
    "Triggered",
    "Watched",
    "answer",
    "as_svg",
    "assign",
    "assign_many",
    "assignment_function",
    "by_age",
    "by_segment",
    "clustered_effect",
    "cuped",
    "design_effect",
    "detectable_effect",
    "duration",
    "eligible",
    "fill_page",
    "from_json",
    "is_on",
    "joined",
    "judged_by",
    "layers",
    "load_config",
    "log_exposures",
    "log_outcomes",
    "mean_effect",
    "measured",
    "moved",
    "needs_exact",
    "power_of",
    "proportion_size",
    "ratio_effect",
    "read_exposures",
    "read_outcomes",
    "report",
    "sample_size",
    "save_config",
    "shadow_effect",
    "simulated_novelty",
    "slot_of",
    "srm_exact",
    "srm_pvalue",
    "to_html",
    "to_json",
    "to_text",
    "triggered_effect",
]
