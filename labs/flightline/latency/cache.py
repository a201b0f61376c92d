"""A cache whose answers nobody can change, and features and scores behind it."""

import copy
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline import serving
from flightline.latency import core

Doubles = npt.NDArray[np.float64]


class PredictionCache(core.PredictionCache):
    """Keep answers for a while: a TTLCache with a count, a lock, and one computation.

    Each reader gets a copy, so that what one of them does to it, others do not see.

    Parameters
    ----------
    ttl_s : float
        An answer that is so old is computed again.
    most : int
        How many answers are kept; the least recently used goes first.
    clock : callable
        The time in seconds; a simulation passes its own.
    """

    def find(self, key: Hashable) -> Any:
        """Return a copy of the kept answer, or None; None itself is never kept."""
        return copy.deepcopy(super().find(key))

    def keep(self, key: Hashable, answer: Any) -> None:
        """Keep a copy of an answer; its age counts from now."""
        super().keep(key, copy.deepcopy(answer))

    async def get(self, key: Hashable, compute: Callable[[], Awaitable[Any]]) -> Any:
        """Return the kept answer, or compute it once for all who ask meanwhile.

        An exception goes to all of them and is not kept. A caller who leaves does not
        stop the computation that others wait for.
        """
        return copy.deepcopy(await super().get(key, compute))


class Cached:
    """A model that scores the same features once; give it to `serving.create_app`.

    The key holds the model's name, version, precision and every feature, so that a
    hit is always right, whatever is promoted or rolled back.

    Parameters
    ----------
    model : Predictor
        Its `predict` may be a coroutine function.
    cache : PredictionCache
    """

    takes_rows = True

    def __init__(self, model: Any, cache: core.PredictionCache) -> None:
        self.model, self.cache = model, cache
        self.name, self.version = str(model.name), str(model.version)
        self.precision = str(model.precision)

    async def predict(self, table: "serving.Rows | pd.DataFrame") -> Doubles:
        """Return the scores of some rows."""
        rows = serving.rows_of(table)
        # Bytes and text: a missing value is not equal to itself, and is never found.
        features = rows.numbers.tobytes(), repr(rows.texts)
        key = (self.name, self.version, self.precision, features)
        return np.asarray(await self.cache.get(key, lambda: self._score(rows)))

    async def _score(self, rows: serving.Rows) -> Any:
        scores = self.model.predict(serving.given(self.model, rows))
        return await scores if isinstance(scores, Awaitable) else scores

    async def close(self) -> None:
        """Close the model, if it can be closed."""
        if hasattr(self.model, "close"):
            await self.model.close()


class CachedFeatures:
    """A feature source that reads a request once per TTL; its rows may be that old.

    The key is every field of the request. The flight's id alone would let one caller's
    wrong distance or destination decide what another one is told.

    Parameters
    ----------
    source : FeatureSource
        What is asked on a miss.
    cache : PredictionCache
    """

    def __init__(self, source: Any, cache: core.PredictionCache) -> None:
        self.source, self.cache = source, cache
        if hasattr(source, "rows"):
            self.rows = self._rows

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return FEATURES as a table, one row a request, kept or read now."""
        names = tuple(requests.columns)
        rows = requests.itertuples(index=False, name=None)
        found = []
        for place, fields in enumerate(rows):
            key = ("table", names, repr(fields))
            row = self.cache.find(key)
            if row is None:
                row = self.source.read(requests.iloc[[place]])
                self.cache.keep(key, row)
            found.append(row)
        if len(found) == 1:
            return found[0]
        return pd.concat(found) if found else self.source.read(requests)

    def _rows(self, flights: Sequence[serving.Flight]) -> serving.Rows:
        """Return FEATURES as rows, one a flight, kept or read now."""
        found = []
        for flight in flights:
            key = ("rows", flight.model_dump_json())
            row = self.cache.find(key)
            if row is None:
                row = self.source.rows([flight])
                self.cache.keep(key, row)
            found.append(row)
        return found[0] if len(found) == 1 else serving.Rows.together(found)
