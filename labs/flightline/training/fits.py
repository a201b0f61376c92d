"""Fit a model of each kind on training rows; tune and calibrate it on tuning rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flightline.features import CATEGORICAL
from flightline.training.calibration import calibrate
from flightline.training.checkpoints import load_checkpoint, save_checkpoint
from flightline.training.core import Training, rows_digest, train
from flightline.training.data import labels
from flightline.training.network import start_training, tensors, to_onnx
from flightline.training.predictors import Predictor, one_hot, open_model
from flightline.training.transform import Transform

# Slow learning, small trees, rows and columns drawn anew.
TREES: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.04, "num_leaves": 31,
    "min_data_in_leaf": 200, "feature_fraction": 0.5, "bagging_fraction": 0.7,
    "bagging_freq": 1, "lambda_l2": 10.0, "max_cat_threshold": 8, "cat_smooth": 50.0,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip


def _fit_constant(
    transform: Transform, train: pd.DataFrame, tune: pd.DataFrame, seed: int
) -> bytes:
    """Return the share of late training rows, as a bias, as JSON."""
    rate = labels(train).mean()
    if rate in (0, 1):
        raise ValueError("the training labels are of one class. Take other rows.")
    return json.dumps(
        {"weights": [], "bias": float(np.log(rate / (1 - rate)))}
    ).encode()


def _fit_logistic(
    transform: Transform,
    train: pd.DataFrame,
    tune: pd.DataFrame,
    seed: int,
    strength: float = 0.01,
) -> bytes:
    """Return the weights of a calibrated logistic regression, as JSON."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=strength, max_iter=200)
    line.fit(one_hot(transform, train), labels(train))
    logit = line.decision_function(one_hot(transform, tune))
    slope, bias = calibrate(logit, labels(tune))
    bias += slope * float(line.intercept_[0])
    return json.dumps(
        {"weights": (slope * line.coef_[0]).tolist(), "bias": bias}
    ).encode()


def _fit_lightgbm(
    transform: Transform,
    train: pd.DataFrame,
    tune: pd.DataFrame,
    seed: int,
    rounds: int = 600,
    patience: int = 50,
    **settings: Any,
) -> bytes:
    """Return calibrated trees as LightGBM's text; June chooses how many."""
    import lightgbm

    codes = list(range(len(CATEGORICAL)))
    data = lightgbm.Dataset(
        transform.matrix(train), labels(train), categorical_feature=codes
    )
    asked, late = transform.matrix(tune), labels(tune)
    held = lightgbm.Dataset(asked, late, reference=data)
    stop = lightgbm.early_stopping(patience, verbose=False)
    chosen = TREES | {"seed": seed} | settings
    trees = lightgbm.train(chosen, data, rounds, valid_sets=[held], callbacks=[stop])
    slope, bias = calibrate(np.asarray(trees.predict(asked, raw_score=True)), late)
    best = trees.model_to_string(num_iteration=trees.best_iteration)
    kept = lightgbm.Booster(model_str=best)
    for tree, row in enumerate(kept.dump_model()["tree_info"]):
        for leaf in range(row["num_leaves"]):
            value = slope * kept.get_leaf_output(tree, leaf) + bias * (tree == 0)
            kept.set_leaf_output(tree, leaf, value)
    return kept.model_to_string().encode()


def _fit_mlp(
    transform: Transform,
    train_rows: pd.DataFrame,
    tune: pd.DataFrame,
    seed: int,
    checkpoints: Path | None = None,
    every: int = 100,
    report: Callable[[Training], Any] = lambda run: None,
    **settings: Any,
) -> bytes:
    """Return a calibrated network as ONNX; with `checkpoints` it resumes."""
    import torch

    data, (codes, numbers, late) = (tensors(transform, t) for t in (train_rows, tune))
    run = start_training(transform.sizes, len(train_rows), seed=seed, **settings)
    if checkpoints is not None:
        run.data = rows_digest(data)  # a checkpoint of other rows is refused
        load_checkpoint(checkpoints, run)

    def after_step(run: Training) -> None:
        report(run)
        if checkpoints is not None and run.step % every == 0:
            save_checkpoint(checkpoints, run)

    train(run, data, after_step=after_step)
    network: Any = run.network.eval()
    with torch.no_grad():
        logit, answer = network(codes, numbers).double().numpy(), late.double().numpy()
        slope, bias = calibrate(logit, answer)
        network.layers[-1].weight.mul_(slope)
        network.layers[-1].bias.mul_(slope).add_(bias)
    return to_onnx(network)


FITS: dict[str, Callable[..., bytes]] = {
    "constant": _fit_constant, "logistic": _fit_logistic,
    "lightgbm": _fit_lightgbm, "mlp": _fit_mlp,
}  # fmt: skip


def fit(
    kind: str,
    train: pd.DataFrame,
    tune: pd.DataFrame,
    *,
    seed: int = 0,
    name: str = "",
    version: str = "0",
    **settings: Any,
) -> Predictor:
    """Fit a model on training rows; tune and calibrate it on tuning rows.

    Parameters
    ----------
    kind : {"constant", "logistic", "lightgbm", "mlp"}
        The kind of model.
    train, tune : DataFrame
        Rows with features and labels. The transform is fitted on `train` alone.
    seed : int
        Decides all that is random.
    name, version : str, optional
        What the model is called.
    **settings
        Settings of the kind: `strength` for logistic; `rounds`, `patience` and
        LightGBM's own; `epochs`, `batch`, `rate`, `decay`, `hidden`, `dropout`,
        `checkpoints`, `every` and `report` for the network.

    Returns
    -------
    Predictor
        Opened from the bytes that a file of it would hold.
    """
    if kind not in FITS:
        raise ValueError(f"kind={kind!r} is none of {', '.join(FITS)}.")
    transform = Transform.fit(train)
    content = FITS[kind](transform, train, tune, seed, **settings)
    return open_model(content, kind, transform, name=name, version=version)
