"""Models and features for the service: scored in batches, or kept for a while."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import Any, TypedDict, TypeVar, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline import serving
from flightline.latency.batching import MicroBatcher
from flightline.latency.cache import PredictionCache

Doubles = npt.NDArray[np.float64]
A = TypeVar("A")


class BatchOptions(TypedDict, total=False):
    """The limits of a `MicroBatcher`, by name."""

    most_rows: int
    wait_s: float
    most_waiting: int
    deadline_s: float


class Batched:
    """A model whose callers share batches; give it to `serving.create_app`.

    Parameters
    ----------
    model : Predictor
        What scores; its name, version and precision are passed on.
    **options
        As for `latency.MicroBatcher`.

    Attributes
    ----------
    batcher : MicroBatcher

    Raises
    ------
    ValueError
        If a limit makes no sense.
    """

    takes_rows = True

    def __init__(
        self, model: serving.Predictor, **options: Unpack[BatchOptions]
    ) -> None:
        self.model, self.batcher = model, MicroBatcher(self._run, **options)
        self.name, self.version = str(model.name), str(model.version)
        self.precision = str(model.precision)

    async def predict(self, table: "serving.Rows | pd.DataFrame") -> Doubles:
        """Return the scores of some rows, which are scored together with others."""
        found = await self.batcher.submit(serving.rows_of(table))
        return np.asarray(found, np.float64)

    async def close(self) -> None:
        """End the batcher's thread, after those that wait are answered."""
        await self.batcher.close()

    def _run(self, parts: Sequence[serving.Rows]) -> list[Doubles]:
        """Score the rows of several callers in one call."""
        rows = serving.Rows.together(parts)
        scores = self.model.predict(serving.given(self.model, rows))
        ends = np.cumsum([len(part) for part in parts])
        return [scores[end - len(p) : end] for end, p in zip(ends, parts, strict=True)]


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

    def __init__(self, model: serving.Predictor, cache: PredictionCache) -> None:
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
        What is asked on a miss. Its attribute `blocks` is passed on, and it gets
        `rows` if the source has it.
    cache : PredictionCache
    """

    def __init__(self, source: serving.FeatureSource, cache: PredictionCache) -> None:
        self.source, self.cache = source, cache
        self.blocks = getattr(source, "blocks", True)
        if hasattr(source, "rows"):
            self.rows = self._rows

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return FEATURES as a table, one row a request, kept or read now."""

        def read_row(at: int) -> pd.DataFrame:
            return self.source.read(requests.iloc[[at]])

        names = tuple(requests.columns)
        rows = requests.itertuples(index=False, name=None)
        found = [
            self._kept(("table", names, repr(row)), partial(read_row, at))
            for at, row in enumerate(rows)
        ]
        if len(found) == 1:
            return found[0]
        return pd.concat(found) if found else self.source.read(requests)

    def _rows(self, flights: Sequence[serving.Flight]) -> serving.Rows:
        """Return FEATURES as rows, one a flight, kept or read now."""
        read = self.source.rows  # type: ignore[attr-defined]
        found = [
            self._kept(("rows", flight.model_dump_json()), partial(read, [flight]))
            for flight in flights
        ]
        return found[0] if len(found) == 1 else serving.Rows.together(found)

    def _kept(self, key: Hashable, read: Callable[[], A]) -> A:
        """Return the kept answer to a question, or read it now and keep it."""
        answer: A | None = self.cache.find(key)
        if answer is None:
            answer = read()
            self.cache.keep(key, answer)
        return answer
