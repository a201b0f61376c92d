"""The same model as a batch job and over a stream."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from flightline.features import FEATURES, LEAD
from flightline.serving.deploy import Predictor
from flightline.serving.features import FeatureSource


@dataclass(frozen=True)
class Progress:
    """How far a batch job is; `new` is False for a part that was whole already."""

    part: str
    rows: int
    done: int
    parts: int
    new: bool


def score_table(
    requests: pd.DataFrame, features: FeatureSource, model: Predictor
) -> pd.DataFrame:
    """Score many flights at once: `flight_id`, `score`, `model`, `version`.

    Nothing falls back here. A job that can wait fails, and is started again.
    """
    scores = model.predict(features.read(requests)[FEATURES])
    if len(scores) != len(requests):
        raise ValueError(f"{len(scores)} scores for {len(requests)} flights.")
    named = {"score": scores, "model": model.name, "version": model.version}
    return requests[["flight_id"]].reset_index(drop=True).assign(**named)


def score_batch(
    requests: pd.DataFrame, features: FeatureSource, model: Predictor, folder: Path
) -> Iterator[Progress]:
    """Score the lake's schedule day by day; a killed job goes on where it stopped.

    A day is done if its file holds every flight that is asked for: a file that is
    there is compared, and what it lacks is scored and added.

    Parameters
    ----------
    requests : DataFrame
        As `lake.read(..., "schedule")` returns it, or `frame_of`; a flight once.
    features, model
        As for `create_app`; `predict` is called with what is new of a day.
    folder : Path
        Where `name-version/day.parquet` appears, each file in one step.

    Yields
    ------
    Progress
        After each day.

    Raises
    ------
    ValueError
        If a flight is asked for twice.
    """
    twice = requests["flight_id"].duplicated()
    if twice.any():
        name = requests["flight_id"][twice].iloc[0]
        raise ValueError(f"{twice.sum()} flights are asked for twice (first: {name}).")
    target = Path(folder) / f"{model.name}-{model.version}"
    target.mkdir(parents=True, exist_ok=True)
    days = requests["sched_dep_utc"].dt.strftime("%Y-%m-%d")
    for done, (day, rows) in enumerate(requests.groupby(days), start=1):
        path = target / f"{day}.parquet"
        kept = pd.read_parquet(path) if path.exists() else None
        missing = rows if kept is None else _not_in(rows, kept)
        if len(missing):
            scores = score_table(missing, features, model)
            whole = scores if kept is None else pd.concat([kept, scores])
            draft = path.with_suffix(".draft")
            whole.to_parquet(draft, index=False)
            draft.replace(path)
        yield Progress(str(day), len(rows), done, days.nunique(), bool(len(missing)))


def _not_in(rows: pd.DataFrame, kept: pd.DataFrame) -> pd.DataFrame:
    """Return the flights that a file of scores does not hold."""
    return rows[~rows["flight_id"].isin(kept["flight_id"])]


def score_stream(
    ticks: Iterable[tuple[pd.Timestamp, Mapping[str, pd.DataFrame]]],
    features: FeatureSource,
    model: Predictor,
    lead: pd.Timedelta = LEAD,
) -> Iterator[tuple[pd.Timestamp, pd.DataFrame]]:
    """Score each flight once, when the clock passes its prediction time.

    A flight that the stream announces again is not scored again; before it is due, the
    last announcement counts.

    Parameters
    ----------
    ticks : iterable
        What `lake.replay` yields; the table `schedule` brings the flights.
    features, model
        As for `create_app`.
    lead : Timedelta
        How long before departure a flight is scored.

    Yields
    ------
    now : Timestamp
        The clock.
    scores : DataFrame
        As `score_table` returns it, for the flights that were due.
    """
    waiting: pd.DataFrame | None = None
    scored: set[str] = set()
    for now, news in ticks:
        if "schedule" in news:
            told = news["schedule"]
            told = told[~told["flight_id"].isin(scored)]
            waiting = told if waiting is None else pd.concat([waiting, told])
            waiting = waiting.drop_duplicates("flight_id", keep="last")
        if waiting is None:
            continue
        due = waiting["sched_dep_utc"] - lead <= now
        if due.any():
            yield now, score_table(waiting[due], features, model)
            scored.update(waiting.loc[due, "flight_id"])
            waiting = waiting[~due]
