"""A race between searches for settings, on a continuous space, and one real pruner.

Each trial trains a small LightGBM on a few thousand rows and is judged on June. No
two trials share a point, so random search is what its inventors compared with a grid:
in every setting it tries as many values as it has trials.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from flightline import training
from flightline.training import Floats
from scipy import stats

if TYPE_CHECKING:
    import optuna
    from lightgbm.callback import CallbackEnv

SPACE = {
    "learning_rate": (0.01, 0.5),
    "num_leaves": (4, 128),
    "min_data_in_leaf": (5, 500),
    "lambda_l2": (0.01, 100.0),
}
"""The ends of each setting; all are drawn on a logarithmic scale."""
ROUNDS = 60


def settings(point: Mapping[str, float]) -> dict[str, float]:
    """Turn places from 0 to 1 into settings."""
    found = {}
    for name, (low, high) in SPACE.items():
        value = low * (high / low) ** point[name]
        found[name] = round(value) if isinstance(low, int) else value
    return found


@dataclass(frozen=True)
class Task:
    """Rows to train on and to judge on, and the loss of a point."""

    train: pd.DataFrame
    tune: pd.DataFrame

    def inputs(self) -> tuple[training.Transform, list[tuple[Floats, Floats]]]:
        """Return the transform, and matrix and labels of both parts."""
        transform = training.Transform.fit(self.train)
        parts = (self.train, self.tune)
        return transform, [(transform.matrix(p), training.labels(p)) for p in parts]

    def loss(self) -> Callable[[Mapping[str, float]], float]:
        """Return a function that takes a point and returns June's log-loss."""
        import lightgbm

        _, ((rows, late), (asked, answer)) = self.inputs()

        def loss(point: Mapping[str, float]) -> float:
            chosen = training.TREES | settings(point) | {"seed": 0}
            data = lightgbm.Dataset(rows, late)
            score = lightgbm.train(chosen, data, ROUNDS).predict(asked)
            return training.log_loss(np.asarray(score), answer)

        return loss


Loss = Callable[[Mapping[str, float]], float]


def random_search(loss: Loss, budget: int, seed: int) -> list[float]:
    """Return the losses of points drawn at random."""
    rng = np.random.default_rng(seed)
    points = rng.random((budget, len(SPACE)))
    return [loss(dict(zip(SPACE, point, strict=True))) for point in points]


def grid_search(loss: Loss, budget: int, seed: int) -> list[float]:
    """Return the losses of a grid of as many levels as the budget allows.

    Which settings get a level more, and where the levels lie in their equal parts of
    the range, is drawn: a grid has to be put somewhere.
    """
    rng = np.random.default_rng(seed)
    levels = {}
    for name, size in sizes(list(rng.permutation(list(SPACE))), budget).items():
        levels[name] = (np.arange(size) + rng.random()) / size
    points = pd.MultiIndex.from_product(levels.values(), names=list(levels))
    order = rng.permutation(len(points))
    return [loss(dict(zip(levels, points[place], strict=True))) for place in order]


def sizes(names: Sequence[str], budget: int) -> dict[str, int]:
    """Return how many levels each setting gets, as evenly as the budget allows."""
    found = dict.fromkeys(map(str, names), 1)
    while True:
        for name in sorted(found, key=found.__getitem__):
            wider = found | {name: found[name] + 1}
            if np.prod(list(wider.values())) <= budget:
                found = wider
                break
        else:
            return found


def tpe_search(loss: Loss, budget: int, seed: int) -> list[float]:
    """Return the losses of Optuna's tree-structured Parzen estimator."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: "optuna.Trial") -> float:
        return loss({name: trial.suggest_float(name, 0, 1) for name in SPACE})

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=budget)
    return [float(trial.values[0]) for trial in study.trials]


SEARCHES = {"random": random_search, "grid": grid_search, "TPE": tpe_search}


def race(loss: Loss, budgets: tuple[int, ...], seeds: int) -> pd.DataFrame:
    """Run each search at each budget with each seed.

    Random search and TPE do not know their budget, so one run serves all; a grid is
    made for its budget.

    Returns
    -------
    DataFrame
        One row a search, budget and seed: `tried`, and the `best` loss found.
    """
    rows = []
    for seed in range(seeds):
        runs: dict[tuple[str, int], list[float]] = {}
        for name, search in SEARCHES.items():
            if name == "grid":
                runs |= {(name, b): search(loss, b, seed) for b in budgets}
            else:
                whole = search(loss, max(budgets), seed)
                runs |= {(name, b): whole[:b] for b in budgets}
        rows += [
            {"search": n, "budget": b, "seed": seed, "tried": len(v), "best": min(v)}
            for (n, b), v in runs.items()
        ]
    return pd.DataFrame(rows)


def gains(result: pd.DataFrame, search: str, other: str) -> pd.DataFrame:
    """Say how much lower the best loss of one search is, over the same seeds.

    Returns
    -------
    DataFrame
        By budget: the `mean` difference (positive: `search` is better), and the ends
        `low` and `high` of its 95% interval over seeds.
    """
    table = result.pivot(index=["budget", "seed"], columns="search", values="best")
    found = {}
    for budget, apart in (table[other] - table[search]).groupby("budget"):
        half = stats.t.ppf(0.975, len(apart) - 1) * apart.sem()
        found[budget] = (apart.mean(), apart.mean() - half, apart.mean() + half)
    return pd.DataFrame(found, index=["mean", "low", "high"]).T


def pruned(task: Task, trials: int = 12, seed: int = 0) -> pd.DataFrame:
    """Search with a pruner: a trial that is behind the median stops early.

    Returns
    -------
    DataFrame
        One row a trial: its `state`, and the `rounds` of trees that it grew.
    """
    import lightgbm
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("lightgbm").setLevel(logging.ERROR)
    _, ((rows, late), (asked, answer)) = task.inputs()

    def objective(trial: "optuna.Trial") -> float:
        point = {name: trial.suggest_float(name, 0, 1) for name in SPACE}
        chosen = training.TREES | settings(point) | {"seed": seed}
        data = lightgbm.Dataset(rows, late)
        held = lightgbm.Dataset(asked, answer, reference=data)
        report = partial(_report, trial)
        lightgbm.train(chosen, data, ROUNDS, valid_sets=[held], callbacks=[report])
        return float(trial.user_attrs["loss"])

    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=9),
    )
    study.optimize(objective, n_trials=trials)
    return pd.DataFrame(
        {"state": t.state.name.lower(), "rounds": t.user_attrs["rounds"]}
        for t in study.trials
    )


def _report(trial: "optuna.Trial", env: "CallbackEnv") -> None:
    """Tell Optuna the loss after every tenth round, and stop if it says so."""
    import optuna

    assert env.evaluation_result_list
    value = env.evaluation_result_list[0][2]
    trial.set_user_attr("rounds", env.iteration + 1)
    trial.set_user_attr("loss", value)
    if env.iteration % 10 == 9:
        trial.report(value, env.iteration)
        if trial.should_prune():
            raise optuna.TrialPruned
