"""Distributed training: the same model from several processes.

A ring all-reduce, rows by step, one training file for one process or many ranks, what
each way of sharding keeps on a rank, and checkpoints that know whose they are. Lab 07
builds the core; `python -m torch.distributed.run ... -m flightline.distributed` runs a
rank, `python -m flightline.distributed.trials` is one of several processes that share a
search, and `python -m flightline.distributed.gpu_run` measures a GPU beside the CPU.
"""

from flightline.distributed.checkpoint import (
    Progress,
    digest,
    load_state,
    read_state,
    save_state,
    weights,
    write_state,
)
from flightline.distributed.collectives import average_gradients, ring_all_reduce
from flightline.distributed.command import main, parse
from flightline.distributed.core import (
    Move,
    batch_rows,
    bytes_per_rank,
    fit_cost,
    network,
    ring_schedule,
    ring_seconds,
)
from flightline.distributed.data import (
    LABEL,
    Examples,
    Packed,
    data_digest,
    load_packed,
    pack,
    unpack,
)
from flightline.distributed.journal import Journal, fail_on_purpose
from flightline.distributed.layouts import (
    bubble,
    choose_stage,
    held_bytes,
    pipeline_step,
    shard,
    split_layers,
    stage_of,
    wrap,
)
from flightline.distributed.loop import Result, backward, train, train_step
from flightline.distributed.network import FLOATS, Block, Network, autocast, build_model
from flightline.distributed.plan import Plan
from flightline.distributed.rank import (
    ENV,
    LOOPBACK,
    Rank,
    choose_backend,
    choose_device,
    end_with_parent,
    meeting_place,
    require_launcher,
    world,
)
from flightline.distributed.sharded import load_sharded, save_sharded, start_sharded
from flightline.distributed.study import open_study
from flightline.distributed.waits import straggler

__all__ = [
    "ENV",
    "FLOATS",
    "LABEL",
    "LOOPBACK",
    "Block",
    "Examples",
    "Journal",
    "Move",
    "Network",
    "Packed",
    "Plan",
    "Progress",
    "Rank",
    "Result",
    "autocast",
    "average_gradients",
    "backward",
    "batch_rows",
    "bubble",
    "build_model",
    "bytes_per_rank",
    "choose_backend",
    "choose_device",
    "choose_stage",
    "data_digest",
    "digest",
    "end_with_parent",
    "fail_on_purpose",
    "fit_cost",
    "held_bytes",
    "load_packed",
    "load_sharded",
    "load_state",
    "main",
    "meeting_place",
    "network",
    "open_study",
    "pack",
    "parse",
    "pipeline_step",
    "read_state",
    "require_launcher",
    "ring_all_reduce",
    "ring_schedule",
    "ring_seconds",
    "save_sharded",
    "save_state",
    "shard",
    "split_layers",
    "stage_of",
    "start_sharded",
    "straggler",
    "train",
    "train_step",
    "unpack",
    "weights",
    "world",
    "wrap",
    "write_state",
]
