"""What ranks do for the lab's checks and measurements, several tasks in one launch.

Starting two ranks takes seconds, so that a list of tasks runs in one go:
`python -m torch.distributed.run ... -m labkit.distributed.rank_tasks FOLDER` reads
`FOLDER/tasks.json`, and rank 0 writes `FOLDER/results.json`. The ranks run the exported
module `flightline.distributed`, never what a notebook defines.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict, cast

import torch
import torch.distributed as dist
from flightline import distributed as d
from flightline.distributed import (
    FLOATS,
    Examples,
    Journal,
    Plan,
    Rank,
    load_packed,
    ring_all_reduce,
    unpack,
    world,
)
from torch import Tensor, nn
from torch.distributed.elastic.multiprocessing.errors import record
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.parallel import DistributedDataParallel


class Speed(TypedDict):
    """What the task `speed` found for a width: parameters, and seconds by round."""

    width: int
    params: int
    alone: list[float]
    apart: list[float]
    ddp: list[float]


Facts = dict[str, dict[str, float]]  # numbers by case and name
Layout = dict[str, int | list[float | None]]  # bytes by what they hold, and losses


def ring(here: Rank, sizes: list[int], rings: list[int]) -> Facts:
    """Compare our ring with `dist.all_reduce` in rings of several sizes.

    Parameters
    ----------
    here : Rank
    sizes : list of int
        Numbers in the tensors; they need not divide evenly.
    rings : list of int
        How many ranks take part, at most all.

    Returns
    -------
    dict
        By ring, for the ranks in it: whether all sums are equal bit for bit, and the
        largest difference, relative to the largest sum.
    """
    found = {}
    for count in rings:
        group = dist.new_group(list(range(count)))
        if here.rank >= count:
            continue
        chance = torch.Generator().manual_seed(here.rank)
        equal, worst = True, 0.0
        for size in sizes:
            ours = torch.randn(size, generator=chance)
            theirs = ours.clone()
            ring_all_reduce(ours, group)
            dist.all_reduce(theirs, group=group)
            equal &= torch.equal(ours, theirs)
            worst = max(worst, float((ours - theirs).abs().max() / theirs.abs().max()))
        found[str(count)] = {"bitwise": equal, "difference": worst}
    return found


def branches(here: Rank) -> dict[str, list[float] | None]:
    """Average gradients where each rank used another layer, and none the last.

    Parameters
    ----------
    here : Rank

    Returns
    -------
    dict
        By layer, the averaged gradient, or None. Layer `r` has the gradient `r + 1` on
        rank `r` alone.
    """
    names = [*map(str, range(here.ranks)), "nobody's"]
    network = nn.ModuleDict({name: nn.Linear(2, 1, bias=False) for name in names})
    network[str(here.rank)](torch.ones(1, 2) * (here.rank + 1)).sum().backward()
    d.average_gradients(network)
    return {
        name.partition(".")[0]: None if p.grad is None else p.grad.flatten().tolist()
        for name, p in network.named_parameters()
    }


def _rows(data: str, rows: int, precision: str) -> Examples:
    """Return the first rows of a tensor file."""
    examples = unpack(load_packed(data), FLOATS[precision])
    return Examples(*(side[:rows] for side in examples))


def _grads(model: nn.Module) -> Tensor:
    """Return all gradients of a model as one vector."""
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()])  # type: ignore[union-attr]


def _part(examples: Examples, here: Rank) -> Examples:
    """Return the rows of this rank."""
    return type(examples)(*(side[here.rank :: here.ranks] for side in examples))


def _final(here: Rank, plan: Plan, examples: Examples, strategy: str) -> Tensor:
    """Train as planned and return all weights as one vector."""
    made = d.build_model(examples.inputs.shape[1], plan)
    model = d.wrap(made, strategy, here)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
    who = {"rank": 0, "ranks": 1} if strategy == "alone" else here._asdict()
    share = {"rows": len(examples.late), "batch": plan.batch, "seed": plan.seed}
    for step in range(plan.steps):
        rows = d.batch_rows(step, rank=who["rank"], ranks=who["ranks"], **share)
        d.train_step(model, optimizer, examples, rows, plan)
    return torch.cat([value.reshape(-1) for value in d.weights(model).values()])


def differences(here: Rank, data: str, rows: int, steps: int) -> Facts:
    """Compare gradients and weights of several ranks with those of one process.

    Parameters
    ----------
    here : Rank
    data : str
        A tensor file.
    rows : int
        Of the batch, over all ranks.
    steps : int
        How long DDP and one process train before their weights are compared.

    Returns
    -------
    dict
        In both precisions the `largest gradient` of one process, the largest difference
        from it of `ddp` and of our own `ring`, and the largest difference of the
        `weights` after the training with DDP.
    """
    found: Facts = {}
    for precision in ("float32", "float64"):
        plan = d.Plan(data, width=64, precision=precision, batch=rows, steps=steps)
        examples = _rows(data, 8 * rows, precision)
        batch = d.Examples(*(side[:rows] for side in examples))

        def grads(strategy: str, part: Examples, plan: Plan = plan) -> Tensor:
            made = d.build_model(part.inputs.shape[1], plan)
            model = d.wrap(made, strategy, here)
            d.backward(model, part, plan)
            if strategy == "ring":
                d.average_gradients(model)
            return _grads(model)

        one = grads("alone", batch)
        found[precision] = {"largest gradient": float(one.abs().max())}
        for strategy in ("ddp", "ring"):
            gap = grads(strategy, _part(batch, here)) - one
            found[precision][strategy] = float(gap.abs().max())
        ends = [_final(here, plan, examples, way) for way in ("alone", "ddp")]
        found[precision]["weights"] = float((ends[0] - ends[1]).abs().max())
    return found


def like_the_lab(
    here: Rank, data: str, width: int, batch: int, steps: int
) -> dict[str, list[float]]:
    """Train the lab's own network with DDP, on real ranks.

    Parameters
    ----------
    here : Rank
    data : str
    width, batch, steps : int
        Of the network and its training with AdamW.

    Returns
    -------
    dict
        By precision all weights at the end, the same on every rank.
    """
    found = {}
    for precision in ("float32", "float64"):
        inputs, late = unpack(load_packed(data), FLOATS[precision])
        made = d.network(inputs.shape[1], width, seed=7).to(inputs.dtype)
        model = DistributedDataParallel(made)
        optimizer = torch.optim.AdamW(model.parameters())
        who = {"rank": here.rank, "ranks": here.ranks}
        share = {"rows": len(late), "batch": batch, "seed": 7, **who}
        for step in range(steps):
            rows = d.batch_rows(step, **share)
            optimizer.zero_grad()
            scores = model(inputs[rows]).squeeze(1)
            loss = binary_cross_entropy_with_logits(scores, late[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        vector = nn.utils.parameters_to_vector(model.parameters())
        found[precision] = vector.detach().tolist()
    return found


def accumulation(here: Rank, data: str, rows: int, pieces: int) -> Facts:
    """Count the all-reduces of one step, in pieces, with and without `no_sync`.

    Parameters
    ----------
    here : Rank
    data : str
    rows : int
        Of the step, over all ranks.
    pieces : int
        How many backward passes make up the step.

    Returns
    -------
    dict
        `exchanges` of one backward pass for the whole batch, of pieces with an
        exchange each, and of pieces with `no_sync`; and the largest difference of the
        gradients from those of the whole batch.
    """
    from dataclasses import replace

    from torch.distributed.algorithms.ddp_comm_hooks import default_hooks

    plan = d.Plan(data, width=64, depth=1, precision="float64")
    part = _part(_rows(data, rows, plan.precision), here)

    def step(kind: str) -> tuple[int, Tensor]:
        count = [0]

        def hook(
            state: object,
            bucket: dist.GradBucket,  # type: ignore[name-defined]
        ) -> torch.futures.Future[Tensor]:
            count[0] += 1
            return default_hooks.allreduce_hook(None, bucket)  # type: ignore[arg-type]

        made = d.build_model(part.inputs.shape[1], plan)
        model = cast(DistributedDataParallel, d.wrap(made, "ddp", here))
        model.register_comm_hook(None, hook)
        if kind == "every piece":
            sides = [side.tensor_split(pieces) for side in part]
            for piece in zip(*sides, strict=True):
                d.backward(model, d.Examples(*piece), plan)
            return count[0], _grads(model) / pieces
        split = 1 if kind == "whole batch" else pieces
        d.backward(model, part, replace(plan, accumulate=split))
        return count[0], _grads(model)

    whole = step("whole batch")[1]
    found = {}
    for kind in ("whole batch", "every piece", "no_sync"):
        exchanges, grads = step(kind)
        gap = float((grads - whole).abs().max())
        found[kind] = {"exchanges": exchanges, "difference": gap}
    return found


def layouts(
    here: Rank, data: str, rows: int, width: int, steps: int
) -> dict[str, Layout]:
    """Train a little in each layout: the same losses, other bytes a rank.

    Parameters
    ----------
    here : Rank
    data : str
    rows : int
        Of each batch, over all ranks.
    width : int
        Of the network; it has four blocks.
    steps : int

    Returns
    -------
    dict
        By layout the `losses` of the steps, and the bytes that this rank holds.
    """
    plan = d.Plan(data, width=width, depth=4, lr=1e-4)
    batch = _rows(data, rows, plan.precision)
    found: dict[str, Layout] = {}
    for layout in ("one process", "ddp", "fsdp", "tensor", "pipeline"):
        model: nn.Module = d.build_model(batch.inputs.shape[1], plan)
        part = batch
        if layout in ("ddp", "fsdp"):
            model, part = d.wrap(model, layout, here), _part(batch, here)
        elif layout == "tensor":
            model = d.split_layers(model, here)
        elif layout == "pipeline":
            model = d.stage_of(model, here)  # type: ignore[arg-type]
        optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr, foreach=False)
        losses = []
        for _ in range(steps):
            optimizer.zero_grad()
            if layout == "pipeline":
                loss = d.pipeline_step(model, part, here, microbatches=4)
            else:
                loss = d.backward(model, part, plan)
            optimizer.step()
            losses.append(loss)
        found[layout] = {"losses": losses, **d.held_bytes(model, optimizer)}
        del model, optimizer
    return found


def _seconds(piece: Callable[[], object]) -> float:
    """Run a function on all ranks at once and return the seconds it took here."""
    dist.barrier()
    start = time.perf_counter()
    piece()
    return time.perf_counter() - start


def exchange(here: Rank, sizes: list[int], repeats: int) -> list[dict[str, float]]:
    """Time `dist.all_reduce` and our ring on tensors of several sizes.

    Parameters
    ----------
    here : Rank
    sizes : list of int
        Bytes.
    repeats : int
        Rounds; in each one all sizes take their turn.

    Returns
    -------
    list of dict
        `bytes`, and the median seconds of each way.
    """
    tensors = {size: torch.ones(size // 4) for size in sizes}
    ways: dict[str, Callable[[Tensor], object]] = {
        "all_reduce": dist.all_reduce,
        "ring": ring_all_reduce,
    }
    took: dict[tuple[int, str], list[float]] = {}
    for turn in range(repeats + 1):
        for size, tensor in tensors.items():
            for name, way in ways.items():
                tensor.fill_(1.0)
                took_s = _seconds(lambda way=way, tensor=tensor: way(tensor))  # type: ignore[misc]
                if turn:
                    took.setdefault((size, name), []).append(took_s)
    return [
        {"bytes": size, **{n: statistics.median(took[size, n]) for n in ways}}
        for size in sizes
    ]


def speed(
    here: Rank, data: str, widths: list[int], batch: int, repeats: int
) -> list[Speed]:
    """Time a step of one rank alone, of both without exchange, and of DDP.

    Parameters
    ----------
    here : Rank
    data : str
    widths : list of int
        Of the network.
    batch : int
        Rows of a step, over all ranks.
    repeats : int
        Rounds; in each one all three take their turn.

    Returns
    -------
    list of dict
        For each width `params`, the parameters, and by round the seconds of `alone`
        (rank 0 does the whole batch, the others wait), `apart` (each does its part,
        nothing is exchanged) and `ddp`. `labkit.distributed.ranks.speed_ups` makes a
        table of it.
    """
    found: list[Speed] = []
    for width in widths:
        plan = d.Plan(data, width=width)
        whole = _rows(data, batch, plan.precision)
        part = _part(whole, here)

        def ready(
            strategy: str, rows: Examples, plan: Plan = plan
        ) -> Callable[[], float]:
            columns = rows.inputs.shape[1]
            model = d.wrap(d.build_model(columns, plan), strategy, here)
            optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
            index = torch.arange(len(rows.late))
            return lambda: d.train_step(model, optimizer, rows, index, plan)

        pieces = {
            "alone": ready("alone", whole) if here.rank == 0 else lambda: None,
            "apart": ready("alone", part),
            "ddp": ready("ddp", part),
        }
        took = [
            {name: _seconds(piece) for name, piece in pieces.items()}
            for _ in range(repeats + 2)
        ][2:]
        rounds = {name: [one[name] for one in took] for name in pieces}
        model = d.build_model(whole.inputs.shape[1], plan)
        size = sum(p.numel() for p in model.parameters())
        found.append(
            {
                "width": width,
                "params": size,
                "alone": rounds["alone"],
                "apart": rounds["apart"],
                "ddp": rounds["ddp"],
            }
        )
    return found


def saving(here: Rank, data: str, width: int, repeats: int) -> dict[str, list[float]]:
    """Time how long a training stands still for its checkpoint, in three ways.

    Parameters
    ----------
    here : Rank
    data : str
    width : int
        Of the network.
    repeats : int
        Rounds; in each one all three take their turn, with a step between them.

    Returns
    -------
    dict
        Seconds by round: of `one file`, of `sharded`, of `background`, in which the
        training only waits for the copy, and of `published`, until that is on disk.
    """
    plan = d.Plan(data, width=width)
    examples = _rows(data, 4 * plan.batch, plan.precision)
    rows = torch.arange(here.rank, plan.batch, here.ranks)
    folder = Path(sys.argv[1])
    sides = {}
    for strategy in ("ddp", "fsdp"):
        made = d.build_model(examples.inputs.shape[1], plan)
        model = d.wrap(made, strategy, here)
        optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
        d.train_step(model, optimizer, examples, rows, plan)
        sides[strategy] = (model, optimizer)
    whole, parts = sides["ddp"], sides["fsdp"]
    took: dict[str, list[float]] = {
        name: [] for name in ("one file", "sharded", "background", "published")
    }
    for turn in range(repeats + 1):
        one_s = _seconds(lambda: d.save_state(folder / "one.pt", *whole, 1))
        dist.barrier()
        sharded_s = _seconds(lambda: d.save_sharded(folder / "parts", *parts, 1))
        dist.barrier()
        start = time.perf_counter()
        finish = d.start_sharded(folder / "behind", *parts, 1)
        background_s = time.perf_counter() - start
        d.train_step(*parts, examples, rows, plan)
        finish()
        published_s = time.perf_counter() - start
        found = (one_s, sharded_s, background_s, published_s)
        for name, seconds in zip(took, found, strict=True):
            if turn:  # the first round warms up
                took[name].append(seconds)
    return took


TASKS: dict[str, Callable[..., object]] = {
    one.__name__: one
    for one in (
        ring,
        branches,
        differences,
        like_the_lab,
        accumulation,
        layouts,
        exchange,
        speed,
        saving,
    )
}


@record
def main() -> None:
    """Run the tasks of a folder, and write what each rank returns."""
    folder = Path(sys.argv[1])
    tasks = json.loads((folder / "tasks.json").read_text())
    with world() as here:
        results = []
        try:
            for options in tasks:
                name = options.pop("task")
                by_rank: list[object] = [None] * here.ranks
                dist.all_gather_object(by_rank, TASKS[name](here, **options))
                results.append(by_rank)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            Journal(folder, here).write("error", error=text)
            raise
        if here.rank == 0:
            (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
