"""Labels that may be used, and the rates of `worse` in short periods."""

import numpy as np
import pandas as pd
import pytest
from flightline import drift


def scored(days, seed, rows=40, first=0, shift=0.0, flat=1.0, law=(2, 6)):
    """Return rows of a model; without a shift, and not flat, its scores are true."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(first, first + days), rows)
    score = rng.beta(*law, len(day))
    odds = np.log(score / (1 - score)) + 1.1
    true = 1 / (1 + np.exp(1.1 - odds * flat))
    late = rng.random(len(day)) < np.clip(true + shift, 0, 1)
    return pd.DataFrame({"date": day, "score": score, "late": late})


def rates(before, after, runs=60):
    """Return how often each metric is found worse."""
    found = [
        drift.worse(before(2 * k), after(2 * k + 1), base_rate=0.25)["found"]
        for k in range(runs)
    ]
    return pd.DataFrame(found).mean()


@pytest.mark.parametrize(
    ("days", "rows"), [((60, 7), 40), ((7, 7), 40), ((30, 10), 20), ((30, 8), 5)]
)
def test_worse_keeps_its_rate_in_short_periods(days, rows):
    found = rates(
        lambda seed: scored(days[0], seed), lambda seed: scored(days[1], seed, rows)
    )
    assert (found <= 0.1).all(), found


def test_a_calibrated_model_on_other_scores_is_not_called_uncalibrated():
    found = rates(
        lambda seed: scored(30, seed), lambda seed: scored(10, seed, law=(4, 4)), 40
    )
    assert found[["gap", "calibration_error"]].max() <= 0.1


def test_worse_finds_what_is_worse():
    found = rates(
        lambda seed: scored(28, seed, 100),
        lambda seed: scored(7, seed, 100, shift=0.15),
        20,
    )
    assert found[["gap", "calibration_error", "log_loss"]].min() >= 0.9
    flat = rates(
        lambda seed: scored(28, seed, 100),
        lambda seed: scored(7, seed, 100, flat=0.2),
        20,
    )
    assert flat[["auc", "calibration_error", "skill"]].min() >= 0.9


def test_a_calibration_error_of_few_rows_has_no_verdict():
    change = drift.worse(scored(30, 0), scored(7, 1, 5, shift=0.6), base_rate=0.25)
    row = change.loc["calibration_error"]
    assert np.isnan(row["low"]) and not row["found"] and change.loc["gap", "found"]


@pytest.mark.parametrize("days", [7, 30])
def test_intervals_cover_at_their_level(days):
    truth = 0.0
    kept = 0
    for seed in range(80):
        row = drift.performance(scored(days, seed), base_rate=0.25).loc["gap"]
        kept += row["low"] <= truth <= row["high"]
    assert kept >= 70


@pytest.mark.parametrize(
    "labels", [(1, 2), (0, 2), (-1, 1), (0.0, 0.5), ("no", "yes"), ("0", "1")]
)
def test_other_labels_are_refused(labels):
    table = scored(10, 0)
    table["late"] = table["late"].map(dict(zip((False, True), labels, strict=True)))
    for call in (drift.performance, lambda t, **k: drift.worse(t, t, **k)):
        with pytest.raises(ValueError, match=r"'late' holds .*null"):
            call(table, base_rate=0.25)


@pytest.mark.parametrize(
    "kind", ["bool", "boolean", "int8", "Int64", "float32", "Float64", object]
)
def test_labels_of_any_type_give_one_answer(kind):
    table = scored(10, 0)
    expected = drift.performance(table, base_rate=0.25)
    found = drift.performance(
        table.assign(late=table["late"].astype(kind)), base_rate=0.25
    )
    pd.testing.assert_frame_equal(found, expected)


def test_nan_and_na_labels_are_both_left_out():
    table = scored(10, 0).assign(late=lambda t: t["late"].astype("Float64"))
    zero = table["late"] * 0
    none = pd.Series(pd.NA, table.index, dtype="Float64")
    holes = [table, table.assign(late=zero / zero), table.assign(late=none)]
    expected = drift.performance(table, base_rate=0.25)
    pd.testing.assert_frame_equal(
        drift.performance(pd.concat(holes), base_rate=0.25), expected
    )


@pytest.mark.parametrize("base_rate", [0, 1, np.nan, -0.1])
def test_a_certain_base_rate_is_refused(base_rate):
    with pytest.raises(ValueError, match="base_rate"):
        drift.performance(scored(10, 0), base_rate=base_rate)


@pytest.mark.parametrize("name", ["score", "late", "date"])
def test_a_missing_column_is_named(name):
    with pytest.raises(ValueError, match=f"'{name}' is missing"):
        drift.performance(scored(10, 0).drop(columns=name), base_rate=0.25)
