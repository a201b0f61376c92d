"""The training itself: a step, and steps until the plan is done."""

import contextlib
import math
import os
import time
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from flightline.distributed.checkpoint import (
    Progress,
    digest,
    load_state,
    save_state,
    weights,
)
from flightline.distributed.collectives import average_gradients
from flightline.distributed.core import batch_rows
from flightline.distributed.data import Examples, data_digest, load_packed, unpack
from flightline.distributed.journal import Journal, fail_on_purpose
from flightline.distributed.layouts import wrap
from flightline.distributed.network import FLOATS, autocast, build_model
from flightline.distributed.plan import Plan
from flightline.distributed.rank import Rank
from flightline.distributed.sharded import load_sharded, save_sharded

FILE, FOLDER = "state.pt", "state"


class Result(TypedDict):
    """What a training ends with: on this rank, and `sha256` of the whole weights."""

    step: int
    loss: float
    rows_per_s: float
    sha256: str


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

    Raises
    ------
    ValueError
        If there are fewer rows than pieces.
    """
    if plan.accumulate > len(part.late):
        raise ValueError(
            f"accumulate={plan.accumulate}: a rank has {len(part.late)} rows a step. "
            "Give at most one piece a row, or a larger batch."
        )
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


def train_step(
    model: nn.Module,
    optimizer: Optimizer,
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

    Raises
    ------
    FloatingPointError
        If the loss is no number any more.
    """
    optimizer.zero_grad()
    part = Examples(examples.inputs[rows], examples.late[rows])
    loss = backward(model, part, plan)
    if not math.isfinite(loss):
        raise FloatingPointError(f"the loss is {loss}. Lower lr, or mend the data.")
    if plan.strategy == "ring":
        average_gradients(model)
    optimizer.step()
    return loss


class Keeper:
    """Saves and loads the checkpoints of one training, whole or sharded.

    Parameters
    ----------
    plan : Plan
    here : Rank
    folder : Path
        Gets `state.pt`, or the folder `state` of a sharded training.
    data : str
        What `data_digest` returns.
    """

    def __init__(self, plan: Plan, here: Rank, folder: Path, data: str) -> None:
        self.plan, self.here = plan, here
        self.identity = plan.identity(data)
        self.sharded = plan.strategy == "fsdp"
        self.path = folder / (FOLDER if self.sharded else FILE)

    def load(self, model: nn.Module, optimizer: Optimizer) -> Progress:
        """Continue from the checkpoint, if there is one; return how far it came."""
        load = load_sharded if self.sharded else load_state
        asked = {"identity": self.identity}
        progress = load(self.path, model, optimizer, self.here, **asked)
        if progress.step > self.plan.steps:
            raise ValueError(
                f"steps={self.plan.steps}: {self.path.name} has {progress.step} "
                "already. Give as many or more, or another folder."
            )
        return progress

    def save(
        self, model: nn.Module, optimizer: Optimizer, step: int, told: dict[str, float]
    ) -> None:
        """Write the checkpoint of a step."""
        save = save_sharded if self.sharded else save_state
        save(self.path, model, optimizer, step, identity=self.identity, told=told)


def train(plan: Plan, here: Rank, journal: Journal) -> Result:
    """Train as planned, together with the other ranks; continue where it stopped.

    Parameters
    ----------
    plan : Plan
        With `keep_every`, a checkpoint in the journal's folder is continued, and a
        training that was finished says the same again.
    here : Rank
        What `world` yields.
    journal : Journal
        Takes start, progress and end. Its folder gets checkpoint and weights, too.

    Returns
    -------
    Result
        `step`, the last `loss` on this rank's rows, `rows_per_s` of this rank, and
        `sha256` of the weights.

    Raises
    ------
    ValueError
        If the plan cannot be carried out, or the checkpoint is damaged or of another
        plan or other data.
    FloatingPointError
        If the loss is no number any more.
    """
    packed = load_packed(plan.data)
    examples = unpack(packed, FLOATS[plan.precision])
    examples = Examples(*(side.to(here.device) for side in examples))
    model = wrap(build_model(examples.inputs.shape[1], plan), plan.strategy, here)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
    torch.manual_seed(plan.seed + 1 + here.rank)
    keeper = Keeper(plan, here, journal.path.parent, data_digest(packed))
    progress = keeper.load(model, optimizer) if plan.keep_every else Progress(0, [])
    done = progress.step
    journal.write("start", step=done, ranks=here.ranks, backend=here.backend,
                  device=str(here.device), pid=os.getpid())  # fmt: skip
    share = {"rows": len(examples.late), "batch": plan.batch, "seed": plan.seed}
    told = {"loss": math.nan, "rows_per_s": 0.0}
    if progress.told:
        told = progress.told[here.rank if len(progress.told) == here.ranks else 0]
    mark, at = done, time.perf_counter()
    while done < plan.steps:
        rows = batch_rows(done, rank=here.rank, ranks=here.ranks, **share)
        loss = train_step(model, optimizer, examples, rows.to(here.device), plan)
        done += 1
        told = {**told, "loss": loss}
        if done % plan.report_every == 0 or done == plan.steps:
            rate = (done - mark) * len(rows) / (time.perf_counter() - at)
            told = {"loss": loss, "rows_per_s": rate}
            journal.write("progress", step=done, loss=loss, rows_per_s=round(rate))
            mark, at = done, time.perf_counter()
        due = plan.keep_every and done % plan.keep_every == 0
        if due or (plan.keep_every and done == plan.steps):
            keeper.save(model, optimizer, done, told)
        fail_on_purpose(journal, done)
    final = weights(model)
    if here.rank == 0:
        torch.save(final, journal.path.with_name("weights.pt"))
    result: Result = {
        "step": done,
        "loss": told["loss"],
        "rows_per_s": told["rows_per_s"],
        "sha256": digest(final),
    }
    journal.write("end", **result)
    return result
