"""Designing an online experiment: assignment that holds, and honest effects.

An experiment is one checked object; units are assigned by a salted hash, in layers that
exclude each other. Lab 10 builds the core.
"""

from flightline.experiments.assignment import (
    OUTSIDE,
    assign,
    assign_many,
    eligible,
    layers,
    slot_of,
)
from flightline.experiments.experiment import (
    NUMBER_FIELDS,
    SLOTS,
    TEXT_FIELDS,
    Condition,
    Experiment,
)

__all__ = [
    "NUMBER_FIELDS",
    "OUTSIDE",
    "SLOTS",
    "TEXT_FIELDS",
    "Condition",
    "Experiment",
    "assign",
    "assign_many",
    "eligible",
    "layers",
    "slot_of",
]
