"""Metrics of the four kinds, computed from joined units."""

import math

import numpy as np
import pandas as pd
import pytest
from flightline import experiments
from flightline.experiments import METRICS, Experiment, Metric, judged_by, measured
from hypothesis import given
from hypothesis import strategies as st

HALVES = {"control": 0.5, "treatment": 0.5}


def units(*rows):
    """Return joined units from (arm, mature, reward, hit, warned, origin)."""
    names = ["arm", "mature", "reward", "hit", "warned", "origin"]
    table = pd.DataFrame(rows, columns=names)
    numbers = ["reward", "hit", "warned"]
    return table.astype(dict.fromkeys(numbers, "float64"))


TABLE = units(
    ("a", True, 1.0, 1, 1, "JFK"),
    ("a", True, -0.4, 0, 1, "JFK"),
    ("a", True, None, None, None, "EWR"),
    ("a", False, None, None, None, "EWR"),
    ("b", True, 0.0, 0, 0, "JFK"),
    ("b", True, 1.0, 1, 2, "EWR"),
)


def test_a_mean_is_over_the_mature_units_that_have_an_outcome():
    found = measured(METRICS["reward"], TABLE)
    assert found.columns.tolist() == experiments.MEASURED
    assert found.loc["a"].tolist() == [3, 2, pytest.approx(0.3), "measured"]
    assert found.loc["b"].tolist() == [2, 2, 0.5, "measured"]


def test_a_ratio_is_sum_over_sum_and_not_the_mean_of_ratios():
    found = measured(METRICS["precision"], TABLE)
    assert found["value"].to_dict() == {"a": 0.5, "b": 0.5}
    flat = Metric("x", "model", "higher", "share", "hit", "warned")
    assert flat.columns == ["hit", "warned"]


def test_a_unit_without_an_outcome_counts_as_the_metric_says():
    lost = Metric("x", "guardrail", "higher", "share", "reward", missing=0.0)
    found = measured(lost, TABLE)
    assert found.loc["a"].tolist() == [3, 3, pytest.approx(0.2), "measured"]
    answered = TABLE.assign(answered=[1, 1, None, None, 1, 1])
    found = measured(METRICS["answered"], answered)["value"]
    assert found.to_dict() == {"a": pytest.approx(2 / 3), "b": 1.0}


def test_a_segment_metric_is_measured_in_each_part_of_the_traffic():
    found = measured(METRICS["reward_by_origin"], TABLE)
    assert found.index.names == ["origin", "arm"]
    assert found["value"].dropna().to_dict() == {
        ("EWR", "b"): 1.0,
        ("JFK", "a"): pytest.approx(0.3),
        ("JFK", "b"): 0.0,
    }
    assert found.loc[("EWR", "a"), "state"] == "no outcome"
    unknown = measured(METRICS["reward_by_origin"], TABLE.assign(origin=None))
    assert unknown.index.get_level_values("origin").unique().tolist() == ["unknown"]
    typed = TABLE.assign(origin=TABLE["origin"].astype("category"))
    assert measured(METRICS["reward_by_origin"], typed).equals(found)


STATES = [
    (TABLE.assign(mature=False), "reward", "no mature unit"),
    (TABLE[:0], "reward", "no mature unit"),
    (TABLE.assign(reward=np.nan), "reward", "no outcome"),
    (TABLE.assign(warned=0.0), "precision", "nothing to divide by"),
]


@pytest.mark.parametrize(("table", "name", "state"), STATES)
def test_what_has_no_value_has_a_state(table, name, state):
    found = measured(METRICS[name], table, ["a", "b"])
    assert found["state"].tolist() == [state, state]
    assert found["value"].isna().all()


def test_an_arm_without_a_unit_is_a_row_if_it_is_asked_for():
    found = measured(METRICS["reward"], TABLE, ["a", "b", "empty"])
    assert found.loc["empty"].tolist()[:2] == [0, 0]
    assert found.loc["empty", "state"] == "no mature unit"
    values = found["value"].isna()
    assert (values == (found["state"] != "measured")).all()


def test_units_without_the_column_are_refused():
    with pytest.raises(ValueError, match=r"units \(log_loss\) has 0 columns"):
        measured(METRICS["log_loss"], TABLE)
    with pytest.raises(ValueError, match="0 columns 'carrier'"):
        measured(METRICS["reward_by_carrier"], TABLE)
    with pytest.raises(ValueError, match="0 columns 'mature'"):
        METRICS["reward"].sample(TABLE.drop(columns="mature"), "a")


@pytest.mark.parametrize("dtype", ["float32", "Float64", "double[pyarrow]"])
def test_columns_of_any_number_type_are_measured(dtype):
    table = TABLE.assign(reward=TABLE["reward"].astype(dtype))
    found = measured(METRICS["reward"], table)["value"]
    expected = measured(METRICS["reward"], TABLE)["value"]
    assert np.allclose(found, expected, rtol=1e-6)


@given(
    st.lists(
        st.tuples(st.booleans(), st.one_of(st.none(), st.integers(-5, 5))),
        min_size=1,
        max_size=30,
    )
)
def test_a_sample_is_what_is_measured_and_what_an_effect_takes(rows):
    table = pd.DataFrame(rows, columns=["mature", "reward"]).assign(arm="a")
    table["reward"] = table["reward"].astype("float64")
    sample = METRICS["reward"].sample(table, "a")
    row = measured(METRICS["reward"], table).loc["a"]
    assert row["units"] == len(sample) == sum(mature for mature, _ in rows)
    known = [value for mature, value in rows if mature and value is not None]
    assert row["known"] == len(known)
    if known:
        assert math.isclose(row["value"], np.mean(known), abs_tol=1e-12)


def test_a_sample_gives_the_effects_of_a_mean_and_of_a_ratio():
    rng = np.random.default_rng(3)
    many = TABLE.iloc[rng.integers(0, len(TABLE), 600)].reset_index(drop=True)
    reward, precision = METRICS["reward"], METRICS["precision"]
    mean = experiments.mean_effect(
        reward.sample(many, "b")["reward"], reward.sample(many, "a")["reward"]
    )
    values = measured(reward, many)["value"]
    assert math.isclose(mean.estimate, values["b"] - values["a"], abs_tol=1e-12)
    ratio = experiments.ratio_effect(
        precision.sample(many, "b"), precision.sample(many, "a")
    )
    values = measured(precision, many)["value"]
    assert math.isclose(ratio.estimate, values["b"] - values["a"], abs_tol=1e-12)


# --- definitions ----------------------------------------------------------------------


def test_the_metrics_of_flightline_are_of_all_four_kinds():
    kinds = {metric.kind for metric in METRICS.values()}
    assert kinds == {"model", "business", "guardrail", "segment"}
    assert all(name == metric.name for name, metric in METRICS.items())


def test_a_gain_is_positive_whatever_direction_is_better():
    assert METRICS["reward"].gain(0.06) == 0.06
    assert METRICS["latency_ms"].gain(3.0) == -3.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ""}, "the name of a metric is ''"),
        ({"kind": "vanity"}, "kind is 'vanity'. Use one of"),
        ({"better": "up"}, "better is 'up'. Use one of"),
        ({"value": None}, "metric 'x': value is None"),
        ({"unit": " "}, "metric 'x': unit is"),
        ({"by": "origin"}, "of the kind 'model' and by is 'origin'"),
        ({"kind": "segment"}, "of the kind 'segment' and by is ''"),
        ({"missing": math.nan}, "missing is nan"),
        ({"missing": "0"}, "missing is '0'"),
    ],
)
def test_a_metric_that_cannot_be_is_refused(change, message):
    fields = {"name": "x", "kind": "model", "better": "lower"}
    fields |= {"unit": "nats", "value": "loss"}
    with pytest.raises(ValueError, match=message):
        Metric(**fields | change)


def test_an_experiment_is_judged_by_metrics_that_exist():
    one = Experiment("x", HALVES, guardrails={"latency_ms": 5, "log_loss": 0.01})
    primary, guardrails = judged_by(one)
    assert primary is METRICS["reward"]
    assert guardrails == {METRICS["latency_ms"]: 5.0, METRICS["log_loss"]: 0.01}
    with pytest.raises(
        ValueError, match="experiment 'x': there is no metric 'latency'"
    ):
        judged_by(Experiment("x", HALVES, guardrails={"latency": 5}))
    with pytest.raises(ValueError, match="there is no metric 'revenue', only log_loss"):
        judged_by(Experiment("x", HALVES, primary="revenue"))
    with pytest.raises(ValueError, match="'reward' decides, and is a guardrail too"):
        judged_by(Experiment("x", HALVES, guardrails={"reward": 1}))


def test_from_assignment_to_a_measured_effect_nothing_is_lost(tmp_path):
    """A fleet is assigned, logged in the lake, joined by age and measured."""
    start = pd.Timestamp("2013-07-01", tz="UTC")
    one = Experiment("b_warns", HALVES, traffic=0.8)
    ids = pd.Series([f"2013-07-01-UA-{n}-EWR" for n in range(1_000)])
    arms = experiments.assign_many(ids, one)
    times = start + pd.to_timedelta(np.arange(1_000), unit="min")
    inside = pd.DataFrame({"unit_id": ids, "arm": arms, "event_time": times})
    inside = inside[inside["arm"] != experiments.OUTSIDE]
    reports = inside[["unit_id"]].assign(
        metric="reward",
        value=np.where(inside["arm"] == "treatment", 0.5, 0.25),
        event_time=inside["event_time"] + pd.Timedelta("5h"),
    )
    experiments.log_exposures(tmp_path, inside, one)
    experiments.log_outcomes(tmp_path, reports.iloc[10:])
    found = experiments.joined(
        experiments.read_exposures(tmp_path, one.name),
        experiments.read_outcomes(tmp_path),
        now=start + pd.Timedelta("20h"),
        maturity="10h",
    )
    counts = found.units["arm"].value_counts().to_dict()
    assert sum(counts.values()) == len(inside)
    assert experiments.srm_pvalue(counts, one.weights) > 0.001
    table = measured(METRICS["reward"], found.units, one.arms)
    assert table["value"].to_dict() == {"control": 0.25, "treatment": 0.5}
    assert (table["units"] - table["known"]).sum() == 10
    assert (
        table["units"].sum()
        == (times <= start + pd.Timedelta("10h"))[inside.index].sum()
    )
