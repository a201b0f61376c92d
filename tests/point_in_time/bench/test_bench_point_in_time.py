"""Lab 04 at full size: speed, memory, growth, and the price of leaking, with intervals.

`make bench` runs it and writes `results/point_in_time*.{json,csv}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio or
a verdict: only that the answers agree.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import engines
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from flightline.lake import flight_times, weather_events
from flightline.point_in_time import join, open_at, smoothed_rate, window
from labkit import bench, data, timing
from labkit.point_in_time import delay_model
from sklearn.metrics import roc_auc_score

RESULTS = Path(__file__).parent / "results"
T, DEP = "prediction_time", "sched_dep_utc"
HOUR = pd.Timedelta("1h").as_unit("us")
WEATHER = ["temp", "dewp", "wind_speed", "gust", "precip", "visib", "pressure"]
TIMES = {
    "engine": "Engine",
    "rows": "Rows",
    "median_ms": "Median, ms",
    "ratio": "Ratio",
    "peak_mib": "Peak memory, MiB",
}
PAGE = {
    "set": "Features",
    "promised": "Promised",
    "delivered": "Delivered",
    "change, 95%": "Change, 95% interval by day",
    "from June": "Promised, delivered, if June is learned too",
}


def load_flights():
    """Return all flights with their times, prediction time and date."""
    flights = flight_times(data.load_flights(), data.load_airports())
    date = flights["month"] * 100 + flights["day"]
    return flights.assign(**{T: flights[DEP] - 2 * HOUR, "date": date})


def load_weather():
    """Return the weather with what the features need."""
    weather = weather_events(data.load_weather())
    speed, gust = weather["wind_speed"], weather["wind_gust"]
    return weather.assign(wind_speed=speed.where(speed < 200), gust=gust.fillna(0))


def written(value):
    """Return a cell as the chapter shows it."""
    if not isinstance(value, int | float):
        return value
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.0f}"


@pytest.fixture(scope="module")
def flights():
    return load_flights()


@pytest.fixture(scope="module")
def weather():
    return load_weather()


# --- speed ----------------------------------------------------------------------------


def grow(frame, times, years):
    """Repeat a table, each copy a year (of 365 days) later."""
    copies = [
        frame.assign(
            **{t: frame[t] + pd.Timedelta(days=365 * y).as_unit("us") for t in times}
        )
        for y in range(years)
    ]
    return pd.concat(copies, ignore_index=True)


def weather_join(years=1):
    """Return the as-of join of weather with each engine, ready to run."""
    asks = grow(load_flights()[["origin", T]], [T], years)
    rows = load_weather()[["origin", "available_at", *WEATHER]]
    rows = grow(rows, ["available_at"], years)
    how = ["origin"], T, "available_at"
    asks_pl, rows_pl = pl.from_pandas(asks), pl.from_pandas(rows)
    return {
        "ours": lambda: join(
            asks, rows, by="origin", entity_time=T, feature_time="available_at"
        ),
        "Polars": lambda: engines.with_polars(asks_pl, rows_pl, *how),
        "pandas": lambda: engines.with_pandas(asks, rows, *how),
        "DuckDB": lambda: engines.with_duckdb(asks, rows, *how),
    }


def duckdb_range(events):
    """Return the mean over a range of time before each event, in their order."""
    with duckdb.connect(config=engines.ONE_THREAD) as connection:
        connection.register("events", events)
        return connection.sql("""
            SELECT avg(dep_delay) OVER (PARTITION BY origin ORDER BY dep_utc
                RANGE BETWEEN INTERVAL 179 MINUTE PRECEDING AND CURRENT ROW) AS mean
            FROM (SELECT row_number() OVER () AS n, * FROM events) ORDER BY n""").df()


def rolling_mean(years=1):
    """Return the rolling 3 h mean per airport with each engine, ready to run."""
    columns = ["origin", "dep_utc", "dep_delay"]
    events = load_flights().dropna(subset="dep_utc")[columns]
    events = grow(events, ["dep_utc"], years).sort_values("dep_utc", ignore_index=True)
    asks = events[["origin", "dep_utc"]]
    frame = pl.from_pandas(events)
    mean = pl.col("dep_delay").rolling_mean_by("dep_utc", "3h").over("origin")
    what = {
        "event_time": "dep_utc",
        "value": "dep_delay",
        "window": "3h",
        "agg": "mean",
    }
    return {
        "ours": lambda: window(
            asks, events, by="origin", entity_time="dep_utc", **what
        ),
        "Polars": lambda: frame.with_columns(mean.alias("mean")),
        "DuckDB": lambda: duckdb_range(events),
    }


TASKS = {"join": weather_join, "window": rolling_mean}


def column(answer, name):
    """Return a column of any engine's answer, null as NaN."""
    if isinstance(answer, pd.Series):
        return answer.to_numpy()
    values = (
        answer[name].to_numpy() if isinstance(answer, pl.DataFrame) else answer[name]
    )
    return np.asarray(values, dtype=float)


@pytest.mark.parametrize("task", TASKS)
def test_speed_and_memory(task):
    bench.require_quiet()
    watch, tables = timing.Watch(), []
    for years, least in ((1, 21), (10, 5)):
        pieces = TASKS[task](years)
        answers = {name: piece() for name, piece in pieces.items()}
        compared = WEATHER if task == "join" else ["mean"]
        for name in compared:
            first = column(answers["ours"], name)
            for engine, answer in answers.items():
                other = column(answer, name)
                assert np.allclose(first, other, rtol=1e-9, equal_nan=True), (
                    engine,
                    name,
                )
        rows = len(answers["ours"])
        del answers
        times = timing.compare(pieces, least, narrow=0.1, most=5 * least)
        times["repeats"] = times.attrs.pop("repeats")
        del pieces
        times["peak_mib"] = [memory(task, engine, years) for engine in times.index]
        tables.append(times.assign(years=years, rows=rows))
    table = pd.concat(tables).rename_axis("engine")
    assert table["median_ms"].gt(0).all()
    spread = (table["high_ms"] - table["low_ms"]) / table["median_ms"]
    digits = {"ratio": 2, "peak_mib": 0, "median_ms": 1, "low_ms": 1, "high_ms": 1}
    bench.record(
        RESULTS,
        f"point_in_time_{task}",
        table.round(digits).reset_index(),
        TIMES,
        note="Medians of rounds in turns, one thread each; quartiles at most "
        f"{spread.max():.0%} of the median apart.",
        form=written,
        watch=watch,
    )


def memory(task, engine, years):
    """Return the peak memory of one run in MiB, above its inputs, in a new process."""
    if not Path("/proc/self/clear_refs").exists():
        return float("nan")
    command = [sys.executable, __file__, task, engine, str(years)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )
    return float(done.stdout.split()[-1])


def resident(field):
    """Return a memory field of this process in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no {field} in /proc/self/status")


def measure_memory(task, engine, years):
    """Run one piece and print how far the memory rose above its inputs."""
    piece = TASKS[task](int(years))[engine]
    pa.default_memory_pool().release_unused()  # what loading left is not reused
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak of loading
    before = resident("VmRSS:")
    piece()
    print(round(resident("VmHWM:") - before, 1))


def test_feast_gives_the_same_cells(flights, weather, tmp_path):
    """Feast on 20,000 flights; its import alone takes seconds."""
    feast = pytest.importorskip("feast")
    from feast.infra.offline_stores.duckdb import DuckDBOfflineStoreConfig  # noqa: F401
    from feast.types import Float64

    path = tmp_path / "weather.parquet"
    table = weather[["origin", "event_time", "available_at", "temp", "visib"]]
    table.to_parquet(path)
    config = feast.RepoConfig(
        project="bench",
        provider="local",
        registry={"registry_type": "file", "path": str(tmp_path / "registry.db")},
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(tmp_path / "online.db")},
        entity_key_serialization_version=3,
    )
    store = feast.FeatureStore(config=config)
    airport = feast.Entity(name="airport", join_keys=["origin"])
    view = feast.FeatureView(
        name="weather",
        entities=[airport],
        ttl=pd.Timedelta(hours=6).to_pytimedelta(),
        schema=[feast.Field(name=n, dtype=Float64) for n in ("temp", "visib")],
        source=feast.FileSource(
            path=str(path),
            timestamp_field="event_time",
            created_timestamp_column="available_at",
        ),
    )
    store.apply([airport, view])
    some = flights[flights["month"] >= 2].sample(20_000, random_state=4)
    asks = (
        some[["origin", T]]
        .rename(columns={T: "event_timestamp"})
        .reset_index(drop=True)
    )
    asks["row"] = np.arange(len(asks))
    wanted = ["weather:temp", "weather:visib"]

    def with_feast():
        job = store.get_historical_features(
            asks, wanted, filter_by_created_timestamp=True
        )
        return job.to_df().sort_values("row", ignore_index=True)

    def with_ours():
        clocks = {"feature_time": "event_time", "available_time": "available_at"}
        ask = {"by": "origin", "entity_time": "event_timestamp", "ttl": "6h"}
        return join(asks, table, **ask, **clocks)

    got, ours = with_feast(), with_ours()
    assert len(got) == len(asks)
    for name in ("temp", "visib"):
        assert np.allclose(got[name], ours[name], equal_nan=True), name
    times = timing.compare({"ours": with_ours, "Feast": with_feast}, repeats=3)
    times = times.assign(rows=len(asks), peak_mib="").rename_axis("engine")
    bench.record(
        RESULTS,
        "point_in_time_feast",
        times.round(1).reset_index(),
        TIMES,
        form=written,
    )


# --- the price of leaking -----------------------------------------------------------

DEPARTURES = [
    ("origin", 1),
    ("origin", 3),
    ("carrier", 3),
    ("origin carrier", 3),
    ("", 1),
]
ARRIVALS = [("origin", 3), ("dest", 3), ("dest", 24), ("carrier", 24)]
DAYS = [
    ("origin", "dep"),
    ("origin", "arr"),
    ("carrier", "dep"),
    ("carrier", "arr"),
    ("origin carrier", "dep"),
    ("dest", "arr"),
]


def windows(asks, log, clocks=("dep_utc", "arr_utc"), shorter=0, known=False):
    """Return the ten windows of the full set, on some clocks."""
    log = log.assign(
        late=(log["arr_delay"] >= 15).where(log["arr_delay"].notna()).astype(float)
    )
    specs = [(by, h, "dep_utc", clocks[0], "dep_delay") for by, h in DEPARTURES]
    specs += [(by, h, "arr_utc", clocks[1], "arr_delay") for by, h in ARRIVALS]
    specs += [("", 24, "arr_utc", clocks[1], "late")]
    table = {}
    for by, hours, when, clock, value in specs:
        name = f"{value} {by or 'all'} {hours}h"
        if hours <= shorter:
            table[name] = pd.Series(np.nan, asks.index)
            continue
        table[name] = window(
            asks, log[log[value].notna() & log[when].notna()], by=by.split(),
            entity_time=T, event_time=clock, value=value, agg="mean",
            window=(hours - shorter) * HOUR, available_time=when if known else None,
        )  # fmt: skip
    return pd.DataFrame(table)


def queues(asks, log, start=DEP):
    """Return the two queues."""
    times = {
        "entity_time": T,
        "start_time": start,
        "end_time": "dep_utc",
        "window": "6h",
    }
    keys = {"waiting": ["origin"], "waiting_carrier": ["origin", "carrier"]}
    return pd.DataFrame(
        {n: open_at(asks, log, by=by, **times) for n, by in keys.items()}
    )


def by_date(log):
    """Return the mean delays of the flight's date."""
    table = {}
    for by, kind in DAYS:
        groups = log.groupby(["date", *by.split()])[f"{kind}_delay"]
        table[f"{by} {kind}"] = groups.transform("mean")
    return pd.DataFrame(table)


def by_date_known(log):
    """Return the mean delays of the flight's date that are known when it is scored."""
    table = {}
    for by, kind in DAYS:
        delay = f"{kind}_delay"
        what = {"value": delay, "window": "48h", "agg": "mean", "entity_time": T}
        known = log[log[delay].notna()]
        keys = ["date", *by.split()]
        table[f"{by} {kind}"] = window(
            log, known, by=keys, event_time=f"{kind}_utc", **what
        )
    return pd.DataFrame(table)


def weather_at(flights, weather, at, available=None):
    """Return seven columns of weather."""
    names = ["origin", "event_time", "available_at", *WEATHER]
    times = {"entity_time": at, "feature_time": "event_time", "ttl": "6h"}
    frame = join(
        flights[["origin", at]],
        weather[names],
        by="origin",
        available_time=available,
        **times,
    )
    return frame[WEATHER]


def plane_that_flew(flights):
    """Return the last New York leg of the aircraft that flew: a leak no replay sees."""
    left = flights[flights["dep_utc"].notna() & flights["tailnum"].notna()]
    leg = left[["tailnum", "dep_utc", "dep_delay", "arr_utc", "arr_delay", "distance"]]
    leg = leg.rename(columns={n: f"last_{n}" for n in leg.columns[1:]})
    asks = flights[["tailnum", T, DEP]]
    found = join(
        asks, leg, by="tailnum", entity_time=T, feature_time="last_dep_utc", ttl="24h"
    )
    unknown = ~(found["last_arr_utc"] <= found[T])
    rest_h = (found[DEP] - found["last_dep_utc"]) / HOUR
    return pd.DataFrame({
        "tail_dep_delay": found["last_dep_delay"],
        "tail_arr_delay": found["last_arr_delay"].mask(unknown),
        "slack_h": rest_h - 2 * (found["last_distance"] / 450 + 0.6) - 1,
    })  # fmt: skip


def history(flights):
    """Return how often the flight number landed late in the last thirty days."""
    arrived = flights[flights["arr_delay"].notna()]
    arrived = arrived.assign(late=(arrived["arr_delay"] >= 15).astype(float))
    rate = smoothed_rate(
        flights, arrived, by=["carrier", "flight", "dest"], entity_time=T,
        event_time="arr_utc", value="late", days=30, prior=0.24, strength=20,
    )  # fmt: skip
    return rate.rename("history").to_frame()


def feature_sets(flights, weather):
    """Return for each name what the model is trained on, and what it is served."""
    at_departure = flights.assign(**{T: flights[DEP]})
    early = flights.assign(start=flights[DEP] - 2 * HOUR)
    known_weather = weather_at(flights, weather, T, "available_at")
    pit = pd.concat([windows(flights, flights), queues(flights, flights)], axis=1)
    full = pd.concat([pit, history(flights), known_weather], axis=1)
    with_plane = full.join(plane_that_flew(flights))
    twelve = pit[
        ["dep_delay origin 1h", "dep_delay origin 3h", "waiting", "waiting_carrier"]
    ]
    own = windows(at_departure, flights), queues(at_departure, flights)
    own_served = windows(flights, flights, shorter=2), queues(flights, early, "start")
    sets = {
        "honest, 12 features": (twelve, twelve),
        "honest, 28 features": (full, full),
        "28, and the plane that flew": (with_plane, with_plane),
        "by date": (by_date(flights), by_date_known(flights)),
        "up to departure": (pd.concat(own, axis=1), pd.concat(own_served, axis=1)),
        "wrong clock": (
            windows(flights, flights, (DEP, DEP)),
            windows(flights, flights, (DEP, DEP), known=True),
        ),
        "weather, label hour": (weather_at(flights, weather, T), known_weather),
        "weather, departure hour": (
            weather_at(flights, weather, DEP),
            known_weather,
        ),
        "weather, known": (known_weather, known_weather),
    }
    naive = ("by date", "up to departure", "wrong clock", "weather, departure hour")
    together = [
        pd.concat([sets[n][side].add_prefix(f"{n[:3]} ") for n in naive], axis=1)
        for side in (0, 1)
    ]
    return sets | {"all four together": tuple(together)}


def fit(table, train, tune=None, trees=800):
    """Fit LightGBM; the months to tune on choose the number of trees."""
    import lightgbm

    model = lightgbm.LGBMClassifier(
        n_estimators=trees, learning_rate=0.05, num_leaves=63, min_child_samples=100,
        subsample=0.8, subsample_freq=1, colsample_bytree=0.8, n_jobs=1, random_state=0,
        deterministic=True, force_row_wise=True, verbose=-1,
    )  # fmt: skip
    if tune is None:
        return model.fit(table.loc[train.index], train)
    stop = lightgbm.early_stopping(30, verbose=False)
    return model.fit(
        table.loc[train.index], train, callbacks=[stop], eval_X=table.loc[tune.index],
        eval_y=tune, eval_metric="binary_logloss",
    )  # fmt: skip


def weighted_auc(late, scores, units, draws):
    """Return one AUC for each row of draws: how often each unit was drawn."""
    _, group = np.unique(scores, return_inverse=True)
    aucs = []
    for counts in draws:
        weight = counts[units]
        positive = np.bincount(group, weight * late)
        negative = np.bincount(group, weight * ~late)
        below = np.cumsum(negative) - negative / 2
        aucs.append((positive * below).sum() / (positive.sum() * negative.sum()))
    return np.array(aucs)


def interval(values):
    """Return a 95% interval as text."""
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{low:.3f} to {high:.3f}"


def test_what_leaking_costs(flights, weather):
    static = delay_model.timetable(flights)
    train, tune, report = (
        delay_model.late_by_month(flights, *m) for m in ((1, 5), (6, 6), (7, 7))
    )
    late = report.to_numpy()
    days = flights.loc[report.index, "day"].to_numpy() - 1
    rng = np.random.default_rng(2013)
    by_day = rng.multinomial(31, np.full(31, 1 / 31), size=500)
    by_flight = rng.multinomial(len(late), np.full(len(late), 1 / len(late)), size=200)
    sets = {"timetable, 8 features": (static[[]], static[[]])} | feature_sets(
        flights, weather
    )
    rows, drawn_aucs = {}, {}
    for name, sides in sets.items():
        tables = [static.join(side) for side in sides]
        model = fit(tables[0], train, tune)
        scores = [model.predict_proba(t.loc[report.index])[:, 1] for t in tables]
        later = fit(tables[0], pd.concat([train, tune]), trees=model.best_iteration_)
        june = [
            roc_auc_score(late, later.predict_proba(t.loc[report.index])[:, 1])
            for t in tables
        ]
        drawn = [weighted_auc(late, s, days, by_day) for s in scores]
        single = [
            weighted_auc(late, s, np.arange(len(late)), by_flight) for s in scores
        ]
        offline, served = (roc_auc_score(late, s) for s in scores)
        drawn_aucs[name] = offline, drawn[0]
        rows[name] = {
            "features": tables[0].shape[1],
            "promised": f"{offline:.3f}",
            "promised, 95%": interval(drawn[0]),
            "delivered": f"{served:.3f}",
            "delivered, 95%": interval(drawn[1]),
            "change": f"{served - offline:.3f}",
            "change, 95%": interval(drawn[1] - drawn[0]),
            "change, 95%, by flight": interval(single[1] - single[0]),
            "from June": f"{june[0]:.3f}, {june[1]:.3f}",
        }
        print(name, rows[name], flush=True)
    bench.record(
        RESULTS,
        "point_in_time_auc",
        pd.DataFrame(rows).T.rename_axis("set").reset_index(),
        PAGE,
        note="Trained on January to May, tuned on June, reported on July; 95% "
        f"intervals from {len(by_day)} draws of its days.",
        form=written,
        timed=False,
    )
    assert list(rows) == list(sets)
    without, drawn_without = drawn_aucs["honest, 28 features"]
    flew, drawn_with = drawn_aucs["28, and the plane that flew"]
    plane = {
        "28 features": f"{without:.3f}",
        "28, and the plane that flew": f"{flew:.3f}",
        "Difference": f"{flew - without:+.3f}",
        "95% interval by day": interval(drawn_with - drawn_without),
    }
    note = (
        f"AUC of July as promised; the interval from {len(by_day)} draws of its days."
    )
    table = pd.DataFrame([plane])
    bench.record(RESULTS, "point_in_time_plane", table, note=note, timed=False)


if __name__ == "__main__":
    measure_memory(*sys.argv[1:])
