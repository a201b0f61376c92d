"""Assignment: uniform, sticky, independent between salts, and layers that exclude."""

import hashlib
import os
import subprocess
import sys
from datetime import date
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import experiments, serving
from flightline.experiments import Experiment, assign, assign_many
from flightline.experiments.core import arm_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

ROOT = Path(__file__).parents[2]
HALVES = {"control": 0.5, "treatment": 0.5}
IDS = pd.Series([f"2013-07-04-UA-{n}-EWR" for n in range(20_000)])


def made(name="b_warns", weights=HALVES, **fields):
    """Return an experiment of two halves, unless told otherwise."""
    return Experiment(name=name, weights=weights, **fields)


ids = st.text(min_size=1, max_size=30).filter(
    lambda text: text.strip() and text not in ("nan", "NaN", "None", "NaT", "null")
)
valid_ids = ids.filter(lambda text: text.isprintable())


# --- uniform and independent ----------------------------------------------------------


@pytest.mark.parametrize(
    "weights",
    [HALVES, {"a": 0.1, "b": 0.9}, {"a": 0.2, "b": 0.3, "c": 0.5}],
)
def test_arms_have_their_weights_under_each_of_many_salts(weights):
    pvalues = []
    for n in range(60):
        arms = assign_many(IDS[:2_000], made(salt=f"s{n}", weights=weights))
        seen = arms.value_counts().reindex(list(weights))
        pvalues.append(stats.chisquare(seen, 2_000 * np.array(list(weights.values()))))
    found = [one.pvalue for one in pvalues]
    assert stats.kstest(found, "uniform").pvalue > 0.001
    assert min(found) > 0.001 / 60


def test_buckets_of_a_layer_are_uniform():
    slots = np.array([experiments.slot_of(one, "ranking") for one in IDS])
    assert slots.min() >= 0 and slots.max() <= experiments.SLOTS - 1
    counts = np.bincount(slots // 10, minlength=100)
    assert stats.chisquare(counts).pvalue > 0.001


def dependence(arms_of, salts, rows=4_000):
    """Return how many pairs of salts give arms that depend on each other."""
    arms = {salt: arms_of(IDS[:rows], salt) for salt in salts}
    pairs = [(a, b) for a in salts for b in salts if a < b]
    found = [
        stats.chi2_contingency(pd.crosstab(arms[a], arms[b]).to_numpy()).pvalue
        for a, b in pairs
    ]
    return sum(p < 0.001 for p in found), len(pairs)


def added(unit_ids, salt):
    """Assign as many do: a fixed hash of the unit, plus a number for the salt."""
    offset = int(hashlib.sha256(salt.encode()).hexdigest(), 16) % 1_000
    fixed = [int(hashlib.sha256(one.encode()).hexdigest(), 16) for one in unit_ids]
    return pd.Series([(one + offset) % 1_000 < 500 for one in fixed])


def test_arms_under_two_salts_are_independent_unlike_a_salt_that_is_added():
    salts = [f"experiment-{n}" for n in range(12)]
    ours, pairs = dependence(lambda unit, s: assign_many(unit, made(salt=s)), salts)
    theirs, _ = dependence(added, salts)
    assert pairs == 66
    assert ours <= 2  # 66 tests at .001: 3 or more come once in 20,000
    assert theirs > 55


def test_traffic_arm_slot_and_holdout_are_independent_of_each_other():
    one = made("same", layer="same", slots=(0, 500))
    flag = experiments.Flag("same", share=0.5)
    salt = {"holdout_salt": "same"}
    answers = {
        "slot": assign_many(IDS, one) != "",
        "arm": assign_many(IDS, made("same")) == "control",
        "traffic": assign_many(IDS, made("same", traffic=0.5)) != "",
        "holdout": assign_many(IDS, made("same", holdout=0.5, **salt)) != "",
        "flag": pd.Series([experiments.is_on(flag, each) for each in IDS]),
    }
    for a, b in product(answers, answers):
        if a < b:
            table = pd.crosstab(answers[a], answers[b])
            assert stats.chi2_contingency(table.to_numpy()).pvalue > 0.0005, (a, b)


# --- sticky ---------------------------------------------------------------------------


def test_the_answers_of_this_version_are_those_of_every_later_one():
    """Literals: whoever changes the hash reassigns every running experiment."""
    known = {"2013-07-04": "control", "2013-07-05": "control", "é": "control"}
    known |= {"u3": "treatment", "u2": "control", "日本": "treatment"}
    assert {one: assign(one, made()) for one in known} == known
    digest = hashlib.sha256(b"b_warns|arm|2013-07-04").hexdigest()
    assert int(digest[:12], 16) / 2**48 < 0.5


@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_another_process_with_another_hash_seed_gives_the_same_arms(seed):
    code = (
        "from flightline.experiments import Experiment, assign\n"
        "one = Experiment('b_warns', {'treatment': .5, 'control': .5}, traffic=.7)\n"
        "print(''.join((assign(f'u{n}', one) or '-')[0] for n in range(300)))"
    )
    where = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "labs")}
    there = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | where,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    here = made(traffic=0.7)
    assert there == "".join((assign(f"u{n}", here) or "-")[0] for n in range(300))


@given(valid_ids)
def test_a_unit_has_the_arm_that_the_core_gives_it(unit_id):
    one = made(weights={"a": 0.2, "c": 0.3, "b": 0.5}, traffic=0.6)
    found = assign(unit_id, one)
    assert found == arm_of(unit_id, one.salt, one.weights, 0.6)
    assert found == assign(str(unit_id), made(weights=dict(one.weights), traffic=0.6))


@given(valid_ids, st.permutations(["a", "b", "c"]))
def test_the_order_in_which_arms_are_written_moves_nobody(unit_id, order):
    shares = {"a": 0.2, "b": 0.3, "c": 0.5}
    again = {arm: shares[arm] for arm in order}
    assert assign(unit_id, made(weights=again)) == assign(unit_id, made(weights=shares))


@given(valid_ids, st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_more_traffic_moves_nobody_back_and_nobody_over(unit_id, shares):
    arms = [assign(unit_id, made(traffic=share)) for share in sorted(shares)]
    for before, after in pairwise(arms):
        assert before in ("", after)
    everywhere = assign(unit_id, made(traffic=1))
    assert set(arms) <= {"", everywhere} and everywhere in HALVES


def test_traffic_is_the_share_that_is_in_and_keeps_the_ratio():
    for traffic in (0.0, 0.01, 0.3, 1.0):
        arms = assign_many(IDS, made(traffic=traffic))
        inside = int((arms != "").sum())
        spread = 4 * np.sqrt(len(IDS) * traffic * (1 - traffic))
        assert abs(inside - traffic * len(IDS)) <= spread
        if inside:
            control = int((arms == "control").sum())
            assert stats.binomtest(control, inside).pvalue > 0.0005


# --- layers, holdout, segments --------------------------------------------------------


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 999), min_size=1, max_size=6, unique=True).map(sorted),
    st.lists(valid_ids, min_size=5, max_size=20, unique=True),
)
def test_experiments_of_a_layer_never_share_a_unit_and_leave_none_over(cuts, units):
    edges = [0, *cuts, experiments.SLOTS]
    members = [
        made(f"e{n}", layer="ranking", slots=pair)
        for n, pair in enumerate(pairwise(edges))
    ]
    assert experiments.layers(members) == {"ranking": tuple(members)}
    for unit in units:
        assert sum(assign(unit, one) != "" for one in members) == 1


def test_two_layers_are_independent():
    slots = {
        layer: pd.Series([experiments.slot_of(one, layer) // 250 for one in IDS])
        for layer in ("ranking", "page")
    }
    table = pd.crosstab(slots["ranking"], slots["page"])
    assert table.shape == (4, 4)
    assert stats.chi2_contingency(table.to_numpy()).pvalue > 0.001


def test_neighbours_in_a_layer_that_overlap_or_differ_in_unit_are_refused():
    first = made("first", layer="page", slots=(0, 501))
    second = made("second", layer="page", slots=(500, 1000))
    with pytest.raises(ValueError, match=r"'first' and 'second' overlap.*\(0, 501\)"):
        experiments.layers([second, first])
    days = made("second", layer="page", slots=(501, 1000), unit="day")
    with pytest.raises(ValueError, match="assign a flight and a day"):
        experiments.layers([first, days])
    whole = made("whole", layer="page")
    tiny = made("tiny", layer="page", slots=(998, 999))
    with pytest.raises(ValueError, match="overlap"):
        experiments.layers([tiny, whole])


def test_the_holdout_is_the_same_units_for_each_experiment():
    held = {
        name: set(IDS[assign_many(IDS, made(name, holdout=0.05)) == ""])
        for name in ("first", "second")
    }
    assert held["first"] == held["second"]
    assert 0.04 < len(held["first"]) / len(IDS) < 0.06
    larger = set(IDS[assign_many(IDS, made("first", holdout=0.1)) == ""])
    assert held["first"] < larger
    other = set(IDS[assign_many(IDS, made(holdout=0.05, holdout_salt="2014")) == ""])
    assert len(other & held["first"]) < 0.2 * len(other)


REQUEST = {"origin": "JFK", "carrier": "B6", "dest": "LAX", "flight": 523}
REQUEST |= {"distance": 2475.0, "block_min": 375}


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ({}, True),
        ({"origin": ["JFK"]}, True),
        ({"origin": {"EWR", "LGA"}}, False),
        ({"distance": (2475, 2476)}, True),
        ({"distance": (0, 2475)}, False),
        ({"origin": ["JFK"], "flight": (1, 500)}, False),
        ({"origin": ["JFK"], "flight": (500, 600)}, True),
    ],
)
def test_a_request_is_eligible_if_each_condition_holds(segments, expected):
    assert experiments.eligible(REQUEST, made(segments=segments)) is expected


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, 3, b"JFK"])
def test_a_request_without_the_field_of_a_segment_is_refused(value):
    one = made(segments={"origin": ["JFK"]})
    with pytest.raises(ValueError, match="b_warns has a segment by origin"):
        experiments.eligible(REQUEST | {"origin": value}, one)
    without = {name: REQUEST[name] for name in REQUEST if name != "origin"}
    with pytest.raises(ValueError, match="a segment by origin"):
        experiments.eligible(without, one)
    far = made(segments={"distance": (0, 1000)})
    with pytest.raises(ValueError, match="a segment by distance"):
        experiments.eligible(REQUEST | {"distance": np.nan}, far)


def test_segments_are_about_the_fields_that_the_service_takes():
    known = {*experiments.TEXT_FIELDS, *experiments.NUMBER_FIELDS}
    assert known | {"sched_dep_utc", "tailnum"} == set(serving.Flight.model_fields)


# --- ids ------------------------------------------------------------------------------

NO_IDS = [None, np.nan, pd.NA, pd.NaT, 7, 7.0, b"7", True, ["a"], pd.Timestamp("2013")]


@pytest.mark.parametrize("unit_id", NO_IDS, ids=repr)
def test_an_id_that_is_no_text_is_refused(unit_id):
    with pytest.raises(ValueError, match="no text"):
        assign(unit_id, made())


@pytest.mark.parametrize("unit_id", ["", " ", "\t\n", "nan", "None", "<NA>", "NaT"])
def test_an_id_of_nobody_is_refused(unit_id):
    with pytest.raises(ValueError, match="a unit without an id cannot be assigned"):
        assign(unit_id, made())
    with pytest.raises(ValueError, match="without an id"):
        assign_many(pd.Series(["a", unit_id]), made())


def test_an_id_that_is_no_valid_text_is_refused():
    with pytest.raises(ValueError, match="no valid text"):
        assign("\ud800", made())


def test_a_huge_id_and_one_with_the_separator_are_assigned():
    assert assign("x" * 1_000_000, made()) in HALVES
    assert assign("a|arm|b", made()) in HALVES


@pytest.mark.parametrize(
    "dtype", ["object", "string", "string[pyarrow]", "category", "str"]
)
def test_a_column_of_any_text_type_gets_the_answers_of_assign(dtype):
    one = made(traffic=0.8)
    index = ["x"] * 60
    column = pd.Series([f"u{n % 40}" for n in range(60)], index=index, dtype=dtype)
    found = assign_many(column, one)
    assert found.tolist() == [assign(unit, one) for unit in column.tolist()]
    assert found.index.tolist() == index and found.name == "arm"
    assert "" in found.tolist() and {*found} - {""} == set(HALVES)


def test_an_arrow_column_a_dictionary_and_unused_categories_are_read():
    import pyarrow as pa

    arrow = pd.Series(["u1", "u2", "u1"], dtype=pd.ArrowDtype(pa.string()))
    unused = pd.Series(["u1", "u2", "u1"], dtype="category").astype(
        pd.CategoricalDtype(["u2", "u1", "u0"])
    )
    expected = [assign(unit, made()) for unit in ("u1", "u2", "u1")]
    for column in (arrow, unused):
        assert assign_many(column, made()).tolist() == expected


@pytest.mark.parametrize("dtype", ["object", "string", "string[pyarrow]", "category"])
def test_null_ids_of_a_column_are_counted_in_the_error(dtype):
    column = pd.Series(["a", None, "b", None], index=[9, 8, 8, 7], dtype=dtype)
    with pytest.raises(ValueError, match=r"null in 2 of 4 rows \(first: row 1\)"):
        assign_many(column, made())


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2]),
        pd.Series([1, 2], dtype="Int8"),
        pd.Series([b"a"]),
        pd.Series([["a"]]),
        pd.Series(["a", 1]),
        pd.Series(pd.date_range("2013-07-01", periods=2)),
        pd.Series([1, 2], dtype="category"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_a_column_that_holds_something_else_is_refused(column):
    with pytest.raises(ValueError, match="no text"):
        assign_many(column, made())


def test_an_empty_column_gives_an_empty_one_and_a_list_is_refused():
    empty = assign_many(pd.Series([], dtype=object), made())
    assert empty.empty and empty.dtype == object
    for other in (["a"], pd.DataFrame({"a": ["b"]}), "a", None):
        with pytest.raises(ValueError, match="Give a Series"):
            assign_many(other, made())


# --- the experiment -------------------------------------------------------------------

BAD = [
    ({"name": ""}, "the name of an experiment is ''"),
    ({"name": None}, "the name of an experiment is None"),
    ({"name": "a|b"}, r"'a\|b'. Leave out '\|'"),
    ({"name": " a"}, "blank ends"),
    ({"salt": "a|b"}, "'b_warns': salt is"),
    ({"salt": None}, "'b_warns': salt is None"),
    ({"weights": {"a": 0.5, "b": 0.4}}, "'b_warns': the weights add up to 0.9, not"),
    ({"weights": {"a": 1, "b": 1}}, "add up to 2, not to 1"),
    ({"weights": {"a": 0.5, "b": float("nan")}}, "the weight of 'b' is nan"),
    ({"weights": {"a": 0.5, "b": float("inf")}}, "the weight of 'b' is inf"),
    ({"weights": {"a": 1.0, "b": 0.0}}, "weight of 'b' is 0, so that nobody"),
    ({"weights": {"a": 1.5, "b": -0.5}}, "the weight of 'b' is -0.5"),
    ({"weights": {"a": "half", "b": 0.5}}, "the weight of 'a' is 'half'"),
    ({"weights": {"a": True, "b": 0.5}}, "the weight of 'a' is True"),
    ({"weights": {"a": 10**400, "b": 0.5}}, "the weight of 'a' is inf"),
    ({"weights": {"a": 1.0}}, r"has 1 arms \(a\)"),
    ({"weights": {}}, r"has 0 arms \(none\)"),
    ({"weights": None}, "weights is None. Give a mapping"),
    ({"weights": [0.5, 0.5]}, "Give a mapping"),
    ({"weights": {"": 0.5, "b": 0.5}}, "the name of an arm is ''"),
    ({"weights": {None: 0.5, "b": 0.5}}, "the name of an arm is None"),
    ({"control": "c"}, "control is 'c', an unknown arm. It has: control, treatment"),
    ({"traffic": 1.1}, "traffic is 1.1. A share"),
    ({"traffic": float("nan")}, "traffic is nan"),
    ({"traffic": "all"}, "traffic is 'all'"),
    ({"holdout": -0.1}, "holdout is -0.1"),
    ({"slots": (0, 500)}, "but no layer"),
    ({"layer": "x", "slots": (500, 500)}, r"slots is \(500, 500\)"),
    ({"layer": "x", "slots": (0, 1001)}, r"slots is \(0, 1001\)"),
    ({"layer": "x", "slots": (0.0, 500.0)}, "slots is"),
    ({"layer": "x", "slots": None}, "slots is None"),
    ({"layer": None}, "layer is None"),
    ({"segments": {"tail": ["N1"]}}, "no segment by 'tail', only by carrier"),
    ({"segments": {"origin": ["LHR"]}}, "no origin is 'LHR': an unknown segment"),
    ({"segments": {"origin": "JFK"}}, "by origin is 'JFK'. Give a list"),
    ({"segments": {"origin": []}}, r"by origin is \[\]"),
    ({"segments": {"distance": (1,)}}, "Give .from, below."),
    ({"segments": {"distance": (9, 9)}}, "distance from 9 to below 9 is empty"),
    ({"segments": {"distance": (0, float("nan"))}}, "distance is nan"),
    ({"segments": ["origin"]}, "segments is .*Give a mapping"),
    ({"guardrails": {"latency_ms": 0}}, "the margin of latency_ms is 0"),
    ({"guardrails": {"latency_ms": float("nan")}}, "margin of latency_ms is nan"),
    ({"primary": ""}, "primary is ''"),
    ({"units_per_arm": 0}, "units_per_arm is 0"),
    ({"units_per_arm": 10.5}, "units_per_arm is 10.5"),
    ({"start": "2013-02-30"}, "start is '2013-02-30', no date"),
    ({"start": pd.Timestamp("2013-07-01")}, "without a time of day"),
    ({"start": "2013-07-02", "end": "2013-07-01"}, "ends on 2013-07-01, before"),
]


@pytest.mark.parametrize(("fields", "message"), BAD, ids=[str(bad) for bad, _ in BAD])
def test_an_experiment_that_cannot_be_is_refused_by_name(fields, message):
    with pytest.raises(ValueError, match=message):
        made(**fields)


def test_an_experiment_needs_two_arguments_and_says_the_rest():
    one = Experiment(name="b_warns", weights=HALVES)
    assert one.salt == "b_warns" and one.control == "control" and one.traffic == 1
    assert Experiment("x", {"b": 0.5, "a": 0.5}).control == "a"
    assert one.arms == ("control", "treatment")
    thirds = Experiment("x", {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert len(thirds.arms) == 3
    numbers = Experiment("x", {"a": np.float32(0.5), "b": np.float64(0.5)})
    assert all(type(share) is float for share in numbers.weights.values())


def test_an_experiment_does_not_follow_the_dict_that_it_was_made_from():
    weights = dict(HALVES)
    one = made(weights=weights)
    weights["control"] = 0.9
    assert one.weights == HALVES
    assert {one: 1}[made()] == 1


def test_an_experiment_runs_from_its_first_to_its_last_day():
    one = made(start="2013-07-01", end=date(2013, 7, 28))
    days = [date(2013, 6, 30), date(2013, 7, 1), date(2013, 7, 28), date(2013, 7, 29)]
    assert [one.runs_on(day) for day in days] == [False, True, True, False]
    assert made().runs_on(date(1900, 1, 1))
