"""Exposures and outcomes: what is logged, what is set aside, and who is counted."""

import math
import multiprocessing
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from flightline import experiments, lake
from flightline.experiments import Experiment, joined, log_exposures, log_outcomes
from hypothesis import given, settings
from hypothesis import strategies as st

START = pd.Timestamp("2013-07-01", tz="UTC")
HOUR = pd.Timedelta(hours=1)
NOW = START + 100 * HOUR
ONE = Experiment("b_warns", {"control": 0.5, "treatment": 0.5})


def exposed(*rows, columns=("unit_id", "arm", "hour", "known")):
    """Return exposures from (unit, arm, hour[, hour at which it was known])."""
    filled = [(*row, row[2])[:4] if len(row) < 4 else row for row in rows]
    return timed(pd.DataFrame(filled, columns=list(columns)))


def outcome(*rows):
    """Return outcomes of the reward from (unit, value, hour[, known])."""
    filled = [row if len(row) == 4 else (*row, row[2]) for row in rows]
    table = pd.DataFrame(filled, columns=["unit_id", "value", "hour", "known"])
    return timed(table.assign(metric="reward"))


def timed(table):
    """Turn hours since the start into event_time and available_at."""
    at = {"event_time": table.pop("hour"), "available_at": table.pop("known")}
    times = {
        name: START + pd.to_timedelta(hours, unit="h") for name, hours in at.items()
    }
    return table.assign(**times)


def rewards(exposures, outcomes, now=NOW, maturity="12h", metrics=("reward",)):
    """Return the joined units by id."""
    found = joined(
        exposures, outcomes, now=now, maturity=maturity, metrics=list(metrics)
    )
    return found.units.set_index("unit_id")


# --- the logger -----------------------------------------------------------------------


def test_what_is_logged_is_read_back_with_its_times(tmp_path):
    table = exposed(("u1", "control", 0), ("u2", "treatment", 1, 2))
    table["origin"] = pd.Series(["JFK", None], dtype="category")
    receipt = log_exposures(tmp_path, table, ONE)
    assert (receipt.accepted, receipt.quarantined, receipt.new) == (2, 0, True)
    again = experiments.read_exposures(tmp_path, "b_warns")
    assert again.columns.tolist() == experiments.EXPOSURE
    assert again["unit_id"].tolist() == ["u1", "u2"]
    assert again["origin"].tolist() == ["JFK", None]
    assert again["carrier"].tolist() == [None, None]
    assert again["available_at"].tolist() == [START, START + 2 * HOUR]
    assert log_exposures(tmp_path, table, ONE).new is False
    assert experiments.read_exposures(tmp_path, "other").empty


def test_a_batch_without_available_at_is_known_when_it_happens(tmp_path):
    table = exposed(("u1", "control", 3)).drop(columns="available_at")
    log_exposures(tmp_path, table, ONE)
    [known] = experiments.read_exposures(tmp_path, "b_warns")["available_at"]
    assert known == START + 3 * HOUR


def test_rows_that_break_the_contract_are_set_aside_with_a_reason(tmp_path):
    table = exposed(
        ("ok", "control", 0),
        (None, "control", 0),
        ("", "control", 0),
        ("nan", "control", 0),
        ("u1", "", 0),
        ("u2", None, 0),
        ("u3", "other", 0),
        ("u4", "control", 5, 4),
        ("u5", "control", np.nan),
        ("ok", "control", 0),
    )
    receipt = log_exposures(tmp_path, table, ONE)
    assert (receipt.accepted, receipt.quarantined) == (1, 9)
    reasons = lake.quarantine(tmp_path, "exposures").set_index("row")["reason"]
    assert reasons[1] == "unit_id is missing"
    assert reasons[2] == reasons[3] == "unit_id is no id"
    assert reasons[4] == reasons[6] == "arm is no arm of the experiment"
    assert reasons[5] == "arm is missing"
    assert reasons[7] == "the event is known before it happened"
    assert "event_time is missing" in reasons[8]
    assert reasons[9] == "is in the lake already"


def test_a_unit_logged_in_two_arms_at_one_moment_is_kept_twice(tmp_path):
    table = exposed(("u1", "control", 0), ("u1", "treatment", 0))
    assert log_exposures(tmp_path, table, ONE).accepted == 2
    other = Experiment("other", dict(ONE.weights))
    assert log_exposures(tmp_path, table[:1], other).accepted == 1
    both = experiments.read_exposures(tmp_path, "b_warns")
    found = joined(both, outcome(), now=NOW, maturity="1h")
    assert found.crossed.to_dict("list") == {
        "unit_id": ["u1"],
        "arms": ["control, treatment"],
    }


def test_outcomes_that_are_no_numbers_are_set_aside_and_corrections_kept(tmp_path):
    table = outcome(
        ("u1", 1.0, 3),
        ("u1", 2.0, 3, 4),
        ("u2", np.nan, 3),
        ("u3", np.inf, 3),
        ("u4", -0.4, 3),
    )
    receipt = log_outcomes(tmp_path, table)
    assert (receipt.accepted, receipt.quarantined) == (3, 2)
    read = experiments.read_outcomes(tmp_path)
    assert read["value"].tolist() == [1.0, 2.0, -0.4]
    assert read.columns.tolist() == experiments.OUTCOME
    reasons = lake.quarantine(tmp_path, "outcomes")["reason"].tolist()
    assert reasons == ["value is missing", "value is not finite"]


@pytest.mark.parametrize(
    "dtype",
    [
        "float32",
        "Float64",
        "int8",
        "Int16",
        "bool",
        "boolean",
        "object",
        "category",
        "double[pyarrow]",
        "int64[pyarrow]",
    ],
)
def test_values_of_any_number_type_are_logged(tmp_path, dtype):
    table = outcome(("u1", 1, 0), ("u2", 0, 0))
    table["value"] = table["value"].astype(dtype)
    log_outcomes(tmp_path, table)
    read = experiments.read_outcomes(tmp_path)["value"]
    assert read.tolist() == [1.0, 0.0] and read.dtype == np.float64


@pytest.mark.parametrize("dtype", ["object", "string", "string[pyarrow]", "category"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_texts_and_times_of_any_type_are_logged(tmp_path, dtype, unit):
    table = exposed(("u1", "control", 0), ("u2", "treatment", 1))
    table.index = [7, 7]
    for name in ("unit_id", "arm"):
        table[name] = table[name].astype(dtype)
    zone = table["event_time"].dt.tz_convert("America/New_York")
    table["event_time"] = zone.astype(f"datetime64[{unit}, America/New_York]")
    assert log_exposures(tmp_path, table, ONE).accepted == 2
    read = experiments.read_exposures(tmp_path, "b_warns")
    assert read["event_time"].tolist() == [START, START + HOUR]
    assert str(read["event_time"].dtype) == lake.UTC
    assert read["arm"].tolist() == ["control", "treatment"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit_id": 7}, r"unit_id is 7 \(int\) in row 0, no text"),
        ({"unit_id": b"u1"}, r"unit_id is b'u1' \(bytes\)"),
        ({"arm": 1.5}, "arm is 1.5"),
        ({"event_time": "2013-07-01"}, "event_time holds object, no times"),
        ({"event_time": START.tz_localize(None)}, "event_time holds datetime64"),
        ({"available_at": 5}, "available_at holds int64"),
        ({"origin": 3}, "origin is 3"),
    ],
)
def test_a_batch_of_other_types_is_refused_whole(tmp_path, change, message):
    table = exposed(("u1", "control", 0), ("u2", "treatment", 1))
    with pytest.raises(ValueError, match=message):
        log_exposures(tmp_path, table.assign(**change), ONE)
    assert lake.log(tmp_path, "exposures") == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1.5", "value holds string"),
        (START, "value holds datetime"),
        (1j, "no numbers"),
        ([1], "no numbers"),
    ],
)
def test_values_that_are_no_numbers_are_refused(tmp_path, value, message):
    table = outcome(("u1", 1.0, 0))
    table["value"] = pd.Series([value])
    with pytest.raises(ValueError, match=message):
        log_outcomes(tmp_path, table)


def test_a_batch_without_a_column_or_with_two_of_a_name_is_refused(tmp_path):
    table = exposed(("u1", "control", 0))
    with pytest.raises(ValueError, match="exposures has 0 columns 'arm'"):
        log_exposures(tmp_path, table.drop(columns="arm"), ONE)
    twice = pd.concat([table, table[["arm"]]], axis=1)
    with pytest.raises(ValueError, match="exposures has 2 columns 'arm'"):
        log_exposures(tmp_path, twice, ONE)
    with pytest.raises(ValueError, match="outcomes has 0 columns 'value'"):
        log_outcomes(tmp_path, outcome(("u1", 1, 0)).drop(columns="value"))


def test_an_empty_batch_and_an_empty_lake_are_states_and_no_errors(tmp_path):
    nothing = experiments.read_outcomes(tmp_path)
    assert nothing.empty and experiments.read_exposures(tmp_path, "x").empty
    assert log_exposures(tmp_path, exposed()[:0], ONE).rows_in == 0
    found = joined(
        experiments.read_exposures(tmp_path, "b_warns"),
        nothing,
        now=NOW,
        maturity="1h",
        metrics=["reward"],
    )
    assert found.units.empty and "reward" in found.units and found.tally().empty


def log_in_parts(folder, part):
    """Log ten batches of exposures."""
    for n in range(10):
        table = exposed((f"{part}-{n}", "control", n))
        log_exposures(folder, table, ONE)


def test_two_loggers_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    loggers = [
        context.Process(target=log_in_parts, args=(tmp_path, part)) for part in "ab"
    ]
    for logger in loggers:
        logger.start()
    for logger in loggers:
        logger.join()
    assert [logger.exitcode for logger in loggers] == [0, 0]
    units = experiments.read_exposures(tmp_path, "b_warns")["unit_id"]
    assert sorted(units) == sorted(f"{part}-{n}" for part in "ab" for n in range(10))


# --- judged by age --------------------------------------------------------------------


def test_each_exposed_unit_has_one_row_whether_it_has_an_outcome_or_not():
    table = exposed(("u1", "control", 0), ("u2", "treatment", 1), ("u3", "control", 2))
    found = joined(table, outcome(("u1", 1.0, 3)), now=NOW, maturity="12h")
    assert found.units.columns.tolist() == [*experiments.UNIT, "reward"]
    assert found.units["mature"].all()
    assert found.units["reward"].tolist()[0] == 1
    assert found.units["reward"].isna().tolist() == [False, True, True]
    assert found.tally().loc["control"].tolist() == [2, 2, 1]
    assert found.tally().loc["treatment"].tolist() == [1, 1, 0]


def test_an_early_outcome_does_not_make_a_unit_mature():
    table = exposed(("old", "control", 0), ("new", "control", 5))
    reports = outcome(("old", 1.0, 1), ("new", 9.0, 6))
    found = rewards(table, reports, now=START + 12 * HOUR)
    assert found["mature"].to_dict() == {"old": True, "new": False}
    assert found.loc["old", "reward"] == 1 and math.isnan(found.loc["new", "reward"])
    exactly = rewards(table, reports, now=START + 17 * HOUR)
    assert exactly.loc["new", "reward"] == 9


def test_only_what_was_known_by_now_is_used():
    table = exposed(("u1", "control", 0, 2), ("u2", "control", 0, 30))
    reports = outcome(("u1", 1.0, 3, 20), ("u1", 5.0, 3, 50))
    assert rewards(table, reports, now=START + 19 * HOUR)["reward"].isna().all()
    known = {20: 1.0, 49: 1.0, 50: 5.0}
    for hour, value in known.items():
        found = rewards(table, reports, now=START + hour * HOUR)
        assert found.loc["u1", "reward"] == value
        assert ("u2" in found.index) is (hour >= 30)


def test_a_correction_counts_and_an_old_report_that_is_late_does_not():
    table = exposed(("u1", "control", 0))
    reports = [("u1", 1.0, 3, 3), ("u1", 2.0, 3, 8), ("u1", 7.0, 5, 6)]
    reports += [("u1", 9.0, 4, 20), ("u1", 8.0, 5, 9), ("u1", 7.0, 5, 6)]
    for order in (reports, reports[::-1]):
        assert rewards(table, outcome(*order)).loc["u1", "reward"] == 8


def test_outcomes_outside_of_the_time_that_is_judged_are_counted_not_used():
    table = exposed(("u1", "control", 10), ("u2", "control", 10))
    reports = outcome(("u1", 1.0, 9), ("u2", 2.0, 23), ("u2", 3.0, 22), ("u9", 4.0, 5))
    found = joined(table, reports, now=NOW, maturity="12h")
    units = found.units.set_index("unit_id")["reward"]
    assert math.isnan(units["u1"]) and units["u2"] == 3
    assert (found.outside, found.unexposed, found.late) == (2, 1, 0)
    late = joined(table, outcome(("u1", 1.0, 12, 40)), now=NOW, maturity="12h")
    assert late.late == 1 and late.units["reward"].tolist()[0] == 1


def test_the_first_exposure_counts_and_crossed_units_are_set_aside():
    table = exposed(
        ("u1", "control", 5),
        ("u1", "control", 2, 3),
        ("u2", "control", 1),
        ("u2", "treatment", 50),
        ("u3", "treatment", 1),
    )
    found = joined(table, outcome(), now=NOW, maturity="1h")
    assert found.units["unit_id"].tolist() == ["u3", "u1"]
    assert found.units["exposed_at"].tolist() == [START + HOUR, START + 2 * HOUR]
    assert found.crossed["unit_id"].tolist() == ["u2"]
    before = joined(table, outcome(), now=START + 49 * HOUR, maturity="1h")
    assert before.crossed.empty and len(before.units) == 3


def test_an_arm_that_loses_its_worst_answers_looks_better_by_presence_alone():
    rng = np.random.default_rng(7)
    units = [f"u{n}" for n in range(4_000)]
    arms = experiments.assign_many(pd.Series(units), ONE)
    reward = rng.normal(0, 1, len(units))
    table = exposed(*zip(units, arms, [0] * len(units), strict=True))
    lost = (arms == "treatment").to_numpy() & (reward < np.quantile(reward, 0.1))
    rows = [
        (u, r, 2) for u, r, gone in zip(units, reward, lost, strict=True) if not gone
    ]
    found = joined(table, outcome(*rows), now=NOW, maturity="12h")
    present = found.units.groupby("arm")["reward"].mean()
    assert present["treatment"] - present["control"] > 0.1
    tally = found.tally()
    assert tally["mature"].sum() == len(units)
    assert tally.loc["control", "reward"] == tally.loc["control", "mature"]
    missing = tally["mature"] - tally["reward"]
    assert missing["treatment"] == lost.sum() > 150


shuffled = st.permutations(range(6))


@settings(max_examples=50)
@given(shuffled, shuffled, st.integers(0, 40))
def test_the_order_of_rows_does_not_matter(of_exposures, of_outcomes, hour):
    table = exposed(
        ("u1", "control", 0, 1),
        ("u1", "control", 3),
        ("u2", "treatment", 4),
        ("u3", "control", 2, 20),
        ("u3", "treatment", 9, 30),
        ("u4", "treatment", 8),
    )
    reports = outcome(
        ("u1", 1.0, 3),
        ("u1", 2.0, 3, 25),
        ("u2", 5.0, 6),
        ("u2", 5.0, 6),
        ("u4", 4.0, 9, 35),
        ("u8", 4.0, 9),
    )
    now = START + hour * HOUR
    expected = joined(table, reports, now=now, maturity="5h", metrics=["reward"])
    found = joined(
        table.iloc[of_exposures],
        reports.iloc[of_outcomes],
        now=now,
        maturity="5h",
        metrics=["reward"],
    )
    pd.testing.assert_frame_equal(found.units, expected.units)
    pd.testing.assert_frame_equal(found.crossed, expected.crossed)
    counts = ("unexposed", "outside", "late")
    assert all(getattr(found, one) == getattr(expected, one) for one in counts)


def test_units_and_outcomes_of_different_types_meet():
    table = exposed(("u1", "control", 0), ("u2", "treatment", 0))
    table["unit_id"] = table["unit_id"].astype("category")
    table["event_time"] = table["event_time"].astype("datetime64[s, UTC]")
    reports = outcome(("u1", 1, 2), ("u2", 2, 2))
    reports["unit_id"] = reports["unit_id"].astype("string[pyarrow]")
    reports["value"] = reports["value"].astype("Int8")
    reports.index = [3, 3]
    found = rewards(table, reports)
    assert found["reward"].tolist() == [1.0, 2.0]


def test_several_metrics_and_fields_of_the_request_stand_in_columns():
    table = exposed(("u1", "control", 0), ("u2", "treatment", 0))
    table = table.assign(origin=["JFK", None], experiment="b_warns", event_id="x")
    reports = pd.concat(
        [outcome(("u1", 1.0, 2)), outcome(("u2", 3.0, 2)).assign(metric="late")]
    )
    found = joined(table, reports, now=NOW, maturity="5h")
    assert found.metrics == ("late", "reward")
    columns = [*experiments.UNIT, "origin", "late", "reward"]
    assert found.units.columns.tolist() == columns
    asked = joined(table, reports, now=NOW, maturity="5h", metrics=["latency_ms"])
    assert asked.units["latency_ms"].isna().all()


BAD = [
    ({"now": datetime(2013, 8, 1)}, "now is .* no moment with a time zone"),
    ({"now": None}, "now is None"),
    ({"now": pd.NaT}, "now is NaT"),
    ({"maturity": "-1h"}, "maturity is '-1h'"),
    ({"maturity": pd.NaT}, "maturity is NaT"),
    ({"maturity": 12}, "maturity is 12"),
    ({"metrics": ["arm"]}, "the metric 'arm' has the name of another column"),
    ({"metrics": ["reward", "reward"]}, "names one twice"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[str(c) for c, _ in BAD])
def test_a_question_that_cannot_be_answered_is_refused(change, message):
    asked = {"now": NOW, "maturity": "12h"} | change
    with pytest.raises(ValueError, match=message):
        joined(exposed(("u1", "control", 0)), outcome(("u1", 1, 2)), **asked)


def test_times_from_the_standard_library_are_taken():
    table, reports = exposed(("u1", "control", 0)), outcome(("u1", 1, 2))
    now = datetime(2013, 7, 2, tzinfo=UTC)
    found = joined(table, reports, now=now, maturity=timedelta(hours=5))
    assert found.units["reward"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit_id": None}, "exposures has no unit_id in 2 of 2 rows .first: row 0"),
        ({"unit_id": " "}, "exposures has no unit_id"),
        ({"unit_id": 1}, "unit_id is 1"),
        ({"arm": ""}, "exposures has no arm"),
        ({"arm": pd.NA}, "exposures has no arm"),
        ({"event_time": pd.NaT}, "event_time|no event_time"),
        ({"available_at": START - HOUR}, "known before it happened in 2 of 2"),
        ({"experiment": ["a", "b"]}, "several experiments: a, b. Choose one"),
    ],
)
def test_exposures_that_cannot_be_joined_are_refused(change, message):
    table = exposed(("u1", "control", 0), ("u2", "treatment", 0)).assign(**change)
    with pytest.raises(ValueError, match=message):
        joined(table, outcome(("u1", 1, 2)), now=NOW, maturity="12h")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": np.nan}, "outcomes has a value that is null or not finite in 1 of"),
        ({"value": np.inf}, "null or not finite"),
        ({"value": "1"}, "value holds string"),
        ({"unit_id": None}, "outcomes has no unit_id"),
        ({"metric": None}, "outcomes has no metric"),
        ({"available_at": START}, "known before it happened"),
    ],
)
def test_outcomes_that_cannot_be_joined_are_refused(change, message):
    reports = outcome(("u1", 1.0, 2)).assign(**change)
    with pytest.raises(ValueError, match=message):
        joined(exposed(("u1", "control", 0)), reports, now=NOW, maturity="12h")


def test_two_values_with_the_same_times_contradict_each_other():
    table, reports = exposed(("u1", "control", 0)), [("u1", 1.0, 2), ("u1", 2.0, 2)]
    with pytest.raises(ValueError, match="two values of 'reward' for the unit 'u1'"):
        rewards(table, outcome(*reports))
    assert rewards(table, outcome(*[reports[0]] * 3))["reward"].tolist() == [1.0]
