"""Deciding honestly: when to stop, what to conclude, and whether to ship.

Bounds for equal looks and for looks at any time, and an interval that holds at all
times together; many metrics without false discoveries; guardrails that are safe only if
a loss is excluded; and one rule that ships, iterates or kills. Lab 11 builds the core.
A registration is written before the experiment, and `python -m flightline.decisions`
analyses the days by it; `rules` replays thousands of experiments; segments, novelty
and Bayesian stopping are given to be measured.
"""

from flightline.decisions.bayes import probability_better
from flightline.decisions.boundaries import KINDS, boundaries
from flightline.decisions.decide import Action, Decision, Evidence, Guards, decide
from flightline.decisions.exposure import EXPOSURE, Trend, by_exposure, exposure_trend
from flightline.decisions.guardrails import Guardrail, days_to_show, non_inferior
from flightline.decisions.heterogeneity import SEGMENT_EFFECT, segments
from flightline.decisions.inputs import Floats
from flightline.decisions.multiple import (
    benjamini_hochberg,
    bonferroni,
    holm,
    holm_adjusted,
)
from flightline.decisions.register import (
    RULES,
    Margin,
    Registration,
    RegistrationError,
    read_registration,
)
from flightline.decisions.report import LOOK, Report, analyse
from flightline.decisions.sequence import confidence_sequence, sequence_bounds
from flightline.decisions.spending import (
    SPENDING,
    next_bound,
    spending_bounds,
    spent,
)
from flightline.decisions.stopping import (
    Crossing,
    Rule,
    Sign,
    Stopped,
    normal_scores,
    rules,
)

__all__ = [
    "EXPOSURE",
    "KINDS",
    "LOOK",
    "RULES",
    "SEGMENT_EFFECT",
    "SPENDING",
    "Action",
    "Crossing",
    "Decision",
    "Evidence",
    "Floats",
    "Guardrail",
    "Guards",
    "Margin",
    "Registration",
    "RegistrationError",
    "Report",
    "Rule",
    "Sign",
    "Stopped",
    "Trend",
    "analyse",
    "benjamini_hochberg",
    "bonferroni",
    "boundaries",
    "by_exposure",
    "confidence_sequence",
    "days_to_show",
    "decide",
    "exposure_trend",
    "holm",
    "holm_adjusted",
    "next_bound",
    "non_inferior",
    "normal_scores",
    "probability_better",
    "read_registration",
    "rules",
    "segments",
    "sequence_bounds",
    "spending_bounds",
    "spent",
]
