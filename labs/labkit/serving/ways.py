"""Other ways to the same score: in process, as a batch, over a stream, embedded."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from flightline import features, lake, serving
from flightline.training import Transform
from starlette.types import ASGIApp

from labkit import data
from labkit.serving import http_load
from labkit.serving.http_load import Body, Json
from labkit.serving.serving_lab import file_of

LOG = ("schedule", "departures", "arrivals")
NEW_YORK = "America/New_York"


class InProcess:
    """A client that calls an application in this process, without a server.

    Starlette's own test client warns that httpx, which the course has, will not do for
    long; this one needs no more than httpx.

    Parameters
    ----------
    app : ASGI application
        What answers.
    key : str, optional
        Sent with each request.
    """

    def __init__(self, app: ASGIApp, key: str | None = None) -> None:
        self.app = app
        who = {"Authorization": f"Bearer {key}"} if key else {}
        self.headers = {"Content-Type": "application/json", **who}

    def ask(self, body: Body, **headers: str) -> tuple[int, Json]:
        """Ask for a score; return status and body."""
        return self.ask_all([body], **headers)[0]

    def ask_all(self, bodies: Sequence[Body], **headers: str) -> list[tuple[int, Json]]:
        """Ask for many scores, one after the other."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        sent = {**self.headers, **headers}

        async def go() -> list[tuple[int, Json]]:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://lab", headers=sent
            ) as web:
                found = []
                for body in bodies:
                    content = body if isinstance(body, bytes) else json.dumps(body)
                    got = await web.post("/v1/predict", content=content)
                    found.append((got.status_code, got.json()))
                return found

        return http_load.in_thread(go())


class ReplayFeatures:
    """Features from what a replay has told so far, and from nothing else.

    Parameters
    ----------
    weather : DataFrame
        As `lake.weather_events` returns it; the join looks at `available_at`.
    """

    def __init__(self, weather: pd.DataFrame) -> None:
        self.weather = weather
        self.seen: dict[str, list[pd.DataFrame]] = {}

    def watch(
        self, ticks: Iterator[tuple[pd.Timestamp, dict[str, pd.DataFrame]]]
    ) -> Iterator[tuple[pd.Timestamp, dict[str, pd.DataFrame]]]:
        """Pass the ticks of a replay on, and remember their news."""
        for now, news in ticks:
            for name, rows in news.items():
                self.seen.setdefault(name, []).append(rows)
            yield now, news

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return FEATURES of the requested flights, computed from the news so far."""
        told = {name: pd.concat(parts) for name, parts in self.seen.items()}
        flights = told["schedule"].drop(columns=["event_time", "available_at"])
        for table, end in {"departures": "dep", "arrivals": "arr"}.items():
            news = told[table][["flight_id", "event_time", f"{end}_delay"]]
            news = news.rename(columns={"event_time": f"{end}_utc"})
            flights = flights.merge(news, on="flight_id", how="left")
        local = flights["sched_dep_utc"].dt.tz_convert(NEW_YORK).dt
        clock = {"month": local.month, "day": local.day}
        flights = flights.assign(
            sched_dep_time=local.hour * 100 + local.minute, **clock
        )
        table = features.training_table(flights, self.weather).set_index("flight_id")
        return table.loc[requests["flight_id"], features.FEATURES].reset_index(
            drop=True
        )


def stream_scores(
    flights: pd.DataFrame,
    weather: pd.DataFrame,
    model: serving.Predictor,
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> pd.Series:
    """Score what falls due in `(start, end]` from a replay of all reports before it.

    The first tick brings the reports until `start`; then the clock moves by an hour.
    """
    tables = {name: lake.events(flights, data.load_airports())[name] for name in LOG}
    before = {name: t[t["available_at"] <= start] for name, t in tables.items()}
    now = before["schedule"]["sched_dep_utc"] - features.LEAD
    waiting = before | {"schedule": before["schedule"][now > start]}
    source = ReplayFeatures(weather)
    source.seen = {name: [rows] for name, rows in before.items()}

    def ticks() -> Iterator[tuple[pd.Timestamp, dict[str, pd.DataFrame]]]:
        yield start, waiting
        yield from source.watch(lake.replay(tables, "1h", start, end))

    parts = [rows for _, rows in serving.score_stream(ticks(), source, model)]
    return pd.concat(parts).set_index("flight_id")["score"]


def batch_scores(
    folder: Path,
    flights: pd.DataFrame,
    source: serving.FeatureSource,
    model: serving.Predictor,
) -> tuple[pd.Series, pd.DataFrame]:
    """Score flights from a lake's schedule; stop after the first day, then go on.

    Returns
    -------
    scores : Series
        By flight_id.
    steps : DataFrame
        What each of the two runs did.
    """
    rows = lake.events(flights, data.load_airports())["schedule"]
    lake.append(folder / "lake", "schedule", rows)
    asked = lake.read(folder / "lake", "schedule")
    first = serving.score_batch(asked, source, model, folder / "out")
    stopped = [next(first)]
    del first
    again = list(serving.score_batch(asked, source, model, folder / "out"))
    runs = {"stopped run": stopped, "second run": again}
    steps = {
        name: {
            "days in reach": run[-1].parts,
            "scored now": sum(step.new for step in run),
            "found done": sum(not step.new for step in run),
        }
        for name, run in runs.items()
    }
    parts = map(pd.read_parquet, sorted((folder / "out").rglob("*.parquet")))
    return pd.concat(parts).set_index("flight_id")["score"], pd.DataFrame(steps)


def embedded_scores(table: pd.DataFrame) -> pd.Series:
    """Score rows with the ONNX file alone: no web, no service, one session."""
    import onnxruntime

    session = onnxruntime.InferenceSession(file_of(data.MODELS, "delay_mlp"))
    transform = Transform.from_json(file_of(data.MODELS, "transform").read_text())
    feed = {"categorical": transform.codes(table), "numeric": transform.numbers(table)}
    scores = np.asarray(session.run(["score"], feed)[0], dtype=float)
    return pd.Series(scores, index=table["flight_id"])
