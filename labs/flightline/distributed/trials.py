"""Tuning in parallel: processes that share one study, each with trials of its own.

Nothing is exchanged but the results: each trial is a training on one device. The study
is a file that all processes append to, so they must see the same disk; over several
machines Ray Tune, or a database under Optuna, takes that part.

`python -m flightline.distributed.trials TRAIN.pt TUNE.pt STUDY.log --trials 12` is one
process; start it as often as there are devices.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from flightline.distributed.core import batch_rows
from flightline.distributed.data import Examples, load_packed, unpack
from flightline.distributed.loop import train_step
from flightline.distributed.network import build_model
from flightline.distributed.plan import Plan
from flightline.distributed.study import open_study

if TYPE_CHECKING:
    import optuna


def loss_of(plan: Plan, train: Examples, tune: Examples) -> float:
    """Train as planned in this process, and return the log-loss on other rows.

    Parameters
    ----------
    plan : Plan
    train, tune : Examples
        Rows to learn from, and rows to judge by.

    Returns
    -------
    float
    """
    model = build_model(train.inputs.shape[1], plan)
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.lr)
    share = {"rows": len(train.late), "batch": plan.batch, "seed": plan.seed}
    for step in range(plan.steps):
        rows = batch_rows(step, rank=0, ranks=1, **share)
        train_step(model, optimizer, train, rows, plan)
    model.eval()
    with torch.no_grad():
        return float(binary_cross_entropy_with_logits(model(tune.inputs), tune.late))


def search(
    train: Path, tune: Path, study: Path, *, trials: int, seed: int, steps: int
) -> float:
    """Run some trials of a study that others may share; return its best loss so far.

    Parameters
    ----------
    train, tune : Path
        Tensor files of `pack`, the second packed like the first.
    study : Path
        The study's file.
    trials : int
        Of this process.
    seed : int
        Of this process.
    steps : int
        Of each training.

    Returns
    -------
    float
    """
    torch.set_num_threads(1)
    rows, others = unpack(load_packed(train)), unpack(load_packed(tune))

    def objective(trial: "optuna.Trial") -> float:
        plan = Plan(
            str(train),
            width=trial.suggest_int("width", 16, 128, log=True),
            dropout=trial.suggest_float("dropout", 0.0, 0.5),
            lr=trial.suggest_float("lr", 1e-4, 1e-1, log=True),
            steps=steps,
            strategy="alone",
        )
        return loss_of(plan, rows, others)

    shared = open_study(study, seed)
    shared.optimize(objective, n_trials=trials, catch=(FloatingPointError,))
    return float(shared.best_value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the processes that share a study."""
    parser = argparse.ArgumentParser(
        prog="python -m flightline.distributed.trials", description=__doc__
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("tune", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=100)
    best = search(**vars(parser.parse_args(arguments)))
    print(f"best so far: {best:.4f}")


if __name__ == "__main__":
    main()
