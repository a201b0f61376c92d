"""The transform that turns features into what models take."""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.features import CATEGORICAL, FEATURES, NUMERIC
from flightline.training.core import Floats, Integers


@dataclass(frozen=True)
class Transform:
    """Turn features into what models take.

    Fitted on training rows alone. A category that they lack, or that is missing, has
    code 0. A number is clipped to their range, less half a percent at either end, then
    standardised; a missing one becomes 0, the mean of the training rows.
    """

    categories: Mapping[str, Sequence[str]]
    scaling: Mapping[str, Sequence[float]]

    @classmethod
    def fit(cls, train: pd.DataFrame) -> Self:
        """Learn categories, ranges, means and scales from training rows.

        Raises
        ------
        ValueError
            If there is no row, or a number is infinite.
        """
        seen = {name: sorted(train[name].dropna().unique()) for name in CATEGORICAL}
        raw = _numbers(train)
        if not len(raw):
            raise ValueError("a transform learns from rows, and there is none.")
        if odd := [NUMERIC[i] for i in np.flatnonzero(np.isinf(raw).any(axis=0))]:
            raise ValueError(
                f"{odd[0]} is infinite in a training row. Mend or drop it."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a column of nulls has no quantile
            low, high = np.nanquantile(raw, [0.005, 0.995], axis=0)
            inside = np.clip(raw, low, high)
            spread = np.nanstd(inside, axis=0)
            learned = {"low": low, "high": high, "mean": np.nanmean(inside, axis=0)}
        learned = {name: np.nan_to_num(values) for name, values in learned.items()}
        learned["scale"] = np.where(spread > 0, spread, 1.0)
        return cls(seen, {name: values.tolist() for name, values in learned.items()})

    @cached_property
    def _code(self) -> dict[str, dict[str, int]]:
        """The code of each known category, from 1."""
        return {
            n: {v: i for i, v in enumerate(s, 1)} for n, s in self.categories.items()
        }

    @property
    def sizes(self) -> list[int]:
        """How many codes each categorical feature has, code 0 included."""
        return [len(self.categories[name]) + 1 for name in CATEGORICAL]

    def codes(self, table: pd.DataFrame) -> Integers:
        """Return the categories as codes, int64 [n, 3]; 0 is unknown or missing."""
        columns = [
            [self._code[n].get(value, 0) for value in table[n]] for n in CATEGORICAL
        ]
        return np.array(columns, np.int64).T

    def numbers(self, table: pd.DataFrame) -> npt.NDArray[np.float32]:
        """Return the numbers clipped, standardised and filled, float32 [n, 25]."""
        raw = _numbers(table)
        by = self.scaling
        ready = (np.clip(raw, by["low"], by["high"]) - by["mean"]) / by["scale"]
        return np.asarray(np.nan_to_num(ready, nan=0.0), np.float32)

    def matrix(self, table: pd.DataFrame) -> Floats:
        """Return codes and raw numbers for trees, float64 [n, 28]; NaN is missing."""
        raw = _numbers(table)
        return np.hstack([self.codes(table).astype(np.float64), raw])

    def to_json(self) -> str:
        """Return the transform as JSON, exact to the last bit."""
        return json.dumps({"features": FEATURES, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a transform; one for other features is a ValueError."""
        stored = json.loads(text)
        if stored.pop("features", None) != FEATURES:
            raise ValueError("the transform is for other features. Train again.")
        return cls(**stored)


def _numbers(table: pd.DataFrame) -> Floats:
    """Return the numeric features, float64; whatever says missing is NaN."""
    return np.asarray(table[NUMERIC].to_numpy(np.float64, na_value=np.nan))
