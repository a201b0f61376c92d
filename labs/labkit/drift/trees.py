"""A small model that is trained in a second, the same each time."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline.features import CATEGORICAL, FEATURES

if TYPE_CHECKING:
    import lightgbm

Floats = npt.NDArray[np.float64]
TREES = 60
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.1,
    "num_leaves": 31,
    "min_data_in_leaf": 200,
    "num_threads": 1,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 0,
}


def fit(table: pd.DataFrame) -> "lightgbm.Booster":
    """Fit LightGBM to the labelled rows of a table.

    Parameters
    ----------
    table : DataFrame
        Features and `late`; rows without a label are left out.

    Returns
    -------
    lightgbm.Booster
        The same trees each time.
    """
    import lightgbm

    known = table[table["late"].notna()]
    late = known["late"].to_numpy(np.float64)
    return lightgbm.train(SETTINGS, lightgbm.Dataset(_inputs(known), late), TREES)


def score(model: "lightgbm.Booster", table: pd.DataFrame) -> Floats:
    """Return the probability of being late for each row."""
    return np.asarray(model.predict(_inputs(table), num_threads=1), np.float64)


def losses(model: "lightgbm.Booster", table: pd.DataFrame) -> pd.Series:
    """Return the log-loss of every labelled row, with its `date` as the index."""
    known = table[table["late"].notna()]
    late = known["late"].to_numpy(np.bool_)
    right = np.where(late, score(model, known), 1 - score(model, known))
    return pd.Series(-np.log(right), known["date"].to_numpy())


def _inputs(table: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return the features as a model reads them: categories as numbers."""
    codes = {name: _codes(table[name]) for name in CATEGORICAL}
    inputs: npt.NDArray[np.float32]
    inputs = table[FEATURES].assign(**codes).to_numpy(np.float32)
    return inputs


def _codes(column: pd.Series) -> Floats:
    """Return a number for each text that depends on the text alone."""
    codes, texts = pd.factorize(column)
    numbers = [int.from_bytes(str(text).encode()[:3], "big") % 65_521 for text in texts]
    return np.asarray(np.asarray(numbers, np.float64)[codes])
