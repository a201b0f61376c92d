"""A small model that is trained in seconds, and one that learns its rows by heart."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import training
from flightline.features import CATEGORICAL, NUMERIC

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float64]
Inputs = npt.NDArray[np.float32]

TREES = 60
SETTINGS = training.TREES | {"learning_rate": 0.1, "max_bin": 63}
"""Lab 06's settings, with fewer trees, larger steps and coarser bins."""

BY_HEART: dict[str, float] = {
    "bagging_fraction": 1.0,
    "feature_fraction": 1.0,
    "lambda_l2": 0.0,
    "learning_rate": 0.5,
    "max_bin": 255,
    "min_data_in_leaf": 1,
    "num_leaves": 1_024,
    "rounds": 30,
}
"""What a model needs to learn its rows by heart: many leaves, and no brake."""


def inputs(table: pd.DataFrame) -> Inputs:
    """Return the features as a model reads them, categories as numbers from 0.

    Parameters
    ----------
    table : DataFrame
        The features of a year.

    Returns
    -------
    array of float32 [n, 28]
        Three categories, then 25 numbers; NaN is missing.
    """
    codes = [pd.factorize(table[name], sort=True)[0] for name in CATEGORICAL]
    numbers = table[NUMERIC].to_numpy(np.float32, na_value=np.nan)
    return np.column_stack([*codes, numbers]).astype(np.float32)


def fit(rows: Inputs, late: npt.ArrayLike, **settings: float) -> "lightgbm.Booster":
    """Fit LightGBM to rows and labels; the same rows give the same trees.

    Parameters
    ----------
    rows : array of float32 [n, 28]
        What `inputs` returns.
    late : array_like of bool [n]
        The labels.
    **settings
        `seed`, `rounds` (how many trees), and other settings of LightGBM.

    Returns
    -------
    lightgbm.Booster
    """
    import lightgbm

    rounds = int(settings.pop("rounds", TREES))
    chosen = SETTINGS | {"seed": 0} | settings
    codes = list(range(len(CATEGORICAL)))
    data = lightgbm.Dataset(
        rows, np.asarray(late, float), categorical_feature=codes, params=chosen
    )
    return lightgbm.train(chosen, data, rounds)


def score(model: "lightgbm.Booster", rows: Inputs) -> Floats:
    """Return the probability of being late for each row."""
    return np.asarray(model.predict(rows, num_threads=1), np.float64)
