"""What users hand over by mistake or on purpose, and the sentence that each gets."""

import numpy as np
import pytest
from flightline import training
from flightline.features import NUMERIC
from labkit import data
from random_table import random_table

LATE = np.array([0.0, 0.0, 1.0, 1.0])
METRICS = (training.auc, training.log_loss, training.calibration_error)


# --- calibration


@pytest.fixture(scope="module")
def calibrated():
    """Return logits, labels drawn from them, and the slope and bias that fit."""
    rng = np.random.default_rng(0)
    logit = rng.normal(size=5000)
    late = (rng.random(5000) < 1 / (1 + np.exp(-logit))).astype(float)
    return logit, late, training.calibrate(logit, late)


@pytest.mark.parametrize("scale", [1e-6, 0.3, 3.0, -3.0, 40.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, 5.0, -60.0])
def test_calibration_undoes_any_scale_and_shift(scale, shift, calibrated):
    logit, late, (slope, bias) = calibrated
    found, offset = training.calibrate(scale * (logit + shift), late)
    assert found * scale == pytest.approx(slope, rel=1e-6)
    assert offset + found * scale * shift == pytest.approx(bias, abs=1e-4)


@pytest.mark.parametrize(
    ("logit", "late", "told"),
    [
        ([0.1, 0.2, 0.3, 0.4], [1, 1, 1, 1], "one class"),
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], "separate the classes"),
        ([0.4, 0.3, 0.2, 0.1], [0, 0, 1, 1], "separate the classes"),
        ([0.1, 0.2, 0.2, 0.3], [0, 0, 1, 1], "separate the classes"),
        ([0.2, 0.2, 0.2, 0.2], [0, 1, 0, 1], "all scores are equal"),
        ([0.1, np.nan, 0.3, 0.4], [0, 1, 0, 1], "finite"),
        ([0.1, np.inf, 0.3, 0.4], [0, 1, 0, 1], "finite"),
        ([0.1, 0.2, 0.3, 0.4], [0, 2, 0, 1], "between 0 and 1"),
        ([0.1, 0.2, 0.3, 0.4], [0, np.nan, 0, 1], "between 0 and 1"),
        ([], [], "one of each"),
        ([0.1, 0.2], [1.0], "one of each"),
    ],
)
def test_what_cannot_be_calibrated_is_said(logit, late, told):
    with pytest.raises(ValueError, match=told):
        training.calibrate(np.array(logit), np.array(late, float))


def test_soft_labels_are_calibrated_as_numbers(calibrated):
    logit, _, _ = calibrated
    chance = 1 / (1 + np.exp(-(0.5 * logit - 1)))
    assert training.calibrate(logit, chance) == pytest.approx((0.5, -1), abs=1e-6)


def test_training_rows_of_one_class_are_refused():
    table = random_table(40).assign(late=True)
    for kind in ("constant", "logistic", "lightgbm"):
        with pytest.raises(ValueError, match="class"):
            training.fit(kind, table, table)


# --- metrics and intervals


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"score": [0.2, 0.4, np.nan, np.nan]}, "score is NaN in 2 of 4"),
        ({"late": [0, 1, np.nan, 1]}, "late is NaN in 1 of 4"),
        ({"late": [1, 2, 1, 2]}, "late holds 2, outside 0 to 1"),
        ({"late": [-1, 1, -1, 1]}, "late holds -1"),
        ({"weight": [1, np.nan, 1, 1]}, "weight is NaN"),
        ({"weight": [1, -1, 1, 1]}, "weight holds -1"),
        ({"late": [0, 1]}, "one value a row"),
        ({"score": [], "late": [], "weight": []}, "no row"),
    ],
)
def test_metrics_refuse_what_they_cannot_judge(metric, change, told):
    given = {"score": [0.1, 0.4, 0.35, 0.8], "late": LATE, "weight": np.ones(4)}
    given = {name: np.array(v, float) for name, v in {**given, **change}.items()}
    with pytest.raises(ValueError, match=told):
        metric(**given)


def test_a_logit_is_no_probability():
    logit = np.array([-2.0, 0.1, 0.4, 3.0])
    assert training.auc(logit, LATE) == 1
    for metric in METRICS[1:]:
        with pytest.raises(ValueError, match="score holds -2, outside 0 to 1"):
            metric(logit, LATE)


def test_soft_labels_count_as_parts_of_a_flight():
    """A label of 0.25 is one late flight and three punctual ones of the same score."""
    score, soft = np.array([0.2, 0.6, 0.9]), np.array([0.25, 0.5, 1.0])
    hard = np.array([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1], float)
    for metric in METRICS[:2]:
        found = metric(score, soft)
        assert found == pytest.approx(metric(np.repeat(score, 4), hard))


def test_one_class_has_no_auc():
    assert np.isnan(training.auc(np.array([0.1, 0.2]), np.ones(2)))
    with pytest.raises(ValueError, match="NaN in a draw"):
        training.interval(training.auc, LATE / 2, LATE, np.array([0, 0, 1, 1]))


def test_days_need_no_order_and_no_gapless_numbers():
    rng = np.random.default_rng(1)
    day, late = np.repeat(np.arange(20), 30), rng.integers(0, 2, 600).astype(float)
    score = rng.random(600)
    expected = training.interval(training.auc, score, late, day)
    assert training.interval(training.auc, score, late, day * 7 + 100) == expected
    with pytest.raises(ValueError, match="name a day for each"):
        training.interval(training.auc, score, late, day[:5])
    with pytest.raises(ValueError, match="at least two"):
        training.interval(training.auc, score, late, day, draws=1)


# --- the table


@pytest.mark.parametrize("dtype", ["boolean", "int8", "Int64", "float32", "object"])
def test_labels_of_any_dtype(dtype):
    table = random_table(20)
    expected = training.labels(table)
    assert np.array_equal(training.labels(table.astype({"late": dtype})), expected)


def test_labels_that_are_none():
    table = random_table(4)
    with pytest.raises(ValueError, match="late holds 2"):
        training.labels(table.assign(late=[0, 1, 2, 1]))
    with pytest.raises(ValueError, match="missing in 1 rows"):
        training.labels(table.assign(late=[True, None, False, True]))
    with pytest.raises(ValueError, match="no number"):
        training.labels(table.assign(late=["yes", "no", "no", "yes"]))


@pytest.mark.parametrize("dtype", ["float32", "Float64", "object"])
def test_the_transform_reads_any_dtype_and_any_index(dtype):
    table = random_table(30)
    transform = training.Transform.fit(table)
    odd = table.copy()
    odd[NUMERIC] = table[NUMERIC].astype(np.float32).astype(dtype)
    odd.loc[3, "temp"] = None
    odd["carrier"] = odd["carrier"].astype("category")
    odd.index = np.zeros(30, int)
    expected = table.astype(dict.fromkeys(NUMERIC, np.float32))
    expected.loc[3, "temp"] = np.nan
    assert np.array_equal(transform.numbers(odd), transform.numbers(expected))
    assert np.array_equal(transform.codes(odd), transform.codes(expected))


def test_a_column_of_nulls_and_an_infinite_number():
    table = random_table(30)
    empty = training.Transform.fit(table.assign(gust=np.nan))
    assert empty == training.Transform.from_json(empty.to_json())
    assert (empty.numbers(table)[:, NUMERIC.index("gust")] == 0).all()
    with pytest.raises(ValueError, match="gust is infinite"):
        training.Transform.fit(table.assign(gust=np.inf))
    with pytest.raises(ValueError, match="there is none"):
        training.Transform.fit(table.head(0))


@pytest.mark.parametrize("months", [[], [0], [13]])
def test_months_that_are_none(months):
    with pytest.raises(ValueError, match="each from 1 to 12"):
        training.load_table(data.DATA_DIR, months)


# --- slices and the gate


@pytest.mark.parametrize("days", [1, 2, 5, 9])
def test_slices_of_few_days_are_not_named(days):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        late, day = (rng.random(50) < 0.5).astype(float), np.arange(50) % days
        scores, slices = rng.uniform(0.3, 0.7, (2, 50)), np.repeat("X", 50)
        assert training.worse_slices(*scores, late, day, slices) == []


def test_equal_models_are_called_worse_at_the_stated_rate():
    """16 carriers, 30 days that share their luck, no difference: at most 1 in 20."""
    named, rounds = 0, 200
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        day, carrier = np.divmod(np.arange(30 * 16 * 5) // 5, 16)
        late = (rng.random(len(day)) < 0.3).astype(float)
        luck = rng.normal(0, 0.05, 30)[day] + rng.normal(0, 0.05, len(day))
        champion, challenger = 0.4 + luck, 0.4 - luck
        slices = carrier.astype(str)
        named += bool(training.worse_slices(challenger, champion, late, day, slices))
    assert named <= 0.05 * rounds


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"challenger": [0.1, np.nan]}, "challenger holds NaN"),
        ({"late": [0.0, 2.0]}, "late holds"),
        ({"champion": [0.5]}, "champion has the shape"),
    ],
)
def test_slices_refuse_what_they_cannot_judge(change, told):
    given = {"challenger": [0.1, 0.2], "champion": [0.1, 0.2], "late": [0.0, 1.0]}
    given |= {"day": [0, 1], "slices": ["a", "a"]}
    with pytest.raises(ValueError, match=told):
        training.worse_slices(**(given | change))
    with pytest.raises(ValueError, match="no noise to judge by"):
        training.worse_slices(**given, least_days=1)


def test_certain_scores_and_rows_without_a_slice():
    late, day = np.tile([0.0, 1.0], 20), np.repeat(np.arange(20), 2)
    slices = np.array(["a", None] * 20, object)
    sure = 1 - late
    assert training.worse_slices(sure, late * 0 + 0.5, late, day, slices) == ["a"]
    assert training.worse_slices(sure, late, late, day, [None] * 40) == []
