"""Checkpoints of sharded ranks: a folder, to which each writes its own part.

`torch.distributed.checkpoint` writes the parts and deals them out anew to any number of
ranks. Around it stands what `checkpoint.py` promises for one file: a draft that is
published whole, the plan and the data it belongs to, and the sums of its bytes. What is
imported inside of functions takes a second, and most trainings need none of it.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.optim import Optimizer

from flightline.distributed.checkpoint import (
    Identity,
    Progress,
    State,
    damaged,
    gather,
    refuse_another,
    restore_random,
    to_disk,
)
from flightline.distributed.rank import Rank

MANIFEST, RANKS = "manifest.json", "ranks.pt"


def _sum(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sum_of_text(manifest: Mapping[str, object]) -> str:
    """Return the sha256 of a manifest."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _publish(draft: Path, path: Path, step: int, identity: Identity) -> None:
    """Sum up what all ranks wrote, force it to disk, and give it its name."""
    files = sorted(p for p in draft.iterdir() if p.name != MANIFEST)
    for file in files:
        to_disk(file)
    manifest = {
        "step": step,
        "identity": dict(identity),
        "files": {file.name: _sum(file) for file in files},
    }
    target = draft / MANIFEST
    signed = {**manifest, "sum": _sum_of_text(manifest)}
    target.write_text(json.dumps(signed, indent=1) + "\n")
    to_disk(target)
    to_disk(draft)
    old = path.with_name(f"{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)  # a crash right here leaves `old`, which load_sharded takes
    draft.rename(path)
    to_disk(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def start_sharded(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    step: int,
    *,
    identity: Identity | None = None,
    told: Mapping[str, float] | None = None,
) -> Callable[[], None]:
    """Begin a sharded checkpoint and return how to finish it; every rank calls both.

    The state is copied before this returns. It is written while the training goes on,
    and has its name only when it is finished. With nccl, which has no exchange between
    processors for it, all is written at once.

    Parameters
    ----------
    path : Path
        A folder; an earlier checkpoint is replaced.
    model, optimizer, step, identity, told
        As `save_state` takes them.

    Returns
    -------
    callable
        Waits until all parts are on disk, and publishes them.
    """
    from torch.distributed.checkpoint.state_dict import get_state_dict
    from torch.distributed.checkpoint.state_dict_saver import async_save, save

    random, tellings = gather(told or {})
    draft = path.with_name(f"{path.name}.draft")
    if dist.get_rank() == 0:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        torch.save({"random": random, "told": tellings}, draft / RANKS)
    dist.barrier()
    weights_of, moments_of = get_state_dict(model, optimizer)
    state = {"model": weights_of, "optimizer": moments_of}
    written = group = None
    if dist.get_backend() == "gloo":
        group = dist.new_group()  # its own, as the training exchanges meanwhile
        written = async_save(state, checkpoint_id=draft, process_group=group)
    else:
        save(state, checkpoint_id=draft)

    def finish() -> None:
        if written is not None:
            written.result()  # type: ignore[union-attr]
        dist.barrier()
        if dist.get_rank() == 0:
            _publish(draft, path, step, identity or {})
        dist.barrier()
        if group is not None:
            dist.destroy_process_group(group)

    return finish


def save_sharded(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    step: int,
    *,
    identity: Identity | None = None,
    told: Mapping[str, float] | None = None,
) -> None:
    """Write a sharded checkpoint, each rank its part, and wait for it.

    Parameters
    ----------
    path, model, optimizer, step, identity, told
        As `start_sharded` takes them.
    """
    start_sharded(path, model, optimizer, step, identity=identity, told=told)()


def load_sharded(
    path: Path,
    model: nn.Module,
    optimizer: Optimizer,
    here: Rank,
    *,
    identity: Identity | None = None,
) -> Progress:
    """Continue from a sharded checkpoint, if there is one; every rank calls it.

    Parameters
    ----------
    path : Path
        The folder.
    model, optimizer
        Sharded over any number of ranks: the parts are dealt out anew.
    here : Rank
        With another number of ranks than before, random numbers start anew.
    identity : mapping, optional
        As `load_state` takes it.

    Returns
    -------
    Progress
        Of step 0, if there is no checkpoint.

    Raises
    ------
    ValueError
        If the checkpoint is damaged, or of another plan or other data.
    """
    from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
    from torch.distributed.checkpoint.state_dict_loader import load

    old = path.with_name(f"{path.name}.old")
    path = path if path.exists() or not old.exists() else old
    if not path.exists():
        return Progress(0, [])
    manifest = _manifest(path)
    refuse_another(path, manifest["identity"], identity)  # type: ignore[arg-type]
    weights_of, moments_of = get_state_dict(model, optimizer)
    state = {"model": weights_of, "optimizer": moments_of}
    load(state, checkpoint_id=path)
    set_state_dict(
        model,
        optimizer,
        model_state_dict=state["model"],  # type: ignore[arg-type]
        optim_state_dict=state["optimizer"],  # type: ignore[arg-type]
    )
    ranks = torch.load(path / RANKS, weights_only=True, map_location="cpu")
    restore_random(ranks["random"], here)
    return Progress(manifest["step"], ranks["told"])  # type: ignore[arg-type]


def _manifest(path: Path) -> State:
    """Read the manifest of a sharded checkpoint, and hold its files against it."""
    try:
        manifest: State = json.loads((path / MANIFEST).read_text())
        total = manifest.pop("sum")
        files: dict[str, str] = manifest["files"]  # type: ignore[assignment]
        changed = [name for name, kept in files.items() if _sum(path / name) != kept]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error
    if total != _sum_of_text(manifest):
        changed = [MANIFEST]
    if changed:
        raise damaged(path, f"{changed[0]} is not what was written")
    return manifest
