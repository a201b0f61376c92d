"""Estimation: what a training run, a fleet of servers and a store will need.

Days of training from tokens and utilisation, machines for a given load and tail, the
least time of a generated token, bytes and cost, each as a number or as a range. Lab 02
builds the core; `python -m flightline.estimate` is the command line.
"""

from flightline.estimate.checkpoints import checkpoint_seconds, goodput
from flightline.estimate.cost import cost_per_million_usd, cost_usd
from flightline.estimate.fleet import best_batch, fleet_size
from flightline.estimate.inference import kv_cache_bytes, token_seconds
from flightline.estimate.memory import STATE_BYTES, training_memory
from flightline.estimate.ranges import Range, Swing, interval, monte_carlo, sensitivity
from flightline.estimate.records import queue_fault
from flightline.estimate.simulation import simulate_queue, simulate_seconds
from flightline.estimate.storage import cache_hit_rate, storage_bytes, zipf_shares
from flightline.estimate.tails import (
    FULLEST,
    MODELS,
    fill_tail,
    late_share,
    response_seconds,
    response_tail,
)
from flightline.estimate.training import (
    all_reduce_bytes,
    flops_per_token,
    loader_gb_s,
    longest_sequence,
    step_seconds,
    training_days,
    training_steps,
)

__all__ = [
    "FULLEST",
    "MODELS",
    "STATE_BYTES",
    "Range",
    "Swing",
    "all_reduce_bytes",
    "best_batch",
    "cache_hit_rate",
    "checkpoint_seconds",
    "cost_per_million_usd",
    "cost_usd",
    "fill_tail",
    "fleet_size",
    "flops_per_token",
    "goodput",
    "interval",
    "kv_cache_bytes",
    "late_share",
    "loader_gb_s",
    "longest_sequence",
    "monte_carlo",
    "queue_fault",
    "response_seconds",
    "response_tail",
    "sensitivity",
    "simulate_queue",
    "simulate_seconds",
    "step_seconds",
    "storage_bytes",
    "token_seconds",
    "training_days",
    "training_memory",
    "training_steps",
    "zipf_shares",
]
