"""Read features: from the offline store for training, from the online one to serve."""

import contextlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from flightline.features.checks import complete, finite, present, texts, whole
from flightline.features.compute import seconds
from flightline.features.core import freshness
from flightline.features.names import (
    CATEGORICAL,
    LEAD,
    PLACE,
    PLAN,
    SECOND,
    SERVICES,
    T,
)
from flightline.features.repository import offline_file, quiet
from flightline.features.times import in_zone, zoned
from flightline.features.views import ENTITIES, VIEWS, views_of

if TYPE_CHECKING:
    import feast


class Unavailable(RuntimeError):
    """The online store cannot answer: it is locked, gone or out of reach."""


@contextlib.contextmanager
def reachable(store: "feast.FeatureStore") -> Iterator[None]:
    """Turn the ways in which an online store fails into one clear error."""
    online, redis = store.config.online_store, sys.modules.get("redis")
    errors = (sqlite3.Error, OSError, *([redis.RedisError] if redis else []))
    if online.type == "sqlite":
        _refuse_another_file(store, Path(online.path))
    try:
        yield
    except errors as error:
        raise Unavailable(f"the online store ({online.type}) says: {error}") from error


_files: WeakKeyDictionary[Any, tuple[int, int]] = WeakKeyDictionary()


def _refuse_another_file(store: "feast.FeatureStore", path: Path) -> None:
    """Refuse a file that is gone, or that took the place of the one that is open.

    Feast keeps its connection: it would go on with a file that was deleted, and lose
    what is written.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise Unavailable(
            "the online store is gone: its file is missing. Restore it; or remove "
            "registry.db, open the store, and fill it: features.materialize."
        ) from None
    here = (found.st_dev, found.st_ino)
    if _files.setdefault(store, here) != here:
        raise Unavailable(
            "the file of the online store was replaced while it was open. Open the "
            "store again: features.store."
        )


_services: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()


def _service(store: "feast.FeatureStore", name: str) -> Any:
    """Return a feature service, decoded once: Feast would decode it every time."""
    if name not in SERVICES:
        raise ValueError(f"no feature service {name!r}; there are {list(SERVICES)}.")
    held = _services.setdefault(store, {})
    if name not in held:
        held[name] = store.get_feature_service(name)
    return held[name]


def _keys(requests: pd.DataFrame) -> dict[str, Any]:
    """Turn requests into the keys and terms that Feast asks for."""
    needed = ["flight_id", *PLAN]
    complete(requests, needed, "the requests")
    present(requests, needed, "A flight without it has no features.")
    named = [name for name in ENTITIES if name not in ("network", "flight")]
    keys: dict[str, Any] = {name: texts(requests, name) for name in named}
    times = {
        f"{name}_s": seconds(zoned(requests, f"{name}_utc")).tolist()
        for name in ("sched_dep", "sched_arr")
    }
    miles = finite(requests, "distance").tolist()
    place = [PLACE] * len(requests)
    flight = whole(requests, "flight")
    return {**keys, **times, "flight": flight, "distance": miles, "network": place}


def historical(
    store: "feast.FeatureStore", asks: pd.DataFrame, *, service: str = "delay"
) -> pd.DataFrame:
    """Read features from the offline store, as known at each `prediction_time`.

    Parameters
    ----------
    store : feast.FeatureStore
    asks : DataFrame
        Requests, as for `read_online`, with `prediction_time`.
    service : str
        The feature service: what to read.

    Returns
    -------
    DataFrame
        The features of the service, with the index of `asks`.

    Raises
    ------
    ValueError
        If a column is missing, a key or a time is null, a time has no zone, or there is
        no such service.
    FileNotFoundError
        If a view of the service has no offline file.
    RuntimeError
        If Feast loses or doubles a row.
    """
    import ibis

    chosen = _service(store, service)
    if T not in asks:
        raise ValueError(f"the questions lack the column {T}: the time to ask about.")
    asked = zoned(asks, T)
    if asked.isna().any():
        raise ValueError(f"{T} is missing in {asked.isna().sum()} questions.")
    entities = pd.DataFrame(_keys(asks)).assign(event_timestamp=asked.array)
    if not len(asks):
        return _no_rows(asks, service)
    entities["row_number"] = range(len(asks))
    for view in views_of(service):
        if not offline_file(store, view).exists():
            raise FileNotFoundError(
                f"{view}.parquet: the offline store has no such file. Write it first: "
                "features.write_offline."
            )
    with quiet():
        # DuckDB shows a progress bar after two seconds, so on slow machines alone
        ibis.get_backend().raw_sql("SET enable_progress_bar = false")
        job = store.get_historical_features(
            entities, chosen, filter_by_created_timestamp=True
        )
        found = job.to_df().sort_values("row_number")
    if found["row_number"].tolist() != list(range(len(asks))):
        raise RuntimeError(f"Feast gave {len(found)} rows for {len(asks)} asked.")
    return found.set_index(asks.index)[SERVICES[service]]


def _no_rows(requests: pd.DataFrame, service: str) -> pd.DataFrame:
    """Return the answer to no question, with the columns of a service."""
    kinds = {n: object if n in CATEGORICAL else np.float64 for n in SERVICES[service]}
    return pd.DataFrame(index=requests.index, columns=[*kinds]).astype(kinds)


def _read(
    store: "feast.FeatureStore", requests: pd.DataFrame, now: Any, service: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return values, with those of another time made null, and what each view is."""
    chosen, keys = _service(store, service), _keys(requests)
    if not len(requests):
        return _no_rows(requests, service), {name: [] for name in views_of(service)}
    with reachable(store):
        found = store.get_online_features(chosen, keys).to_dict()
    now_s = np.array(keys["sched_dep_s"], np.float64) - LEAD / SECOND
    if now is not None:
        now_s[:] = in_zone("now", now).timestamp()
    views = {name: VIEWS[name] for name in views_of(service)}
    stamps = np.array([found[f"{name}_at"] for name in views], np.float64)
    ttls = np.array(
        [[np.inf if what.ttl is None else what.ttl / SECOND] for what in views.values()]
    )
    said = np.where(stamps > now_s + ttls, "later", freshness(stamps, now_s, ttls))
    state = dict(zip(views, said, strict=True))
    names = [name for name in SERVICES[service] if name not in CATEGORICAL]
    values = np.array([found[name] for name in names], np.float64)
    for name, what in views.items():
        useless = np.isin(state[name], ["stale", "later"])
        if useless.any():
            its_own = np.array([n in what.features for n in names])
            values[np.ix_(its_own, useless)] = np.nan
    table = pd.DataFrame(values.T, index=requests.index, columns=names)
    for at, name in enumerate(CATEGORICAL):
        table.insert(at, name, np.array(found[name], object))
    return table, state


def read_online(
    store: "feast.FeatureStore",
    requests: pd.DataFrame,
    *,
    now: Any = None,
    service: str = "delay",
) -> pd.DataFrame:
    """Read features from the online store: the first table that `answer` returns."""
    return _read(store, requests, now, service)[0]


def answer(
    store: "feast.FeatureStore",
    requests: pd.DataFrame,
    *,
    now: Any = None,
    service: str = "delay",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read features from the online store, and say how fresh they are.

    Parameters
    ----------
    store : feast.FeatureStore
    requests : DataFrame
        One row a flight: `flight_id`, `carrier`, `flight`, `origin`, `dest`,
        `distance`, `sched_dep_utc` and `sched_arr_utc`.
    now : Timestamp, optional
        The time of the question; two hours before departure by default.
    service : str
        The feature service: what to read.

    Returns
    -------
    values : DataFrame
        The features of the service; null where nothing is known, and where the value
        is older or later than the question by more than the TTL of its view.
    state : DataFrame
        For each view that the service reads "fresh", "stale", "later" where the row is
        newer than `now` by more than the TTL, or "unknown" where the store has no such
        key. The store holds no past: of a row that is a little newer than `now` it
        says "fresh", too.

    Raises
    ------
    ValueError
        If a column or a value is missing, a key would never match, a time has no zone,
        or there is no such service.
    Unavailable
        If the online store does not answer.
    """
    values, state = _read(store, requests, now, service)
    return values, pd.DataFrame(state, index=requests.index)


class OnlineSource:
    """Where a server gets its features: `read(requests)` on the online store.

    Parameters
    ----------
    store : feast.FeatureStore
    clock : callable, optional
        Returns the time of the question; by default two hours before departure.
    """

    def __init__(
        self,
        store: "feast.FeatureStore",
        *,
        clock: Callable[[], pd.Timestamp] | None = None,
    ) -> None:
        self.store, self.clock = store, clock

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return the features of the requests; raise Unavailable if there are none."""
        return read_online(
            self.store, requests, now=self.clock() if self.clock else None
        )
