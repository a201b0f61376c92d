"""Lab 07 at full size: the exchange, speed-up and restart on this machine, recorded.

`make bench` runs it and writes `results/distributed_*.{json,csv,txt}`, which name the
machine. Nothing here asserts a duration, a ratio or a verdict, only answers. The GPU's
record is made apart, by `python -m flightline.distributed.gpu_run` (see
`labkit/distributed/examples.py`).
"""

import time
from pathlib import Path

import pandas as pd
import pytest
from flightline.distributed import fit_cost
from labkit import bench
from labkit.distributed import examples, ranks

RESULTS = Path(__file__).parent / "results"
SIZES = [4**k for k in range(4, 14)]
WIDTHS = [128, 256, 512, 1024, 2048]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "train.pt"
    assert examples.write(examples.feature_rows(), path) > 100_000
    return path


@pytest.mark.parametrize("count", [2, 4])
def test_the_cost_of_an_exchange(count: int) -> None:
    task = {"task": "exchange", "sizes": SIZES, "repeats": 31}
    table = pd.DataFrame(ranks.measure(count, [task], deadline_s=300)[0][0])
    alpha, beta = fit_cost(table["bytes"], table["all_reduce"], ranks=count)
    moved = 2 * (count - 1) / count * table["bytes"]
    table["fitted"] = 2 * (count - 1) * alpha + moved * beta
    bench.record(RESULTS, f"distributed_exchange_{count}", table.round(6))
    assert table["bytes"].tolist() == SIZES


def test_speed_up_beside_the_ceiling(data: Path) -> None:
    options = {"data": str(data), "widths": WIDTHS, "batch": 1024, "repeats": 15}
    task = {"task": "speed", **options}
    sides = ranks.measure(2, [task], deadline_s=600)[0]
    table = ranks.speed_ups(sides).reset_index()
    bench.record(RESULTS, "distributed_speed", table.round(2))
    assert table["width"].tolist() == WIDTHS


def test_what_a_restart_costs(data: Path, tmp_path: Path) -> None:
    plan = {"width": 256, "steps": 520, "dropout": 0.1, "keep_every": 50}
    rows, weights = [], set()
    for name, failpoint in (("undisturbed", ""), ("killed at 275", "1:275:kill")):
        start = time.monotonic()
        options = {"failpoint": failpoint, "restarts": 3, "deadline_s": 300}
        found = ranks.train(2, data, tmp_path / name, **options, **plan)
        rows.append({"run": name, "seconds": time.monotonic() - start})
        weights.add(found["sha256"])
    bench.record(RESULTS, "distributed_restart", pd.DataFrame(rows).round(1))
    assert len(weights) == 1
