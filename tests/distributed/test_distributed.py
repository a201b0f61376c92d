"""Distributed training, in one process: everything that needs no second rank."""

import ast
import gc
import json
import os
import shutil
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import torch.distributed as dist
from flightline import distributed as d
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

RANK = sys.modules["flightline.distributed.rank"]
LAYOUTS = sys.modules["flightline.distributed.layouts"]
CHECKPOINT = sys.modules["flightline.distributed.checkpoint"]
CPU = torch.device("cpu")
ALONE = d.Rank(0, 1, CPU, "gloo")


def table(rows: int = 64, seed: int = 0) -> pa.Table:
    chance = np.random.default_rng(seed)
    wind = chance.normal(10, 3, rows)
    wait = np.where(chance.random(rows) < 0.2, np.nan, chance.normal(0, 1, rows))
    late = chance.random(rows) < np.where(wind > 10, 0.7, 0.2)
    carrier = chance.choice(["AA", "B6", "DL"], rows)
    return pa.table({
        "wind": wind,
        "wait": pa.array(wait, from_pandas=True),
        "same": np.ones(rows, dtype=np.int64),
        "carrier": carrier,
        "late": late,
    })  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "examples.pt"
    torch.save(d.pack(table()), path)
    return str(path)


@pytest.fixture
def plan(data: str) -> d.Plan:
    return d.Plan(data, width=8, depth=2, batch=8, steps=12, dropout=0.1, keep_every=5)


# --- data -----------------------------------------------------------------------------


def test_numbers_are_standardised_and_a_missing_one_is_the_mean() -> None:
    rows = table()
    numbers = d.pack(rows)["numbers"].numpy()
    wind = rows["wind"].to_numpy()
    assert np.allclose(numbers[:, 0], (wind - wind.mean()) / wind.std(), atol=1e-6)
    missing = np.isnan(rows["wait"].to_numpy())
    assert missing.any() and (numbers[missing, 1] == 0).all()
    assert np.isfinite(numbers).all() and (numbers[:, 2] == 0).all()


def test_text_becomes_one_column_a_value() -> None:
    rows = table()
    examples = d.unpack(d.pack(rows))
    assert examples.inputs.shape == (64, 3 + 4)
    wide = examples.inputs[:, 3:]
    assert (wide.sum(1) == 1).all() and (wide[:, 0] == 0).all()
    found = np.array(["?", "AA", "B6", "DL"])[wide.argmax(1).numpy()]
    assert found.tolist() == rows["carrier"].to_pylist()
    assert examples.late.tolist() == [float(v) for v in rows["late"].to_pylist()]


def test_other_rows_are_packed_like_the_training_rows() -> None:
    first = d.pack(table())
    one = table(1, seed=3).set_column(3, "carrier", pa.array(["NEW"]))
    row = d.pack(one, like=first)
    assert row["codes"].tolist() == [[0]]
    expected = (one["wind"][0].as_py() - first["mean"][0]) / first["std"][0]
    assert float(row["numbers"][0, 0]) == pytest.approx(float(expected), abs=1e-6)


def test_parquet_and_tensor_file_hold_the_same(tmp_path: Path, data: str) -> None:
    pq.write_table(table(), tmp_path / "t.parquet")
    one, two = d.load_packed(tmp_path / "t.parquet"), d.load_packed(data)
    for name in ("numbers", "codes", "late"):
        assert torch.equal(one[name], two[name])
    dictionary = table().set_column(
        3, "carrier", table()["carrier"].dictionary_encode()
    )
    assert torch.equal(d.pack(dictionary)["codes"], one["codes"])


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    rows = table()
    with pytest.raises(ValueError, match=r"no column 'late'"):
        d.pack(rows.drop_columns("late"))
    null = rows.set_column(4, "late", pa.array([None, *[True] * 63]))
    with pytest.raises(ValueError, match="null in 1 of 64 rows"):
        d.pack(null)
    with pytest.raises(ValueError, match="no column 'wind'"):
        d.pack(rows.drop_columns("wind"), like=d.pack(rows))
    with pytest.raises(ValueError, match=r"x\.csv: give"):
        d.load_packed(tmp_path / "x.csv")
    torch.save({"numbers": 1}, tmp_path / "y.pt")
    with pytest.raises(ValueError, match=r"y\.pt is not what"):
        d.load_packed(tmp_path / "y.pt")
    whole = (tmp_path / "y.pt").read_bytes()
    for damaged in (b"", b"no tensors", whole[: len(whole) // 2]):
        (tmp_path / "y.pt").write_bytes(damaged)
        with pytest.raises(ValueError, match=r"y\.pt is not what"):
            d.load_packed(tmp_path / "y.pt")
    packed = d.pack(rows)
    torch.save({**packed, "late": packed["late"][1:]}, tmp_path / "y.pt")
    with pytest.raises(ValueError, match=r"Its parts have \[63, 64\] rows"):
        d.load_packed(tmp_path / "y.pt")


def test_codes_hold_more_values_than_sixteen_bits() -> None:
    names = [f"v{number:06d}" for number in range(70_000)]
    codes = d.pack(pa.table({"k": names, "late": [0.0] * 70_000}))["codes"]
    assert codes[:, 0].tolist() == list(range(1, 70_001))


def test_rows_of_another_kind_are_refused() -> None:
    rows = pa.table({"a": [1.0, 2.0], "k": ["1", "2"], "late": [0, 1]})
    like = d.pack(rows)
    numbers = rows.set_column(1, "k", pa.array([1, 2]))
    with pytest.raises(
        ValueError, match="'k' was text in the training rows and is int"
    ):
        d.pack(numbers, like)
    texts = rows.set_column(0, "a", pa.array(["1", "2"]))
    with pytest.raises(ValueError, match=r"'a' was numbers .* and is string"):
        d.pack(texts, like)
    large = rows.set_column(1, "k", pa.array(["1", "2"], pa.large_string()))
    assert torch.equal(d.pack(large, like)["codes"], like["codes"])


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pa.array([[1], [2]]), "'a' holds list"),
        (pa.array([1, 2], pa.timestamp("us")), "'a' holds timestamp"),
        (pa.array([1.0, np.inf]), "'a' is infinite in 1 of 2 rows"),
    ],
)
def test_what_is_no_number_is_named(column: pa.Array, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        d.pack(pa.table({"a": column, "late": [0, 1]}))


@pytest.mark.parametrize(
    ("late", "told"),
    [
        ([1, 2], "runs from 1 to 2"),
        ([0.0, float("nan")], "null in 1 of 2 rows"),
        (["no", "yes"], "'late' holds string"),
    ],
)
def test_labels_are_zero_to_one(late: list, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        d.pack(pa.table({"a": [1.0, 2.0], "late": late}))
    with pytest.raises(ValueError, match="no rows"):
        d.pack(pa.table({"a": [1.0], "late": [1]}).slice(0, 0))


def test_a_column_without_a_number_is_the_mean() -> None:
    packed = d.pack(pa.table({"a": pa.nulls(2, pa.float64()), "late": [0, 1]}))
    assert packed["numbers"].tolist() == [[0.0], [0.0]]


def test_the_digest_of_data_is_that_of_its_rows(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "t.parquet")
    first = d.pack(table())
    assert d.data_digest(d.load_packed(tmp_path / "t.parquet")) == d.data_digest(first)
    narrow = {**first, "codes": first["codes"].to(torch.int16)}
    assert d.data_digest(narrow) == d.data_digest(first)
    for name in ("numbers", "codes", "late"):
        other = {**first, name: first[name].clone()}
        other[name][5] += 1
        assert d.data_digest(other) != d.data_digest(first)


def test_the_module_needs_torch_numpy_and_pyarrow_alone() -> None:
    code = (
        "import sys; before = set(sys.modules); from flightline import distributed; "
        "new = {n.split('.')[0] for n in set(sys.modules) - before}; "
        "print(new & {'pandas', 'pyarrow', 'sklearn', 'labkit', 'matplotlib'})"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(d.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env
    )
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_the_package_runs_alone(tmp_path: Path) -> None:
    """Copied without its neighbours: PyTorch, NumPy, pyarrow and Python's own."""
    folder = Path(d.__file__).parent
    foreign = set()
    for path in folder.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = [a.name for n in nodes if isinstance(n, ast.Import) for a in n.names]
        names += [n.module for n in nodes if isinstance(n, ast.ImportFrom)]
        foreign |= {n.split(".")[0] for n in names} - set(sys.stdlib_module_names)
    assert foreign <= {"flightline", "torch", "numpy", "pyarrow", "optuna"}
    home = tmp_path / "labs" / "flightline"
    shutil.copytree(folder, home / "distributed")
    (home / "__init__.py").touch()
    pq.write_table(table(), tmp_path / "t.parquet")
    command = [sys.executable, "-m", "flightline.distributed", "t.parquet", "out"]
    done = subprocess.run(
        [*command, "--batch=8", "--steps=2", "--width=4"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "labs")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "result.json").read_text())["step"] == 2


# --- the ring -------------------------------------------------------------------------


def simulate(buffers: list[np.ndarray]) -> list[np.ndarray]:
    """Carry out everybody's schedule on lists of chunks."""
    ranks = len(buffers)
    held = [np.array_split(b.astype(float), ranks) for b in buffers]
    plans = [d.ring_schedule(rank, ranks) for rank in range(ranks)]
    for moves in zip(*plans, strict=True):
        sent = [held[r][move.send].copy() for r, move in enumerate(moves)]
        for r, move in enumerate(moves):
            before = moves[r - 1]
            assert before.send == move.receive
            old = held[r][move.receive] if move.add else 0
            held[r][move.receive] = old + sent[r - 1]
    return [np.concatenate(chunks) for chunks in held]


@pytest.mark.parametrize("ranks", range(1, 8))
def test_everybody_ends_with_the_sum(ranks: int) -> None:
    buffers = [np.arange(13) * (rank + 1) for rank in range(ranks)]
    assert all(len(d.ring_schedule(r, ranks)) == 2 * (ranks - 1) for r in range(ranks))
    for result in simulate(buffers):
        assert result.tolist() == sum(buffers).tolist()


def test_a_ring_of_one_and_a_tensor_that_is_no_block(monkeypatch) -> None:
    with d.world() as here:
        assert here == ALONE
        tensor = torch.arange(5.0)
        assert d.ring_all_reduce(tensor) is tensor and tensor.tolist() == [
            0,
            1,
            2,
            3,
            4,
        ]
        with pytest.raises(ValueError, match="not contiguous"):
            d.ring_all_reduce(torch.ones(4, 4).t()[1:])
    assert not dist.is_initialized()


def test_the_cost_is_found_again() -> None:
    sizes = np.array([1e3, 1e5, 1e7])
    seconds = 2 * 3 * 2e-4 + 2 * 3 / 4 * sizes * 1e-9
    alpha, beta = d.fit_cost(sizes, seconds, ranks=4)
    assert alpha == pytest.approx(2e-4) and beta == pytest.approx(1e-9)
    off = seconds * [1.0, 1.0, 1.5]
    alpha, _ = d.fit_cost(sizes, off, ranks=4)
    assert alpha == pytest.approx(2e-4, rel=0.35)  # the small ones still count


# --- rows -----------------------------------------------------------------------------


@given(
    rows=st.integers(8, 60),
    ranks=st.integers(1, 4),
    share=st.integers(1, 2),
    epoch=st.integers(0, 3),
)
def test_an_epoch_uses_every_row_once_whatever_the_ranks(
    rows: int, ranks: int, share: int, epoch: int
) -> None:
    batch, steps = ranks * share, rows // (ranks * share)
    ask = {"rows": rows, "batch": batch, "ranks": ranks, "seed": 5}
    used = []
    for step in range(epoch * steps, (epoch + 1) * steps):
        parts = [d.batch_rows(step, rank=r, **ask) for r in range(ranks)]
        whole = d.batch_rows(step, rank=0, **{**ask, "ranks": 1})
        together = torch.stack(parts, 1).reshape(-1)
        assert torch.equal(together, whole)
        used += whole.tolist()
    assert len(set(used)) == len(used) == steps * batch


def test_epochs_differ_and_the_seed_alone_decides() -> None:
    ask = {"rows": 32, "batch": 32, "rank": 0, "ranks": 1}
    torch.manual_seed(1)
    first = d.batch_rows(0, seed=3, **ask).tolist()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert d.batch_rows(0, seed=3, **ask).tolist() == first
    assert torch.equal(torch.get_rng_state(), state)
    assert d.batch_rows(1, seed=3, **ask).tolist() != first


@pytest.mark.parametrize(("batch", "ranks"), [(7, 2), (40, 2)])
def test_a_batch_that_cannot_be_shared_is_refused(batch: int, ranks: int) -> None:
    with pytest.raises(ValueError, match=f"batch={batch}"):
        d.batch_rows(0, rows=32, batch=batch, rank=0, ranks=ranks, seed=0)


# --- where it runs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gpus", "ranks", "backend"),
    [(0, 1, "gloo"), (1, 1, "nccl"), (1, 2, "gloo"), (8, 8, "nccl"), (7, 8, "gloo")],
)
def test_nccl_only_if_every_rank_has_its_own_gpu(
    gpus: int, ranks: int, backend: str
) -> None:
    assert d.choose_backend(gpus, ranks) == backend


def test_each_rank_gets_its_own_gpu_or_the_cpu() -> None:
    assert d.choose_device("nccl", 3) == torch.device("cuda:3")
    assert d.choose_device("gloo", 3) == CPU


def test_mixed_precision_is_on_when_asked() -> None:
    one = torch.ones(2, 2)
    with d.autocast(CPU, "bfloat16"):
        assert (one @ one).dtype == torch.bfloat16
    for exact in ("float32", "float64"):
        with d.autocast(CPU, exact):
            assert (one @ one).dtype == torch.float32
    with pytest.raises(ValueError, match="precision is 'half'"):
        d.autocast(CPU, "half")


def test_mixed_precision_on_a_gpu(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(torch, "autocast", lambda *a, **k: asked.append((a, k)))
    d.autocast(torch.device("cuda:1"), "bfloat16")
    d.autocast(torch.device("cuda:1"), "float32")
    assert asked == [
        (("cuda", torch.bfloat16), {"enabled": True}),
        (("cuda", torch.bfloat16), {"enabled": False}),
    ]


def test_with_a_gpu_the_group_is_nccl_on_that_gpu(monkeypatch) -> None:
    seen: dict = {}
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "set_device", lambda device: seen.update(set=device)
    )
    monkeypatch.setattr(
        RANK.dist,
        "init_process_group",
        lambda backend, **k: seen.update(backend=backend, **k),
    )
    monkeypatch.setattr(
        RANK.dist, "destroy_process_group", lambda: seen.update(left=True)
    )
    launch = {"RANK": 5, "WORLD_SIZE": 8, "LOCAL_RANK": 1, "LOCAL_WORLD_SIZE": 2}
    for name, value in launch.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(RANK, "end_with_parent", lambda: seen.update(watched=True))
    place = {"store": "a store", "rank": 5, "world_size": 8}
    monkeypatch.setattr(RANK, "meeting_place", lambda timeout: place)
    with d.world(timeout_s=9) as here:
        assert here == d.Rank(5, 8, torch.device("cuda:1"), "nccl")
    assert seen["backend"] == "nccl" and seen["left"] and seen["watched"]
    assert seen["device_id"] == seen["set"] == torch.device("cuda:1")
    assert seen["timeout"].total_seconds() == 9
    assert {name: seen[name] for name in place} == place


def test_every_attempt_has_a_part_of_the_store_of_its_own(monkeypatch) -> None:
    """The launcher keeps its store: without the prefix, the dead are called."""
    kept = dist.HashStore()
    monkeypatch.setattr(RANK, "rendezvous", lambda url, timeout: iter([(kept, 1, 2)]))
    monkeypatch.setenv("RANK", "1")
    stores = []
    for attempt in ("0", "1"):
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", attempt)
        place = d.meeting_place(timedelta(seconds=1))
        assert (place["rank"], place["world_size"]) == (1, 2)
        stores.append(place["store"])
    stores[0].set("address of rank 0", "gone")
    assert stores[0].check(["address of rank 0"])
    assert not stores[1].check(["address of rank 0"])


def test_loopback_is_for_one_node_only(monkeypatch) -> None:
    monkeypatch.setattr(RANK.dist, "init_process_group", lambda *a, **k: None)
    monkeypatch.setattr(RANK.dist, "destroy_process_group", lambda: None)
    monkeypatch.setattr(RANK, "end_with_parent", lambda: None)
    monkeypatch.setattr(RANK, "meeting_place", lambda timeout: {})
    monkeypatch.setenv("RANK", "0")
    for ranks, expected in (("4", None), ("2", d.LOOPBACK)):
        monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
        monkeypatch.setenv("WORLD_SIZE", ranks)
        monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
        with d.world(gpus=0):
            assert os.environ.get("GLOO_SOCKET_IFNAME") == expected
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)


def test_the_model_is_placed_on_the_device(plan: d.Plan) -> None:
    meta = d.Rank(0, 1, torch.device("meta"), "nccl")
    model = d.wrap(d.build_model(7, plan), "alone", meta)
    assert {p.device.type for p in model.parameters()} == {"meta"}
    with pytest.raises(ValueError, match="strategy is 'dpp'"):
        d.wrap(d.build_model(7, plan), "dpp", ALONE)


def test_ddp_is_told_the_gpu(monkeypatch, plan: d.Plan) -> None:
    asked = []
    monkeypatch.setattr(
        LAYOUTS,
        "DistributedDataParallel",
        lambda model, device_ids: asked.append(device_ids),
    )
    stub = SimpleNamespace(to=lambda device: stub)
    d.wrap(stub, "ddp", d.Rank(1, 2, torch.device("cuda:1"), "nccl"))
    d.wrap(stub, "ddp", ALONE)
    assert asked == [[1], None]


# --- the training ---------------------------------------------------------------------


def run(plan: d.Plan, folder: Path) -> dict:
    with d.world() as here:
        return d.train(plan, here, d.Journal(folder, here))


def test_training_learns_and_reports(plan: d.Plan, tmp_path: Path) -> None:
    result = run(replace(plan, steps=60, keep_every=0, lr=0.01), tmp_path / "a")
    lines = [json.loads(x) for x in (tmp_path / "a/rank-0.jsonl").open()]
    assert [x["event"] for x in lines] == ["start", *["progress"] * 6, "end"]
    assert lines[0]["backend"] == "gloo" and lines[0]["pid"] == os.getpid()
    assert lines[1]["step"] == 10 and lines[1]["rows_per_s"] > 0
    assert lines[-2]["loss"] < lines[1]["loss"]
    assert result["step"] == 60 and len(result["sha256"]) == 64
    again = run(replace(plan, steps=60, keep_every=0, lr=0.01), tmp_path / "b")
    assert again["sha256"] == result["sha256"]
    kept = torch.load(tmp_path / "a/weights.pt", weights_only=True)
    assert d.digest(kept) == result["sha256"]


def test_a_resumed_training_ends_in_the_same_bits(plan: d.Plan, tmp_path: Path) -> None:
    whole = run(plan, tmp_path / "whole")
    run(replace(plan, steps=5), tmp_path / "parts")
    torch.manual_seed(99)
    assert run(plan, tmp_path / "parts")["sha256"] == whole["sha256"]
    assert not list(tmp_path.rglob("*.draft"))


@pytest.mark.parametrize("lost", ["random", "optimizer", "step"])
def test_each_piece_of_the_state_is_needed(
    plan: d.Plan, tmp_path: Path, lost: str
) -> None:
    whole = run(plan, tmp_path / "whole")
    run(replace(plan, steps=5), tmp_path / "parts")
    kept = tmp_path / "parts" / "state.pt"
    state = d.read_state(kept)
    if lost == "random":
        state["random"] = []
    elif lost == "step":
        state["step"] = 0
    else:
        for moments in state["optimizer"]["state"].values():
            moments["exp_avg"].zero_()
    d.write_state(kept, state)
    assert run(plan, tmp_path / "parts")["sha256"] != whole["sha256"]


def test_a_full_disk_leaves_the_old_checkpoint(monkeypatch, tmp_path: Path) -> None:
    model = nn.Linear(2, 1)
    optimizer = torch.optim.AdamW(model.parameters())
    path = tmp_path / "state.pt"
    with d.world():
        d.save_state(path, model, optimizer, 5)
        before = path.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(CHECKPOINT.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            d.save_state(path, model, optimizer, 6)
    assert path.read_bytes() == before


def test_another_number_of_ranks_can_continue(plan: d.Plan, tmp_path: Path) -> None:
    run(replace(plan, steps=5), tmp_path)
    state = d.read_state(tmp_path / "state.pt")
    state["random"] *= 2
    d.write_state(tmp_path / "state.pt", state)
    assert run(plan, tmp_path)["step"] == 12


def test_what_cannot_be_trained_is_refused(plan: d.Plan, tmp_path: Path) -> None:
    with pytest.raises(FloatingPointError, match="the loss is"):
        run(replace(plan, lr=1e30, keep_every=0), tmp_path)


def test_pieces_give_the_gradients_of_the_whole(plan: d.Plan) -> None:
    examples = d.unpack(d.load_packed(plan.data), torch.float64)
    part = d.Examples(*(side[:13] for side in examples))
    exact = replace(plan, precision="float64", dropout=0.0)
    grads = []
    for strategy, pieces in (("alone", 1), ("ddp", 1), ("ddp", 4), ("ring", 4)):
        with d.world() as here:
            model = d.wrap(d.build_model(7, exact), strategy, here)
            d.backward(model, part, replace(exact, accumulate=pieces))
            if strategy == "ring":
                d.average_gradients(model)
            grads.append(torch.cat([p.grad.reshape(-1) for p in model.parameters()]))
    for other in grads[1:]:
        assert torch.allclose(other, grads[0], rtol=1e-12, atol=1e-15)


def test_more_pieces_than_rows_are_refused(plan: d.Plan) -> None:
    part = d.Examples(torch.ones(2, 7), torch.ones(2))
    with pytest.raises(ValueError, match="accumulate=4: a rank has 2 rows"):
        d.backward(d.build_model(7, plan), part, replace(plan, accumulate=4))


def test_a_failpoint_fires_once(monkeypatch, plan: d.Plan, tmp_path: Path) -> None:
    monkeypatch.setenv("FLIGHTLINE_FAILPOINT", "0:7:raise")
    with pytest.raises(RuntimeError, match="failpoint at step 7"):
        run(plan, tmp_path / "a")
    result = run(plan, tmp_path / "a")
    monkeypatch.delenv("FLIGHTLINE_FAILPOINT")
    assert result["sha256"] == run(plan, tmp_path / "b")["sha256"]


def test_a_model_does_not_outlive_its_group_in_a_traceback(plan: d.Plan) -> None:
    """DDP's own thread may wait for Python while Python waits for the thread."""
    kept = []

    def fail(here: d.Rank) -> None:
        model = d.wrap(d.build_model(7, plan), "ddp", here)
        kept.append(weakref.ref(model))
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose") as caught, d.world() as here:
        fail(here)
    assert caught.value.__traceback__ is not None
    gc.collect()
    assert kept[0]() is None


def test_the_command_line_knows_the_whole_plan(tmp_path: Path) -> None:
    asked = ["x.pt", str(tmp_path), "--keep-every=5", "--lr=0.5", "--timeout-s=3"]
    plan, out, timeout_s = d.parse(asked)
    assert plan == d.Plan("x.pt", keep_every=5, lr=0.5)
    assert (out, timeout_s) == (tmp_path, 3.0)


def test_one_process_needs_no_launcher(data: str, tmp_path: Path) -> None:
    d.main([data, str(tmp_path), "--batch=8", "--steps=3", "--width=4"])
    assert json.loads((tmp_path / "result.json").read_text())["ranks"] == 1
    with pytest.raises(ValueError, match="batch=100"):
        d.main([data, str(tmp_path), "--batch=100"])
    last = (tmp_path / "rank-0.jsonl").read_text().splitlines()[-1]
    assert "ValueError: batch=100" in json.loads(last)["error"]


# --- layouts --------------------------------------------------------------------------


@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
def test_the_stages_hold_every_layer_once(plan: d.Plan, ranks: int) -> None:
    model = d.build_model(7, replace(plan, depth=4, dropout=0.0))
    stages = [d.stage_of(model, d.Rank(r, ranks, CPU, "gloo")) for r in range(ranks)]
    assert all(len(stage) for stage in stages)
    x = torch.randn(3, 7)
    y = x
    for stage in stages:
        y = stage(y)
    assert torch.equal(y.squeeze(1), model(x))


def test_held_bytes_count_parameters_gradients_and_moments() -> None:
    model = nn.Linear(10, 1)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2, 10)).sum().backward()
    optimizer.step()
    expected = {"parameters": 44, "gradients": 44, "optimizer": 88}
    assert d.held_bytes(model, optimizer) == expected


def simulated_bubble(stages: int, microbatches: int) -> float:
    """Let each stage start a microbatch when it and the one before are done."""
    end = np.zeros((stages, microbatches))
    for m in range(microbatches):
        for p in range(stages):
            ready = max(end[p - 1, m] if p else 0, end[p, m - 1] if m else 0)
            end[p, m] = ready + 1
    return 1 - microbatches / end.max()


@pytest.mark.parametrize(("stages", "microbatches"), [(1, 3), (2, 1), (4, 8), (3, 5)])
def test_the_bubble_is_that_of_a_simulation(stages: int, microbatches: int) -> None:
    expected = simulated_bubble(stages, microbatches)
    assert d.bubble(stages, microbatches) == pytest.approx(expected)


# --- nobody is left behind ------------------------------------------------------------

ORPHAN = """
import os, subprocess, sys, time
if sys.argv[1:] == ["child"]:
    from flightline.distributed import end_with_parent
    {platform}
    end_with_parent(poll_s=0.05)
    print(os.getpid(), flush=True)
    time.sleep(60)
else:
    command = [sys.executable, __file__, "child"]
    child = subprocess.Popen(command, start_new_session=True)
    time.sleep(60)
"""


def runs(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("platform", ["pass", "sys.platform = 'darwin'"])
def test_a_rank_ends_when_its_parent_is_killed(tmp_path: Path, platform: str) -> None:
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN.format(platform=platform))
    env = {**os.environ, "PYTHONPATH": str(Path(d.__file__).parents[2])}
    parent = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=env
    )
    pid = int(parent.stdout.readline())
    assert runs(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(200):
        if not runs(pid):
            break
        time.sleep(0.05)
    assert not runs(pid)


def test_a_rank_without_its_launcher_does_not_start(monkeypatch) -> None:
    d.require_launcher()
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "9")
    with pytest.raises(ConnectionError, match="no launcher answers"):
        d.require_launcher(wait_s=1)
