"""Latency: what quantizing, batching and caching buy in the service.

INT8 arithmetic, a micro-batcher, a cache with one computation a key, laws for batch and
tail. Lab 09 builds the core; `fast` hangs batcher and cache into lab 08's service,
which `python -m flightline.latency` starts.
"""

from flightline.latency import fast
from flightline.latency.core import (
    LIMITS,
    BatchCost,
    Floats,
    Int8Layer,
    MicroBatcher,
    Overloaded,
    PredictionCache,
    along,
    answers_of,
    batch_plan,
    best_limit,
    dequantize_linear,
    fit_batch_cost,
    fit_student,
    frontier,
    int8_linear,
    mixed_quantile,
    quantize_linear,
    quantize_model,
    scale_for,
)

__all__ = [
    "LIMITS",
    "BatchCost",
    "Floats",
    "Int8Layer",
    "MicroBatcher",
    "Overloaded",
    "PredictionCache",
    "along",
    "answers_of",
    "batch_plan",
    "best_limit",
    "dequantize_linear",
    "fast",
    "fit_batch_cost",
    "fit_student",
    "frontier",
    "int8_linear",
    "mixed_quantile",
    "quantize_linear",
    "quantize_model",
    "scale_for",
]
