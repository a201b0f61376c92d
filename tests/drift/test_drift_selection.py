"""Values at places: the same as sorting, whatever the numbers look like."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.drift.selection import SLICES, at_places

ROWS = 5 * SLICES


def shapes(rng):
    """Return arrays on which a slice is empty, full, infinite or without width."""
    normal = rng.standard_normal(ROWS)
    some = rng.random(ROWS)
    return {
        "normal": normal,
        "few values": np.round(normal),
        "nearly constant": np.where(some < 0.995, 3.0, normal),
        "constant": np.full(ROWS, 3.0),
        "long tails": rng.standard_cauchy(ROWS) ** 3,
        "nulls": np.where(some < 0.4, np.nan, normal),
        "nothing known": np.full(ROWS, np.nan),
        "one known": np.where(np.arange(ROWS) == 7, 1.0, np.nan),
        "infinities": np.select([some < 0.3, some > 0.7], [-np.inf, np.inf], normal),
        "width overflows": np.where(some < 0.5, -1.7e308, 1.7e308),
        "below normal": normal * 1e-320,
        "far from zero": 1e9 + some * 1e-6,
        "sorted": np.sort(normal),
        "negative zeros": np.where(some < 0.5, -0.0, 0.0),
    }


@pytest.mark.parametrize("name", shapes(np.random.default_rng(0)))
def test_places_are_those_of_a_sort(name):
    rng = np.random.default_rng(1)
    values = shapes(rng)[name]
    places = np.unique(np.append(rng.integers(0, ROWS, 40), [0, ROWS - 1]))
    found = at_places(values, places)
    assert np.array_equal(found, np.sort(values)[places], equal_nan=True)


def test_places_need_no_order_and_may_repeat():
    values = np.random.default_rng(2).standard_normal(ROWS)
    places = np.array([9000, 5, 9000, 4, ROWS - 1, 6])
    assert np.array_equal(at_places(values, places), np.sort(values)[places])


def test_cuts_leave_nulls_out():
    values = np.random.default_rng(3).gamma(2, 3, ROWS)
    holes = np.insert(values, np.arange(0, ROWS, 3), np.nan)
    assert np.array_equal(drift.cut_points(holes, 10), drift.cut_points(values, 10))


def test_a_profile_does_not_follow_its_table():
    table = pd.DataFrame({"x": np.arange(30.0)})
    kept = drift.profile(table)
    first = drift.ks(kept, table + 5)
    table.loc[:, "x"] = -1.0
    assert (table["x"] == -1).all() and kept["x"].known.tolist() == list(range(30))
    pd.testing.assert_frame_equal(
        drift.ks(kept, pd.DataFrame({"x": np.arange(30.0) + 5})), first
    )
