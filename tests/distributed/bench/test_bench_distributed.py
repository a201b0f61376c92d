"""Lab 07 at full size: the exchange, speed-up and restart on this machine, recorded.

`make bench` runs it and writes `results/distributed_*.{json,csv,txt}`, which name the
machine. Nothing here asserts a duration, a ratio or a verdict, only answers. The GPU's
record is made apart, by `python -m flightline.distributed.gpu_run` (see
`labkit/distributed/examples.py`).
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from flightline.distributed import fit_cost, load_packed, ring_seconds
from labkit import bench
from labkit.distributed import examples, hosts, ranks, searches

RESULTS = Path(__file__).parent / "results"
SIZES = [4**k for k in range(4, 14)]
TRIALS = 24
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


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a sample to learn from, and June to judge by."""
    folder = tmp_path_factory.mktemp("searched")
    table = examples.feature_rows()
    examples.write(table, folder / "train.pt", sample=16_384)
    june = table[table["month"] == 6].sample(8_192, random_state=7)
    packed = load_packed(folder / "train.pt")
    torch.save(examples.pack_rows(june, packed), folder / "june.pt")
    return folder / "train.pt", folder / "june.pt"


def test_what_a_shared_search_gains(searched: tuple[Path, Path]) -> None:
    """One process and two, at the same number of trials, for six seeds."""
    rows = [
        searches.search(processes, TRIALS, *searched, seed=seed, steps=60)
        for seed in range(6)
        for processes in (1, 2)
    ]
    table = pd.DataFrame(rows).set_index("processes")
    one, two = table.loc[1].reset_index(), table.loc[2].reset_index()
    times = (one["seconds"] / two["seconds"]).quantile([0.25, 0.5, 0.75]).round(2)
    change = (two["best"] - one["best"]).to_numpy()
    half = 2.57 * change.std(ddof=1) / np.sqrt(len(change))  # t of 5 degrees, 95%
    low, high = change.mean() - half, change.mean() + half
    found = {
        "trials of each search": TRIALS,
        "best log-loss in June, one process": f"{one['best'].mean():.4f}",
        "best log-loss in June, two processes": f"{two['best'].mean():.4f}",
        "difference, 95% interval": f"{change.mean():+.4f} ({low:+.4f} to {high:+.4f})",
        "times as fast, median (quartiles)": "{1:.2f} ({0:.2f} to {2:.2f})".format(
            *times
        ),
    }
    told = pd.DataFrame({"six seeds": found}).rename_axis("search").reset_index()
    bench.record(RESULTS, "distributed_trials", told)
    assert (table["trials"] == TRIALS).all()


def test_how_long_a_checkpoint_stops_the_training(data: Path) -> None:
    task = {"task": "saving", "data": str(data), "width": 1024, "repeats": 7}
    sides = ranks.measure(2, [task], deadline_s=300)[0]
    slower = {way: np.max([side[way] for side in sides], axis=0) for way in sides[0]}
    table = pd.DataFrame(
        [
            {
                "checkpoint": way,
                "median, ms": f"{1000 * np.median(seconds):.0f}",
                "middle half": "{:.0f} to {:.0f}".format(
                    *(1000 * np.quantile(seconds, [0.25, 0.75]))
                ),
            }
            for way, seconds in slower.items()
        ]
    )
    bench.record(RESULTS, "distributed_saving", table)
    assert len(table) == 4


def in_ms(table: pd.DataFrame) -> pd.DataFrame:
    """Return the times of an exchange in milliseconds, two digits that count."""
    times = ["all_reduce", "ring", "predicted"]
    shown = table[["bytes"]].copy()
    for name in times:
        shown[f"{name}, ms"] = [
            f"{float(f'{1000 * value:.2g}'):g}" for value in table[name]
        ]
    ratio = table["predicted over measured"]
    return shown.assign(**{ratio.name: [f"{value:.2f}" for value in ratio]})


@pytest.mark.parametrize("mbit", [100, 1000, None])
def test_two_hosts_and_the_link_between_them(mbit: int | None) -> None:
    if hosts.obstacle():
        pytest.skip(hosts.obstacle())
    sizes = [4**k for k in range(7, 12)]
    loopback = pd.DataFrame(
        ranks.measure(2, [{"task": "exchange", "sizes": sizes, "repeats": 9}])[0][0]
    )
    alpha, beta = fit_cost(loopback["bytes"], loopback["all_reduce"], ranks=2)
    _, table = hosts.exchange(sizes, mbit=mbit, repeats=9, deadline_s=300)
    per_byte = 8e-6 / mbit if mbit else beta  # no limit: as fast as the loopback
    table["predicted"] = ring_seconds(table["bytes"], 2, alpha, per_byte)
    table["predicted over measured"] = table["predicted"] / table["all_reduce"]
    note = (
        f"A message on the loopback cost {1000 * alpha:.2g} ms in this run, "
        f"and a byte {1e9 * beta:.2g} ns."
    )
    name = f"distributed_link_{mbit or 'unshaped'}"
    bench.record(RESULTS, name, in_ms(table), note=note)
    assert table["bytes"].tolist() == sizes
