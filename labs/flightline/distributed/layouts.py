"""Ways to lay a training out over ranks, and what a rank holds in each."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.parallel import DistributedDataParallel

from flightline.distributed.core import bytes_per_rank
from flightline.distributed.data import Examples
from flightline.distributed.network import Network
from flightline.distributed.rank import Rank


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
    from torch.distributed.tensor import DTensor  # slow to import

    def own(tensors: Iterator[Tensor]) -> int:
        parts = (t.to_local() if isinstance(t, DTensor) else t for t in tensors)
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
        if sum(bytes_per_rank(params, ranks, stage).values()) <= memory_bytes:
            return stage
    whole = sum(bytes_per_rank(params, 1, 0).values())
    needed = int(np.ceil(whole / memory_bytes))
    raise ValueError(
        f"{params:.3g} parameters do not fit on {ranks} ranks. Use {needed} ranks."
    )
