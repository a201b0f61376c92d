"""Races between searches, replayed on a table, and one small search that is real.

`data/models/configurations.csv` holds every point of a grid of settings of gradient
boosting, each fitted once and judged on June. A replayed search looks its losses up, so
that many searches with many seeds take seconds, and the best point is known.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from flightline import training
from matplotlib.axes import Axes

from labkit import data, figures

if TYPE_CHECKING:
    from lightgbm.callback import CallbackEnv

SETTINGS = ("learning_rate", "num_leaves", "lambda_l2", "feature_fraction")


def configurations() -> pd.DataFrame:
    """Load the table of evaluated configurations.

    Returns
    -------
    DataFrame
        Indexed by the four settings; columns `log_loss`, `auc` and `ece` in June.
    """
    table = pd.read_csv(data.DATA_DIR / "models" / "configurations.csv")
    return table.set_index(list(SETTINGS)).sort_index()


def levels(table: pd.DataFrame) -> dict[str, list[float]]:
    """Return the values of each setting, in order."""
    return {name: list(table.index.unique(name)) for name in SETTINGS}


def random_search(table: pd.DataFrame, budget: int, seed: int) -> list[float]:
    """Return the losses of configurations drawn at random, none twice."""
    rows = np.random.default_rng(seed).permutation(len(table))[:budget]
    return [float(loss) for loss in table["log_loss"].to_numpy()[rows]]


def grid_search(table: pd.DataFrame, budget: int, seed: int) -> list[float]:
    """Return the losses of a coarse grid, in random order.

    The number of values a setting grows from one setting to the next until the grid
    would exceed the budget; the seed chooses which values, and the order.
    """
    chance, values = np.random.default_rng(seed), levels(table)
    sizes = _grid_sizes({name: len(v) for name, v in values.items()}, budget)
    kept = [
        chance.choice(values[name], size, replace=False) for name, size in sizes.items()
    ]
    points = chance.permutation(pd.MultiIndex.from_product(kept))
    return [float(table["log_loss"][tuple(point)]) for point in points]


def _grid_sizes(most: Mapping[str, int], budget: int) -> dict[str, int]:
    """Return how many values each setting gets, as evenly as the budget allows."""
    sizes = dict.fromkeys(most, 1)
    grown = True
    while grown:
        grown = False
        for name in most:
            wider = sizes | {name: sizes[name] + 1}
            if wider[name] <= most[name] and np.prod(list(wider.values())) <= budget:
                sizes, grown = wider, True
    return sizes


def tpe_search(table: pd.DataFrame, budget: int, seed: int) -> list[float]:
    """Return the losses that Optuna's TPE sampler finds, with its defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    values = levels(table)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))

    def loss(trial: optuna.Trial) -> float:
        places = {n: trial.suggest_int(n, 0, len(v) - 1) for n, v in values.items()}
        point = tuple(values[name][place] for name, place in places.items())
        return float(table["log_loss"][point])

    study.optimize(loss, n_trials=budget)
    return [float(trial.value or np.nan) for trial in study.trials]


SEARCHES: dict[str, Callable[[pd.DataFrame, int, int], list[float]]] = {
    "random": random_search,
    "grid": grid_search,
    "TPE": tpe_search,
}


def race(
    table: pd.DataFrame, budgets: tuple[int, ...] = (8, 16, 32), seeds: int = 20
) -> pd.DataFrame:
    """Replay each search at each budget with each seed.

    Parameters
    ----------
    table : DataFrame
        What `configurations` returns.
    budgets : tuple of int
        How many configurations a search may try.
    seeds : int
        How often each search is repeated.

    Returns
    -------
    DataFrame
        One row a search, budget and seed: `regret`, how far the best loss found is
        from the best of the table.
    """
    best = table["log_loss"].min()
    rows = [
        {
            "search": name,
            "budget": budget,
            "seed": seed,
            "regret": min(search(table, budget, seed)) - best,
        }
        for name, search in SEARCHES.items()
        for budget in budgets
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def gain(result: pd.DataFrame, search: str, other: str) -> pd.DataFrame:
    """Say how much less regret one search has than another, with a spread over seeds.

    Parameters
    ----------
    result : DataFrame
        What `race` returns.
    search, other : str
        Names of searches.

    Returns
    -------
    DataFrame
        By budget: `mean` (positive: `search` is better), `low` and `high`, the mean
        less and plus two standard errors over the seeds.
    """
    table = result.pivot(index=["budget", "seed"], columns="search", values="regret")
    by_budget = (table[other] - table[search]).groupby("budget")
    mean, error = by_budget.mean(), by_budget.sem()
    return pd.DataFrame(
        {"mean": mean, "low": mean - 2 * error, "high": mean + 2 * error}
    )


def plot_race(result: pd.DataFrame) -> Axes:
    """Draw the median regret of each search over the budget, with quartiles.

    Parameters
    ----------
    result : DataFrame
        What `race` returns.

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    budgets = sorted(result["budget"].unique())
    ends: dict[str, tuple[float, str]] = {}
    looks = zip(SEARCHES, (figures.GREY, figures.ORANGE, figures.BLUE), strict=True)
    for place, (name, color) in enumerate(looks):
        rows = result[result["search"] == name].groupby("budget")["regret"]
        low, middle, high = (rows.quantile(q) * 1000 for q in (0.25, 0.5, 0.75))
        x = np.arange(len(budgets)) + (place - 1) * 0.1
        style = ("-", "--", "-.")[place]
        ax.plot(x, middle, style, color=color, marker="os^"[place])
        ax.vlines(x, low, high, color=color, lw=2)
        ends[name] = (float(middle.iloc[-1]), color)
    ax.set_ylim(0, None)
    text_y, last_x, gap = -1.0, len(budgets) - 0.85, 0.08 * ax.get_ylim()[1]
    for name, (end, color) in sorted(ends.items(), key=lambda item: item[1]):
        text_y = max(end, text_y + gap)
        figures.label_end(ax, [last_x], [text_y], name, color)
    ax.set_xticks(range(len(budgets)), [str(budget) for budget in budgets])
    ax.set(xlabel="configurations tried", ylabel="regret, log-loss x 1000")
    return ax


def live(
    train: pd.DataFrame, tune: pd.DataFrame, *, trials: int = 12, seed: int = 0
) -> pd.DataFrame:
    """Search for real with a pruner: Optuna, LightGBM, a few rounds of trees.

    Parameters
    ----------
    train, tune : DataFrame
        Rows with features and labels.
    trials, seed : int
        How many configurations, and the seed of sampler and trees.

    Returns
    -------
    DataFrame
        One row a trial: `state`, `rounds` (trees grown before it was stopped), `loss`
        (NaN for a pruned one) and the settings.
    """
    import lightgbm
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("lightgbm").setLevel(logging.ERROR)
    transform = training.Transform.fit(train)
    inputs = {n: transform.matrix(t) for n, t in {"train": train, "tune": tune}.items()}
    late = {"train": training.labels(train), "tune": training.labels(tune)}

    def loss(trial: optuna.Trial) -> float:
        settings = {
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.4, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 4, 64, log=True),
            "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        }
        rows = lightgbm.Dataset(inputs["train"], late["train"])
        held = lightgbm.Dataset(inputs["tune"], late["tune"], reference=rows)
        reported = {}

        def report(env: "CallbackEnv") -> None:
            assert env.evaluation_result_list  # `held` is evaluated
            value = env.evaluation_result_list[0][2]
            reported[env.iteration] = value
            if env.iteration % 10 == 9:
                trial.set_user_attr("rounds", env.iteration + 1)
                trial.report(value, env.iteration)
                if trial.should_prune():
                    raise optuna.TrialPruned

        lightgbm.train(
            training.TREES | settings | {"seed": seed},
            rows,
            60,
            valid_sets=[held],
            callbacks=[report],
        )
        return float(min(reported.values()))

    sampler = optuna.samplers.TPESampler(seed=seed)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=9)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    study.optimize(loss, n_trials=trials)
    return pd.DataFrame(
        [
            {
                "state": trial.state.name.lower(),
                "rounds": trial.user_attrs["rounds"],
                "loss": trial.value if trial.state.name == "COMPLETE" else np.nan,
                **trial.params,
            }
            for trial in study.trials
        ]
    )
