"""Rows of features as plain arrays: what a request needs, without a data frame."""

from collections.abc import Mapping, Sequence
from typing import Literal, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.features import CATEGORICAL, FEATURES, NUMERIC, Floats
from flightline.serving.requests import Flight

Source = Literal["online", "stale", "fallback"]
"""Where features came from. *Stale*: the store answered, and knew of no recent time."""


class Rows:
    """Features of some flights: three texts and 25 numbers each.

    A data frame of one row costs more than the model that reads it. This holds the
    same values in an array, and gives a model what it asks of a table: `rows[name]`,
    `rows[NUMERIC].to_numpy()`, `len(rows)` and `rows.columns`. A model that wants a
    real table gets `frame()`.

    Parameters
    ----------
    texts : sequence of sequences
        For each of CATEGORICAL its values; None is missing.
    numbers : array of float64, [n, 25]
        NUMERIC, in its order; NaN is missing.
    stale : bool
        The source answered, and what it knew was too old for these flights.
    """

    __slots__ = ("numbers", "stale", "texts")
    columns = FEATURES

    def __init__(
        self, texts: Sequence[Sequence[object]], numbers: Floats, stale: bool = False
    ) -> None:
        self.texts, self.numbers, self.stale = texts, numbers, stale

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Rows":
        """Take FEATURES from a table; a ValueError says which are missing."""
        if missing := [name for name in FEATURES if name not in table.columns]:
            raise ValueError(f"the table lacks the features {', '.join(missing)}.")
        texts = [table[name].tolist() for name in CATEGORICAL]
        return cls(texts, table[NUMERIC].to_numpy(np.float64))

    @classmethod
    def together(cls, parts: Sequence["Rows"]) -> "Rows":
        """Put rows below each other; together they are stale if all are."""
        columns = zip(*(part.texts for part in parts), strict=True)
        texts = [[value for values in column for value in values] for column in columns]
        numbers = np.concatenate([part.numbers for part in parts])
        return cls(texts, numbers, all(part.stale for part in parts))

    def __len__(self) -> int:
        """Return the number of flights."""
        return len(self.numbers)

    @overload
    def __getitem__(self, names: str) -> Sequence[object]: ...
    @overload
    def __getitem__(self, names: list[str]) -> "Numbers": ...
    def __getitem__(self, names: "str | list[str]") -> "Sequence[object] | Numbers":
        """Return the values of one feature, or the numbers of several."""
        if isinstance(names, str):
            if names in CATEGORICAL:
                return self.texts[CATEGORICAL.index(names)]
            return list(self.numbers[:, NUMERIC.index(names)])
        if names is NUMERIC or names == NUMERIC:
            return Numbers(self.numbers)
        return Numbers(self.numbers[:, [NUMERIC.index(name) for name in names]])

    def frame(self) -> pd.DataFrame:
        """Return the same rows as a table with the columns FEATURES."""
        texts = dict(zip(CATEGORICAL, self.texts, strict=True))
        numbers = dict(zip(NUMERIC, self.numbers.T, strict=True))
        return pd.DataFrame({name: {**texts, **numbers}[name] for name in FEATURES})

    def record(self, at: int = 0) -> dict[str, object]:
        """Return one flight's features by name, as Python's own numbers and texts."""
        found: dict[str, object] = {
            name: values[at]
            for name, values in zip(CATEGORICAL, self.texts, strict=True)
        }
        found.update(zip(NUMERIC, self.numbers[at].tolist(), strict=True))
        return found


def rows_of(table: "Rows | pd.DataFrame") -> Rows:
    """Return rows, of a table too."""
    return table if isinstance(table, Rows) else Rows.of(table)


class Numbers:
    """The numbers of some rows, as a table gives them."""

    __slots__ = ("values",)

    def __init__(self, values: Floats) -> None:
        self.values = values

    def to_numpy(
        self, dtype: npt.DTypeLike = np.float64, na_value: float = np.nan
    ) -> npt.NDArray[np.float64]:
        """Return them as an array, [n, features]; a missing one is NaN already."""
        if not np.isnan(na_value):
            raise ValueError("a missing number is NaN here; leave na_value as it is.")
        return self.values.astype(dtype, copy=False)


_AT: Mapping[str, int] = {name: at for at, name in enumerate(NUMERIC)}


def timetable_rows(flights: Sequence[Flight]) -> Rows:
    """Return what the requests themselves tell; every other feature is missing.

    Parameters
    ----------
    flights : sequence of Flight

    Returns
    -------
    Rows
        As `timetable_only` of their table.
    """
    numbers = np.full((len(flights), len(NUMERIC)), np.nan)
    for row, flight in zip(numbers, flights, strict=True):
        local = flight.departs_local
        row[_AT["minute_of_day"]] = local.hour * 60 + local.minute
        row[_AT["weekday"]] = local.weekday()
        row[_AT["distance_mi"]] = flight.distance
        row[_AT["block_min"]] = flight.block_min
    texts = [[getattr(flight, name) for flight in flights] for name in CATEGORICAL]
    return Rows(texts, numbers)
