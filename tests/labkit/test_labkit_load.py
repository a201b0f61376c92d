"""labkit.load: what the two loops count, and what they refuse."""

import time

import numpy as np
import pytest
from labkit import load


def test_a_closed_loop_times_each_call() -> None:
    calls = []
    found = load.call_seconds(lambda: calls.append(time.sleep(0.002)), calls=5)
    assert len(calls) == 6, "one more, to warm up"
    assert len(found) == 5 and (found > 0.0019).all()


def test_an_open_loop_counts_the_wait() -> None:
    """Three requests at once: the third waits for two others."""
    found = load.open_loop(lambda: time.sleep(0.005), [0.0, 0.0, 0.0])
    assert (found > [0.0049, 0.0098, 0.0147]).all()
    assert (np.diff(found) > 0).all()


def test_an_open_loop_keeps_the_times() -> None:
    start = time.perf_counter()
    found = load.open_loop(lambda: None, [0.0, 0.05])
    assert time.perf_counter() - start > 0.049
    assert (found >= 0).all()


def test_no_requests_no_answers() -> None:
    assert len(load.open_loop(lambda: None, [])) == 0


@pytest.mark.parametrize("arrival_s", [[-1.0, 0.0], [1.0, 0.5]])
def test_times_that_cannot_be(arrival_s: list[float]) -> None:
    with pytest.raises(ValueError, match="arrival_s"):
        load.open_loop(lambda: None, arrival_s)


def test_no_calls() -> None:
    with pytest.raises(ValueError, match="calls"):
        load.call_seconds(lambda: None, calls=0)
