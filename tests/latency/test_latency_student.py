"""The student: it learns what the teacher says, and refuses what says nothing."""

import numpy as np
import pytest
import torch
from flightline import latency, training
from labkit.data import MODELS
from random_rows import random_rows


@pytest.fixture(scope="module")
def fp32():
    return training.load_model(MODELS, "delay_mlp")


def test_a_student_learns_soft_targets(fp32):
    rows = random_rows(1500, seed=3)
    soft = fp32.predict(rows)
    settings_ = {"hidden": (16,), "epochs": 12, "batch": 128}
    one = latency.fit_student(fp32.transform, rows, soft, **settings_)
    fresh = random_rows(500, seed=4)
    assert np.corrcoef(one.predict(fresh), fp32.predict(fresh))[0, 1] > 0.8
    assert (one.kind, one.precision) == ("mlp", "fp32")
    assert len(one.content) < len(fp32.content) / 5


def test_a_student_is_the_same_twice_and_takes_no_chance_of_the_caller(fp32):
    rows = random_rows(200, seed=3)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, two = (
        latency.fit_student(fp32.transform, rows, fp32.predict(rows), epochs=1)
        for _ in range(2)
    )
    assert torch.equal(torch.rand(3), expected)
    assert one.content == two.content


@pytest.mark.parametrize(
    ("target", "options", "word"),
    [
        ([0.5] * 3, {}, r"shape \(3,\), and the table 4 rows"),
        ([[0.5]] * 4, {}, "one target for each"),
        ([0.5, np.nan, 0.5, 1.5], {}, "2 of 4 targets are missing"),
        ([0.5] * 4, {"epochs": 0}, "epochs=0"),
        ([0.5] * 4, {"batch": 0}, "batch=0"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused(fp32, target, options, word):
    with pytest.raises(ValueError, match=word):
        latency.fit_student(fp32.transform, random_rows(4), target, **options)


def test_a_student_needs_a_row(fp32):
    with pytest.raises(ValueError, match="at least one row"):
        latency.fit_student(fp32.transform, random_rows(4).head(0), [])
