"""Answer the flights of a step through the service, and keep what was answered.

Each flight goes through `serving.Service`: it is routed, scored, written to the
prediction log with its features, and heard by the models that only listen. The log is
then brought into the lake, where training reads it.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from pydantic import ValidationError

from flightline import lake, serving, training
from flightline.features import CATEGORICAL, FEATURES, NUMERIC, T
from flightline.loop.clock import day_of
from flightline.loop.memory import KEYED

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

Assign = Callable[[str], str]

TABLE = "answers"
"""The table of the lake that holds what was answered, with features."""


@dataclass(frozen=True)
class Answered:
    """What a step answered.

    Attributes
    ----------
    served : DataFrame
        `id`, `asked_at`, `day`, `due_at`, `model`, `score`, `source`, `latency_ms`.
    shadows : DataFrame
        `model`, `id`, `score`: what models said that only listened.
    refused : int
        Flights that the service did not take.
    log_sha256 : str
        The digest of the prediction log.
    """

    served: pd.DataFrame
    shadows: pd.DataFrame
    refused: int
    log_sha256: str


def answer(
    asks: pd.DataFrame,
    live: serving.Deployment,
    path: Path,
    assign: Assign | None = None,
) -> Answered:
    """Answer flights, each at its own prediction time, and write the prediction log.

    Parameters
    ----------
    asks : DataFrame
        What `Memory.hear` returned.
    live : serving.Deployment
        Who answers, and who listens.
    path : Path
        The file of the log; one that a killed run left behind is replaced.
    assign : callable, optional
        Takes a flight's id and returns the label that answers it, as in a trial; the
        weights decide without it.

    Returns
    -------
    Answered

    Raises
    ------
    OSError
        If the log cannot be written: without it no answer goes out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    refused = _to_the_end(_ask_all(asks, live, path, assign))
    _sync(path)
    content = path.read_bytes()
    log = serving.read_log(path).drop_duplicates(["flight_id", "version", "shadow"])
    known = asks.set_index("flight_id")
    rows = pd.DataFrame(
        {
            "id": log["flight_id"],
            "asked_at": known[T].reindex(log["flight_id"]).array,
            "due_at": known["due_at"].reindex(log["flight_id"]).array,
            "model": log["version"],
            "score": log["score"].astype(float),
            "source": log["source"],
            "latency_ms": log["latency_ms"].astype(float),
        }
    )
    dated = known["sched_dep_utc"].reindex(log["flight_id"])
    rows = rows.assign(day=day_of(pd.Series(dated.array, rows.index)).to_numpy())
    heard = log["shadow"].astype(bool).to_numpy()
    served = rows[~heard].reset_index(drop=True)
    pairs = pd.MultiIndex.from_frame(rows[["model", "id"]])
    own = pairs.isin(pairs[~heard])
    shadows = rows.loc[heard & ~own, ["model", "id", "score"]].reset_index(drop=True)
    return Answered(served, shadows, refused, training.sha256(content))


def _to_the_end(asking: Coroutine[None, None, int]) -> int:
    """Run a coroutine to its end, in a notebook too, whose own loop is at work."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(asking)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, asking).result()


class _Book(serving.PredictionLog):
    """A prediction log that remembers what the disk refused."""

    refused: OSError | None = None

    def append(self, record: Mapping[str, object]) -> None:
        """Write one record, or remember why it is not in the log."""
        try:
            super().append(record)
        except OSError as error:
            self.refused = error
            raise


async def _ask_all(
    asks: pd.DataFrame, live: serving.Deployment, path: Path, assign: Assign | None
) -> int:
    """Ask the service about each flight in turn; return how many it refused."""
    now = {"at": pd.Timestamp(0, tz="UTC")}
    book = _Book(path)
    service = serving.Service(
        live,
        serving.GuardedFeatures(serving.TableFeatures(asks)),
        log=book,
        clock=lambda: now["at"].to_pydatetime(),
        assign=None if assign is None else lambda flight: assign(flight.flight_id),
    )
    refused = 0
    try:
        for row in asks.assign(sched_arr_utc=asks["due_at"]).to_dict("records"):
            now["at"] = row[T]
            try:
                flight = serving.Flight.model_validate(serving.request_of(row))
                call = serving.Call(request_id=row["flight_id"])
                await service.predict(flight, call)
            except (ValidationError, serving.Refused):
                refused += 1
                continue
            finally:
                if book.refused is not None:
                    raise book.refused
            for listen in call.later:
                await listen()
    finally:
        await service.close()
    if book.refused is not None:
        raise book.refused
    return refused


def _sync(path: Path) -> None:
    """Force a file to the disk: the journal will vouch for it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@cache
def answers_contract() -> "DataFrameSchema":
    """Return the contract of the table of answers: keys, times, features, score."""
    from pandera.pandas import Check, Column, DataFrameSchema

    texts = ["flight_id", "model", *CATEGORICAL]
    times = ["event_time", "available_at", "sched_dep_utc", "due_at"]
    columns = {name: Column("object") for name in texts}
    columns |= {name: Column(lake.UTC) for name in times}
    columns |= {"month": Column("int64", Check.in_range(1, 12))}
    columns |= {"score": Column("float64", Check.in_range(0, 1))}
    columns |= {name: Column("float64", nullable=True) for name in NUMERIC}
    about = {"key": "flight_id"}
    return DataFrameSchema(columns, strict=True, name=TABLE, metadata=about)


def keep_answers(
    lake_dir: Path | str, asks: pd.DataFrame, answered: Answered, log: str
) -> tuple[pd.DataFrame, int]:
    """Bring what was answered into the lake, once; return it as training reads it.

    Parameters
    ----------
    lake_dir : path
    asks : DataFrame
        What was asked, with features.
    answered : Answered
        What was answered.
    log : str
        The name of the prediction log, kept as the source of the rows.

    Returns
    -------
    rows : DataFrame
        KEYED, FEATURES, `model` and `score`, in the order of `asks`; without the
        flights that got no answer.
    version : int
        The table's version that holds them; 0 if there was none.
    """
    said = answered.served.set_index("id")[["model", "score"]]
    rows = asks[[*KEYED, *FEATURES]].join(said, on="flight_id", how="inner")
    rows = rows.astype(dict.fromkeys(NUMERIC, "float64"))
    version = 0
    if len(rows):
        named = rows.rename(columns={T: "event_time"})
        batch = named.assign(available_at=named["event_time"])
        schema = answers_contract()
        done = lake.append(lake_dir, TABLE, batch, source=log, schema=schema)
        version = done.version
    return rows.reset_index(drop=True), version


def kept_answers(lake_dir: Path | str, until: pd.Timestamp) -> pd.DataFrame:
    """Read what was answered until a moment, as `keep_answers` returned it.

    Parameters
    ----------
    lake_dir : path
    until : Timestamp
        Answers of later steps are left out; a killed run may have kept some.

    Returns
    -------
    DataFrame
        In the order of prediction time and flight.
    """
    columns = [*KEYED, *FEATURES, "model", "score"]
    if TABLE not in lake.tables(lake_dir):
        return pd.DataFrame(columns=columns)
    rows = lake.read(lake_dir, TABLE)
    rows = rows[rows["event_time"] <= until].rename(columns={"event_time": T})
    return rows.sort_values([T, "flight_id"], ignore_index=True)[columns]
