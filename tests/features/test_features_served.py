"""The log of what was served: torn lines, foreign lines, times in any spelling."""

import numpy as np
import pandas as pd
import pytest
from flightline import features
from flightline.features import CATEGORICAL, FEATURES, NUMERIC
from small_store import race

NOW = pd.Timestamp("2013-07-02 22:49", tz="UTC")


@pytest.fixture
def requests():
    return pd.DataFrame({"flight_id": ["a", "b"]}, index=[5, 5])


@pytest.fixture
def values():
    texts = {name: ["B6", None] for name in CATEGORICAL}
    numbers = {name: [1.5, np.nan] for name in NUMERIC}
    return pd.DataFrame({**texts, **numbers}, index=[5, 5])[FEATURES]


@pytest.fixture
def log(tmp_path, requests, values):
    path = tmp_path / "served.jsonl"
    features.log_served(path, requests, values, NOW)
    return path


def test_a_log_comes_back_as_it_was(log, values):
    found = features.read_log(log)
    assert found["flight_id"].tolist() == ["a", "b"] and found.attrs["skipped"] == []
    assert found["time"].eq(NOW).all()
    for name in NUMERIC:
        assert found[name].isna().tolist() == [False, True]
    assert found[CATEGORICAL].isna().to_numpy().tolist() == [[False] * 3, [True] * 3]


def test_a_torn_line_is_named_and_the_next_one_is_whole(log, requests, values):
    log.write_bytes(log.read_bytes()[:-40])
    features.log_served(log, requests, values, NOW)
    with pytest.warns(UserWarning, match=r"1 of 4 lines are left out \(first: line 2"):
        found = features.read_log(log)
    assert found["flight_id"].tolist() == ["a", "a", "b"]
    assert found.attrs["skipped"] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[1, 2]",
        "null",
        '{"flight_id": "c", "features": {}}',
        '{"time": "2013-07-02T22:49:00", "flight_id": "c", "features": {}}',
        '{"time": 1372805340, "flight_id": "c", "features": {}}',
        '{"time": "2013-07-02T22:49:00Z", "flight_id": "c", "features": []}',
        '{"time": "2013-07-02T22:49Z", "flight_id": "c", "features": {"temp": "70"}}',
        '{"time": "2013-07-02T22:49Z", "flight_id": "c", "features": {"temp": true}}',
        '{"time": "soon", "flight_id": "c", "features": {}}',
        '{"time": "2013-07-02T22:49Z", "flight_id": null, "features": {}}',
        '{"time": "2013-07-02T22:49Z", "flight_id": "c", "features": {"dest": 5}}',
        '{"time": "2013-07-02T22:49Z", "flight_id": "c", "features": {"temp": NaN}}',
        '{"time": "2013-07-02T22:49Z", "flight_id": "c", "features": {"temp": 1e999}}',
        '{"time": "2013-07-02T22:49Z", "flight_id": "c", "features": {"temp": 1'
        + 400 * "0"
        + "}}",
        100_000 * "[",
        "",
    ],
)
def test_a_foreign_line_is_left_out_and_named(log, line):
    with log.open("a") as file:
        file.write(f"{line}\n")
    with pytest.warns(UserWarning, match="line 3"):
        assert features.read_log(log).attrs["skipped"] == [3]


@pytest.mark.parametrize(
    "time",
    [
        "2013-07-02T22:49:00Z",
        "2013-07-02T22:49:00.000000+00:00",
        "2013-07-02 18:49:00-04:00",
        "2013-07-02T22:49Z",
    ],
)
def test_times_may_be_spelled_in_several_ways(log, time):
    with log.open("a") as file:
        file.write(f'{{"time": "{time}", "flight_id": "c", "features": {{}}}}\n')
    found = features.read_log(log)
    assert found["time"].eq(NOW).all() and len(found) == 3


@pytest.mark.parametrize("year", ["0001", "1500", "2500", "9999"])
def test_a_foreign_year_costs_no_other_line(log, year):
    with log.open("a") as file:
        file.write(f'{{"time": "{year}-01-01T00:00Z", "flight_id": "c", "features": ')
        file.write("{}}\n")
    found = features.read_log(log)
    assert found["time"].dt.year.tolist() == [2013, 2013, int(year)]


def test_labels_that_fit_no_answer_are_refused():
    served = pd.DataFrame({"flight_id": ["a"], "time": [NOW]})
    late, known = pd.Series({"a": True}), pd.Series({"a": NOW})
    built = features.rebuild(served, late, known, until=NOW)
    assert built["late"].tolist() == [True]
    twice = pd.concat([late, late])
    with pytest.raises(ValueError, match="late has two values for a"):
        features.rebuild(served, twice, known, until=NOW)
    with pytest.raises(ValueError, match=r"until=.* has no zone"):
        features.rebuild(served, late, known, until=NOW.tz_localize(None))
    with pytest.raises(ValueError, match=r"label_time is .*no time with a zone"):
        features.rebuild(served, late, known.dt.tz_localize(None), until=NOW)
    with pytest.raises(ValueError, match="answers lack the column time"):
        features.rebuild(served[["flight_id"]], late, known, until=NOW)


def test_an_empty_log_has_the_columns(tmp_path):
    (tmp_path / "empty").touch()
    found = features.read_log(tmp_path / "empty")
    assert list(found) == ["flight_id", "time", *FEATURES] and len(found) == 0
    assert found["temp"].dtype == np.float64


def test_what_cannot_be_logged_is_refused(log, requests, values):
    before = log.read_bytes()
    with pytest.raises(ValueError, match="1 answers to 2 requests"):
        features.log_served(log, requests, values.iloc[:1], NOW)
    with pytest.raises(ValueError, match="has no zone"):
        features.log_served(log, requests, values, NOW.tz_localize(None))
    with pytest.raises(ValueError):
        features.log_served(log, requests, values.assign(temp=np.inf), NOW)
    with pytest.raises(ValueError, match="flight_id is missing in 1 of 2"):
        features.log_served(log, requests.assign(flight_id=[None, "b"]), values, NOW)
    with pytest.raises(ValueError, match="requests lack the column flight_id"):
        features.log_served(log, requests[[]], values, NOW)
    assert log.read_bytes() == before


@pytest.mark.parametrize(
    "change, what",
    [
        ({"temp": "70"}, "temp holds '70', which is no number"),
        ({"temp": True}, "temp holds True, which is no number"),
        ({"temp": NOW}, "temp holds Timestamp"),
        ({"dest": 5}, "dest is 5, no text"),
        ({"shoe_size": 43.0}, "'shoe_size', which is no feature"),
    ],
)
def test_what_no_reader_would_take_is_not_written(log, requests, values, change, what):
    before = log.read_bytes()
    odd = values.astype(object).assign(**change)
    with pytest.raises(ValueError, match=what):
        features.log_served(log, requests, odd, NOW)
    with pytest.raises(ValueError, match="flight_id holds 7"):
        features.log_served(log, requests.assign(flight_id=7), values, NOW)
    twice = pd.concat([values, values[["temp"]]], axis=1)
    with pytest.raises(ValueError, match="name the column temp twice"):
        features.log_served(log, requests, twice, NOW)
    assert log.read_bytes() == before


@pytest.mark.parametrize("dtype", ["Int64", "float32", "double[pyarrow]", object])
def test_numbers_of_any_type_are_logged(tmp_path, requests, values, dtype):
    some = values.assign(temp=pd.Series([70, None], [5, 5]).astype(dtype))
    features.log_served(tmp_path / "log", requests, some, NOW)
    found = features.read_log(tmp_path / "log")
    assert found["temp"].isna().tolist() == [False, True] and found["temp"][0] == 70.0


LOGGING = """
import sys
import pandas as pd
from flightline import features
requests = pd.DataFrame({"flight_id": [sys.argv[2]] * 40})
texts = {name: ["B6"] * 40 for name in features.CATEGORICAL}
values = pd.DataFrame({**texts, **{name: [0.5] * 40 for name in features.NUMERIC}})
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    features.log_served(sys.argv[1], requests, values, pd.Timestamp("2013-07-02T22Z"))
"""


def test_two_processes_log_at_once(tmp_path):
    race([LOGGING, str(tmp_path / "log"), name] for name in "ab")
    found = features.read_log(tmp_path / "log")
    assert found["flight_id"].value_counts().to_dict() == {"a": 4_000, "b": 4_000}
    assert found.attrs["skipped"] == []


def test_a_service_of_some_features_is_logged(tmp_path, requests, values):
    some = values[features.START_SET]
    features.log_served(tmp_path / "log", requests, some, NOW)
    found = features.read_log(tmp_path / "log")
    assert found["temp"].isna().all() and found["origin_waiting"].notna().any()


@pytest.mark.parametrize("name", ["7", "true", "[]", '""', '{"a": 1}'])
def test_a_flight_without_a_name_is_left_out(log, name):
    with log.open("a") as file:
        file.write(f'{{"time": "2013-07-02T22:49Z", "flight_id": {name}, "features": ')
        file.write("{}}\n")
    with pytest.warns(UserWarning, match=r"line 3, flight_id is .*no name"):
        assert features.read_log(log)["flight_id"].tolist() == ["a", "b"]


# --- the daily check ---------------------------------------------------------------


def served_on(*days, **columns):
    """Return answers of some days, at noon in New York."""
    times = pd.to_datetime([f"2013-07-{day:02d}T16:00Z" for day in days])
    index = [3] * len(days)  # labels may repeat
    return pd.DataFrame({"time": times, **columns}, index=index)


def test_each_day_has_its_own_skew_rate():
    served = served_on(3, 3, 4, 4, n=[1.0, 2.0, 3.0, np.nan], c=["a", "b", None, "d"])
    offline = pd.DataFrame({"n": [1.0, 2.0, 9.0, 5.0], "c": ["a", "b", None, "x"]})
    found = features.skew_by_day(served, offline.set_axis(served.index))
    assert found.index.tolist() == ["2013-07-03", "2013-07-04"]
    assert found["answers"].tolist() == [2, 2]
    assert found["skew rate"].tolist() == [0, 0.75]
    assert found["worst"].tolist() == ["", "n"]
    assert found["worst rate"].tolist() == [0, 1]


def test_days_are_those_of_utc():
    served = served_on(3, n=[1.0])
    served["time"] = pd.to_datetime(["2013-07-03T22:00-04:00"])
    found = features.skew_by_day(served, served[["n"]])
    assert found.index.tolist() == ["2013-07-04"]


def test_a_day_without_answers_or_features_is_no_fault():
    served = served_on(3, n=[1.0])
    assert len(features.skew_by_day(served.iloc[:0], served[["n"]].iloc[:0])) == 0
    assert features.skew_by_day(served, served[[]])["skew rate"].tolist() == [0]


def test_answers_that_cannot_be_compared_are_refused():
    served = served_on(3, 4, n=[1.0, 2.0])
    offline = served[["n"]]
    with pytest.raises(ValueError, match="rows differ"):
        features.skew_by_day(served, offline.iloc[:1])
    with pytest.raises(ValueError, match="answers lack the column m"):
        features.skew_by_day(served, offline.assign(m=1.0))
    naive = served.assign(time=served["time"].dt.tz_localize(None))
    with pytest.raises(ValueError, match="no time with a zone"):
        features.skew_by_day(naive, offline)
    gap = served.assign(time=served["time"].where([True, False]))
    with pytest.raises(ValueError, match="time is missing in 1 of 2"):
        features.skew_by_day(gap, offline)
