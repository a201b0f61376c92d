"""Theory beside simulation: the same percentile, and what each of them costs."""

import pytest
from flightline import estimate
from labkit import timing

CASES = [
    {"model": "M/D/1", "qps": 0.8},
    {"model": "M/M/1", "qps": 0.8},
    {"model": "M/M/c", "qps": 12.8, "servers": 16},
    {"model": "M/D/1", "qps": 5.6, "batch": 8},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_theory_beside_simulation(case: dict) -> None:
    found = {}

    def theory() -> None:
        found["theory"] = estimate.response_seconds(0.99, service_s=1, **case)

    def simulation() -> None:
        found["simulation"] = estimate.simulate_seconds(0.99, service_s=1, **case)

    table = timing.compare({"theory": theory, "simulation": simulation}, repeats=3)
    print(f"\n{case}\n{table.round(3)}\n{found}\n{timing.machine()}")
    assert found["theory"] == pytest.approx(found["simulation"], rel=0.10)
