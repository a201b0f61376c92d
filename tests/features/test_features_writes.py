"""Writes to the feature store: order, kinds of values, one writer at a time."""

import itertools
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import features
from hypothesis import given
from hypothesis import strategies as st
from small_store import (
    ENVIRONMENT,
    NOON,
    US,
    held,
    instants,
    race,
    reports,
    write_weather,
)


@pytest.fixture
def opened(tmp_path):
    """Return an empty store."""
    return features.store(tmp_path / "store")


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
    with pytest.raises(ValueError, match="no view 'winds'"):
        features.push(opened, "winds", rows)
    with pytest.raises(ValueError, match="no view 'winds'"):
        features.write_offline(opened.config.repo_path, {"winds": rows}, {})


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
        ({"temp": [1j]}, "temp holds 1j, which is no number"),
        (
            {"event_time": instants("2099-07-08T12:00")},
            "event_time lies after available_at in 1 of 1 rows",
        ),
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
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "in\n"
        writer.send_signal(signal.SIGKILL)
    with features.one_writer(opened, wait_s=5):
        pass
