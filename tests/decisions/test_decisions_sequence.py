"""The confidence sequence: its formula, its coverage at all times, its width."""

import numpy as np
import pandas as pd
import pytest
from flightline import decisions
from scipy.special import lambertw


def misses(values, **options):
    """Return the share of runs whose mean of 0 lies outside at any time."""
    low, high = decisions.confidence_sequence(values, **options)
    return ((low > 0) | (high < 0)).any(axis=-1).mean()


def test_formula_by_hand():
    wide = decisions.sequence_bounds([14.0])[0]
    r = 14 / (-lambertw(-(0.05**2) / np.e, -1).real - 1)
    by_hand = np.sqrt((14 + r) * np.log((14 + r) / (0.05**2 * r)) / 14)
    assert wide == pytest.approx(by_hand, rel=1e-12)


def test_width_relative_to_the_fixed_interval():
    ratio = decisions.sequence_bounds([14, 92]) / 1.959964
    assert ratio == pytest.approx([1.55, 1.63], abs=5e-3)


def test_narrowest_where_it_is_tuned():
    counts = np.arange(1, 400)
    for best in (7, 14, 100):
        wide = decisions.sequence_bounds(counts, best_at=best)
        assert abs(counts[wide.argmin()] - best) <= 1


def test_coverage_with_known_variance():
    rng = np.random.default_rng(2)
    values = rng.standard_normal((4_000, 1_000))
    missed = misses(values, sd=1.0)
    assert 0.01 < missed < 0.05
    estimate = values.cumsum(axis=1) / np.arange(1, 1001)
    peeks = np.abs(estimate) * np.sqrt(np.arange(1, 1001)) > 1.96
    assert peeks.any(axis=1).mean() > 0.4


def test_coverage_with_estimated_variance_needs_a_burn_in():
    rng = np.random.default_rng(3)
    days = rng.standard_normal((4_000, 28))
    assert misses(days, burn_in=2) > 0.15
    assert 0.03 < misses(days, burn_in=7) < 0.07
    assert misses(days) < 0.035
    long = rng.standard_normal((4_000, 500))
    assert misses(long, burn_in=7) > 0.06
    assert misses(long) < 0.06


def test_intervals_are_nested_around_the_mean():
    values = np.random.default_rng(4).normal(5, 2, 300)
    low, high = decisions.confidence_sequence(values)
    means = values.cumsum() / np.arange(1, 301)
    inside = np.isfinite(low)
    assert np.allclose((low[inside] + high[inside]) / 2, means[inside])
    assert inside.tolist() == [False] * 13 + [True] * 287
    assert high[-1] - low[-1] < high[20] - low[20]
    wider = decisions.confidence_sequence(values, 0.01)
    assert (wider[0][13:] < low[13:]).all()


def test_rows_are_experiments():
    values = np.random.default_rng(5).standard_normal((3, 20))
    low, high = decisions.confidence_sequence(values)
    for row in range(3):
        alone = decisions.confidence_sequence(values[row])
        assert np.allclose(alone[0], low[row]) and np.allclose(alone[1], high[row])


@pytest.mark.parametrize("factor, shift", [(1e130, 0), (1e-150, 0), (1, 1e6)])
def test_scale_and_shift(factor, shift):
    values = np.random.default_rng(6).standard_normal(40)
    low, high = decisions.confidence_sequence(values)
    moved = decisions.confidence_sequence(values * factor + shift)
    assert np.allclose(moved[0][13:], low[13:] * factor + shift, rtol=1e-6)
    assert np.allclose(moved[1][13:], high[13:] * factor + shift, rtol=1e-6)


@pytest.mark.parametrize(
    "kind", ["Float32", "float[pyarrow]", "int8", "object", "list"]
)
def test_kinds_of_numbers(kind):
    numbers = [1, 5, 2, 8, 3, 9, 4, 7, 2, 1, 6, 5, 4, 2, 9]
    values = numbers if kind == "list" else pd.Series(numbers).astype(kind)
    expected = decisions.confidence_sequence(np.array(numbers, float))
    assert np.allclose(decisions.confidence_sequence(values), expected)


def test_equal_values_at_first_say_nothing_yet():
    values = [0.1] * 10 + [0.3, 0.2, 0.4]
    low, high = decisions.confidence_sequence(values, burn_in=5)
    assert np.isinf(low[:10]).all() and np.isfinite(low[10:]).all()
    assert (high[10:] > low[10:]).all()


def test_fewer_values_than_the_burn_in_say_nothing():
    low, high = decisions.confidence_sequence([1.0, 2.0])
    assert np.isneginf(low).all() and np.isposinf(high).all()


@pytest.mark.parametrize(
    "values, options, said",
    [
        ([], {}, "give a value a day"),
        (3.0, {}, "give a value a day"),
        ([0.1] * 30, {}, "no variance"),
        ([[1, 2] * 9, [3, 3] * 9], {}, "no variance"),
        ([1.0, np.nan, 2.0], {}, "1 of 3 values"),
        ([1.0, np.inf], {}, "first: inf at position 1"),
        (pd.array([1, None, 2], dtype="Int64"), {}, "1 of 3 values"),
        (["1", "2"], {}, "something else than numbers"),
        (pd.Series([True, False]), {}, "something else than numbers"),
        ({1: 2}, {}, "a dict"),
        (pd.DataFrame({"a": [1.0]}), {}, "a table"),
        ([[1.0], [1.0, 2.0]], {}, "something else than numbers"),
        ([1e300, -1e300], {}, "which unit"),
        (np.ma.masked_array([1.0, 2.0], [0, 1]), {}, "1 of 2 values"),
        ([10**400], {}, "something else than numbers"),
        ([1.0, 2.0], {"alpha": 0}, "alpha=0"),
        ([1.0, 2.0], {"alpha": 1.5}, "alpha=1.5"),
        ([1.0, 2.0], {"sd": 0}, "sd=0"),
        ([1.0, 2.0], {"sd": -1}, "sd=-1"),
        ([1.0, 2.0], {"burn_in": 1}, "burn_in=1"),
        ([1.0, 2.0], {"best_at": 0.5}, "best_at=0.5"),
    ],
)
def test_refused(values, options, said):
    with pytest.raises(ValueError, match=said):
        decisions.confidence_sequence(values, **options)


def test_counts_start_at_one():
    with pytest.raises(ValueError, match="starts at 1"):
        decisions.sequence_bounds([0, 1])
