"""Checkpoints in one file: all that decides what comes next, and whose it is.

Every rank holds the whole model, so rank 0 writes for all. The file knows the plan and
the data it belongs to, and the sum of its bytes. It is written as a draft, forced to
disk, and renamed: who reads finds the old one or the new one. `sharded.py` does the
same for ranks that hold a part each.
"""

import hashlib
import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from flightline.distributed.rank import Rank

Identity = Mapping[str, str | int | float]
State = dict[str, object]
SUM_BYTES = hashlib.sha256().digest_size


class Progress(NamedTuple):
    """How far a training came: steps done, and what each rank reported last."""

    step: int
    told: list[dict[str, float]]


def _random_state() -> list[Tensor]:
    """Return the state of this process's random numbers, on CPU and on its GPU."""
    gpu = [torch.cuda.get_rng_state()] if dist.get_backend() == "nccl" else []
    return [torch.get_rng_state(), *gpu]


def _set_random_state(state: list[Tensor]) -> None:
    """Continue with random numbers where `_random_state` was taken."""
    torch.set_rng_state(state[0].cpu())
    if len(state) > 1 and dist.get_backend() == "nccl":
        torch.cuda.set_rng_state(state[1].cpu())


def gather(
    told: Mapping[str, float],
) -> tuple[list[list[Tensor]], list[dict[str, float]]]:
    """Return the random states of all ranks, and what they tell."""
    here = (_random_state(), dict(told))
    all_of_them = [here] * dist.get_world_size()
    dist.all_gather_object(all_of_them, here)
    random, tellings = zip(*all_of_them, strict=True)
    return list(random), list(tellings)


def to_disk(path: Path) -> None:
    """Force a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refuse_another(path: Path, kept: Identity, asked: Identity | None) -> None:
    """Refuse a checkpoint of another training, and name what differs."""
    if asked is None or kept == dict(asked):
        return
    names = sorted(set(kept) | set(asked))
    differ = [
        f"{name} {kept.get(name)!r} and not {asked.get(name)!r}"
        if name != "data"
        else "other data"
        for name in names
        if kept.get(name) != asked.get(name)
    ]
    raise ValueError(
        f"{path.name} belongs to another training: {', '.join(differ)}. "
        "Give another folder, or the same plan and data."
    )


def damaged(path: Path, why: str) -> ValueError:
    """Return the error of a checkpoint that cannot be trusted."""
    return ValueError(
        f"{path.name} is damaged: {why}. Take an older copy, or remove it to start "
        "from step 0."
    )


def write_state(path: Path, state: State) -> None:
    """Write one file, all of it or nothing: the state, and the sum of its bytes.

    Parameters
    ----------
    path : Path
        An earlier file is replaced.
    state : dict
        Tensors, numbers, texts, and lists and dicts of them.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(content)
        file.write(hashlib.sha256(content).digest())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    to_disk(path.parent)


def read_state(path: Path, device: torch.device | None = None) -> State:
    """Read what `write_state` wrote.

    Parameters
    ----------
    path : Path
    device : torch.device, optional
        Where the tensors go; the CPU by default.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If a bit of it has changed.
    """
    whole = path.read_bytes()
    content, total = whole[:-SUM_BYTES], whole[-SUM_BYTES:]
    if hashlib.sha256(content).digest() != total:
        raise damaged(path, "its bytes are not those that were written")
    try:
        state: State = torch.load(
            io.BytesIO(content), weights_only=True, map_location=device or "cpu"
        )
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise damaged(path, str(error).splitlines()[0]) from error
    return state


def save_state(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    step: int,
    *,
    identity: Identity | None = None,
    told: Mapping[str, float] | None = None,
) -> None:
    """Write a checkpoint, all of it or nothing; every rank calls it.

    It holds the weights, the optimizer's state, the step, and the state of each rank's
    random numbers. Rank 0 writes it.

    Parameters
    ----------
    path : Path
        The checkpoint; an earlier one is replaced.
    model, optimizer
        Of a strategy that keeps the whole model on every rank.
    step : int
        Steps done.
    identity : mapping, optional
        What `Plan.identity` returns: whose checkpoint this is.
    told : mapping of str to float, optional
        What this rank reported last.
    """
    random, tellings = gather(told or {})
    if dist.get_rank() == 0:
        write_state(
            path,
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
                "random": random,
                "told": tellings,
                "identity": dict(identity or {}),
            },
        )


def load_state(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    here: Rank,
    *,
    identity: Identity | None = None,
) -> Progress:
    """Continue from a checkpoint, if there is one; return how far it came.

    Parameters
    ----------
    path : Path
    model, optimizer
        As they were given to `save_state`.
    here : Rank
        With another number of ranks than before, random numbers start anew.
    identity : mapping, optional
        Whose checkpoint is asked for; without it, anybody's.

    Returns
    -------
    Progress
        Of step 0, if there is no checkpoint.

    Raises
    ------
    ValueError
        If the checkpoint is damaged, or of another plan or other data.
    """
    if not path.exists():
        return Progress(0, [])
    state = read_state(path, here.device)
    refuse_another(path, state["identity"], identity)  # type: ignore[arg-type]
    model.load_state_dict(state["model"])  # type: ignore[arg-type]
    optimizer.load_state_dict(state["optimizer"])  # type: ignore[arg-type]
    restore_random(state["random"], here)  # type: ignore[arg-type]
    return Progress(state["step"], state["told"])  # type: ignore[arg-type]


def restore_random(states: list[list[Tensor]], here: Rank) -> None:
    """Continue with this rank's random numbers, if as many ranks wrote them."""
    if len(states) == here.ranks:
        _set_random_state(states[here.rank])


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


def digest(state: Mapping[str, Tensor]) -> str:
    """Return the sha256 of weights: the same if every bit is.

    Parameters
    ----------
    state : mapping of str to Tensor
        What `weights` returns.

    Returns
    -------
    str
    """
    content = hashlib.sha256()
    for name, value in sorted(state.items()):
        content.update(name.encode() + value.contiguous().numpy().tobytes())
    return content.hexdigest()
