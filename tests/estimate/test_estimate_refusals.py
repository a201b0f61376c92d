"""flightline.estimate under attack: texts, NaN, huge, negative and narrow numbers."""

import math
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from flightline import estimate
from flightline.estimate import Range

QUEUE = {"qps": 100, "service_s": 0.02, "servers": 4, "batch": 1}
CALLS: dict[str, dict[str, object]] = {
    "all_reduce_bytes": {"params": 1e6, "devices": 4, "bytes_each": 2},
    "best_batch": {
        "qps": 1000,
        "target_s": 0.2,
        "fixed_s": 0.01,
        "per_item_s": 0.002,
        "largest": 4,
        "quantile": 0.99,
        "peak": 1,
        "hit_rate": 0,
        "spare": 1,
    },
    "checkpoint_seconds": {"params": 1e9, "bandwidth_gb_s": 2},
    "cost_per_million_usd": {"servers": 3, "usd_per_hour": 2, "qps": 10},
    "cost_usd": {"machines": 3, "hours": 2, "usd_per_hour": 2},
    "fill_tail": {"t_s": 1, "qps": 3, "batch": 4},
    "fleet_size": {
        "qps": 1000,
        "service_s": 0.02,
        "target_s": 0.1,
        "quantile": 0.99,
        "batch": 1,
        "peak": 1,
        "hit_rate": 0,
        "spare": 1,
    },
    "flops_per_token": {"params": 1e6, "layers": 2, "width": 3, "seq_len": 4},
    "goodput": {
        "checkpoint_s": 10,
        "mtbf_s": 1000,
        "restart_s": 5,
        "interval_s": 100,
    },
    "kv_cache_bytes": {
        "tokens": 10,
        "layers": 2,
        "kv_heads": 2,
        "head_width": 8,
        "bytes_each": 2,
    },
    "late_share": {"t_s": 0.1, **QUEUE},
    "loader_gb_s": {"examples_per_step": 8, "example_bytes": 100, "step_s": 0.1},
    "longest_sequence": {
        "step_s": 0.1,
        "batch": 32,
        "params": 1e8,
        "peak_tflops": 312,
        "mfu": 0.4,
        "layers": 12,
        "width": 768,
    },
    "response_seconds": {"quantile": 0.99, **QUEUE},
    "response_tail": {"t_s": 0.1, **QUEUE},
    "simulate_seconds": {"quantile": 0.9, **QUEUE, "requests": 100},
    "step_seconds": {
        "compute_s": 0.1,
        "sent_bytes": 1e6,
        "bandwidth_gb_s": 1,
        "overlap": 0.5,
    },
    "storage_bytes": {"rows": 10, "row_bytes": 8, "copies": 2, "ratio": 3},
    "token_seconds": {
        "params": 1e9,
        "peak_tflops": 900,
        "bandwidth_gb_s": 3000,
        "requests": 2,
        "cache_bytes": 1e6,
        "bytes_each": 2,
    },
    "training_days": {
        "params": 1e8,
        "examples": 1e6,
        "accelerators": 8,
        "peak_tflops": 312,
        "mfu": 0.4,
        "tokens_per_example": 100,
        "epochs": 1,
        "goodput": 0.9,
        "layers": 2,
        "width": 3,
    },
    "training_memory": {
        "params": 1e6,
        "batch": 2,
        "seq_len": 8,
        "width": 4,
        "layers": 3,
        "heads": 2,
    },
    "training_steps": {
        "examples": 1000,
        "global_batch": 10,
        "devices": 1,
        "epochs": 1.5,
    },
    "zipf_shares": {"keys": 10, "exponent": 1},
}
ARGUMENTS = [(call, name) for call, given in CALLS.items() for name in given]


def attack(call: str, name: str, value: object) -> object:
    function: Callable[..., object] = getattr(estimate, call)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an overflow of NumPy is no result
        return function(**{**CALLS[call], name: value})


@pytest.mark.parametrize(("call", "name"), ARGUMENTS)
def test_what_is_no_number_is_named(call: str, name: str) -> None:
    none = [] if name in ("interval_s", "global_batch") else [None]  # their default
    for value in ["3", "many", [1.0, 2.0], 1j, *none]:
        with pytest.raises(TypeError, match=f"^{name} is .*must be a number"):
            attack(call, name, value)


@pytest.mark.parametrize(("call", "name"), ARGUMENTS)
def test_what_no_machine_has_is_named(call: str, name: str) -> None:
    for value in (math.nan, math.inf, -math.inf, -1, 1e308, 10**400):
        with pytest.raises(ValueError, match=name):
            attack(call, name, value)


@pytest.mark.parametrize(("call", "name"), ARGUMENTS)
def test_extremes_give_a_finite_answer_or_a_reason(call: str, name: str) -> None:
    for value in (0, 1e-320, 1e-18, 1e9, 1e18, 1e29):
        try:
            found = attack(call, name, value)
        except ValueError as error:
            assert len(str(error)) > 10
            continue
        values = list(found.values()) if isinstance(found, dict) else found
        assert np.isfinite(np.asarray(values, float)).all(), value


@pytest.mark.parametrize(
    ("call", "narrow"),
    [
        (
            "training_days",
            {"params": np.int64(405 * 10**9), "examples": np.int64(15_600 * 10**9)},
        ),
        ("storage_bytes", {"rows": np.int32(2**31 - 1), "row_bytes": np.int32(256)}),
        ("all_reduce_bytes", {"params": 1e6, "devices": np.int8(100)}),
        ("fleet_size", {"qps": np.int16(30_000), "peak": np.int8(2)}),
        ("cost_usd", {"machines": np.uint8(200), "hours": np.uint8(200)}),
        ("token_seconds", {"params": np.int64(405 * 10**9), "requests": np.int8(64)}),
    ],
)
def test_narrow_numbers_do_not_overflow(
    call: str, narrow: dict[str, np.number]
) -> None:
    function: Callable[..., float] = getattr(estimate, call)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = function(**{**CALLS[call], **narrow})
    wide = {name: float(value) for name, value in narrow.items()}
    assert found == pytest.approx(function(**{**CALLS[call], **wide}))


def test_times_are_seconds_and_not_what_pandas_counts_in() -> None:
    moments = pd.Series(pd.date_range("2013-07-02", periods=3, freq="min"))
    for call in (estimate.queue_fault, estimate.simulate_queue):
        with pytest.raises(ValueError, match="arrival_s holds datetime64"):
            call(moments, [1, 1, 1])
        with pytest.raises(ValueError, match="service_s holds timedelta64"):
            call([0, 60, 120], pd.to_timedelta([1, 1, 1], unit="s"))


@pytest.mark.parametrize(
    "dtype", ["int8", "float32", "Int64", "Float32", "int64[pyarrow]", "object"]
)
def test_records_of_any_kind_of_number_are_read(dtype: str) -> None:
    arrival = pd.Series([0, 1, 2, 90], dtype=dtype, index=[7, 7, 7, 7])
    service = pd.Series([3, 3, 3, 3], dtype=dtype)
    assert estimate.simulate_queue(arrival, service).tolist() == [3, 5, 7, 3]
    assert estimate.queue_fault(arrival, service) == "bursty"


@pytest.mark.parametrize(
    "values",
    [["a", "b"], ["1", "2"], [None, 1], [[0, 1]], 3, 1j],
    ids=["letters", "digits", "none", "nested", "one number", "complex"],
)
def test_records_that_are_no_list_of_seconds_are_named(values: object) -> None:
    for call in (estimate.queue_fault, estimate.simulate_queue):
        with pytest.raises(ValueError, match="arrival_s must be a flat list"):
            call(values, [1, 1])
        with pytest.raises(ValueError, match="service_s must be a flat list"):
            call([0, 1], values)


def test_times_that_are_missing_are_counted() -> None:
    values = pd.array([1, None, None], "Int64")
    for call in (estimate.queue_fault, estimate.simulate_queue):
        with pytest.raises(ValueError, match=r"arrival_s is missing .* in 2 of 3 .*1"):
            call(values, [1, 1, 1])
        with pytest.raises(ValueError, match=r"service_s is missing .* in 1 of 2"):
            call([0, 1], [-math.inf, 1])


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_an_estimate_that_cannot_be_ranked_is_named(value: float) -> None:
    with pytest.raises(ValueError, match="estimate is"):
        estimate.sensitivity(lambda x: value, {"x": Range(1, 2, 3)})


@pytest.mark.parametrize("three", [("1", "2", "3"), (1, None, 3), (1, 2, 3j)])
def test_a_range_of_no_numbers_is_named(three: tuple) -> None:
    with pytest.raises(TypeError, match="must be a number"):
        Range(*three)


def test_a_batch_that_takes_too_long_to_search_says_what_to_do() -> None:
    batches = {"service_s": 0.04, "target_s": 0.041, "batch": 8}
    with pytest.raises(ValueError, match="a tenth of qps"):
        estimate.fleet_size(qps=1e9, **batches)


def test_a_tenth_of_the_load_takes_a_tenth_of_the_servers() -> None:
    """What the message above advises."""
    batches = {"service_s": 0.04, "target_s": 0.2, "batch": 8, "spare": 0}
    sizes = [estimate.fleet_size(qps=qps, **batches) for qps in (2_000, 20_000)]
    assert sizes[0] - 1 <= sizes[1] / 10 <= sizes[0]
