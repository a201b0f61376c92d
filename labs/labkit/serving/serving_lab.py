"""What lab 08 needs beside the service: data, clients, a replay, judges and figures."""

import hashlib
import json
import math
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from flightline import features, lake, serving, training
from flightline.serving import serve
from flightline.training import Predictor, Transform
from matplotlib.axes import Axes
from starlette.types import ASGIApp

from labkit import data
from labkit.figures import AMBER, BLUE, GREEN, GREY, ORANGE, SKY, label_end
from labkit.outcomes import outcome
from labkit.serving import http_load, replicas, servers
from labkit.serving.http_load import Body, Json

MODELS = Path(__file__).resolve().parents[3] / "data" / "models"
NEW_YORK = "America/New_York"

Weights = Mapping[str, float]


def models() -> dict[str, Predictor]:
    """Load the two reference models, digests verified, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        names = ("delay_lightgbm", "delay_mlp")
        return {name: training.load_model(MODELS, name) for name in names}


def summer() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return flights of June and July with their times, weather, and July's features.

    Returns
    -------
    flights, weather : DataFrame
        As `lake.flight_times` and `lake.weather_events` return them.
    table : DataFrame
        July's rows of `features.training_table`, each as known two hours before
        departure.
    """
    flights = lake.flight_times(data.load_flights([6, 7]), data.load_airports())
    weather = lake.weather_events(data.load_weather())
    table = features.training_table(flights, weather)
    return flights, weather, table[table["month"] == 7].reset_index(drop=True)


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


def refusals(client: InProcess, tight: InProcess, body: Json) -> pd.DataFrame:
    """Send what must be refused; return status, code and message of each answer.

    `tight` has a budget of one request.
    """

    def changed(**fields: object) -> bytes:
        return json.dumps({**body, **fields}).encode()

    stranger = InProcess(client.app)
    guess = {"Authorization": "Bearer lab.guess"}
    found = {
        "no key": stranger.ask(body),
        "wrong key": stranger.ask(body, **guess),
        "malformed JSON": client.ask(b'{"carrier": '),
        "unknown airport": client.ask(changed(dest="XXX")),
        "NaN": client.ask(changed(distance=float("nan"))),
        "infinity": client.ask(changed(distance=float("inf"))),
        "another year": client.ask(changed(sched_dep_utc="2031-07-03T00:49:00Z")),
        "block of a week": client.ask(changed(block_min=10_080)),
        "unknown field": client.ask(changed(delay=99)),
        "oversized body": client.ask(b" " * 5_000),
        "too many requests": tight.ask_all([body, body])[1],
    }
    rows = {
        name: {"status": status, "error": answer["error"], "message": answer["message"]}
        for name, (status, answer) in found.items()
    }
    return pd.DataFrame(rows).T


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


def bodies(flights: pd.DataFrame) -> list[Json]:
    """Return the body of a request for each flight."""
    return [serving.request_of(row) for row in flights.to_dict("records")]


def reconcile(answers: pd.DataFrame, log: pd.DataFrame) -> dict[str, int]:
    """Hold the answers that clients got against the prediction log.

    Parameters
    ----------
    answers : DataFrame
        As `http_load.answers` returns it.
    log : DataFrame
        As `serving.read_log` returns it.

    Returns
    -------
    dict of int
        `answers`, how many are `missing` from the log, and how many `differ` from
        it in model, version or score.
    """
    written = log[~log["shadow"]].drop_duplicates(
        ["request_id", "version"], keep="last"
    )
    both = answers.merge(
        written, on=["request_id", "version"], how="left", suffixes=("", "_log")
    )
    missing = both["score_log"].isna()
    differ = ~missing & (
        (both["model"] != both["model_log"]) | (both["score"] != both["score_log"])
    )
    return {
        "answers": len(answers),
        "missing": int(missing.sum()),
        "differ": int(differ.sum()),
    }


def plot_stall(runs: Mapping[str, pd.DataFrame]) -> Axes:
    """Draw the response times of two generators by percentile, the tail spread out."""
    _, ax = plt.subplots()
    sides = (("closed", ORANGE, 6, "left"), ("open", BLUE, -6, "right"))
    for name, color, offset, side in sides:
        times = np.sort(runs[name]["ms"].to_numpy())
        beyond = len(times) / np.arange(len(times), 0, -1)  # 100 is the p99
        ax.plot(beyond, times, color=color)
        at = int(np.argmax(times > np.sqrt(times[0] * times[-1])))
        ax.annotate(name, (beyond[at], times[at]), (offset, 0), color=color, ha=side,
            textcoords="offset points")  # fmt: skip
    ax.set_xscale("log")
    ax.set_xticks([1, 2, 10, 100], ["0", "50", "90", "99"])
    ax.minorticks_off()
    ax.set_yscale("log")
    ax.set_xlabel("percentile of the requests")
    ax.set_ylabel("response time, ms")
    ax.set_title("One pause: the closed loop meets it once")
    return ax


def plot_sources(
    answers: pd.DataFrame, events: Mapping[float, tuple[float, float]]
) -> Axes:
    """Draw each answer by its time and its source, with `store_faults` behind."""
    _, ax = plt.subplots()
    hang, away, back = events.values()
    for name, (start, end) in {"hangs": hang, "gone": (away[0], back[1])}.items():
        ax.axvspan(start, end, color=AMBER, alpha=0.3, lw=0)
        ax.annotate(name, (start, 1), (4, -16), xycoords=("data", "axes fraction"),
            textcoords="offset points")  # fmt: skip
    marks = {"online": (BLUE, "o"), "fallback": (ORANGE, "^")}
    for source, rows in answers.groupby("source"):
        color, mark = marks[str(source)]
        ax.plot(rows["due_s"], rows["ms"], mark, color=color, ms=4, label=source)
    ax.set_yscale("log")
    ax.margins(y=0.15)  # room for the names of the faults
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ax.set_xlabel("time, s")
    ax.set_ylabel("response time, ms")
    ax.set_title("The store fails, and every request is answered")
    return ax


def until_it_bends(
    port: int,
    asks: list[bytes],
    capacity: float,
    *,
    seconds: float = 2.0,
    bend: float = 5.0,
) -> pd.DataFrame:
    """Offer more and more load, open loop, until the server cannot keep up.

    Parameters
    ----------
    port : int
        The server's port.
    asks : list of bytes
        The requests.
    capacity : float
        Requests a second that it answered at most; the first load is a quarter of it.
    seconds : float
        How long each load is offered.
    bend : float
        The last load's p50 is so many times the first one's, and fewer than 90% of
        the requests a second are answered that were offered.

    Returns
    -------
    DataFrame
        By the load offered, in requests a second: `answered/s`, p50, p95 and p99 in
        ms, and how many `failed`.
    """
    rows: dict[int, dict[str, float]] = {}
    for share in (0.25, 0.5, 0.75, *(1.3**step for step in range(11))):
        due = http_load.poisson(share * capacity, seconds)
        run = http_load.open_loop(port, asks, due)
        good, took = run[run["status"] == 200], run.attrs["seconds"]
        row = {"answered/s": len(good) / max(took, seconds)}
        row |= http_load.percentiles(run["ms"]) | {"failed": len(run) - len(good)}
        rows[round(len(due) / seconds)] = row
        first = next(iter(rows.values()))["p50"]
        if row["p50"] > bend * first and row["answered/s"] < 0.9 * len(due) / seconds:
            break
    return pd.DataFrame(rows).T.rename_axis("offered/s")


def plot_load(table: pd.DataFrame) -> Axes:
    """Draw p50, p95 and p99 against the load."""
    _, ax = plt.subplots()
    for name, color, mark, up in (
        ("p50", GREY, "o", -14),
        ("p95", BLUE, "s", 0),
        ("p99", ORANGE, "^", 14),
    ):
        ax.plot(table.index, table[name], color=color, marker=mark)
        end = table.index[-1], table[name].iloc[-1]
        ax.annotate(name, end, (8, up), textcoords="offset points", va="center",
            color=color, annotation_clip=False)  # fmt: skip
    ax.axhline(100, color="black", lw=1, ls=":")
    ax.annotate("100 ms", (table.index[0], 100), (0, 4), textcoords="offset points")
    ax.set_yscale("log")
    ax.set_xlabel("offered load, requests/s")
    ax.set_ylabel("response time, ms")
    ax.set_title("Latency is a curve over the load, and it bends")
    return ax


def policies(
    utilisations: list[float], count: int, replicas_: int = 10
) -> dict[str, list[float]]:
    """Compute the p99 of each routing policy at each utilisation."""
    found: dict[str, list[float]] = {name: [] for name in replicas.POLICIES}
    for utilisation in utilisations:
        arrival, service = replicas.requests(count, replicas_, utilisation)
        for name, policy in replicas.POLICIES.items():
            times = replicas.queue_up(policy, arrival, service, replicas_)
            found[name].append(float(np.percentile(times, 99)))
    return found


def short_run(
    arrival: np.ndarray, service: np.ndarray, replicas_: int
) -> dict[str, float]:
    """Compute the p99 of each routing policy for these requests alone."""
    return {
        name: float(
            np.percentile(replicas.queue_up(policy, arrival, service, replicas_), 99)
        )
        for name, policy in replicas.POLICIES.items()
    }


def plot_policies(
    utilisations: list[float], p99: Mapping[str, list[float]], short: pd.DataFrame
) -> Axes:
    """Draw the p99 of each policy; a short run, `computed` and `slept`, as marks."""
    _, ax = plt.subplots()
    colors = dict(zip(p99, (ORANGE, GREEN, BLUE), strict=True))
    for name, values in p99.items():
        ax.plot(utilisations, values, color=colors[name])
        label_end(ax, utilisations, values, name, colors[name])
    for at, (name, row) in zip((0.785, 0.8, 0.815), short.iterrows(), strict=True):
        color = colors[str(name)]
        ax.plot(at, row["computed"], "_", ms=22, mec=color, mew=3)
        ax.plot(at, row["slept"], "D", ms=7, mfc=SKY, mec=color, mew=2)
    ax.set_xlabel("utilisation of the replicas")
    ax.set_ylabel("p99, mean service times")
    ax.set_title("Two choices cut the tail (bar, diamond: a short run)")
    return ax


def cut_the_line(entity: str, weights: Mapping[str, float]) -> str:
    """Route by one hash of the entity, and cuts in the order of the versions."""
    digest = hashlib.sha256(entity.encode()).digest()
    point = int.from_bytes(digest[:6]) / 2**48 * sum(weights.values())
    for version, weight in weights.items():
        if point < weight:
            return version
        point -= weight
    return version


def moves(
    how: Callable[[str, Mapping[str, float]], str],
    entities: Iterable[str],
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> pd.Series:
    """Return the share of entities that move, from which version to which."""
    pairs = [(how(entity, before), how(entity, after)) for entity in entities]
    table = pd.Series([f"{a} to {b}" for a, b in pairs]).value_counts()
    every = [f"{a} to {b}" for a in before for b in after if a != b]
    return table.reindex(every, fill_value=0) / len(pairs)


def evening_store(
    folder: Path, flights: pd.DataFrame, weather: pd.DataFrame, followed: pd.DataFrame
) -> features.OnlineSource:
    """Fill a feature store as of a flight's prediction time; return it as a source."""
    now = followed["sched_dep_utc"].iloc[0] - features.LEAD
    return features.OnlineSource(serve.fill_store(folder, flights, weather, now))


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


LOG = ("schedule", "departures", "arrivals")


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

    session = onnxruntime.InferenceSession(MODELS / "delay_mlp.onnx")
    transform = Transform.from_json((MODELS / "transform.json").read_text())
    feed = {"categorical": transform.codes(table), "numeric": transform.numbers(table)}
    scores = np.asarray(session.run(["score"], feed)[0], dtype=float)
    return pd.Series(scores, index=table["flight_id"])


def rest_scores(app: ASGIApp, key: str, flights: pd.DataFrame) -> pd.Series:
    """Ask for each flight on its own, through the whole application."""
    found = InProcess(app, key).ask_all(bodies(flights))
    return pd.Series({answer["flight_id"]: answer["score"] for _, answer in found})


def model_vault(folder: Path) -> Path:
    """Copy the models, and put beside them a copy in which one byte is wrong."""
    shutil.copytree(MODELS, folder)
    damaged = shutil.copytree(MODELS, folder / "damaged") / "delay_mlp.onnx"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    return folder


def spare_model(vault: Path) -> Predictor:
    """Train a small model on the timetable alone, and store it in the vault.

    It learns from January to May, tuned on June, as the reference models did. What
    only the store knows is the same in every row, so that nothing is learned of it.

    Parameters
    ----------
    vault : Path
        A folder of models; the new one is `spare/timetable` in it.

    Returns
    -------
    Predictor
        As `training.load_model` returns it.
    """
    raw = data.load_flights(range(1, 7)).dropna(subset=["arr_delay", "air_time"])
    flights = lake.flight_times(raw.reset_index(drop=True), data.load_airports())
    table = serving.timetable_only(flights).fillna(0.0)
    late = (flights["arr_delay"] >= 15).astype("boolean")
    parts = training.split(table.assign(month=flights["month"], late=late))
    made = training.fit(
        "lightgbm",
        parts["train"],
        parts["tune"],
        rounds=150,
        name="timetable",
        version="1",
    )
    training.save_models(vault / "spare", [made])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return training.load_model(vault / "spare", "timetable")


def sent_during(run: pd.DataFrame, event: float) -> int:
    """Return how many requests of a run were sent while an event went on."""
    start, end = run.attrs["events"][event]
    return int(run["due_s"].between(start + 0.05, end - 0.05).sum())


def within(answers: pd.DataFrame, start: float, end: float) -> pd.DataFrame:
    """Return the answers to requests that were due and answered within a stretch."""
    done = answers["due_s"] + answers["ms"] / 1000
    return answers[(answers["due_s"] > start) & (done < end)]


def phases(
    answers: pd.DataFrame, events: Mapping[float, tuple[float, float]]
) -> list[set[str]]:
    """Return which models answered before, between and after the events of a run.

    What was under way while an event went on may come from either side of it, and is
    left out.
    """
    times = sorted(events.values())
    starts = [-math.inf, *(ended for _, ended in times)]
    ends = [*(began for began, _ in times), math.inf]
    stretches = zip(starts, ends, strict=True)
    return [set(within(answers, *stretch)["model"]) for stretch in stretches]


def judge_phases(
    answers: pd.DataFrame,
    events: Mapping[float, tuple[float, float]],
    weights: Mapping[str, Mapping[str, float]],
    names: Mapping[str, str],
) -> pd.DataFrame:
    """Say for each phase of a run who answered, and whether the weights chose them.

    Parameters
    ----------
    answers : DataFrame
        As `http_load.answers` returns it.
    events : mapping
        When each change began and was seen by all, one fewer than there are phases.
    weights : mapping
        By the phase's name, in order: the weights of that phase.
    names : mapping
        The model of each label.

    Returns
    -------
    DataFrame
        One row a phase: how many `answers`, `answered by` whom, how many `wrong`. What
        was under way during a change is left out, as in `phases`.
    """
    times = sorted(events.values())
    starts = [-math.inf, *(ended for _, ended in times)]
    ends = [*(began for began, _ in times), math.inf]
    rows = {}
    for (phase, plan), start, end in zip(weights.items(), starts, ends, strict=True):
        part = within(answers, start, end)
        chosen = [names[serving.route(flight, plan)] for flight in part["flight_id"]]
        rows[phase] = {
            "answers": len(part),
            "answered by": sorted(set(part["model"])),
            "wrong": int((part["model"] != chosen).sum()),
        }
    return pd.DataFrame(rows).T.rename_axis("phase")


def by_breaker(
    answers: pd.DataFrame,
    events: Mapping[float, tuple[float, float]],
    failures: int = 5,
) -> pd.DataFrame:
    """Return median times: from the store, and of the fallback during a fault.

    Parameters
    ----------
    answers : DataFrame
        As `http_load.answers` returns it.
    events : mapping
        The first one is the time in which the store hung.
    failures : int
        The breaker opens with so many failures in a row.

    Returns
    -------
    DataFrame
        `answers` and `median_ms`, rounded, of those from the store, and of those from
        the fallback that were asked for before and after the breaker opened.
    """
    start, end = events[min(events)]
    done = answers["due_s"] + answers["ms"] / 1000
    fallen = (answers["source"] == "fallback") & (done > start)
    fallen &= answers["due_s"] < end
    opened = done[fallen].sort_values().iloc[:failures].max()
    later = answers["due_s"] > opened
    groups = {
        "online": answers["source"] == "online",
        "fallback, breaker closed": fallen & ~later,
        "fallback, breaker open": fallen & later,
    }
    rows = {
        name: {
            "answers": int(group.sum()),
            "median_ms": round(float(answers.loc[group, "ms"].median()), 1),
        }
        for name, group in groups.items()
    }
    return pd.DataFrame(rows).T


def warm(served: servers.Served, body: Json, per_s: float = 45.0) -> float:
    """Ask until answers come from the store; say how much slower than usual it is.

    Parameters
    ----------
    served : servers.Served
        With a store; its first reads miss the deadline.
    body : mapping
        The request.
    per_s : float
        Requests a second that one client gets answered where all is well.

    Returns
    -------
    float
        1.0 if all is well, more on a slow or busy machine, 4.0 at most.
    """
    servers.wait_until(
        lambda: served.predict(body)["source"] == "online", "the store answers"
    )
    run = http_load.closed_loop(served.port, [served.request(body)], seconds=1.0)
    return float(np.clip(per_s / (len(run) / run.attrs["seconds"]), 1.0, 4.0))


def table_file(folder: Path, table: pd.DataFrame) -> tuple[str, Path]:
    """Write a table of features; return the option that names it."""
    table.to_parquet(folder / "features.parquet")
    return "--table", folder / "features.parquet"


def capacity(port: int, asks: list[bytes]) -> float:
    """Return how many requests a second eight clients get answered, all the time."""
    run = http_load.closed_loop(port, asks, clients=8, seconds=1.5)
    return float(len(run) / run.attrs["seconds"])


def in_freeze(runs: Mapping[str, pd.DataFrame], event: float) -> pd.DataFrame:
    """Say what two runs saw of a freeze, and the second one's times over the first's.

    Parameters
    ----------
    runs : mapping of str to DataFrame
        Two runs, as `http_load` returns them.
    event : float
        When the freeze began.

    Returns
    -------
    DataFrame
        Requests sent in all and while the freeze lasted, how many took over 250 ms,
        and percentiles in ms.
    """
    rows = {
        name: {
            "requests": len(run),
            "sent_in_it": sent_during(run, event),
            "over_250_ms": int((run["ms"] > 250).sum()),
            **http_load.percentiles(run["ms"]),
        }
        for name, run in runs.items()
    }
    table = pd.DataFrame(rows).T
    one, two = table.index
    table.loc[f"{two} over {one}"] = table.loc[two] / table.loc[one].clip(lower=1)
    return table


def stretches(run: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return when the store of a run with `servers.store_faults` had which fault.

    Returns
    -------
    dict of tuple
        Start and end: `before` any fault, while it `hangs`, while it is `gone`.
    """
    hang, away, back = run.attrs["events"].values()
    return {"before": (0.0, hang[0]), "hangs": hang, "gone": (away[1], back[0])}


FLEET = [f"flight-{n}" for n in range(3000)], {"A": 1.0, "B": 2.0, "C": 3.0}


def routings(
    route: Callable[..., str],
) -> dict[str, list[str]]:
    """Route the flights of FLEET with its weights, and with changes to them."""
    names, plan = FLEET
    ways: dict[str, tuple[Weights] | tuple[Weights, str]] = {
        "first": (plan,),
        "again": (plan,),
        "other order": (dict(reversed(plan.items())),),
        "two alike": ({"A": 1.0, "B": 1.0},),
        "A gets 6": ({**plan, "A": 6.0},),
        "other salt": (plan, "other"),
    }
    return {way: [route(name, *how) for name in names] for way, how in ways.items()}


def rehearsal(
    kind: Callable[["Flaky", float, Callable[[], float]], serving.FeatureSource],
    most_age_s: float,
) -> Callable[..., list[int] | str]:
    """Return a function that asks a feature source about flights at a time.

    Parameters
    ----------
    kind : callable
        Makes the source from another one, an age, and a clock.
    most_age_s : float
        The age.

    Returns
    -------
    callable
        Takes the time, the flights (a letter each), and whether the other source is
        `down`; returns the `value` of each flight, or the name of the exception.
    """
    inner, now = Flaky(), [0.0]
    made = kind(inner, most_age_s, lambda: now[0])

    def ask(time_s: float, flights: str, down: bool = False) -> list[int] | str:
        now[0], inner.down = time_s, down
        requests = pd.DataFrame({"flight_id": list(flights)})
        try:
            return outcome(lambda: made.read(requests)["value"].tolist())
        except Endless as error:
            raise AssertionError(str(error)) from None

    return ask


class Endless(BaseException):
    """A source was asked again and again; no `except Exception` hides it."""


class Flaky:
    """A feature source that counts up, until it is down; its index is its own.

    Who asks it over and over would never come to an end: it stops that and
    says so.
    """

    MOST_READS = 100

    def __init__(self) -> None:
        self.down, self.count, self.reads = False, 0, 0

    def read(self, requests: pd.DataFrame) -> pd.DataFrame:
        """Return a `value` for each request, new ones each time."""
        self.reads += 1
        if self.reads > self.MOST_READS:
            raise Endless("The source was asked over and over: ask it once a read.")
        if self.down:
            raise LookupError("the store does not answer")
        start, self.count = self.count, self.count + len(requests)
        rows = range(start, self.count)
        return pd.DataFrame({"value": rows}, index=[row + 100 for row in rows])
