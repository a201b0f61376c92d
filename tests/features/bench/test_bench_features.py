"""Lab 05 at full size: the AUC of 28 features, Feast on 20,000 flights, online reads.

`make bench` runs it and writes `results/features_*.{json,csv,txt}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio or
a verdict: only that the answers agree.
"""

import contextlib
import shutil
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import features, lake
from flightline.features import CATEGORICAL, FEATURES, VIEWS, T
from flightline.point_in_time import window
from labkit import bench, data, timing
from labkit.features import stores
from labkit.point_in_time import agreement, delay_model
from labkit.processes import Child

RESULTS = Path(__file__).parent / "results"
SAMPLE, READS = 20_000, 400
NOW = pd.Timestamp("2013-07-02 22:49", tz="UTC").as_unit("us")
START, END = (
    pd.Timestamp(day, tz="UTC").as_unit("us") for day in ("2013-07-01", "2013-07-31")
)


@pytest.fixture(scope="module")
def flights():
    table = lake.flight_times(data.load_flights(), data.load_airports())
    return table.assign(**{T: table["sched_dep_utc"] - features.LEAD})


@pytest.fixture(scope="module")
def weather():
    return lake.weather_events(data.load_weather())


@pytest.fixture(scope="module")
def table(flights, weather):
    return features.training_table(flights, weather).set_index("flight_id")


@pytest.fixture(scope="module")
def rows(flights, weather):
    log = flights[flights["month"].between(4, 8)]
    return {v: features.timeline(v, log, weather, START, END) for v in VIEWS}


@pytest.fixture(scope="module")
def filled(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    features.write_offline(folder, rows, {})
    return features.store(folder)


def test_auc_in_july(flights, table):
    """Train without June and with it, at the number of trees that June chooses."""
    matrix = table[FEATURES].astype(dict.fromkeys(CATEGORICAL, "category"))
    keyed = flights.set_index("flight_id")
    late = {
        months: delay_model.late_by_month(keyed, *months)
        for months in ((1, 5), (6, 6), (7, 7), (1, 6))
    }
    choices = [40, 80, 120, 160, 240, 320]
    model = delay_model.fit(matrix, late[1, 5], trees=max(choices))
    trees = stores.best_trees(model, matrix, late[6, 6], choices)
    longer = delay_model.fit(matrix, late[1, 6], trees=trees)
    scored = {
        text: stores.scores_of(fitted, trees, matrix, late[7, 7])
        for text, fitted in (("January to May", model), ("January to June", longer))
    }
    auc = stores.paired_auc(scored, late[7, 7], draws=500)
    assert auc["auc"].between(auc["auc_low"], auc["auc_high"]).all()
    gains = -auc[["loss", "loss_high", "loss_low"]]
    found = [
        {
            "learned": text,
            "trees": trees,
            "auc": f"{row['auc']:.3f}",
            "interval": f"{row['auc_low']:.3f} to {row['auc_high']:.3f}",
            "gain": "{:+.3f} ({:+.3f} to {:+.3f})".format(*gains.loc[text]),
        }
        for text, row in auc.iterrows()
    ]
    found[0]["gain"] = "the reference"
    page = {
        "learned": "Learned",
        "trees": "Trees, chosen on June",
        "auc": "AUC in July",
    }
    page |= {"interval": "95% interval by day"}
    page |= {"gain": "Gain (95% interval of the paired difference)"}
    note = (
        f"Trained with {len(FEATURES)} features, reported on July; intervals from 500 "
        "draws of its days, the same for both."
    )
    bench.record(RESULTS, "features_auc", pd.DataFrame(found), page, note, timed=False)


def test_offline_retrieval(filled, flights, weather):
    """Retrieve the rows of a sample with our join and with Feast: equal cells."""
    asks = flights[flights[T].between(START, END)].sample(SAMPLE, random_state=5)
    log = flights[flights["month"].between(5, 8)]
    kept = {}

    def by_us():
        kept["ours"] = features.features_at(asks, log, weather)

    def by_feast():
        kept["Feast"] = features.historical(filled, asks)

    times = timing.compare({"our join": by_us, "Feast, DuckDB": by_feast}, repeats=3)
    assert agreement.agree(kept["ours"], kept["Feast"], FEATURES)
    found = times.reset_index(names="engine").assign(rows=f"{SAMPLE:,}")
    found["seconds"] = (found["median_ms"] / 1_000).map("{:.1f}".format)
    found["times"] = found["ratio"].map("{:.1f}".format)
    page = {"engine": "Engine", "rows": "Flights", "seconds": "Median, s"}
    bench.record(RESULTS, "features_offline", found, page | {"times": "Ratio"})


def reads(opened, asks, now, kind):
    """Time reads of 1, 8 and 64 flights."""
    source, found = features.OnlineSource(opened, clock=lambda: now), []
    for size in (1, 8, 64):
        parts = [asks.sample(size, random_state=n) for n in range(READS // size + 20)]
        each = timing.each_ms(source.read, parts)[20:]
        p50, p99 = np.quantile(each, [0.5, 0.99])
        found.append({"store": kind, "flights": size, "p50_ms": p50, "p99_ms": p99})
    return found


@contextlib.contextmanager
def redis_server():
    """Run a Redis server and give its port, or None where there is no such program."""
    server = shutil.which("redis-server")
    if server is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with Child(command, deadline_s=300, ready=lambda c: "Ready to" in c.log()):
        yield port


def test_online_reads(filled, rows, flights, tmp_path):
    """Time online reads on SQLite and, where there is one, on a Redis server."""
    asks = flights[flights[T].between(NOW - features.LEAD, NOW + features.LEAD)]
    views = [name for name in VIEWS if name != "history_v2"]
    features.materialize(filled, NOW, views=views)
    found = reads(filled, asks, NOW, "SQLite")
    with redis_server() as port:
        if port is not None:
            other = features.store(tmp_path, online=f"redis://127.0.0.1:{port}")
            features.write_offline(tmp_path, rows, {})
            features.materialize(other, NOW, views=views)
            both = [features.read_online(s, asks, now=NOW) for s in (filled, other)]
            assert agreement.agree(*both, FEATURES)
            found += reads(other, asks, NOW, "Redis")
    shown = pd.DataFrame(found)
    for name in ("p50", "p99"):
        shown[name] = shown[f"{name}_ms"].map("{:.1f}".format)
    page = {"store": "Online store", "flights": "Flights at once"}
    bench.record(
        RESULTS, "features_online", shown, page | {"p50": "p50, ms", "p99": "p99, ms"}
    )


def online_bytes(opened, port):
    """Return how many bytes an online store takes: its file, or Redis's memory."""
    if port is None:
        file = Path(opened.config.online_store.path)
        return file.stat().st_size if file.exists() else 0
    import redis

    with redis.Redis(port=port) as client:
        return client.info("memory")["used_memory"]


def filled_mib(folder, rows, views, port=None):
    """Fill an online store: how many keys it holds, and how many MiB they take."""
    online = None if port is None else f"redis://127.0.0.1:{port}"
    opened = features.store(folder, online=online)
    features.write_offline(folder, rows, {})
    before = online_bytes(opened, port)
    keys = features.materialize(opened, NOW, views=views)
    return keys, (online_bytes(opened, port) - before) / 2**20


def test_sizes(rows, tmp_path):
    """Count rows and keys, and the bytes that they take offline and online."""
    views = [name for name in VIEWS if name != "history_v2"]
    keys, sqlite_mib = filled_mib(tmp_path / "sqlite", rows, views)
    online = f"SQLite {sqlite_mib:.1f} MiB"
    with redis_server() as port:
        if port is not None:
            other, redis_mib = filled_mib(tmp_path / "redis", rows, views, port)
            assert other == keys
            online += f", Redis {redis_mib:.1f} MiB"
    found = []
    for view in views:
        known = rows[view][rows[view]["available_at"] <= NOW]
        assert keys[view] == len(known.drop_duplicates(VIEWS[view].keys))
        size = (tmp_path / "sqlite" / "offline" / f"{view}.parquet").stat().st_size
        found.append(
            {
                "view": view,
                "keys": f"{keys[view]:,}",
                "rows": f"{len(rows[view]):,}",
                "bytes": f"{size / len(rows[view]):.0f}",
            }
        )
    page = {"view": "View", "keys": "Keys online, 2 July", "rows": "Rows of July"}
    page |= {"bytes": "Bytes a row, Parquet"}
    note = f"The {sum(keys.values()):,} keys take, online: {online}."
    bench.record(
        RESULTS, "features_sizes", pd.DataFrame(found), page, note, timed=False
    )


TILE = pd.Timedelta("5min").as_unit("us")


def tiles_of(events):
    """Add up the departures of each airport by tiles of five minutes."""
    tile = events["dep_utc"].dt.ceil(TILE).rename("tile")  # (tile - 5 min, tile]
    return events.groupby(["origin", tile])["dep_delay"].agg(["sum", "count"])


def merged(origin, at, width, tiles, events):
    """Read a mean over `(at - width, at]`: whole tiles, and raw events at both ends.

    Returns the mean, and how many tiles and events were read for it.
    """
    first, last = (at - width).ceil(TILE), at.floor(TILE)
    sums = tiles.loc[origin].loc[first + TILE / 2 : last]
    near = events[events["origin"] == origin]
    head = near["dep_utc"].between(at - width, first, inclusive="right")
    tail = near["dep_utc"].between(last, at, inclusive="right")
    ends = near.loc[(head | tail) if first <= last else head & tail, "dep_delay"]
    count = sums["count"].sum() + len(ends)
    total = sums["sum"].sum() + ends.sum()
    return (total / count if count else np.nan), len(sums), len(ends)


def test_what_a_window_costs_to_write(flights, weather):
    """Compare a row for each change with tiles that are merged when they are read."""
    start, end = START, START + pd.Timedelta("7D")
    log = flights[flights["month"].between(6, 7)]
    gone = log.dropna(subset=["dep_utc", "dep_delay"])
    hours = (end - start) / features.HOUR
    tiles = tiles_of(gone)
    jfk_tiles = len(tiles.loc["JFK"].loc[start:end])
    asked = log[log[T].between(start, end)].sample(300, random_state=5)
    # a question may come at any minute, and the timetable likes multiples of five
    minutes = np.random.default_rng(5).integers(0, 5, len(asked))
    asked = asked.assign(**{T: asked[T] + pd.to_timedelta(minutes, unit="min")})
    entry, exits, found = ("dep_utc", 0 * features.HOUR), [], []
    for label, width in (("1 hour", 1), ("3 hours", 3), ("7 days", 168)):
        exits.append(("dep_utc", width * features.HOUR))
        points = features.change_points(
            gone, ["origin"], [entry, exits[-1]], start, end
        )
        jfk = int((points["origin"] == "JFK").sum())
        wide = pd.Timedelta(hours=width).as_unit("us")
        read = [
            merged(origin, at, wide, tiles, gone)
            for origin, at in zip(asked["origin"], asked[T], strict=True)
        ]
        exact = window(
            asked,
            gone,
            by="origin",
            entity_time=T,
            event_time="dep_utc",
            value="dep_delay",
            window=wide,
            agg="mean",
        )
        means, whole, ends = map(np.array, zip(*read, strict=True))
        assert np.allclose(means, exact, rtol=1e-12, equal_nan=True)
        found.append(
            {
                "window": label,
                "rows": f"{jfk / hours:.1f}",
                "tiles": f"{jfk_tiles / hours:.1f}",
                "new": f"{len(points):,}",
                "read": f"{whole.mean():.1f} tiles, {ends.mean():.1f} events",
            }
        )
    points = features.change_points(gone, ["origin"], [entry, *exits], start, end)
    jfk = int((points["origin"] == "JFK").sum())
    together = {"window": "all three", "rows": f"{jfk / hours:.1f}"}
    together |= {"tiles": f"{jfk_tiles / hours:.1f}", "new": f"{len(points):,}"}
    found.append({**together, "read": "as for each"})
    page = {
        "window": "Mean over",
        "rows": "JFK: rows an hour, one for each change",
        "tiles": "JFK: tiles an hour",
        "new": "Rows to write for a week, if the window is new",
        "read": "Read for one answer from tiles (mean)",
    }
    note = (
        "300 answers from tiles equal the windows; the tiles serve all widths, so a "
        "new window writes none."
    )
    bench.record(
        RESULTS, "features_writes", pd.DataFrame(found), page, note, timed=False
    )
