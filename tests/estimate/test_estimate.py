"""flightline.estimate: by hand, by property, against libraries and published runs."""

import math

import numpy as np
import pytest
from flightline import estimate
from flightline.estimate import Range
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

RUN = {
    "params": 100e6,
    "examples": 1e6,
    "accelerators": 8,
    "peak_tflops": 312,
    "mfu": 0.4,
}
FLEET = {"qps": 1000, "service_s": 0.02, "target_s": 0.1}
NAN, INF = math.nan, math.inf
calm = settings(deadline=None, derandomize=True)


# --- what cannot be is refused, by name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("params", 0),
        ("params", -1),
        ("examples", NAN),
        ("examples", INF),
        ("accelerators", 0),
        ("peak_tflops", -312),
        ("mfu", 0),
        ("mfu", 1.2),
        ("epochs", 0),
        ("tokens_per_example", -5),
        ("goodput", 0),
        ("goodput", 1.01),
        ("layers", -1),
        ("width", NAN),
    ],
)
def test_training_refuses_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        estimate.training_days(**{**RUN, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("qps", 0),
        ("qps", -3),
        ("service_s", 0),
        ("target_s", NAN),
        ("quantile", 1),
        ("quantile", 0),
        ("batch", 0),
        ("batch", 1.5),
        ("peak", 0.9),
        ("hit_rate", 1),
        ("hit_rate", -0.1),
        ("spare", -1),
        ("model", "G/G/1"),
    ],
)
def test_fleet_refuses_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        estimate.fleet_size(**{**FLEET, name: value})


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: Range(2, 1, 3), "low <= likely <= high"),
        (lambda: Range(0, NAN, 3), "low <= likely <= high"),
        (lambda: Range(0, 1, INF), "low <= likely <= high"),
        (lambda: estimate.all_reduce_bytes(1e6, 0), "devices"),
        (lambda: estimate.all_reduce_bytes(-1, 2), "params"),
        (
            lambda: estimate.step_seconds(compute_s=1, sent_bytes=1, bandwidth_gb_s=0),
            "bandwidth_gb_s",
        ),
        (
            lambda: estimate.step_seconds(
                compute_s=1, sent_bytes=1, bandwidth_gb_s=1, overlap=2
            ),
            "overlap",
        ),
        (lambda: estimate.training_steps(examples=10), "exactly one"),
        (
            lambda: estimate.training_steps(
                examples=10, global_batch=4, batch_per_device=2
            ),
            "exactly one",
        ),
        (lambda: estimate.training_steps(examples=10, global_batch=0), "batch"),
        (
            lambda: estimate.training_steps(
                examples=10, batch_per_device=2, devices=-1
            ),
            "devices",
        ),
        (lambda: estimate.training_memory(params=1e6, precision="int3"), "precision"),
        (lambda: estimate.training_memory(params=1e6, batch=-1), "batch"),
        (lambda: estimate.goodput(checkpoint_s=0, mtbf_s=10), "checkpoint_s"),
        (lambda: estimate.goodput(checkpoint_s=1, mtbf_s=0), "mtbf_s"),
        (
            lambda: estimate.goodput(checkpoint_s=1, mtbf_s=1, interval_s=1e6),
            "interval_s",
        ),
        (
            lambda: estimate.goodput(checkpoint_s=1, mtbf_s=9, interval_s=0),
            "interval_s",
        ),
        (lambda: estimate.interval(np.array([])), "values"),
        (
            lambda: estimate.sensitivity(lambda x: -x, {"x": Range(1, 2, 3)}),
            "estimate",
        ),
        (lambda: estimate.queue_fault(np.ones(1), np.ones(1)), "arrivals"),
        (lambda: estimate.queue_fault(np.arange(3.0), np.ones(2)), "service_s"),
        (lambda: estimate.cost_usd(0, 1, 1), "machines"),
        (lambda: estimate.cost_usd(1, 1, -1), "usd_per_hour"),
        (lambda: estimate.cost_per_million_usd(1, 1, 0), "qps"),
        (lambda: estimate.zipf_shares(0, 1), "keys"),
        (lambda: estimate.zipf_shares(5, -1), "exponent"),
        (lambda: estimate.cache_hit_rate(np.ones(3), 1), "sum_of_shares"),
        (lambda: estimate.cache_hit_rate(np.ones(2) / 2, 0), "size"),
        (lambda: estimate.cache_hit_rate(np.ones(2) / 2, 1, "fifo"), "policy"),
        (lambda: estimate.storage_bytes(rows=0, row_bytes=1), "rows"),
        (lambda: estimate.storage_bytes(rows=1, row_bytes=1, copies=0), "copies"),
        (lambda: estimate.response_tail(1, qps=50, service_s=0.02), "utilisation"),
        (lambda: estimate.response_tail(1, qps=60, service_s=0.02), "utilisation"),
        (
            lambda: estimate.response_tail(
                1, qps=1, service_s=0.1, batch=4, model="M/M/1"
            ),
            "model",
        ),
        (lambda: estimate.fill_tail(-1, qps=1, batch=2), "t_s"),
        (
            lambda: estimate.simulate_queue(np.array([1.0, 0.0]), np.ones(2)),
            "arrival_s",
        ),
        (lambda: estimate.simulate_queue(np.ones(3), np.ones(2)), "arrival_s"),
        (lambda: estimate.monte_carlo(abs, {}, draws=0), "draws"),
        (lambda: estimate.queue_fault(np.ones(3), np.ones(3)), "span_s"),
        (
            lambda: estimate.best_batch(
                qps=10, target_s=0.001, fixed_s=0.01, per_item_s=0.01
            ),
            "target_s",
        ),
        (
            lambda: estimate.longest_sequence(
                step_s=1, batch=0, params=1, peak_tflops=1, mfu=0.5
            ),
            "batch",
        ),
    ],
)
def test_refuses_by_name(call: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        call()  # type: ignore[operator]


# --- ranges


def test_monte_carlo_draws_the_triangle() -> None:
    value = Range(0, 3, 6)
    draws = estimate.monte_carlo(lambda x: x, {"x": value}, draws=20_000)
    assert draws.min() >= 0 and draws.max() <= 6
    expected = stats.triang(c=0.5, scale=6)
    assert stats.kstest(draws, expected.cdf).pvalue > 0.001
    assert np.quantile(draws, 0.5) == pytest.approx(3, abs=0.05)


def test_monte_carlo_draws_the_triangle_by_factor_above_zero() -> None:
    value = Range(64, 256, 1024)
    draws = estimate.monte_carlo(lambda x: x, {"x": value}, draws=20_000)
    assert draws.min() >= 64 and draws.max() <= 1024
    expected = stats.triang(c=0.5, loc=math.log(64), scale=math.log(16))
    assert stats.kstest(np.log(draws), expected.cdf).pvalue > 0.001
    by_unit = estimate.monte_carlo(
        lambda x: x, {"x": value}, draws=20_000, by_factor=False
    )
    flat = stats.triang(c=192 / 960, loc=64, scale=960)
    assert stats.kstest(by_unit, flat.cdf).pvalue > 0.001
    assert np.median(by_unit) > 1.6 * np.median(draws)


@pytest.mark.parametrize("value", [Range(0, 0.1, 0.4), Range(-2, 1, 3)], ids=str)
def test_a_range_that_reaches_zero_is_drawn_in_its_unit(value: Range) -> None:
    both = [
        estimate.monte_carlo(lambda x: x, {"x": value}, draws=50, by_factor=by_factor)
        for by_factor in (True, False)
    ]
    assert both[0].tolist() == both[1].tolist()


@pytest.mark.parametrize("high", [1.0, 0.7, 3.0, 1e-300, 1e300])
def test_no_draw_leaves_its_range(high: float) -> None:
    value = Range(high / 3, high, high)
    draws = estimate.monte_carlo(lambda x: x, {"x": value}, draws=5_000)
    assert value.low <= draws.min() and draws.max() <= high


def test_monte_carlo_repeats_with_its_seed() -> None:
    a, b, c = (
        estimate.monte_carlo(lambda x: x, {"x": Range(0, 1, 2)}, draws=5, seed=s)
        for s in (1, 1, 2)
    )
    assert a.tolist() == b.tolist() != c.tolist()


def test_monte_carlo_passes_on_what_is_certain() -> None:
    result = estimate.monte_carlo(
        lambda x, name: x * len(name), {"x": Range(2, 2, 2), "name": "abc"}, draws=4
    )
    assert result.tolist() == [6, 6, 6, 6]


def test_interval_is_the_quantiles() -> None:
    found = estimate.interval(np.arange(101.0))
    assert (found.low, found.likely, found.high) == pytest.approx((5, 50, 95))


def test_sensitivity_ranks_and_holds_the_others_likely() -> None:
    found = estimate.sensitivity(
        lambda a, b, c: a * b / c, {"a": Range(1, 2, 3), "b": Range(1, 5, 10), "c": 2}
    )
    assert [swing.name for swing in found] == ["b", "a"]
    assert found[0] == ("b", 1.0, 10.0, 10.0)
    assert found[1].at_low == 2.5 and found[1].factor == 3


positive = st.floats(0.1, 1e3)


@calm
@given(positive, positive, st.floats(0.05, 0.95))
def test_a_range_holds_its_likely_result(a: float, b: float, share: float) -> None:
    low, likely, high = sorted([a, b, a + share * (b - a)])
    draws = estimate.monte_carlo(
        lambda x: x**2, {"x": Range(low, likely, high)}, draws=20
    )
    assert low**2 * (1 - 1e-9) <= draws.min() <= draws.max() <= high**2 * (1 + 1e-9)


# --- training


def test_the_card_s_hours() -> None:
    steps = estimate.training_steps(examples=100e6, global_batch=32)
    assert steps == 3_125_000
    assert steps * 0.1 / 3600 == pytest.approx(86.8, abs=0.01)
    shared = estimate.training_steps(examples=100e6, batch_per_device=32, devices=8)
    assert shared * 8 == pytest.approx(steps, abs=8)
    assert estimate.training_steps(examples=10, global_batch=4, epochs=1.5) == 4


@calm
@given(
    st.floats(1e3, 1e12), st.floats(1, 1e6), st.integers(1, 4096), st.floats(0.01, 1)
)
def test_training_days_scale(params: float, tokens: float, n: int, mfu: float) -> None:
    given_ = {"params": params, "tokens_per_example": tokens, "examples": 1e6}
    one = estimate.training_days(**given_, accelerators=1, peak_tflops=100, mfu=mfu)
    many = estimate.training_days(**given_, accelerators=n, peak_tflops=100, mfu=mfu)
    assert many * n == pytest.approx(one)
    twice = estimate.training_days(
        **given_, accelerators=1, peak_tflops=100, mfu=mfu, epochs=2, goodput=0.5
    )
    assert twice == pytest.approx(4 * one)


PUBLISHED = [
    # params, tokens, length, layers, width, peak TFLOP/s, reported hours, their MFU
    (124e6, 294.9e9, 1024, 12, 768, 312, (768, 960), (0.20, 0.50)),
    (7e9, 2e12, 4096, 32, 4096, 312, (184_320,) * 2, (0.20, 0.50)),
    (70e9, 2e12, 4096, 80, 8192, 312, (1_720_320,) * 2, (0.20, 0.50)),
    # stated by stage: 38 to 43%; over 90% of the time was effective
    (405e9, 15.6e12, 8192, 126, 16384, 989, (30.84e6,) * 2, (0.38 * 0.9, 0.43)),
]


@pytest.mark.parametrize("run", PUBLISHED, ids=["GPT-2", "7B", "70B", "405B"])
def test_published_runs(run: tuple) -> None:
    params, tokens, length, layers, width, peak, reported, mfu = run
    slow, fast = (
        24
        * estimate.training_days(
            params=params,
            examples=tokens / length,
            tokens_per_example=length,
            accelerators=1,
            peak_tflops=peak,
            mfu=share,
            layers=layers,
            width=width,
        )
        for share in mfu
    )
    assert fast <= min(reported) and max(reported) <= slow


def test_llama_3_1_implies_34_5_percent_by_arithmetic() -> None:
    hours = 24 * estimate.training_days(
        params=405e9, examples=15.6e12, accelerators=1, peak_tflops=989, mfu=1
    )
    assert hours / 30.84e6 == pytest.approx(0.345, abs=0.0005)


@calm
@given(st.floats(1, 1e12), st.integers(1, 10_000))
def test_all_reduce_is_bounded(params: float, n: int) -> None:
    sent = estimate.all_reduce_bytes(params, n)
    assert 0 <= sent < 2 * 2 * params
    assert sent == pytest.approx(4 * params * (n - 1) / n)


@calm
@given(positive, st.floats(0, 1e12), positive, st.floats(0, 1))
def test_step_seconds_bounds(
    compute: float, sent: float, bandwidth: float, overlap: float
) -> None:
    step = estimate.step_seconds(
        compute_s=compute, sent_bytes=sent, bandwidth_gb_s=bandwidth, overlap=overlap
    )
    exchange = sent / bandwidth / 1e9
    slack = 1e-9 * (compute + exchange)
    assert max(compute, exchange) - slack <= step <= compute + exchange + slack


def test_step_seconds_by_hand() -> None:
    step = {"compute_s": 0.1, "sent_bytes": 350e6, "bandwidth_gb_s": 1.25}
    assert estimate.step_seconds(**step) == pytest.approx(0.38)
    assert estimate.step_seconds(**step, overlap=0.25) == pytest.approx(0.31)
    assert estimate.step_seconds(**step, overlap=1) == pytest.approx(0.28)


def test_memory_by_hand() -> None:
    found = estimate.training_memory(
        params=1e6, batch=2, seq_len=8, width=4, layers=3, heads=2
    )
    assert list(found.values()) == [2e6, 2e6, 12e6, 3 * 2 * 8 * (34 * 4 + 5 * 2 * 8)]
    kept = estimate.training_memory(
        params=1, batch=2, seq_len=8, width=4, layers=3, recompute=True
    )
    assert kept["activations"] == 3 * 2 * 8 * 2 * 4


@pytest.mark.parametrize("interval", [20.0, 100.0, 600.0])
def test_goodput_against_simulated_failures(interval: float) -> None:
    rng = np.random.default_rng(5)
    checkpoint, mtbf, restart, pieces = 10.0, 500.0, 60.0, 4000
    elapsed = 0.0
    for _ in range(pieces):  # without memory: a failure may start each attempt afresh
        while (failure := rng.exponential(mtbf)) < interval + checkpoint:
            elapsed += failure + restart
        elapsed += interval + checkpoint
    found = estimate.goodput(
        checkpoint_s=checkpoint, mtbf_s=mtbf, restart_s=restart, interval_s=interval
    )
    assert found == pytest.approx(pieces * interval / elapsed, rel=0.05)


def test_young_s_interval_is_near_the_best() -> None:
    given_ = {"checkpoint_s": 20, "mtbf_s": 10_000, "restart_s": 300}
    best = max(estimate.goodput(**given_, interval_s=s) for s in range(50, 5000, 10))
    assert estimate.goodput(**given_) == pytest.approx(best, abs=0.001)


@calm
@given(st.floats(1, 100), st.floats(1e3, 1e7), st.floats(0, 1e3))
def test_goodput_is_a_share(checkpoint: float, mtbf: float, restart: float) -> None:
    found = estimate.goodput(checkpoint_s=checkpoint, mtbf_s=mtbf, restart_s=restart)
    assert 0 < found < 1


@calm
@given(
    st.floats(1e-3, 10),
    st.integers(1, 64),
    st.floats(1e6, 1e9),
    st.integers(0, 48),
    st.integers(0, 4096),
)
def test_longest_sequence_just_fits(
    step: float, batch: int, params: float, layers: int, width: int
) -> None:
    given_ = {"params": params, "layers": layers, "width": width}
    longest = estimate.longest_sequence(
        step_s=step, batch=batch, peak_tflops=312, mfu=0.4, **given_
    )

    def takes(tokens: int) -> float:
        work = estimate.flops_per_token(**given_, seq_len=tokens) * tokens * batch
        return work / (312e12 * 0.4)

    assert takes(longest) <= step * (1 + 1e-9)
    assert takes(longest + 1) > step * (1 - 1e-9)


# --- queues


@pytest.mark.parametrize(("model", "expected"), [("M/D/1", 11.4), ("M/M/1", 23.0)])
def test_published_percentiles(model: str, expected: float) -> None:
    found = estimate.response_seconds(0.99, qps=0.8, service_s=1, model=model)
    assert found == pytest.approx(expected, abs=0.05)


CASES = [
    {"model": "M/D/1", "qps": 0.3},
    {"model": "M/D/1", "qps": 0.85},
    {"model": "M/D/1", "qps": 4.2, "servers": 6},
    {"model": "M/M/1", "qps": 0.7},
    {"model": "M/M/c", "qps": 2.8, "servers": 4},
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
def test_theory_agrees_with_the_simulation(case: dict, quantile: float) -> None:
    requests = 300_000 if case["model"] == "M/M/c" else 2_000_000
    theory = estimate.response_seconds(quantile, service_s=1, **case)
    simulated = estimate.simulate_seconds(
        quantile, service_s=1, **case, requests=requests
    )
    assert theory == pytest.approx(simulated, rel=0.05)


@pytest.mark.parametrize(
    ("qps", "service", "batch"),
    [(100, 0.04, 8), (180, 0.04, 8), (120, 0.03, 4), (300, 0.048, 16), (500, 0.05, 32)],
)
def test_batches_agree_with_the_simulation(
    qps: float, service: float, batch: int
) -> None:
    case = {"qps": qps, "service_s": service, "batch": batch}
    theory = estimate.response_seconds(0.99, **case)
    simulated = estimate.simulate_seconds(0.99, **case, requests=400_000)
    assert theory == pytest.approx(simulated, rel=0.10)


def test_fill_tail_is_a_mean_of_erlang_tails() -> None:
    t, qps, batch = 0.07, 100, 8
    waits = [stats.erlang(k, scale=1 / qps).sf(t) for k in range(1, batch)]
    expected = sum(waits) / batch
    assert estimate.fill_tail(t, qps=qps, batch=batch) == pytest.approx(expected)
    assert estimate.fill_tail(0, qps=qps, batch=batch) == pytest.approx(7 / 8)
    assert estimate.fill_tail(1, qps=qps, batch=1) == 0


def test_mean_response_is_pollaczek_khinchine() -> None:
    """The mean of the tail: 1 + rho / (2 (1 - rho)) service times for M/D/1."""
    for busy in (0.2, 0.5, 0.8):
        t = np.linspace(1, 60, 6_001)  # nothing is answered sooner
        tail = [estimate.response_tail(x, qps=busy, service_s=1) for x in t]
        mean = 1 + np.trapezoid(tail, t)
        assert mean == pytest.approx(1 + busy / (2 * (1 - busy)), rel=2e-3)


def test_one_shared_server_is_m_m_1() -> None:
    for t in (0.0, 0.5, 3.0, 20.0):
        one, shared = (
            estimate.response_tail(t, qps=0.7, service_s=1, model=model)
            for model in ("M/M/1", "M/M/c")
        )
        assert one == pytest.approx(shared)


def test_erlang_c_s_degenerate_case() -> None:
    """With c (1 - rho) = 1 the general formula divides by zero."""
    at, near = (
        estimate.response_tail(2, qps=qps, service_s=1, servers=4, model="M/M/c")
        for qps in (3, 3 + 1e-6)
    )
    assert at == pytest.approx(near, rel=1e-4)


loads = st.fixed_dictionaries(
    {
        "qps": st.floats(0.01, 0.97),
        "model": st.sampled_from(estimate.MODELS),
    }
)


@calm
@given(loads, st.floats(0, 60), st.floats(0, 5))
def test_tails_fall(load: dict, t: float, more: float) -> None:
    early, late = (
        estimate.response_tail(x, service_s=1, **load) for x in (t, t + more)
    )
    assert 0 <= late <= early + 2e-6 and early <= 1


@calm
@given(loads, st.floats(0.5, 0.999))
def test_seconds_invert_the_tail(load: dict, quantile: float) -> None:
    t = estimate.response_seconds(quantile, service_s=1, **load)
    tail = estimate.response_tail(t * (1 + 1e-6), service_s=1, **load)
    assert tail <= 1 - quantile + 1e-5
    if t > 1 or load["model"] != "M/D/1":
        before = estimate.response_tail(t * (1 - 1e-6), service_s=1, **load)
        assert before >= 1 - quantile - 1e-5


def naive_queue(arrival: list, service: list, servers: int) -> list:
    """Serve in order, each at the first free server, one loop."""
    free, found = [0.0] * servers, []
    for came, takes in zip(arrival, service, strict=True):
        k = min(range(servers), key=free.__getitem__)
        free[k] = max(came, free[k]) + takes
        found.append(free[k] - came)
    return found


@calm
@given(
    st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 5)), min_size=1, max_size=40),
    st.integers(1, 4),
)
def test_simulate_queue_against_a_loop(jobs: list, servers: int) -> None:
    arrival = np.cumsum([gap for gap, _ in jobs])
    service = np.array([takes for _, takes in jobs])
    found = estimate.simulate_queue(arrival, service, servers)
    assert found == pytest.approx(
        naive_queue(arrival.tolist(), service.tolist(), servers)
    )


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.floats(1, 5e4),
    st.floats(0.001, 0.1),
    st.floats(1.2, 20),
    st.sampled_from(["M/D/1", "M/M/c"]),
)
def test_fleet_is_the_smallest(
    qps: float, service: float, factor: float, model: str
) -> None:
    if model == "M/M/c":
        factor, qps = factor + 5, min(qps, 2000)
    given_ = {"qps": qps, "service_s": service, "model": model}
    n = estimate.fleet_size(**given_, target_s=factor * service, spare=0)
    assert estimate.response_tail(factor * service, servers=n, **given_) <= 0.01
    if (n - 1) > qps * service:
        fewer = estimate.response_tail(factor * service, servers=n - 1, **given_)
        assert fewer > 0.01


def test_fleet_options_scale_the_load() -> None:
    base = estimate.fleet_size(**FLEET, spare=0)
    assert estimate.fleet_size(**FLEET) == base + 1
    assert estimate.fleet_size(**{**FLEET, "qps": 500}, peak=2, spare=0) == base
    assert estimate.fleet_size(**{**FLEET, "qps": 2000}, hit_rate=0.5, spare=0) == base


def test_the_card_s_fleets() -> None:
    load = {"qps": 10_000, "service_s": 0.02}
    p99 = estimate.response_seconds(0.99, servers=400, **load)
    assert estimate.fleet_size(**load, target_s=p99 * 1.0001, spare=0) == 400
    pooled = estimate.fleet_size(**load, target_s=0.1, model="M/M/c", spare=0)
    assert 200 < pooled < 220
    slow = estimate.response_seconds(
        0.99, qps=10_000, service_s=0.04, servers=100, batch=8
    )
    assert slow > 1.5 * p99
    more = estimate.response_seconds(
        0.99, qps=10_000, service_s=0.04, servers=200, batch=8
    )
    assert more > slow, "more servers fill their batches more slowly"


def test_an_impossible_target_is_named() -> None:
    for batch in (1, 8):
        with pytest.raises(ValueError, match="target_s"):
            estimate.fleet_size(qps=100, service_s=0.02, target_s=0.019, batch=batch)


def test_best_batch_is_the_best_of_all() -> None:
    load = {"qps": 2000, "target_s": 0.2, "spare": 0}
    batch, servers = estimate.best_batch(**load, fixed_s=0.01, per_item_s=0.002)
    sizes = {}
    for n in range(1, 33):
        try:
            sizes[n] = estimate.fleet_size(**load, service_s=0.01 + 0.002 * n, batch=n)
        except ValueError:
            continue
    assert servers == min(sizes.values()) == sizes[batch]
    assert batch == min(n for n, size in sizes.items() if size == servers)


@pytest.mark.parametrize(
    ("scale", "fault"), [(1, "as planned"), (2, "overloaded"), (0.5, "as planned")]
)
def test_queue_fault_sees_the_load(scale: float, fault: str) -> None:
    rng = np.random.default_rng(0)
    arrival = np.cumsum(rng.exponential(1, 5000))
    assert estimate.queue_fault(arrival, np.full(5000, 0.7 * scale)) == fault


def test_queue_fault_does_not_see_slow_calls_that_fit() -> None:
    """What its docstring warns of: busy by four fifths instead of three."""
    rng = np.random.default_rng(0)
    arrival = np.cumsum(rng.exponential(1, 5000))
    planned, slow = np.full(5000, 0.6), np.full(5000, 0.8)
    assert estimate.queue_fault(arrival, slow) == "as planned"
    waits = [
        (estimate.simulate_queue(arrival, takes) - takes).mean()
        for takes in (planned, slow)
    ]
    assert waits[1] > 3 * waits[0]


# --- caches, storage, money


@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0, 1.4])
@pytest.mark.parametrize("size", [10, 300])
def test_lru_against_a_simulation(exponent: float, size: int) -> None:
    from functools import lru_cache

    shares = estimate.zipf_shares(2000, exponent)
    cached = lru_cache(maxsize=size)(lambda key: key)
    keys = np.random.default_rng(1).choice(2000, size=60_000, p=shares).tolist()
    for key in keys[:20_000]:
        cached(key)
    warm = cached.cache_info().hits
    for key in keys[20_000:]:
        cached(key)
    seen = (cached.cache_info().hits - warm) / 40_000
    assert estimate.cache_hit_rate(shares, size) == pytest.approx(seen, abs=0.012)


@calm
@given(st.integers(2, 500), st.floats(0, 2), st.integers(1, 600))
def test_a_static_cache_is_never_worse(keys: int, exponent: float, size: int) -> None:
    shares = estimate.zipf_shares(keys, exponent)
    static, lru = (
        estimate.cache_hit_rate(shares, size, policy) for policy in ("static", "lru")
    )
    assert 0 < lru <= static + 1e-9 and static <= 1 + 1e-9
    if size >= keys:
        assert lru == static == 1


def test_storage_and_money_by_hand() -> None:
    table = estimate.storage_bytes(rows=1e6, row_bytes=32 * 8, copies=3)
    assert table == 768e6
    day = estimate.storage_bytes(rows=100 * 86_400, row_bytes=250, ratio=5)
    assert day == pytest.approx(432e6)
    assert estimate.cost_usd(8, 24, 2) == 384
    assert estimate.cost_per_million_usd(36, 1, 10) == pytest.approx(1000)


# --- rounding, full servers, memory and bandwidth


@pytest.mark.parametrize(
    ("examples", "epochs", "batch", "steps"),
    [
        (12_000, 1.1, 10, 1_320),
        (12_000, np.float64(1.1), 10, 1_320),
        (12_000, np.float32(1.1), 10, 1_320),
        (np.int32(2_000_000_000), 3, 1, 6_000_000_000),
        (0.3, 10, 3, 1),
        (7, 1, 10, 1),
        (1_000, 1.001, 1, 1_001),
        (100e6, 0.7, 7, 10_000_000),
    ],
)
def test_steps_are_exact(
    examples: float, epochs: float, batch: int, steps: int
) -> None:
    found = estimate.training_steps(
        examples=examples, epochs=epochs, global_batch=batch
    )
    assert found == steps and isinstance(found, int)


def test_a_length_that_fits_exactly_is_not_cut() -> None:
    """In floats, 0.3 s x 0.1 TFLOP/s over 6 x 5e9 is 0.9999999."""
    step = {"batch": 1, "params": 5e9, "peak_tflops": 0.1, "mfu": 1}
    assert estimate.longest_sequence(step_s=0.3, **step) == 1
    assert estimate.longest_sequence(step_s=0.3 * 7, **step) in (6, 7)
    assert estimate.longest_sequence(step_s=2.1, **step) == 7


@pytest.mark.parametrize("busy", [1 - 1e-7, 1 - 1e-12, 1 - 2**-53, 1.0, 1.7])
@pytest.mark.parametrize(
    "load",
    [{}, {"model": "M/M/1"}, {"model": "M/M/c", "servers": 3}, {"batch": 8}],
    ids=str,
)
def test_full_servers_are_named(busy: float, load: dict) -> None:
    many = load.get("servers", 1) * load.get("batch", 1)
    with pytest.raises(ValueError, match="utilisation"):
        estimate.response_seconds(0.99, qps=busy * many, service_s=1, **load)


@pytest.mark.parametrize(
    "load",
    [{}, {"model": "M/M/1"}, {"model": "M/M/c", "servers": 3}, {"batch": 8}],
    ids=str,
)
def test_nearly_full_servers_are_computed(load: dict) -> None:
    many = load.get("servers", 1) * load.get("batch", 1)
    for quantile in (0.5, 0.99, 1 - 1e-9):
        seconds = [
            estimate.response_seconds(quantile, qps=busy * many, service_s=1, **load)
            for busy in (0.99, 0.9999, 1 - 2e-6)
        ]
        assert seconds[0] < seconds[1] < seconds[2] < math.inf


def test_a_share_is_late_where_no_queue_settles() -> None:
    load = {"qps": 17_449.988, "service_s": 0.02}
    with pytest.raises(ValueError, match="utilisation"):
        estimate.response_tail(0.1, **load, servers=349)
    assert estimate.late_share(0.1, **load, servers=349) == 1
    assert estimate.late_share(0.1, **load, servers=1) == 1
    expected = estimate.response_tail(0.1, **load, servers=623)
    assert estimate.late_share(0.1, **load, servers=623) == expected < 0.01
    with pytest.raises(ValueError, match="servers"):
        estimate.late_share(0.1, **load, servers=0)


@pytest.mark.parametrize("qps", [10.999999999999, 11 - 1e-9, 11, 1100 * 0.01])
def test_a_load_next_to_a_whole_number_has_a_fleet(qps: float) -> None:
    for model in estimate.MODELS:
        load = {"qps": qps, "service_s": 1, "target_s": 1e6, "model": model}
        assert estimate.fleet_size(**load, spare=0) in (11, 12)


@calm
@given(st.floats(1e-3, 0.999), st.integers(1, 3000))
def test_erlang_c_is_the_recursion(busy: float, servers: int) -> None:
    erlangs, blocked = busy * servers, 1.0
    for n in range(1, servers + 1):
        blocked = erlangs * blocked / (n + erlangs * blocked)
    waits = blocked / (1 - busy * (1 - blocked))
    found = estimate.response_tail(
        0.5, qps=erlangs, service_s=1, servers=servers, model="M/M/c"
    )
    slack = servers * (1 - busy) - 1
    gap = 0.5 if abs(slack) < 1e-9 else -math.expm1(-slack * 0.5) / slack
    assert found == pytest.approx(math.exp(-0.5) * (1 + waits * gap), rel=1e-6)


def test_a_hundred_million_servers_take_no_time() -> None:
    n = estimate.fleet_size(qps=1e8, service_s=1, target_s=6, model="M/M/c", spare=0)
    assert 1e8 < n < 1.001e8


def test_best_batch_names_what_is_wrong() -> None:
    load = {"qps": 10, "target_s": 1, "fixed_s": 0.01, "per_item_s": 0.01}
    for name, value in {"peak": 0.5, "hit_rate": 1, "quantile": 2, "spare": -1}.items():
        with pytest.raises(ValueError, match=name):
            estimate.best_batch(**load, **{name: value})


def test_a_token_is_bound_by_bytes_then_by_operations() -> None:
    h100 = {"params": 8e9, "peak_tflops": 989, "bandwidth_gb_s": 3350}
    alone = estimate.token_seconds(**h100)
    assert alone == pytest.approx(16e9 / 3350e9)
    assert estimate.token_seconds(**h100, requests=64) == alone
    many = estimate.token_seconds(**h100, requests=1024)
    assert many == pytest.approx(2 * 8e9 * 1024 / 989e12)
    cache = estimate.kv_cache_bytes(tokens=1, layers=32, kv_heads=8, head_width=128)
    assert cache == 128 * 1024
    with_cache = estimate.token_seconds(**h100, requests=2, cache_bytes=1e9)
    assert with_cache == pytest.approx(18e9 / 3350e9)


def test_loader_and_checkpoint_by_hand() -> None:
    rate = estimate.loader_gb_s(examples_per_step=256, example_bytes=1e5, step_s=0.1)
    assert rate == pytest.approx(0.256)
    assert estimate.checkpoint_seconds(params=1e9, bandwidth_gb_s=2) == 7
    float32 = {"params": 1e9, "bandwidth_gb_s": 2, "precision": "float32"}
    assert estimate.checkpoint_seconds(**float32) == 6


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: estimate.checkpoint_seconds(params=1, bandwidth_gb_s=0), "bandwidth"),
        (
            lambda: estimate.checkpoint_seconds(
                params=1, bandwidth_gb_s=1, precision="int3"
            ),
            "precision",
        ),
        (
            lambda: estimate.loader_gb_s(
                examples_per_step=1, example_bytes=-1, step_s=1
            ),
            "example_bytes",
        ),
        (
            lambda: estimate.kv_cache_bytes(
                tokens=1, layers=1.5, kv_heads=1, head_width=1
            ),
            "layers",
        ),
        (
            lambda: estimate.token_seconds(
                params=1, peak_tflops=1, bandwidth_gb_s=1, requests=0
            ),
            "requests",
        ),
        (
            lambda: estimate.token_seconds(
                params=1, peak_tflops=1, bandwidth_gb_s=1, cache_bytes=NAN
            ),
            "cache_bytes",
        ),
        (lambda: estimate.simulate_queue([0, NAN], [1, 1]), "arrival_s"),
        (lambda: estimate.simulate_queue([0, 1], [1, NAN]), "service_s"),
        (lambda: estimate.simulate_queue([0, 1], [1, -1]), "service_s"),
        (lambda: estimate.queue_fault([0, 1], [1, INF]), "service_s"),
        (
            lambda: estimate.simulate_seconds(
                0.5, qps=1, service_s=0.1, batch=8, requests=7
            ),
            "batches",
        ),
    ],
)
def test_refuses_the_new_by_name(call: object, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        call()  # type: ignore[operator]


def test_queues_take_lists() -> None:
    assert estimate.simulate_queue([0, 1, 2], [3, 3, 3]).tolist() == [3, 5, 7]
    assert estimate.simulate_queue([0, 1, 2], [3, 3, 3], 2).tolist() == [3, 3, 4]
    assert estimate.simulate_queue([], []).tolist() == []


def test_memory_equals_what_torch_holds() -> None:
    import torch
    from labkit.estimate.january import Network

    january = Network()
    january.step()
    weights = list(january.net.parameters())
    state = january.adam.state.values()
    moments = [held[name] for held in state for name in ("exp_avg", "exp_avg_sq")]
    gradients = [w.grad for w in weights if isinstance(w.grad, torch.Tensor)]
    found = estimate.training_memory(params=january.params, precision="float32")
    assert sum(found.values()) == sum(
        tensor.nbytes for tensor in [*weights, *gradients, *moments]
    )


# --- the published runs of the lab


def test_the_band_was_not_fitted_to_the_runs_and_its_share_is_printed() -> None:
    from labkit.estimate import published

    runs = published.runs()
    assert len(runs) >= 8 and runs["source"].str.len().min() > 10
    assert 0.48 / 0.30 <= 1.6
    flops = 6 * runs["params"] * runs["tokens"]
    mfu = flops / (runs["hours"] * 3600 * runs["peak_tflops"] * 1e12)
    assert mfu.between(0.05, 0.65).all(), "a row is mistyped"
    assert int(mfu.between(0.30, 0.48).sum()) == 6


def test_the_core_is_what_the_package_calls() -> None:
    from flightline.estimate import core

    days = core.run_days(6e18, accelerators=2, peak_tflops=100, mfu=0.5, goodput=0.9)
    same = estimate.training_days(
        params=1e9, examples=1e9, accelerators=2, peak_tflops=100, mfu=0.5, goodput=0.9
    )
    assert days == same
    step = {"step_s": 0.1, "batch": 32, "params": 100e6, "peak_tflops": 312, "mfu": 0.4}
    assert core.tokens_in_step(**step) == estimate.longest_sequence(**step) == 650
