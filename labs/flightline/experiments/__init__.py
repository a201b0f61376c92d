"""Designing an online experiment: assignment that holds, and honest effects.

An experiment is one checked object; units are assigned by a salted hash, in layers that
exclude each other, by a configuration that a service reloads. Exposures and outcomes
are events in the lake and are joined by age. Lab 10 builds the core.
"""

from flightline.experiments.assignment import (
    OUTSIDE,
    assign,
    assign_many,
    eligible,
    layers,
    slot_of,
)
from flightline.experiments.config import Config, assignment_function, moved
from flightline.experiments.document import (
    Watched,
    from_json,
    load_config,
    save_config,
    to_json,
)
from flightline.experiments.experiment import (
    NUMBER_FIELDS,
    SLOTS,
    TEXT_FIELDS,
    Condition,
    Experiment,
)
from flightline.experiments.flags import Flag, is_on
from flightline.experiments.srm import needs_exact, srm_exact, srm_pvalue

__all__ = [
    "NUMBER_FIELDS",
    "OUTSIDE",
    "SLOTS",
    "TEXT_FIELDS",
    "Condition",
    "Config",
    "Experiment",
    "Flag",
    "Watched",
    "assign",
    "assign_many",
    "assignment_function",
    "eligible",
    "from_json",
    "is_on",
    "layers",
    "load_config",
    "moved",
    "needs_exact",
    "save_config",
    "slot_of",
    "srm_exact",
    "srm_pvalue",
    "to_json",
]
