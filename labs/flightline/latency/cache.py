"""A cache whose answers nobody can change, with one computation for each key."""

import asyncio
import copy
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from cachetools import TTLCache


class PredictionCache:
    """Keep answers for a while: a TTLCache with a count, a lock, and one computation.

    What is kept, and what each reader gets, is a copy: whatever a reader does to an
    answer, others do not see.

    Parameters
    ----------
    ttl_s : float
        An answer that is so old is computed again; 0 keeps nothing.
    most : int
        How many answers are kept; the least recently used goes first.
    clock : callable
        The time in seconds; a simulation passes its own.

    Attributes
    ----------
    hits, misses : int
        How often `find` and `get` found a kept answer, and how often not.

    Raises
    ------
    ValueError
        If the time is negative or NaN, or nothing may be kept.

    Examples
    --------
    >>> now = 0.0
    >>> cache = PredictionCache(60, clock=lambda: now)
    >>> cache.keep("B6 523", 0.5)
    >>> cache.find("B6 523")
    0.5
    >>> now = 61.0
    >>> cache.find("B6 523"), cache.hit_rate
    (None, 0.5)
    """

    def __init__(
        self,
        ttl_s: float,
        most: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not ttl_s >= 0 or not most >= 1:
            raise ValueError(
                f"ttl_s={ttl_s}, most={most}: give a time from 0 on, and at least one "
                "answer to keep."
            )
        self._kept: TTLCache[Hashable, Any] = TTLCache(most, ttl_s, timer=clock)
        self._coming: dict[Hashable, asyncio.Task[Any]] = {}
        self._lock, self.hits, self.misses = threading.Lock(), 0, 0

    @property
    def hit_rate(self) -> float:
        """The share of questions that found a kept answer; who waits is a miss."""
        return self.hits / max(self.hits + self.misses, 1)

    def find(self, key: Hashable) -> Any:
        """Return a copy of the kept answer, or None; None itself is never kept."""
        with self._lock:
            found = self._kept.get(key)
            self.hits += found is not None
            self.misses += found is None
        return copy.deepcopy(found)

    def keep(self, key: Hashable, answer: Any) -> None:
        """Keep a copy of an answer; its age counts from now."""
        kept = copy.deepcopy(answer)
        with self._lock:
            self._kept[key] = kept

    async def get(self, key: Hashable, compute: Callable[[], Awaitable[Any]]) -> Any:
        """Return the kept answer, or compute it once for all who ask meanwhile.

        Parameters
        ----------
        key : hashable
            All that the answer depends on.
        compute : callable
            A coroutine function without arguments that computes the answer.

        Returns
        -------
        object
            A copy of the answer. An exception goes to all who wait and is not kept. A
            caller who leaves does not stop the computation that others wait for.
        """
        if (found := self.find(key)) is not None:
            return found
        if key not in self._coming:
            self._coming[key] = asyncio.create_task(self._fetch(key, compute))
        return copy.deepcopy(await asyncio.shield(self._coming[key]))

    async def _fetch(self, key: Hashable, compute: Callable[[], Awaitable[Any]]) -> Any:
        """Compute and keep an answer; the computation is over in any case."""
        try:
            answer = await compute()
            self.keep(key, answer)
            return answer
        finally:
            del self._coming[key]
