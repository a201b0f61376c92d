"""Latency: what quantizing, batching and caching buy in the service.

INT8 arithmetic, a micro-batcher, a cache with one computation a key, laws for batch and
tail. `fast` hangs batcher and cache into lab 08's service, which
`python -m flightline.latency` starts. `core` is still the whole export of lab 09;
`cache`, `costs` and `quantization` are what has been taken over from it.
"""

from flightline.latency import fast
from flightline.latency.cache import Cached, CachedFeatures, PredictionCache
from flightline.latency.core import (
    LIMITS,
    BatchCost,
    Floats,
    Int8Layer,
    MicroBatcher,
    Overloaded,
    along,
    answers_of,
    batch_plan,
    best_limit,
    dequantize_linear,
    fit_batch_cost,
    fit_student,
    int8_linear,
    mixed_quantile,
    quantize_linear,
    quantize_model,
)
from flightline.latency.costs import frontier
from flightline.latency.quantization import scale_for

__all__ = [
    "LIMITS",
    "BatchCost",
    "Cached",
    "CachedFeatures",
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
