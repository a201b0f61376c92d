"""What callers send by mistake: a named error of our own, or a number that is right."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from flightline import experiments
from flightline.experiments import Experiment

HALVES = {"a": 0.5, "b": 0.5}
ONE = Experiment("x", HALVES)
NO_NUMBERS = ["1", None, pd.NA, Decimal(1), 1j, True, [1.0, 2.0], math.nan]


# --- plans ----------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", NO_NUMBERS, ids=repr)
@pytest.mark.parametrize("name", ["effect", "sd", "alpha", "power", "design_effect"])
def test_a_plan_of_something_else_than_numbers_is_refused_by_name(name, wrong):
    plan = {"effect": 0.01, "sd": 0.3, name: wrong}
    with pytest.raises(ValueError, match=rf"^{name} is .*must be a .*number"):
        experiments.sample_size(**plan)


@pytest.mark.parametrize("wrong", NO_NUMBERS, ids=repr)
def test_units_and_days_that_are_no_numbers_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=r"^units is "):
        experiments.power_of(effect=1, sd=1, units=wrong)
    with pytest.raises(ValueError, match=r"^daily is "):
        experiments.duration(10, daily=wrong)
    with pytest.raises(ValueError, match=r"^before is "):
        experiments.proportion_size(before=wrong, after=0.1)


def test_a_duration_that_no_float_holds_is_refused():
    with pytest.raises(ValueError, match="take for ever"):
        experiments.duration(10**300, daily=1e-300)


@pytest.mark.parametrize("wrong", ["x", None, pd.NA, math.nan], ids=repr)
def test_an_alpha_that_is_no_number_is_refused_wherever_there_is_an_interval(wrong):
    treated, control = [1.0, 2, 4], [1.0, 3, 5]
    pairs = np.array([[1.0, 2], [2, 3], [1, 4]])
    flags = [True, False] * 3
    calls = [
        lambda: experiments.mean_effect(treated, control, wrong),
        lambda: experiments.ratio_effect(pairs, pairs, wrong),
        lambda: experiments.shadow_effect(treated, control, alpha=wrong),
        lambda: experiments.clustered_effect(
            treated + control, flags, range(6), alpha=wrong
        ),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^alpha is .*must be a .*number"):
            call()


# --- assignment and configuration -----------------------------------------------------


@pytest.mark.parametrize("wrong", [HALVES, None, "x"], ids=repr)
def test_what_is_no_experiment_is_refused_by_name(wrong):
    for call in (
        lambda: experiments.assign("u", wrong),
        lambda: experiments.assign_many(pd.Series(["u"]), wrong),
    ):
        with pytest.raises(ValueError, match=r"^experiment is a .*Experiment\(name"):
            call()


@pytest.mark.parametrize("wrong", [ONE, ({"name": "x"},), None, "x"], ids=type)
def test_a_configuration_of_something_else_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match=r"^experiments is a .*tuple of Experiment"):
        experiments.Config(wrong)


@pytest.mark.parametrize("wrong", [None, b"{}", {}], ids=repr)
def test_a_document_that_is_no_text_is_refused(wrong):
    with pytest.raises(ValueError, match="no text of a document"):
        experiments.from_json(wrong)


def test_a_moment_in_the_place_of_a_day_is_refused():
    begun = Experiment("x", HALVES, start="2013-07-01")
    arms_of = experiments.assignment_function(
        experiments.Config((begun,)), today=lambda: datetime(2013, 7, 2, tzinfo=UTC)
    )
    with pytest.raises(ValueError, match=r"'x': day is .*without a time of day"):
        arms_of("u", {})
    assert begun.runs_on(date(2013, 7, 2)) and not begun.runs_on(date(2013, 6, 30))


# --- sample ratio ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "total"),
    [({"a": 0.5, "b": 0.6}, "1.1"), ({"a": 0.5, "b": 0.3}, "0.8")],
)
def test_parts_that_do_not_add_up_are_refused(weights, total):
    for pvalue in (experiments.srm_pvalue, experiments.srm_exact):
        with pytest.raises(ValueError, match=f"add up to {total}, not to 1"):
            pvalue({"a": 50, "b": 60}, weights)


@pytest.mark.parametrize("unit", [1, 2, 100, 1e-5])
def test_parts_of_one_and_whole_numbers_say_the_same(unit):
    counts, parts = {"a": 500, "b": 560}, {"a": 0.5, "b": 0.5}
    whole = {"a": max(unit, 1), "b": max(unit, 1)}
    found = experiments.srm_pvalue(counts, whole)
    assert found == pytest.approx(experiments.srm_pvalue(counts, parts))
    rounded = {"a": 0.333333, "b": 0.666666}  # as a file writes them
    assert 0 < experiments.srm_pvalue({"a": 33, "b": 67}, rounded) <= 1


# --- numbers at the edge of a float ---------------------------------------------------


def test_cuped_keeps_the_mean_whatever_the_offset_of_the_covariate():
    random = np.random.default_rng(0)
    before = np.round(4 * random.normal(size=50))
    values = before + random.normal(size=50)
    plain = experiments.cuped(values, before)
    far = experiments.cuped(values, before + 1e15)  # such as a time in nanoseconds
    assert far == pytest.approx(plain, abs=1e-9)
    assert far.mean() == pytest.approx(values.mean(), abs=1e-12)


def test_a_ratio_that_is_too_large_to_square_is_refused_by_name():
    huge = np.array([[1e139, 1e-140], [2e139, 3e-140], [1e139, 2e-140]])
    with pytest.raises(ValueError, match=r"treated's ratio is .*too large to square"):
        experiments.ratio_effect(huge, huge)


# --- times ----------------------------------------------------------------------------


def events():
    """Return an exposure, and an outcome that happened before it."""
    start, before = (pd.Timestamp(f"2013-07-0{day}", tz="UTC") for day in (2, 1))
    seen = {"unit_id": ["u"], "arm": ["a"], "event_time": [start]}
    told = {"unit_id": ["u"], "metric": ["m"], "value": [1.0], "event_time": [before]}
    exposures, outcomes = pd.DataFrame(seen), pd.DataFrame(told)
    exposures["available_at"] = outcomes["available_at"] = start
    return exposures, outcomes


def test_an_outcome_before_the_exposure_is_counted_and_not_used():
    now = datetime(2013, 7, 9, tzinfo=UTC)
    found = experiments.joined(*events(), now=now, maturity="12h")
    assert found.outside == 1 and found.units["m"].isna().all()


@pytest.mark.parametrize("maturity", ["abc", "", "100000000D", 12, None, "-1h"])
def test_a_maturity_that_is_no_time_is_refused_by_name(maturity):
    now = datetime(2013, 7, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"^maturity is .*such as '12h'"):
        experiments.joined(*events(), now=now, maturity=maturity)


@pytest.mark.parametrize("now", ["soon", "2013-07-09", 5, None, date(2013, 7, 9)])
def test_a_now_that_is_no_moment_is_refused_by_name(now):
    with pytest.raises(ValueError, match=r"^now is .*Give it in UTC"):
        experiments.joined(*events(), now=now, maturity="12h")


def test_one_metric_instead_of_a_list_of_them_is_refused():
    now = datetime(2013, 7, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"metrics is 'm'. Give a list"):
        experiments.joined(*events(), now=now, maturity="12h", metrics="m")


def test_what_is_no_table_is_refused_by_name():
    exposures, outcomes = events()
    now = datetime(2013, 7, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"^exposures is a NoneType. Give a DataFrame"):
        experiments.joined(None, outcomes, now=now, maturity="12h")
    with pytest.raises(ValueError, match=r"^outcomes is a list. Give a DataFrame"):
        experiments.joined(exposures, [], now=now, maturity="12h")
    with pytest.raises(ValueError, match=r"^table is a dict. Give a DataFrame"):
        experiments.report(ONE, {})
