"""Questions to the feature store that are odd: an answer or a named error."""

import numpy as np
import pandas as pd
import pytest
from flightline import features
from flightline.features import FEATURES

NOW = pd.Timestamp("2013-07-02 22:49", tz="UTC")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """Return an empty store; no test writes to it."""
    return features.store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def asks():
    """Return two requests, under one index twice."""
    times = pd.to_datetime(["2013-07-03T00:49Z"] * 2).as_unit("us")
    flight = {"carrier": "B6", "origin": "JFK", "dest": "LAX", "distance": 2475}
    rows = pd.DataFrame(flight, index=[3, 3]).assign(flight=523)
    rows["flight_id"] = ["2013-07-02-B6-523-JFK", "2013-07-02-B6-999-JFK"]
    later = times + pd.Timedelta("6h")
    return rows.assign(sched_dep_utc=times, sched_arr_utc=later, prediction_time=NOW)


def test_an_empty_store_knows_what_comes_with_the_request(opened, asks):
    values, state = features.answer(opened, asks, now=NOW)
    assert list(values) == FEATURES and values.index.tolist() == [3, 3]
    assert values["block_min"].tolist() == [360, 360]
    assert values["temp"].isna().all() and (state == "unknown").all(axis=None)


@pytest.mark.parametrize("service", ["delay", "delay_start"])
def test_no_question_has_an_empty_answer(opened, asks, service):
    none = asks.iloc[:0]
    wanted = features.SERVICES[service]
    for found in (
        features.historical(opened, none, service=service),
        features.read_online(opened, none, service=service),
    ):
        assert list(found) == wanted and len(found) == 0
        assert found["block_min"].dtype == np.float64
    some, state = features.answer(opened, asks, service=service)
    values, nothing = features.answer(opened, none, service=service)
    assert list(nothing) == list(state) and list(values) == list(some)


@pytest.mark.parametrize("name", ["origin", "flight", "sched_dep_utc", "distance"])
def test_a_null_in_a_question_is_named(opened, asks, name):
    rows = asks.reset_index(drop=True)
    rows[name] = rows[name].where([True, False])
    for read in (features.read_online, features.historical):
        with pytest.raises(ValueError, match=rf"{name} is missing in 1 of 2 .*row 1"):
            read(opened, rows)


@pytest.mark.parametrize("name", ["sched_dep_utc", "sched_arr_utc"])
def test_times_without_a_zone_are_refused(opened, asks, name):
    rows = asks.assign(**{name: asks[name].dt.tz_localize(None)})
    with pytest.raises(ValueError, match=f"{name} is .*no time with a zone"):
        features.read_online(opened, rows)
    with pytest.raises(ValueError, match=r"now=.* has no zone"):
        features.read_online(opened, asks, now=NOW.tz_localize(None))
    naive = asks.assign(prediction_time=NOW.tz_localize(None))
    with pytest.raises(ValueError, match=r"prediction_time is .*no time with a zone"):
        features.historical(opened, naive)


@pytest.mark.parametrize(
    "dtype", ["int16", "int64", "float64", "Int32", "int64[pyarrow]", object, str]
)
def test_flight_numbers_of_any_width_are_read(opened, asks, dtype):
    rows = asks.assign(flight=asks["flight"].astype(dtype))
    assert len(features.read_online(opened, rows, now=NOW)) == 2


@pytest.mark.parametrize("flight", [523.5, np.inf, True, "B6 523", 2.0**60])
def test_a_flight_number_that_is_none_is_refused(opened, asks, flight):
    with pytest.raises(ValueError, match="not whole numbers"):
        features.read_online(opened, asks.assign(flight=flight))


@pytest.mark.parametrize(
    "change, what",
    [
        ({"origin": b"JFK"}, "origin holds b'JFK'.*never match"),
        ({"dest": 5}, "dest holds 5.*never match"),
        ({"flight_id": 7}, "flight_id holds 7.*never match"),
        ({"distance": "far"}, "distance holds 'far', which is no number"),
        ({"distance": np.inf}, "distance is infinite"),
    ],
)
def test_a_key_or_number_of_another_kind_is_refused(opened, asks, change, what):
    for read in (features.read_online, features.historical):
        with pytest.raises(ValueError, match=what):
            read(opened, asks.assign(**change))


def test_arrow_and_categories_are_read_as_texts_and_times(opened, asks):
    plain = features.read_online(opened, asks, now=NOW)
    times = dict.fromkeys(
        ["sched_dep_utc", "sched_arr_utc"], "timestamp[us, tz=UTC][pyarrow]"
    )
    arrow = asks.astype({**times, "origin": "string[pyarrow]", "carrier": "category"})
    pd.testing.assert_frame_equal(features.read_online(opened, arrow, now=NOW), plain)


def test_an_offline_store_without_files_says_so(opened, asks):
    with pytest.raises(FileNotFoundError, match=r"origin\.parquet.*write_offline"):
        features.historical(opened, asks)


def test_periods_of_a_timeline_have_zones():
    naive = pd.Timestamp("2013-07-02")
    with pytest.raises(ValueError, match=r"start=.* has no zone"):
        features.timeline("origin", pd.DataFrame(), pd.DataFrame(), naive, NOW)
    with pytest.raises(ValueError, match=r"end=.* lies before start="):
        features.timeline(
            "origin", pd.DataFrame(), pd.DataFrame(), NOW, NOW - features.HOUR
        )
    with pytest.raises(ValueError, match="no view 'gate'"):
        features.timeline("gate", pd.DataFrame(), pd.DataFrame(), NOW, NOW)


def test_times_of_a_stream_or_a_table_have_zones():
    naive, none = pd.Timestamp("2013-07-02"), pd.DataFrame()
    with pytest.raises(ValueError, match=r"now=.* has no zone"):
        features.stream.log_at(none, naive)
    with pytest.raises(ValueError, match=r"since=.* has no zone"):
        features.stream.stream(None, none, {}, naive, NOW)
    with pytest.raises(ValueError, match=r"now=.* lies before since"):
        features.stream.stream(None, none, {}, NOW, NOW - features.HOUR)
    with pytest.raises(ValueError, match=r"until=.* has no zone"):
        features.training_table(none, none, until=naive)
