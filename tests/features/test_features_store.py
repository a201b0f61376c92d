"""The feature store of lab 05: both sides equal, faults mended, failures clear."""

import shutil
import socket
import sqlite3
from functools import partial

import numpy as np
import pandas as pd
import pytest
from flightline import features, lake
from flightline.features import FEATURES, HOUR, VIEWS, T
from flightline.features import registry as feature_registry
from flightline.features import stream as feature_stream
from flightline.features.__main__ import main
from labkit import data
from labkit.processes import Child

START = pd.Timestamp("2013-07-02 12:00", tz="UTC").as_unit("us")
NOW = pd.Timestamp("2013-07-02 22:49", tz="UTC").as_unit("us")
OURS = "2013-07-02-B6-523-JFK"
RAW = {"flights/2013-07.parquet": "0" * 64}


@pytest.fixture(scope="module")
def flights():
    loaded = data.load_flights(months=[6, 7])
    loaded = loaded[(loaded["month"] == 6) | (loaded["day"] < 5)]
    table = lake.flight_times(loaded, data.load_airports())
    return table.assign(**{T: table["sched_dep_utc"] - features.LEAD})


@pytest.fixture(scope="module")
def weather():
    return lake.weather_events(data.load_weather())


@pytest.fixture(scope="module")
def rows(flights, weather):
    made = {v: features.timeline(v, flights, weather, START, NOW) for v in VIEWS}
    made["history_v2"] = made["history_v2"][made["history_v2"]["carrier"] == "B6"]
    return made


@pytest.fixture(scope="module")
def filled(rows, tmp_path_factory):
    """Return a store that was materialized at NOW; tests read it only."""
    folder = tmp_path_factory.mktemp("store")
    features.write_offline(folder, rows, RAW)
    opened = features.store(folder)
    features.materialize(opened, NOW)
    return opened


@pytest.fixture
def fresh(filled, tmp_path):
    """Return a copy of the store, to be changed or broken."""
    opened = features.store(tmp_path / "copy")
    shutil.copy(filled.config.online_store.path, opened.config.online_store.path)
    return opened


@pytest.fixture(scope="module")
def ours(flights):
    return flights[flights["flight_id"] == OURS]


def same(left, right, columns=FEATURES):
    """Return whether all cells are equal, nulls included."""
    pairs = ((left[n].to_numpy(), right[n].to_numpy()) for n in columns)
    return all(np.all((a == b) | (pd.isna(a) & pd.isna(b))) for a, b in pairs)


def at_once(flights, weather, asks, now):
    """Return the features offline at one moment."""
    return features.features_at(asks.assign(**{T: now}), flights, weather)


# --- both sides ------------------------------------------------------------------


def test_historical_equals_the_training_table(filled, flights, weather):
    asks = flights[flights[T].between(START, NOW)].sample(400, random_state=1)
    found = features.historical(filled, asks)
    assert same(found, features.features_at(asks, flights, weather))
    assert found.index.equals(asks.index) and list(found) == FEATURES


def test_online_equals_offline_at_the_same_instant(filled, flights, weather):
    asks = flights[flights[T].between(NOW - HOUR, NOW + HOUR)]
    found = features.read_online(filled, asks, now=NOW)
    assert len(asks) > 50
    assert same(found, at_once(flights, weather, asks, NOW))


def test_a_stream_equals_offline_at_each_tick(fresh, rows, flights, weather):
    features.write_offline(fresh.config.repo_path, rows, RAW)
    since = NOW - HOUR
    stale = features.store(fresh.config.repo_path / "earlier")
    features.write_offline(stale.config.repo_path, rows, RAW)
    features.materialize(stale, since)
    log = feature_stream.log_at(flights, since)
    near = flights[flights["month"] == 7]
    told = lake.events(near.drop(columns=["flight_id"]), data.load_airports())
    told = {n: table.dropna(subset="available_at") for n, table in told.items()}
    still = [name for name, what in VIEWS.items() if not what.streamed]
    for tick, news in lake.replay(told, step="30min", start=since, end=NOW):
        log = feature_stream.stream(stale, log, news, since, tick)
        features.materialize(stale, tick, since=since, views=still)
        asks = flights[flights[T].between(since, tick)]
        found = features.read_online(stale, asks, now=tick)
        assert len(asks) > 5 and same(found, at_once(flights, weather, asks, tick))
        since = tick


def test_of_two_rows_about_a_flight_the_last_known_counts(flights):
    log = feature_stream.log_at(flights, NOW)
    told = lake.events(
        flights[flights["flight_id"] == OURS].drop(columns="flight_id"),
        data.load_airports(),
    )
    later = told["departures"].assign(dep_delay=99.0)
    later["available_at"] += HOUR
    both = [told["departures"], later]
    for order in (both, both[::-1]):
        news = {**told, "departures": pd.concat(order)}
        news["schedule"] = pd.concat([told["schedule"]] * 2)
        found = feature_stream.take(log, news)
        assert found.index.is_unique and found.loc[OURS, "dep_delay"] == 99.0


def test_the_log_gives_back_what_was_served(filled, flights, tmp_path):
    asks = flights[flights[T].between(NOW - HOUR / 2, NOW)]
    values = features.read_online(filled, asks, now=NOW)
    for _ in range(2):  # a retry is logged, too
        features.log_served(tmp_path / "log.jsonl", asks, values, NOW)
    log = features.read_log(tmp_path / "log.jsonl")
    assert len(log) == 2 * len(asks) and values.isna().any(axis=None)
    labels = features.training_table(flights, lake.weather_events(data.load_weather()))
    labels = labels.set_index("flight_id")
    end = NOW + 24 * HOUR
    built = features.rebuild(log, labels["late"], labels["label_time"], until=end)
    assert built.index.is_unique and len(built) <= len(asks)
    assert same(built, values.set_axis(asks["flight_id"]).loc[built.index])
    assert built["late"].equals(labels.loc[built.index, "late"])


def test_a_source_for_a_server(filled, ours):
    by_clock = features.OnlineSource(filled, clock=lambda: NOW).read(ours)
    assert list(by_clock) == FEATURES and by_clock.index.equals(ours.index)
    assert same(by_clock, features.OnlineSource(filled).read(ours))
    assert by_clock.dtypes[features.NUMERIC].eq("float64").all()


def test_a_second_service_reads_the_same_views(filled, ours):
    few = features.read_online(filled, ours, now=NOW, service="delay_start")
    whole = features.read_online(filled, ours, now=NOW)
    assert list(few) == features.START_SET and same(few, whole, features.START_SET)


# --- nulls that say why, and errors that say what ----------------------------------


def test_an_unknown_entity_is_null_and_says_so(filled, ours):
    strange = ours.assign(origin="XXX", flight_id="nothing")
    values, state = features.answer(filled, strange, now=NOW)
    assert (state[["origin", "weather", "schedule"]] == "unknown").all(axis=None)
    assert (state[["carrier", "dest", "network"]] == "fresh").all(axis=None)
    empty = ["origin_waiting", "temp", "nearby_flights"]
    assert values[empty].isna().all(axis=None)
    assert values[["minute_of_day", "all_dep_delay_1h"]].notna().all(axis=None)


def test_a_stale_value_is_null_and_says_so(filled, ours):
    for hours, gone in ((0, 0), (2.5, 5), (25, 7)):
        values, state = features.answer(filled, ours, now=NOW + hours * HOUR)
        live = ["origin", "carrier", "origin_carrier", "dest", "network"]
        stale = (state[[*live, "weather", "rain"]] == "stale").sum(axis=1)
        assert stale.iloc[0] == gone
    empty = ["origin_waiting", "temp", "precip_3h"]
    assert values[empty].isna().all(axis=None)
    assert values[["flight_late_rate", "block_min"]].notna().all(axis=None)


def test_a_question_of_long_ago_gets_no_value_of_today(filled, ours):
    values, state = features.answer(filled, ours, now=NOW - 100 * 24 * HOUR)
    live = ["origin", "carrier", "origin_carrier", "dest", "network", "weather", "rain"]
    assert (state[live] == "later").all(axis=None)
    assert values[["origin_waiting", "temp", "precip_3h"]].isna().all(axis=None)
    _, state = features.answer(filled, ours, now=NOW - HOUR / 60)
    assert (state[live] != "later").all(axis=None), "a minute before is no other time"


def test_a_view_that_was_never_filled_is_unknown(ours, tmp_path):
    values, state = features.answer(features.store(tmp_path / "empty"), ours, now=NOW)
    assert (state == "unknown").all(axis=None)
    assert values["origin_waiting"].isna().all() and values["weekday"].notna().all()


def test_a_missing_column_or_service_is_named(filled, ours):
    with pytest.raises(ValueError, match="distance"):
        features.read_online(filled, ours.drop(columns="distance"))
    with pytest.raises(ValueError, match=r"'nobody'.*delay_start"):
        features.read_online(filled, ours, service="nobody")
    with pytest.raises(ValueError, match="no view holds 'shoe_size'"):
        feature_registry.lineage(filled, "shoe_size")


def test_a_store_that_is_gone_says_so(fresh, ours):
    (fresh.config.repo_path / "online.db").unlink()
    with pytest.raises(features.Unavailable, match="gone"):
        features.read_online(fresh, ours)
    with pytest.raises(features.Unavailable, match="gone"):
        features.OnlineSource(fresh).read(ours)


def test_a_store_that_is_locked_says_so(fresh, ours, monkeypatch):
    from feast.infra.online_stores import sqlite as theirs

    impatient = partial(sqlite3.connect, timeout=0.05)
    monkeypatch.setattr(theirs.sqlite3, "connect", impatient)
    opened = features.store(fresh.config.repo_path)
    with sqlite3.connect(fresh.config.online_store.path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(features.Unavailable, match="locked"):
            features.read_online(opened, ours)
        other.rollback()
    other.close()
    assert features.read_online(opened, ours)["origin_waiting"].notna().all()


def test_a_store_without_its_tables_says_so(fresh, ours):
    with sqlite3.connect(fresh.config.online_store.path) as other:
        other.execute("DROP TABLE flightline_origin")
    other.close()
    with pytest.raises(features.Unavailable, match="no such table"):
        features.read_online(fresh, ours)


def test_an_unknown_kind_of_store_is_refused(tmp_path):
    for online in ("mongo", "redis://"):
        with pytest.raises(ValueError, match="redis://HOST:PORT"):
            features.store(tmp_path / "s", online=online)
    assert not (tmp_path / "s").exists()


# --- writing -----------------------------------------------------------------------


def waiting(store, ours):
    """Return the queue at JFK that the store holds."""
    return features.read_online(store, ours, now=NOW)["origin_waiting"].iloc[0]


def test_an_older_push_changes_nothing(fresh, rows, ours):
    old = rows["origin"][rows["origin"]["event_time"] <= NOW - HOUR]
    before = waiting(fresh, ours)
    assert features.push(fresh, "origin", old) == 0
    assert waiting(fresh, ours) == before
    with features.quiet():
        fresh.push("origin_push", old[old["origin"] == "JFK"].tail(1))
    assert waiting(fresh, ours) != before, "Feast on SQLite takes what comes last"


def test_a_correction_of_the_same_time_gets_through(fresh, rows, ours):
    jfk = rows["origin"][rows["origin"]["origin"] == "JFK"]
    last = jfk.sort_values("event_time").tail(1)
    assert features.push(fresh, "origin", last.assign(origin_waiting=99.0)) == 1
    assert waiting(fresh, ours) == 99


def test_a_push_of_nulls_is_written(fresh, ours):
    names = VIEWS["network"].features
    row = {"network": ["NYC"], **{name: [np.nan] for name in names}}
    row |= {"event_time": [NOW], "available_at": [NOW]}
    row |= {"network_at": [int(NOW.timestamp())]}
    rows = pd.DataFrame(row).astype({"event_time": "datetime64[us, UTC]"})
    assert features.push(fresh, "network", rows) == 1
    assert features.read_online(fresh, ours, now=NOW)[names].isna().all(axis=None)


def test_materialize_cuts_by_available_time(rows, ours, tmp_path):
    folder = tmp_path / "late"
    features.write_offline(folder, {"weather": rows["weather"]}, RAW)
    opened = features.store(folder)
    half = NOW.floor("1h") - HOUR / 2
    features.materialize(opened, half, views=["weather"])
    keys = {"origin": ["JFK"]}
    stamp = opened.get_online_features(["weather:weather_at"], keys).to_dict()
    # at half past, the report of the hour before last is the newest that exists
    newest = int((half.floor("1h") - HOUR).timestamp())
    assert stamp["weather_at"] == [newest]
    done = features.materialize(opened, half + HOUR, since=half, views=["weather"])
    assert done == {"weather": 3}
    stamp = opened.get_online_features(["weather:weather_at"], keys).to_dict()
    assert stamp["weather_at"] == [newest + 3600]


# --- registry ------------------------------------------------------------------------


def test_the_registry_names_owner_kind_and_version(filled):
    held = feature_registry.catalog(filled)
    assert set(held.index) == {*VIEWS, "request_terms"}
    assert (held["owner"] != "").all()
    assert set(held["kind"]) == {"batch", "stream", "on demand"}
    assert held.loc[["history", "history_v2"], "version"].tolist() == [1, 2]


def test_two_versions_stand_side_by_side(filled, flights):
    both = ["history:flight_late_rate", "history_v2:flight_late_rate_v2"]
    asked = flights[flights[T].between(NOW - HOUR, NOW) & (flights["carrier"] == "B6")]
    numbers = {name: asked[name].tolist() for name in features.NUMBER}
    found = pd.DataFrame(filled.get_online_features(both, numbers).to_dict())
    one, two = found["flight_late_rate"], found["flight_late_rate_v2"]
    assert one.between(0, 1).all() and two.between(0, 1).all() and (one != two).any()


def test_lineage_reaches_the_raw_file_and_sees_a_change(filled, fresh, rows):
    steps = feature_registry.lineage(filled, "temp")
    assert steps["step"].tolist() == [
        "raw file", "offline rows", "view", "online store", "service",
    ]  # fmt: skip
    assert steps["intact"].all()
    folder = fresh.config.repo_path
    features.write_offline(folder, {"weather": rows["weather"]}, RAW)
    rows["weather"].head().to_parquet(folder / "offline" / "weather.parquet")
    steps = feature_registry.lineage(fresh, "temp")
    assert not steps.loc[steps["step"] == "offline rows", "intact"].any()


def test_only_the_right_role_may_read(filled):
    assert feature_registry.allow(filled, ["serving"], "READ_ONLINE") is filled
    assert feature_registry.allow(filled, ["training"], "READ_OFFLINE") is filled
    for roles in (["training"], [], ["guest"]):
        with pytest.raises(PermissionError, match="READ_ONLINE"):
            feature_registry.allow(filled, roles, "READ_ONLINE")


def test_the_command_line(filled, tmp_path, capsys, monkeypatch):
    folder = str(filled.config.repo_path)
    assert main([folder]) == 0
    assert "history_v2" in capsys.readouterr().out
    assert main([folder, "temp"]) == 0
    assert "weather.parquet" in capsys.readouterr().out
    assert main([folder, "shoe_size"]) == 2
    assert main([str(tmp_path)]) == 2
    monkeypatch.setenv("FLIGHTLINE_ONLINE", "mongo")
    assert main([folder]) == 2
    assert "redis://HOST:PORT" in capsys.readouterr().err


# --- Redis: one setting ------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def by_feast(store, view, rows):
    """Push rows as Feast does it on Redis, unless it is told otherwise."""
    store.config.online_store.skip_dedup = False
    with features.quiet():
        store.push(f"{view}_push", rows)
    store.config.online_store.skip_dedup = True


def test_redis_by_one_setting(filled, rows, ours, tmp_path, monkeypatch):
    pytest.importorskip("redis")
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed; .ci/run installs it")
    port = free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--dir", str(tmp_path), "--appendonly", "no"]
    with Child(command, ready=lambda child: "Ready to accept" in child.log()):
        monkeypatch.setenv("FLIGHTLINE_ONLINE", f"redis://127.0.0.1:{port}")
        opened = features.store(tmp_path / "redis")
        features.write_offline(tmp_path / "redis", rows, RAW)
        features.materialize(opened, NOW, views=[v for v in VIEWS if v != "history_v2"])
        found = features.read_online(opened, ours, now=NOW)
        assert same(found, features.read_online(filled, ours, now=NOW))
        assert not (tmp_path / "redis" / "online.db").exists()
        jfk = rows["origin"][rows["origin"]["origin"] == "JFK"]
        jfk = jfk.sort_values("event_time")
        old, last = jfk[jfk["event_time"] <= NOW - HOUR].tail(1), jfk.tail(1)
        assert features.push(opened, "origin", old) == 0
        assert waiting(opened, ours) == found["origin_waiting"].iloc[0]
        assert features.push(opened, "origin", last.assign(origin_waiting=99.0)) == 1
        assert waiting(opened, ours) == 99, "a correction gets through"
        by_feast(opened, "origin", old)
        by_feast(opened, "origin", last.assign(origin_waiting=98.0))
        assert waiting(opened, ours) == 99, "Feast drops the older and the equal time"
    with pytest.raises(features.Unavailable, match="redis"):
        features.read_online(opened, ours, now=NOW)
