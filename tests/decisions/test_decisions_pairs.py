"""Pairs of policies: the truth is what many experiments find on average."""

import numpy as np
import pandas as pd
import pytest
from labkit.decisions import pairs


@pytest.fixture(scope="module")
def replay():
    """Return 30 made-up days of a replay whose full score knows more."""
    rng = np.random.default_rng(3)
    rows = 6_000
    day = np.sort(rng.integers(30, size=rows))
    truth = np.clip(0.25 + 0.2 * rng.standard_normal(rows), 0.01, 0.99)
    return pd.DataFrame(
        {
            "day": [f"07-{number + 1:02d}" for number in day],
            "late": rng.random(rows) < truth,
            "score_a": 0.5 * truth + 0.5 * 0.25,
            "score_b": truth,
        }
    )


@pytest.fixture(scope="module")
def earned(replay):
    return pairs.rewards(replay)


def test_truth_is_the_mean_of_the_days(earned):
    found = {pair.name: pair.effect for pair in pairs.known(earned)}
    by_day = earned.groupby(level="day").mean().mean()
    assert len(found) == len(pairs.CHANGES)
    assert found["timetable -> full"] == by_day["full"] - by_day["timetable"]
    assert found["timetable -> full"] == -found["full -> timetable"]
    assert found["full -> full"] == 0


def test_kinds_follow_from_effects(earned):
    known = pairs.known(earned)
    kinds = [pairs.KINDS.index(pair.kind) for pair in known]
    assert kinds == sorted(kinds)
    assert all((pair.kind == "nil") == (abs(pair.effect) < 0.0002) for pair in known)
    assert all((pair.effect < 0) == (pair.kind == "negative") for pair in known[3:])


def test_experiments_find_the_truth_on_average(earned):
    known = pairs.known(earned)
    daily = pairs.experiments(earned, known, runs=400, days=14, seed=1)
    assert daily.shape == (len(known), 400, 14)
    error = daily.std(axis=(1, 2)) / np.sqrt(400 * 14)
    far = np.abs(daily.mean(axis=(1, 2)) - [pair.effect for pair in known]) / error
    assert far.max() < 4.5
    assert np.array_equal(daily, pairs.experiments(earned, known, 400, 14, seed=1))


def test_looks_are_running_means_and_errors():
    daily = np.array([[1.0, 3.0, 5.0]])
    means, errors = pairs.looks(daily)
    assert means.tolist() == [[1, 2, 3]]
    assert np.isnan(errors[0, 0])
    assert np.allclose(errors[0, 1:], [np.sqrt(2 / 2), 2 / np.sqrt(3)])


def test_table_names_each_pair(earned):
    table = pairs.table(pairs.known(earned))
    assert list(table) == ["control", "treated", "effect", "kind"]
    assert set(table["kind"]) <= set(pairs.KINDS)
