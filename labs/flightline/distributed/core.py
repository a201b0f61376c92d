# Do not edit: exported from labs/07_distributed.ipynb.
# Change the lab, then run `make export`.

"""Lab 07: distributed training."""

__all__ = [
    "ENV",
    "FLOATS",
    "LABEL",
    "LOOPBACK",
    "Block",
    "Examples",
    "Facts",
    "Journal",
    "Move",
    "Network",
    "Plan",
    "Rank",
    "autocast",
    "average_gradients",
    "backward",
    "batch_rows",
    "bubble",
    "build_model",
    "choose_backend",
    "choose_device",
    "choose_stage",
    "digest",
    "end_with_parent",
    "fail_on_purpose",
    "fit_cost",
    "held_bytes",
    "load_packed",
    "load_state",
    "main",
    "meeting_place",
    "pack",
    "parse",
    "pipeline_step",
    "require_launcher",
    "ring_all_reduce",
    "ring_schedule",
    "save_state",
    "shard",
    "split_layers",
    "stage_of",
    "straggler",
    "train",
    "train_step",
    "unpack",
    "weights",
    "world",
    "wrap",
]

import argparse
import contextlib
import ctypes
import hashlib
import io
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.elastic.multiprocessing.errors import record
from torch.distributed.rendezvous import rendezvous
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot
from torch.nn.parallel import DistributedDataParallel

Facts = dict[str, Any]
LABEL = "late"


class Examples(NamedTuple):
    """Rows to train on: inputs, one row each, and labels from 0 to 1."""

    inputs: Tensor
    late: Tensor


class Move(NamedTuple):
    """What one rank does in one step of the ring."""

    send: int
    receive: int
    add: bool


def _numbers(table: Any, names: Sequence[str]) -> np.ndarray:
    """Return columns of numbers as one float array; a null is NaN."""
    columns = [table[name].cast("float64").to_numpy() for name in names]
    return np.column_stack(columns) if columns else np.empty((table.num_rows, 0))


def _labels(table: Any) -> Tensor:
    """Return the labels; refuse a table without them, or with a null."""
    if LABEL not in table.column_names:
        raise ValueError(f"no column {LABEL!r}. The table has: {table.column_names}.")
    if table[LABEL].null_count:
        raise ValueError(
            f"{LABEL!r} is null in {table[LABEL].null_count} of {table.num_rows} rows. "
            "Drop the flights that never landed."
        )
    return torch.from_numpy(_numbers(table, [LABEL])[:, 0]).float()


def unpack(packed: Facts, dtype: torch.dtype = torch.float32) -> Examples:
    """Return inputs and labels: codes become one column for each value.

    Parameters
    ----------
    packed : dict
        What `pack` returns.
    dtype : torch.dtype
        Of inputs and labels.

    Returns
    -------
    inputs, late : Tensor
        One row each, as `Examples`.
    """
    sizes = [len(values) + 1 for values in packed["values"].values()]
    codes = zip(packed["codes"].long().unbind(1), sizes, strict=True)
    wide = [one_hot(code, size) for code, size in codes]
    inputs = torch.cat([packed["numbers"].to(dtype), *(w.to(dtype) for w in wide)], 1)
    return Examples(inputs, packed["late"].to(dtype))


def pack(table: Any, like: Facts | None = None) -> Facts:
    """Turn a table into plain tensors: numbers standardised, text as codes.

    Parameters
    ----------
    table : pyarrow.Table
        Features and the label `late`. Columns of text become codes, all others numbers.
    like : dict, optional
        What `pack` returned for the training rows: its means, spreads and values are
        used again. Without it they are taken from this table.

    Returns
    -------
    dict
        `numbers` (float32, a missing one is 0, the mean), `codes` (a missing or new
        value is 0), `late`, and `mean`, `std`, `names`, `values` to pack others alike.

    Raises
    ------
    ValueError
        If the label is missing, or a column that the training rows had.
    """
    late = _labels(table)
    if like is None:
        fields = [field for field in table.schema if field.name != LABEL]
        text = [f.name for f in fields if "string" in str(f.type)]
        names = [f.name for f in fields if f.name not in text]
        known = {n: sorted(v for v in table[n].unique().to_pylist() if v) for n in text}
        raw = _numbers(table, names)
        mean, std = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
        like = {"names": names, "values": known, "mean": torch.from_numpy(mean)}
        like["std"] = torch.from_numpy(np.where(std > 0, std, 1.0))
    for name in [*like["names"], *like["values"]]:
        if name not in table.column_names:
            raise ValueError(f"no column {name!r}, which the training rows had.")
    numbers = torch.from_numpy(_numbers(table, like["names"]))
    scaled = ((numbers - like["mean"]) / like["std"]).nan_to_num(0.0).float()
    codes = torch.zeros(len(late), len(like["values"]), dtype=torch.int64)
    for place, (name, values) in enumerate(like["values"].items()):
        number = {value: code for code, value in enumerate(values, start=1)}
        found = [number.get(value, 0) for value in table[name].to_pylist()]
        codes[:, place] = torch.tensor(found, dtype=torch.int64)
    same = {key: like[key] for key in ("names", "values", "mean", "std")}
    return {"numbers": scaled, "codes": codes.to(torch.int16), "late": late, **same}


def load_packed(path: str | Path, like: Facts | None = None) -> Facts:
    """Read a Parquet table, or a tensor file that `torch.save(pack(...))` wrote.

    Parameters
    ----------
    path : str or Path
        Ends in .parquet or .pt. A tensor file needs no pyarrow.
    like : dict, optional
        How to pack a Parquet table; see `pack`.

    Returns
    -------
    dict
        As `pack` returns it.

    Raises
    ------
    ValueError
        If the file is of another kind, or not what `pack` accepts.
    """
    suffix = Path(path).suffix
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        return pack(pq.read_table(path), like)
    if suffix != ".pt":
        raise ValueError(f"{Path(path).name}: give a .parquet or a .pt file.")
    packed: Facts = torch.load(path, weights_only=True)
    if not isinstance(packed, dict) or not {"numbers", "codes", "late"} <= set(packed):
        raise ValueError(f"{Path(path).name} is not what `pack` makes. Write it anew.")
    return packed


def ring_schedule(rank: int, ranks: int) -> list[Move]:
    """List what a rank sends and receives, so that a ring adds up all tensors.

    Every tensor is cut into `ranks` chunks. In each step a rank sends one chunk to
    `rank + 1` and receives one from `rank - 1`, counted round the ring.

    Parameters
    ----------
    rank : int
        From 0 to `ranks - 1`.
    ranks : int
        Size of the ring.

    Returns
    -------
    list of Move
        `2 * (ranks - 1)` moves. In the first half a rank adds what arrives to its own
        chunk; in the second half it takes what arrives, which is a finished sum.

    Examples
    --------
    >>> ring_schedule(0, 2)
    [Move(send=0, receive=1, add=True), Move(send=1, receive=0, add=False)]
    """
    first = [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        Move((rank - step + 1) % ranks, (rank - step) % ranks, False)
        for step in range(ranks - 1)
    ]
    return first + second


def ring_all_reduce(tensor: Tensor, group: dist.ProcessGroup | None = None) -> Tensor:
    """Add up a tensor over all ranks, in place, along a ring.

    Parameters
    ----------
    tensor : Tensor
        Contiguous; of the same shape and type on every rank.
    group : ProcessGroup, optional
        The ranks that take part; all of them by default.

    Returns
    -------
    Tensor
        The same tensor, which now holds the sum.

    Raises
    ------
    ValueError
        If the tensor is not contiguous, so that its chunks would be copies.
    """
    if not tensor.is_contiguous():
        raise ValueError("the tensor is not contiguous. Call .contiguous() first.")
    group = group or dist.group.WORLD
    rank, ranks = dist.get_rank(group), dist.get_world_size(group)
    after, before = ((rank + way) % ranks for way in (1, -1))
    chunks = tensor.view(-1).tensor_split(ranks)
    for move in ring_schedule(rank, ranks):
        arrived = torch.empty_like(chunks[move.receive])
        pair = [
            dist.P2POp(dist.isend, chunks[move.send], group=group, group_peer=after),
            dist.P2POp(dist.irecv, arrived, group=group, group_peer=before),
        ]
        for work in dist.batch_isend_irecv(pair):
            work.wait()
        target = chunks[move.receive]
        _ = target.add_(arrived) if move.add else target.copy_(arrived)
    return tensor


def batch_rows(
    step: int, *, rows: int, batch: int, rank: int, ranks: int, seed: int
) -> Tensor:
    """Return the rows that one rank works on in one step.

    It depends on its arguments alone: who starts again at a step gets the same rows.

    Parameters
    ----------
    step : int
        Counted from 0, over all epochs. An epoch has `rows // batch` steps.
    rows : int
        Rows of the data. What does not fill a batch is left out in this epoch.
    batch : int
        Rows of one step over all ranks; a multiple of `ranks`.
    rank, ranks : int
        Who asks, and how many share the batch.
    seed : int
        Epoch `e` is the permutation `torch.randperm` of the seed `seed + e`.

    Returns
    -------
    Tensor of int64
        `batch // ranks` rows: every `ranks`-th of the batch, from `rank` on.

    Raises
    ------
    ValueError
        If the batch is no multiple of `ranks`, or larger than the data.
    """
    if batch % ranks or batch > rows:
        raise ValueError(
            f"batch={batch}: give a multiple of {ranks} (ranks) up to {rows} (rows)."
        )
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


class Block(nn.Module):
    """Two linear layers around a ReLU, added to the input."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return the input plus what the two layers make of it."""
        y: Tensor = self.down(self.dropout(torch.relu(self.up(x))))
        return x + y


class Network(nn.Module):
    """A stem, some blocks of one width, and a head that gives one score a row."""

    def __init__(
        self, inputs: int, width: int, depth: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(Block(width, dropout) for _ in range(depth))
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return one score a row: the logarithm of the odds of being late."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.head(x)
        return scores.squeeze(1)


FLOATS = {"float32": torch.float32, "float64": torch.float64}
FLOATS["bfloat16"] = torch.float32  # mixed precision: parameters stay in 32 bits


@dataclass(frozen=True)
class Plan:
    """What to train and how; the same on every rank.

    `batch` counts the rows of a step over all ranks. `strategy` is "ddp", "fsdp",
    "ring" (our own all-reduce) or "alone" (no exchange: the ceiling, no training of
    one model). `keep_every` writes a checkpoint after so many steps; 0 for none.
    """

    data: str
    width: int = 256
    depth: int = 2
    dropout: float = 0.0
    batch: int = 512
    steps: int = 100
    lr: float = 0.001
    seed: int = 7
    strategy: str = "ddp"
    accumulate: int = 1
    precision: str = "float32"
    keep_every: int = 0
    report_every: int = 10


def build_model(inputs: int, plan: Plan) -> Network:
    """Return the network with the weights of the plan's seed: alike on every rank.

    Parameters
    ----------
    inputs : int
        Columns of the inputs.
    plan : Plan

    Returns
    -------
    Network
    """
    torch.manual_seed(plan.seed)
    model = Network(inputs, plan.width, plan.depth, plan.dropout)
    return model.to(FLOATS[plan.precision])


class Journal:
    """A rank's own record: one line of JSON for each event, on disk at once.

    Parameters
    ----------
    folder : Path
        Where `rank-N.jsonl` is written; lines are added to an earlier record.
    here : Rank
        Whose record it is.
    """

    def __init__(self, folder: Path, here: "Rank") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.rank = folder / f"rank-{here.rank}.jsonl", here.rank

    def write(self, event: str, **facts: Any) -> None:
        """Add a line with the event, the rank, the time and some facts."""
        line = {"event": event, "rank": self.rank, "time": time.time(), **facts}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
ENV = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}


class Rank(NamedTuple):
    """Who this process is among the others, and what it computes on."""

    rank: int
    ranks: int
    device: torch.device
    backend: str


def choose_backend(gpus: int, local_ranks: int) -> str:
    """Return "nccl" if each rank of this machine has a GPU of its own, else "gloo".

    Parameters
    ----------
    gpus, local_ranks : int
        Of this machine.

    Returns
    -------
    str
    """
    return "nccl" if gpus >= local_ranks else "gloo"


def choose_device(backend: str, local_rank: int) -> torch.device:
    """Return the GPU of a rank, or the CPU.

    Parameters
    ----------
    backend : str
        What `choose_backend` returns.
    local_rank : int
        The rank's number on its machine.

    Returns
    -------
    torch.device
    """
    if backend == "nccl":
        return torch.device("cuda", local_rank)
    return torch.device("cpu")


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Return the context of mixed precision: bfloat16 where it is safe, or none.

    Parameters
    ----------
    device : torch.device
    precision : str
        "float32" and "float64" switch it off, "bfloat16" on.

    Returns
    -------
    torch.autocast

    Raises
    ------
    ValueError
        If the precision is another one.
    """
    if precision not in FLOATS:
        raise ValueError(f"precision is {precision!r}; use one of {list(FLOATS)}.")
    on = precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=on)


def end_with_parent(poll_s: float = 0.5) -> None:
    """End this process when its parent ends, even if the parent gets kill -9.

    Linux sends the signal by itself. Everywhere a thread watches the parent's id, too.

    Parameters
    ----------
    poll_s : float
        How often the thread looks.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(poll_s)
        os.kill(os.getpid(), signal.SIGKILL)

    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    threading.Thread(target=watch, daemon=True).start()


def require_launcher(wait_s: float = 5.0) -> None:
    """Refuse to start if the launcher died while this rank was being made.

    The launcher holds the store in which ranks find each other.

    Parameters
    ----------
    wait_s : float
        How long to wait for an answer.

    Raises
    ------
    ConnectionError
        If nobody answers where the store should be.
    """
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    try:
        socket.create_connection(place, timeout=wait_s).close()
    except OSError as error:
        raise ConnectionError(f"no launcher answers at {place}: {error}") from error


def meeting_place(timeout: timedelta) -> Facts:
    """Return where the ranks meet, and as whom this one comes.

    The launcher keeps its store when it starts all ranks again, with the addresses of
    the dead in it. So every attempt gets a part of the store of its own.

    Parameters
    ----------
    timeout : timedelta

    Returns
    -------
    dict
        `store`, `rank` and `world_size`, as `init_process_group` takes them.
    """
    if "RANK" not in os.environ:
        alone = dist.HashStore()  # type: ignore[attr-defined]
        return {"store": alone, "rank": 0, "world_size": 1}
    store, rank, ranks = next(rendezvous("env://", timeout=timeout))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    own = dist.PrefixStore(f"attempt-{attempt}", store)  # type: ignore[attr-defined]
    return {"store": own, "rank": rank, "world_size": ranks}


@contextlib.contextmanager
def world(timeout_s: float = 30.0, gpus: int | None = None) -> Iterator[Rank]:
    """Join the ranks that torchrun started, or be the only one; leave at the end.

    Parameters
    ----------
    timeout_s : float
        How long a rank waits for the others before it gives up.
    gpus : int, optional
        GPUs to choose from; those of this machine by default, 0 for none.

    Yields
    ------
    Rank
    """
    env = {name: int(os.environ.get(name, alone)) for name, alone in ENV.items()}
    if "RANK" in os.environ:
        end_with_parent()
        require_launcher()
    gpus = torch.cuda.device_count() if gpus is None else gpus
    backend = choose_backend(gpus, env["LOCAL_WORLD_SIZE"])
    device = choose_device(backend, env["LOCAL_RANK"])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    elif env["WORLD_SIZE"] == env["LOCAL_WORLD_SIZE"]:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    timeout = timedelta(seconds=timeout_s)
    dist.init_process_group(
        backend,
        timeout=timeout,
        device_id=device if device.type == "cuda" else None,
        **meeting_place(timeout),
    )
    try:
        yield Rank(env["RANK"], env["WORLD_SIZE"], device, backend)
    finally:
        dist.destroy_process_group()


def wrap(model: nn.Module, strategy: str, here: Rank) -> nn.Module:
    """Return the model made ready for a way of sharing the work.

    Parameters
    ----------
    model : Module
        With the same weights on every rank; moved to the rank's device.
    strategy : str
        As in `Plan`.
    here : Rank

    Returns
    -------
    Module

    Raises
    ------
    ValueError
        If the strategy is unknown.
    """
    model = model.to(here.device)
    if strategy == "ddp":
        gpu = [here.device.index] if here.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=gpu)
    if strategy == "fsdp":
        return shard(model)
    if strategy not in ("ring", "alone"):
        raise ValueError(f"strategy is {strategy!r}; use ddp, fsdp, ring or alone.")
    return model


def backward(model: nn.Module, part: Examples, plan: Plan) -> float:
    """Add the gradients of the mean loss over some rows; return that loss.

    With `accumulate` above 1 the rows are taken in pieces, to save memory. Only the
    last piece exchanges gradients: DDP's `no_sync` keeps it quiet before.

    Parameters
    ----------
    model : Module
        What `wrap` returns.
    part : Examples
        This rank's rows of the step.
    plan : Plan

    Returns
    -------
    float
    """
    pieces = zip(*(side.tensor_split(plan.accumulate) for side in part), strict=True)
    total = torch.zeros((), device=part.late.device)
    for number, (inputs, late) in enumerate(pieces, start=1):
        ddp = isinstance(model, DistributedDataParallel)
        quiet = number < plan.accumulate and ddp
        with model.no_sync() if quiet else contextlib.nullcontext():  # type: ignore
            with autocast(late.device, plan.precision):
                scores = model(inputs)
            loss = binary_cross_entropy_with_logits(scores.to(late.dtype), late)
            loss = loss * (len(late) / len(part.late))
            loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    return float(total)


def average_gradients(model: nn.Module) -> None:
    """Average the gradients over all ranks with our own ring.

    Parameters
    ----------
    model : Module
        After its backward pass, not wrapped.
    """
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    ring_all_reduce(flat).div_(dist.get_world_size())
    means = torch.split(flat, [grad.numel() for grad in grads])
    for grad, mean in zip(grads, means, strict=True):
        grad.copy_(mean.view_as(grad))


def _random_state() -> list[Tensor]:
    """Return the state of this process's random numbers, on CPU and on its GPU."""
    gpu = [torch.cuda.get_rng_state()] if dist.get_backend() == "nccl" else []
    return [torch.get_rng_state(), *gpu]


def _set_random_state(state: list[Tensor]) -> None:
    """Continue with random numbers where `_random_state` was taken."""
    torch.set_rng_state(state[0].cpu())
    if len(state) > 1 and dist.get_backend() == "nccl":
        torch.cuda.set_rng_state(state[1].cpu())


def save_state(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, step: int
) -> None:
    """Write a checkpoint, all of it or nothing; every rank calls it.

    It holds the weights, the optimizer's state, the step, and the state of each rank's
    random numbers. Rank 0 writes a draft, forces it to disk, and renames it.

    Parameters
    ----------
    path : Path
        The checkpoint; an earlier one is replaced.
    model, optimizer
        Of a strategy that keeps the whole model on every rank.
    step : int
        Steps done.
    """
    chances: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(chances, _random_state())
    if dist.get_rank() == 0:
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        buffer = io.BytesIO()
        torch.save({**state, "step": step, "random": chances}, buffer)
        draft = path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def load_state(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, here: Rank
) -> int:
    """Continue from a checkpoint, if there is one; return the steps already done.

    Parameters
    ----------
    path : Path
    model, optimizer
        As they were given to `save_state`.
    here : Rank
        With another number of ranks than before, random numbers start anew.

    Returns
    -------
    int
    """
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location=here.device)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    if len(state["random"]) == here.ranks:
        _set_random_state(state["random"][here.rank])
    return int(state["step"])


def weights(model: nn.Module) -> dict[str, Tensor]:
    """Return the whole weights on the CPU; of a sharded model, every rank must call.

    Parameters
    ----------
    model : Module
        Wrapped or not.

    Returns
    -------
    dict of str to Tensor
        By name, without the prefix that DDP adds.
    """
    found = {}
    for name, value in model.state_dict().items():
        whole = value.full_tensor() if hasattr(value, "full_tensor") else value
        found[name.removeprefix("module.")] = whole.detach().cpu()
    return found


def digest(state: dict[str, Tensor]) -> str:
    """Return the sha256 of weights: the same if every bit is.

    Parameters
    ----------
    state : dict of str to Tensor
        What `weights` returns.

    Returns
    -------
    str
    """
    content = hashlib.sha256()
    for name, value in sorted(state.items()):
        content.update(name.encode() + value.contiguous().numpy().tobytes())
    return content.hexdigest()


def fail_on_purpose(journal: Journal, step: int) -> None:
    """Fail once where FLIGHTLINE_FAILPOINT says: "rank:step:kill" or "...:raise".

    Parameters
    ----------
    journal : Journal
        Says who this is; its folder remembers that the failure has happened.
    step : int
        Steps done.
    """
    wish = os.environ.get("FLIGHTLINE_FAILPOINT", "").split(":")
    if wish[:2] != [str(journal.rank), str(step)]:
        return
    with contextlib.suppress(FileExistsError):
        journal.path.with_name("failed").open("x").close()
        if wish[2] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError(f"failpoint at step {step}")


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    examples: Examples,
    rows: Tensor,
    plan: Plan,
) -> float:
    """Make one step of the optimizer and return the loss on these rows.

    Parameters
    ----------
    model, optimizer, examples
        What the rank holds.
    rows : Tensor of int64
        The rank's rows of this step.
    plan : Plan

    Returns
    -------
    float
    """
    optimizer.zero_grad()
    part = Examples(examples.inputs[rows], examples.late[rows])
    loss = backward(model, part, plan)
    if not np.isfinite(loss):
        raise FloatingPointError(f"the loss is {loss}. Lower lr, or mend the data.")
    if plan.strategy == "ring":
        average_gradients(model)
    optimizer.step()
    return loss


def train(plan: Plan, here: Rank, journal: Journal) -> Facts:
    """Train as planned, together with the other ranks; continue where it stopped.

    Parameters
    ----------
    plan : Plan
    here : Rank
        What `world` yields.
    journal : Journal
        Takes start, progress and end. Its folder gets checkpoint and weights, too.

    Returns
    -------
    dict
        `step`, the last `loss` on this rank's rows, `rows_per_s` of this rank, and
        `sha256` of the weights.

    Raises
    ------
    ValueError
        If the plan cannot be carried out.
    FloatingPointError
        If the loss is no number any more.
    """
    if plan.keep_every and plan.strategy == "fsdp":
        raise ValueError("keep_every: fsdp needs torch.distributed.checkpoint.")
    examples = unpack(load_packed(plan.data), FLOATS[plan.precision])
    examples = Examples(*(side.to(here.device) for side in examples))
    model = wrap(build_model(examples.inputs.shape[1], plan), plan.strategy, here)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
    torch.manual_seed(plan.seed + 1 + here.rank)
    kept = journal.path.with_name("state.pt")
    done = load_state(kept, model, optimizer, here) if plan.keep_every else 0
    journal.write("start", step=done, ranks=here.ranks, backend=here.backend,
                  device=str(here.device), pid=os.getpid())  # fmt: skip
    share = {"rows": len(examples.late), "batch": plan.batch, "seed": plan.seed}
    loss, mark, at = float("nan"), done, time.perf_counter()
    rate = 0.0
    while done < plan.steps:
        rows = batch_rows(done, rank=here.rank, ranks=here.ranks, **share)
        loss = train_step(model, optimizer, examples, rows.to(here.device), plan)
        done += 1
        if done % plan.report_every == 0 or done == plan.steps:
            rate = (done - mark) * len(rows) / (time.perf_counter() - at)
            journal.write("progress", step=done, loss=loss, rows_per_s=round(rate))
            mark, at = done, time.perf_counter()
        if plan.keep_every and done % plan.keep_every == 0:
            save_state(kept, model, optimizer, done)
        fail_on_purpose(journal, done)
    final = weights(model)
    if here.rank == 0:
        torch.save(final, journal.path.with_name("weights.pt"))
    result = {"step": done, "loss": loss, "rows_per_s": rate, "sha256": digest(final)}
    journal.write("end", **result)
    return result


def parse(arguments: Sequence[str] | None = None) -> tuple[Plan, Path, float]:
    """Read the command line: a plan, the folder for the journals, and the time-out.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    tuple
    """
    name = "python -m torch.distributed.run ... -m flightline.distributed"
    parser = argparse.ArgumentParser(prog=name, description=__doc__)
    parser.add_argument("data", help="a .parquet or a .pt file")
    parser.add_argument("out", type=Path, help="folder of journals and checkpoint")
    parser.add_argument("--timeout-s", type=float, default=30.0, help="wait for others")
    for field in fields(Plan)[1:]:
        option = f"--{field.name.replace('_', '-')}"
        parser.add_argument(option, type=type(field.default), default=field.default)
    found = vars(parser.parse_args(arguments))
    out, timeout_s = found.pop("out"), found.pop("timeout_s")
    return Plan(**found), out, timeout_s


@record
def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line, as one rank of however many there are.

    Parameters
    ----------
    arguments : sequence of str, optional
        As `parse` takes them.
    """
    plan, out, timeout_s = parse(arguments)
    with world(timeout_s) as here:
        journal = Journal(out, here)
        try:
            result = train(plan, here, journal)
        except Exception as error:
            journal.write("error", error=f"{type(error).__name__}: {error}")
            raise
        if here.rank == 0:
            report = {"plan": asdict(plan), "ranks": here.ranks, **result}
            (out / "result.json").write_text(json.dumps(report, indent=1) + "\n")


def shard(model: nn.Module) -> nn.Module:
    """Split parameters, gradients and optimizer state over the ranks: FSDP.

    Each block is gathered just before it is needed, and freed after. The data are
    split, too: this is data parallel training.

    Parameters
    ----------
    model : Module
        With `blocks`.

    Returns
    -------
    Module
        The same one.
    """
    from torch.distributed.fsdp import fully_shard

    for block in model.blocks:  # type: ignore[union-attr]
        fully_shard(block)
    fully_shard(model)
    return model


def split_layers(model: nn.Module, here: Rank) -> nn.Module:
    """Split each block's two matrices over the ranks: tensor parallel.

    A rank holds some columns of `up` and the matching rows of `down`, so that a block
    needs one exchange. Every rank sees the same rows of data.

    Parameters
    ----------
    model : Module
        With `blocks` of `up` and `down`.
    here : Rank

    Returns
    -------
    Module
        The same one.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import parallel

    mesh = init_device_mesh(here.device.type, (here.ranks,))
    styles = {"up": parallel.ColwiseParallel(), "down": parallel.RowwiseParallel()}
    for block in model.blocks:  # type: ignore[union-attr]
        parallel.parallelize_module(block, mesh, styles)
    return model


def held_bytes(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, int]:
    """Return the bytes of training state that this rank holds.

    Parameters
    ----------
    model : Module
        With gradients.
    optimizer : Optimizer
        After a step.

    Returns
    -------
    dict of str to int
        `parameters`, `gradients` and `optimizer`.
    """

    def own(tensors: Iterator[Any]) -> int:
        parts = (t.to_local() if hasattr(t, "to_local") else t for t in tensors)
        return sum(part.nbytes for part in parts)

    moments = (t for state in optimizer.state.values() for t in state.values())
    return {
        "parameters": own(p for p in model.parameters()),
        "gradients": own(p.grad for p in model.parameters() if p.grad is not None),
        "optimizer": own(t for t in moments if torch.is_tensor(t) and t.dim() > 0),
    }


def stage_of(model: Network, here: Rank) -> nn.Sequential:
    """Return the layers of one stage of a pipeline.

    Parameters
    ----------
    model : Network
    here : Rank
        The first rank has the stem, the last one the head.

    Returns
    -------
    Sequential
    """
    layers = [model.stem, *model.blocks, model.head]
    cuts = np.linspace(1, len(layers) - 1, here.ranks + 1).round().astype(int)
    cuts[0], cuts[-1] = 0, len(layers)
    return nn.Sequential(*layers[cuts[here.rank] : cuts[here.rank + 1]])


def pipeline_step(
    stage: nn.Module, part: Examples, here: Rank, microbatches: int
) -> float | None:
    """Run one batch forward and backward through the stages, in microbatches.

    Parameters
    ----------
    stage : Module
        What `stage_of` returns, on this rank's device.
    part : Examples
        The same rows on every rank; a multiple of `microbatches`.
    here : Rank
    microbatches : int
        Pieces of the batch that follow each other through the stages.

    Returns
    -------
    float or None
        The mean loss on the last rank, None elsewhere.
    """
    from torch.distributed.pipelining import PipelineStage, ScheduleGPipe

    def loss(scores: Tensor, late: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(scores.squeeze(1), late)

    place = PipelineStage(stage, here.rank, here.ranks, here.device)
    schedule = ScheduleGPipe(place, microbatches, loss_fn=loss)
    losses: list[Tensor] = []
    if here.rank == 0:
        schedule.step(part.inputs)
    elif here.rank == here.ranks - 1:
        schedule.step(target=part.late, losses=losses)
    else:
        schedule.step()
    return float(torch.stack(losses).mean()) if losses else None


def bubble(stages: int, microbatches: int) -> float:
    """Return the share of a pipeline's time in which a stage waits for work.

    Parameters
    ----------
    stages, microbatches : int
        All stages and all microbatches take the same time.

    Returns
    -------
    float
        `(P - 1) / (M + P - 1)`, from 0 to below 1.

    Examples
    --------
    >>> bubble(2, 1), bubble(2, 7)
    (0.5, 0.125)
    """
    return (stages - 1) / (microbatches + stages - 1)


def fit_cost(
    sizes: Sequence[float], seconds: Sequence[float], ranks: int
) -> tuple[float, float]:
    """Fit the cost of a ring all-reduce: `2 (n-1) alpha + 2 (n-1)/n * bytes * beta`.

    Parameters
    ----------
    sizes : sequence of float
        Bytes of the tensors.
    seconds : sequence of float
        The measured times, above zero. Each counts by its relative error, so that the
        small tensors have a say.
    ranks : int
        Size of the ring, at least 2.

    Returns
    -------
    tuple of float
        `alpha`, seconds a message, and `beta`, seconds a byte.

    Examples
    --------
    >>> alpha, beta = fit_cost([1e3, 1e6], [2.001, 3.0], ranks=2)
    >>> round(alpha, 6), round(beta, 9)
    (1.0, 1e-06)
    """
    took = np.asarray(seconds, dtype=float)
    messages = np.full(len(took), 2.0 * (ranks - 1))
    moved = np.asarray(sizes, dtype=float) * 2 * (ranks - 1) / ranks
    terms = np.column_stack([messages, moved]) / took[:, None]
    alpha, beta = np.linalg.lstsq(terms, np.ones(len(took)), rcond=None)[0]
    return float(alpha), float(beta)


def straggler(wait_s: np.ndarray, factor: float = 3.0) -> int | None:
    """Name the rank that the others wait for, if there is one.

    Parameters
    ----------
    wait_s : numpy.ndarray
        Seconds that each rank waited in the exchange: one row a step, one column a
        rank, at least two columns.
    factor : float
        How many times as long the others must wait.

    Returns
    -------
    int or None
        The rank with the smallest median wait, which may be zero; None if the median
        of the others' medians is zero, or less than `factor` times as long.

    Examples
    --------
    >>> straggler(np.array([[5.0, 5.0, 0.1], [4.0, 5.0, 0.1]]))
    2
    """
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


def choose_stage(params: float, ranks: int, memory_bytes: float) -> int:
    """Choose how much of the training state to shard over the ranks.

    Parameters
    ----------
    params : float
        Parameters of the model, trained with Adam in mixed precision.
    ranks : int
        Ranks that train together.
    memory_bytes : float
        What a rank can hold of the state.

    Returns
    -------
    int
        0: nothing is sharded; 1: the optimizer; 2: gradients too; 3: parameters too.

    Raises
    ------
    ValueError
        If the state does not fit; the message says how many ranks would do.

    Examples
    --------
    >>> choose_stage(1e9, 4, 16e9), choose_stage(1e9, 4, 4e9)
    (0, 3)
    """
    for stage in range(4):
        whole = (16, 4, 2, 0)[stage] * params
        sharded = (0, 12, 14, 16)[stage] * params / ranks
        if whole + sharded <= memory_bytes:
            return stage
    needed = int(np.ceil(16 * params / memory_bytes))
    raise ValueError(
        f"{params:.3g} parameters do not fit on {ranks} ranks. Use {needed} ranks."
    )
