"""Writes to the feature store: order, one writer, drafts, copies that lose nothing."""

import itertools
import json
import resource
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import features
from flightline.features import VIEWS
from hypothesis import given
from hypothesis import strategies as st

US = "datetime64[us, UTC]"
FEATURE = {"weather": "temp", "network": "all_dep_delay_1h"}
NOON = pd.Timestamp("2013-07-08T12:00", tz="UTC")


def instants(*texts):
    """Return a column of times."""
    return pd.Series(pd.to_datetime(list(texts), format="ISO8601", utc=True).astype(US))


def reports(*clocks, origin="JFK", **values):
    """Return weather rows with an event time and an available time each."""
    event, known = zip(*clocks, strict=True)
    rows = pd.DataFrame({"origin": origin, "event_time": instants(*event)})
    rows["available_at"] = instants(*known)
    for place, name in enumerate(VIEWS["weather"].features):
        rows[name] = np.arange(len(rows), dtype=float) + place
    return rows.assign(**values)


@pytest.fixture
def opened(tmp_path):
    """Return an empty store."""
    return features.store(tmp_path / "store")


def write_weather(store, rows, made_from=()):
    """Write the offline file of one view."""
    features.write_offline(store.config.repo_path, {"weather": rows}, dict(made_from))


def held(store, view="weather", **keys):
    """Return the value that the online store holds."""
    keys = keys or {"origin": "JFK"}
    name = FEATURE[view]
    asked = {key: [value] for key, value in keys.items()}
    return store.get_online_features([f"{view}:{name}"], asked).to_dict()[name][0]


# --- order -----------------------------------------------------------------------


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_the_order_of_rows_decides_nothing(order):
    rows = reports(
        ("2013-07-08T12:00", "2013-07-08T13:00"),
        ("2013-07-08T12:00", "2013-07-08T13:30"),  # a correction
        ("2013-07-08T11:00", "2013-07-08T14:00"),  # late, about an earlier hour
    )
    kept = features.newest(rows.iloc[list(order)], ["origin"], np.full(3, np.nan))
    assert kept["temp"].tolist() == [1.0]


@pytest.mark.parametrize("digits", ["00.5", "00.000001"])
@pytest.mark.parametrize("unit", ["us", "ns"])
def test_a_fraction_of_a_second_counts(digits, unit):
    rows = reports(
        (f"2013-07-08T12:00:{digits}", "2013-07-08T13:00"),
        ("2013-07-08T12:00:00", "2013-07-08T13:00"),
    )
    rows = rows.assign(event_time=rows["event_time"].dt.as_unit(unit))
    assert features.newest(rows, ["origin"], [np.nan] * 2)["temp"].tolist() == [0.0]
    stored = [rows["event_time"].iloc[0].timestamp()] * 2
    assert features.newest(rows, ["origin"], stored)["temp"].tolist() == [0.0]


def test_what_is_stored_counts_by_both_clocks():
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    hour = NOON.timestamp()
    cases = {(hour, hour + 3_600): 1, (hour, hour + 3_601): 0, (hour + 1, hour): 0}
    for pair, expected in cases.items():
        assert len(features.newest(rows, ["origin"], [pair])) == expected, pair


def test_positions_count_and_not_labels():
    rows = reports(
        ("2013-07-08T12:00", "2013-07-08T13:00"),
        ("2013-07-08T12:00", "2013-07-08T13:00"),
    ).assign(origin=["JFK", "LGA"])
    rows.index = [7, 7]
    later = NOON.timestamp() + 1
    kept = features.newest(rows, ["origin"], [later, np.nan])
    assert kept["origin"].tolist() == ["LGA"] and kept.index.tolist() == [7]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("ab"))),
    st.randoms(),
)
def test_any_order_of_pushes_ends_the_same(clocks, chance):
    rows = pd.DataFrame(clocks, columns=["event", "known", "key"])
    for name, clock in (("event_time", "event"), ("available_at", "known")):
        micros = pd.to_timedelta(rows[clock].astype("int64"), unit="us")
        rows[name] = (NOON + micros).astype(US)
    best = features.newest(rows, ["key"], np.full(len(rows), np.nan))
    shuffled = rows.sample(frac=1, random_state=chance.randrange(1_000))
    other = features.newest(shuffled, ["key"], np.full(len(rows), np.nan))
    names = ["key", "event", "known"]
    assert (
        best[names].sort_values("key").to_numpy().tolist()
        == other[names].sort_values("key").to_numpy().tolist()
    )


@pytest.mark.parametrize(
    "change, what",
    [
        ({"event_time": pd.NaT}, "event_time is"),
        ({"available_at": instants(None)}, "available_at is missing in 1 of 1"),
        ({"event_time": pd.Timestamp("2013-07-08T12:00")}, "no time with a zone"),
        ({"event_time": 1_373_284_800}, "no time with a zone"),
        ({"origin": None}, "origin is missing"),
        ({"origin": pd.Series([pd.NA], dtype="string")}, "origin is missing"),
    ],
)
def test_rows_that_cannot_be_ordered_are_refused(opened, change, what):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00")).assign(**change)
    with pytest.raises(ValueError, match=what):
        features.newest(rows, ["origin"], [np.nan])
    with pytest.raises(ValueError, match=what):
        features.push(opened, "weather", rows)


def test_a_lacking_column_or_view_is_named(opened):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    with pytest.raises(ValueError, match="lack the column available_at"):
        features.newest(rows.drop(columns="available_at"), ["origin"], [np.nan])
    with pytest.raises(ValueError, match="2 values for 1 rows"):
        features.newest(rows, ["origin"], [np.nan] * 2)
    for write in (
        lambda lacking: features.push(opened, "weather", lacking),
        lambda lacking: write_weather(opened, lacking),
    ):
        with pytest.raises(ValueError, match="rows of weather lack the column temp"):
            write(rows.drop(columns="temp"))
        with pytest.raises(ValueError, match="name the column temp twice"):
            write(pd.concat([rows, rows[["temp"]]], axis=1))
    with pytest.raises(ValueError, match="no view 'wether'"):
        features.push(opened, "wether", rows)
    with pytest.raises(ValueError, match="no view 'wether'"):
        features.write_offline(opened.config.repo_path, {"wether": rows}, {})


@pytest.mark.parametrize("origin", ["string", "string[pyarrow]", "category", object])
def test_keys_of_any_text_type_are_written(opened, origin):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    rows["origin"] = rows["origin"].astype(origin)
    assert features.push(opened, "weather", rows) == 1
    assert held(opened) == 0.0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_arrow_are_times(opened, unit):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    for clock in ("event_time", "available_at"):
        rows[clock] = rows[clock].astype(f"timestamp[{unit}, tz=UTC][pyarrow]")
    assert len(features.newest(rows, "origin", [NOON.timestamp()])) == 1
    assert len(features.newest(rows, "origin", [NOON.timestamp() + 1])) == 0
    assert features.push(opened, "weather", rows) == 1
    naive = rows.astype({"event_time": f"timestamp[{unit}][pyarrow]"})
    with pytest.raises(ValueError, match=r"event_time is .*no time with a zone"):
        features.push(opened, "weather", naive)


def test_a_zone_with_summer_time_orders_as_utc_does():
    clocks = ("2013-11-03T05:30", "2013-11-03T06:00"), ("2013-11-03T06:10",) * 2
    rows = reports(*clocks)  # 01:30 and 01:10 on New York's clock
    local = rows.assign(event_time=rows["event_time"].dt.tz_convert("America/New_York"))
    assert features.newest(local, "origin", [np.nan] * 2)["temp"].tolist() == [1.0]


@pytest.mark.parametrize(
    "dtype",
    ["int8", "float32", "Int64", "Float32", "double[pyarrow]", "category", object],
)
def test_a_feature_in_any_numeric_type_is_written(opened, dtype):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    rows["temp"] = pd.Series([70]).astype(dtype)
    assert features.push(opened, "weather", rows) == 1 and held(opened) == 70.0
    later = reports(("2013-07-08T13:00", "2013-07-08T14:00"))
    later["temp"] = pd.Series([None], dtype="Int64" if dtype == "int8" else object)
    assert features.push(opened, "weather", later) == 1 and held(opened) is None


@pytest.mark.parametrize(
    "change, what",
    [
        ({"temp": ["70"]}, "temp holds '70', which is no number"),
        ({"temp": [True]}, "temp holds True, which is no number"),
        ({"temp": [b"7"]}, "temp holds b'7', which is no number"),
        ({"temp": [np.inf]}, "temp is infinite in row 0"),
        ({"origin": [b"JFK"]}, "origin holds b'JFK'.*never match"),
        ({"origin": [5]}, "origin holds 5.*never match"),
    ],
)
def test_a_value_that_no_reader_could_use_is_refused(opened, change, what):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00")).assign(**change)
    with pytest.raises(ValueError, match=what):
        features.push(opened, "weather", rows)
    with pytest.raises(ValueError, match=what):
        write_weather(opened, rows)
    assert not list(Path(str(opened.config.repo_path)).glob("offline/*"))


@pytest.mark.parametrize("stored", [1.0, [[1.0, 2.0, 3.0]], [1e300], [np.inf]])
def test_what_is_stored_is_seconds_of_each_row(stored):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    with pytest.raises(ValueError, match="stored_s"):
        features.newest(rows, ["origin"], stored)
    with pytest.raises(ValueError, match="by names no column"):
        features.newest(rows, [], [np.nan])


def test_no_rows_are_no_write(opened):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    assert features.push(opened, "weather", rows.iloc[:0]) == 0


# --- pushes ----------------------------------------------------------------------


def test_a_late_retry_changes_nothing_and_a_correction_gets_through(opened):
    first = reports(("2013-07-08T12:00", "2013-07-08T13:00"), temp=60.0)
    mended = reports(("2013-07-08T12:00", "2013-07-08T13:20"), temp=61.0)
    later = reports(("2013-07-08T12:00:00.5", "2013-07-08T13:00"), temp=62.0)
    written = [features.push(opened, "weather", r) for r in (first, mended, first)]
    assert written == [1, 1, 0] and held(opened) == 61.0
    assert features.push(opened, "weather", later) == 1 and held(opened) == 62.0
    assert features.push(opened, "weather", mended) == 0 and held(opened) == 62.0


RACE = """
import sys
import pandas as pd
from flightline import features
store, steps = features.store(sys.argv[1]), range(int(sys.argv[2]), 40, 2)
noon = pd.Timestamp("2013-07-08T12:00", tz="UTC").as_unit("us")
print("ready", flush=True)
sys.stdin.readline()
for step in steps:
    time = noon + pd.Timedelta(seconds=step)
    row = {name: [float(step)] for name in features.VIEWS["network"].features}
    row |= {"network": ["NYC"], "event_time": [time], "available_at": [time]}
    features.push(store, "network", pd.DataFrame(row))
"""


def race(programs):
    """Run programs at once, each with its arguments, and see that all end well."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for program in programs
    ]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    assert [racer.wait(120) for racer in racers] == [0, 0]
    for racer in racers:
        racer.stdin.close()
        racer.stdout.close()


def test_two_processes_leave_the_newest_value(opened):
    folder = str(opened.config.repo_path)
    race([RACE, folder, str(start)] for start in (0, 1))
    assert held(opened, "network", network="NYC") == 39.0


def test_a_writer_waits_for_another_and_then_says_so(opened):
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with features.one_writer(opened):
            entered.set()
            leave.wait(60)

    other = threading.Thread(target=hold)
    other.start()
    assert entered.wait(60)
    try:
        with (
            pytest.raises(features.Unavailable, match="another writer"),
            features.one_writer(opened, wait_s=0.2),
        ):
            pass
    finally:
        leave.set()
        other.join(60)
    with features.one_writer(opened, wait_s=0.2):
        pass


def test_a_killed_writer_keeps_nobody_out(opened):
    code = (
        "import sys, time; from flightline import features\n"
        "with features.one_writer(features.store(sys.argv[1])):\n"
        "    print('in', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(opened.config.repo_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "in\n"
        writer.send_signal(signal.SIGKILL)
    with features.one_writer(opened, wait_s=5):
        pass


# --- files and copies ------------------------------------------------------------


def limited(action, size):
    """Call something that may write no file larger than `size` bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        action()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("size", [0, 100, 4_000])
def test_a_full_disk_leaves_the_last_good_file(opened, size):
    folder = Path(str(opened.config.repo_path))
    times = [(f"2013-07-08T{h:02d}:00", f"2013-07-08T{h + 1:02d}:00") for h in range(9)]
    good = reports(*times)
    features.write_offline(folder, {"weather": good}, {"raw": "0" * 64})
    kept = {p.name: p.read_bytes() for p in (folder / "offline").iterdir()}
    many = pd.concat([good] * 2_000, ignore_index=True)
    many["temp"] = np.random.default_rng(0).normal(size=len(many))
    with pytest.raises(OSError):
        limited(lambda: features.write_offline(folder, {"weather": many}, {}), size)
    assert {p.name: p.read_bytes() for p in (folder / "offline").iterdir()} == kept
    assert features.registry.lineage(opened, "temp")["intact"].all()


def test_lineage_tells_a_file_that_was_not_recorded(opened):
    folder = Path(str(opened.config.repo_path))
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    with pytest.raises(ValueError, match="no rows yet"):
        features.registry.lineage(opened, "temp")
    features.write_offline(folder, {"weather": rows}, {"raw": "0" * 64})
    note = folder / "offline" / "lineage.json"
    record = json.loads(note.read_text())
    record["weather"]["sha256"] = "1" * 64
    note.write_text(json.dumps(record))
    assert not features.registry.lineage(opened, "temp")["intact"].all()


def test_a_second_run_of_an_old_period_changes_nothing(opened):
    folder = opened.config.repo_path
    rows = reports(
        ("2013-07-08T11:00", "2013-07-08T12:00"),
        ("2013-07-08T12:00", "2013-07-08T13:00"),
    )
    features.write_offline(folder, {"weather": rows}, {})
    noon, one = NOON, NOON + pd.Timedelta("1h")
    copy = {"views": ["weather"]}
    assert features.materialize(opened, noon, **copy) == {"weather": 1}
    assert features.materialize(opened, one, since=noon, **copy) == {"weather": 1}
    assert features.materialize(opened, noon, **copy) == {"weather": 0}
    assert held(opened) == 1.0


def test_a_row_that_reaches_the_file_late_is_copied(opened):
    folder = opened.config.repo_path
    early = reports(("2013-07-08T08:00", "2013-07-08T09:00"))
    late = reports(("2013-07-08T09:00", "2013-07-08T10:00"), temp=70.0)
    quarter = pd.Timestamp("2013-07-08T10:15", tz="UTC")
    copy = {"views": ["weather"]}
    features.write_offline(folder, {"weather": early}, {})
    features.materialize(opened, quarter, **copy)
    features.write_offline(folder, {"weather": pd.concat([early, late])}, {})
    hour = quarter + pd.Timedelta("1h")
    none = pd.Timedelta(0)
    missed = features.materialize(opened, hour, since=quarter, overlap=none, **copy)
    assert missed == {"weather": 0} and held(opened) == 0.0
    found = features.materialize(opened, hour, since=quarter, **copy)
    assert found == {"weather": 1} and held(opened) == 70.0


def test_times_of_a_copy_have_zones_and_run_forward(opened):
    naive = pd.Timestamp("2013-07-08T10:15")
    with pytest.raises(ValueError, match=r"now=.* has no zone"):
        features.materialize(opened, naive)
    with pytest.raises(ValueError, match=r"since=.* has no zone"):
        features.materialize(opened, NOON, since=naive)
    with pytest.raises(ValueError, match="before since"):
        features.materialize(opened, NOON, since=NOON + pd.Timedelta("1s"))
    with pytest.raises(ValueError, match=r"overlap=.* is negative"):
        features.materialize(opened, NOON, overlap=pd.Timedelta("-1h"))
    with pytest.raises(FileNotFoundError, match=r"weather\.parquet"):
        features.materialize(opened, NOON, views=["weather"])


LINEAGE = """
import sys
import pandas as pd
from flightline import features
folder, view = sys.argv[1:]
noon = pd.Timestamp("2013-07-08T12:00", tz="UTC").as_unit("us")
row = {name: [0.0] for name in features.VIEWS[view].features}
row |= {key: ["JFK"] for key in features.VIEWS[view].keys}
row |= {"event_time": [noon], "available_at": [noon]}
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    features.write_offline(folder, {view: pd.DataFrame(row)}, {})
"""


def test_two_writers_of_files_lose_no_lineage(opened):
    race(
        [LINEAGE, str(opened.config.repo_path), view] for view in ("origin", "weather")
    )
    for name in ("origin_waiting", "temp"):
        assert features.registry.lineage(opened, name)["intact"].all()


# --- the registry ----------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\x0a\x03torn"])
def test_a_registry_cut_short_is_finished(tmp_path, content):
    features.store(tmp_path)
    (tmp_path / "registry.db").write_bytes(content)
    assert len(features.store(tmp_path).list_feature_views()) == len(VIEWS)


def test_a_copied_folder_reads_its_own_files(opened, tmp_path):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    write_weather(opened, rows)
    shutil.copytree(opened.config.repo_path, tmp_path / "copy")
    copied = features.store(tmp_path / "copy")
    paths = {Path(view.batch_source.path) for view in copied.list_feature_views()}
    assert {path.parent for path in paths} == {tmp_path / "copy" / "offline"}


def test_a_registry_of_an_older_version_is_finished(opened):
    with features.quiet():
        opened.apply([view_without("temp", opened)])
    assert "temp" not in names_of(opened)
    assert "temp" in names_of(features.store(opened.config.repo_path))


def view_without(name, store):
    """Return the weather view as it might have been before a feature was added."""
    view = store.get_feature_view("weather")
    view.features = [field for field in view.features if field.name != name]
    return view


def names_of(store):
    """Return the features of the weather view."""
    return {field.name for field in store.get_feature_view("weather").features}


def test_lineage_says_nothing_of_what_it_did_not_look_at(opened):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    write_weather(opened, rows, {"raw": "0" * 64})
    steps = features.registry.lineage(opened, "temp").set_index("step")["intact"]
    assert steps["offline rows"] and steps.drop("offline rows").isna().all()


def test_the_users_of_a_feature_are_listed(opened):
    users = features.registry.users(opened)
    waiting = users.loc["origin_waiting"]
    assert waiting["view"] == "origin" and waiting["services"] == "delay, delay_start"
    assert users.loc["flight_late_rate_v2", "services"] == ""
    assert not users.index.str.endswith(("_at", "_known")).any()
