"""Latency: what quantizing, batching and caching buy in the service.

INT8 steps and models (`quantization`), a micro-batcher (`batching`), a cache with
one computation a key (`cache`), laws for batch and tail and the frontier (`costs`), a
small network taught by a large one (`student`). `service` hangs batcher and cache into
the service of `flightline.serving`, which `python -m flightline.latency` starts. Lab 09
builds the core; a function that the package offers under the same name checks its
input and calls it.
"""

from flightline.latency import fast
from flightline.latency.batching import (
    MicroBatcher,
    Overloaded,
    answers_of,
)
from flightline.latency.cache import PredictionCache
from flightline.latency.core import BatchCost
from flightline.latency.costs import (
    batched_response,
    fit_batch_cost,
    frontier,
    mixed_quantile,
)
from flightline.latency.quantization import (
    LIMITS,
    dequantize_linear,
    quantize_linear,
    quantize_model,
    scale_for,
)
from flightline.latency.service import Batched, Cached, CachedFeatures
from flightline.latency.student import fit_student

__all__ = [
    "LIMITS",
    "BatchCost",
    "Batched",
    "Cached",
    "CachedFeatures",
    "MicroBatcher",
    "Overloaded",
    "PredictionCache",
    "answers_of",
    "batched_response",
    "dequantize_linear",
    "fast",
    "fit_batch_cost",
    "fit_student",
    "frontier",
    "mixed_quantile",
    "quantize_linear",
    "quantize_model",
    "scale_for",
]
