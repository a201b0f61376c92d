"""Checkpoints know whose they are, notice a changed bit, and end in the same bits."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from flightline import distributed as d

CHOICES = pytest.mark.parametrize("strategy", ["ddp", "fsdp"])


@pytest.fixture
def data(tmp_path: Path) -> str:
    chance = torch.Generator().manual_seed(0)
    numbers = torch.randn(64, 3, generator=chance)
    packed = {
        "numbers": numbers,
        "codes": torch.zeros(64, 1, dtype=torch.int32),
        "late": (numbers.sum(1) > 0).float(),
        "values": {"x": ["a"]},
    }
    torch.save(packed, tmp_path / "examples.pt")
    return str(tmp_path / "examples.pt")


@pytest.fixture
def plan(data: str) -> d.Plan:
    return d.Plan(data, width=8, batch=8, steps=12, dropout=0.1, keep_every=5)


def run(plan: d.Plan, folder: Path) -> dict:
    with d.world() as here:
        return d.train(plan, here, d.Journal(folder, here))


@CHOICES
def test_a_resumed_training_ends_in_the_same_bits(
    plan: d.Plan, tmp_path: Path, strategy: str
) -> None:
    plan = replace(plan, strategy=strategy)
    whole = run(plan, tmp_path / "whole")
    run(replace(plan, steps=7), tmp_path / "parts")
    torch.manual_seed(99)
    again = run(plan, tmp_path / "parts")
    assert again["sha256"] == whole["sha256"] and again["loss"] == whole["loss"]
    left = [p.name for p in tmp_path.rglob("*") if p.suffix in (".draft", ".old")]
    assert left == []


@CHOICES
def test_a_finished_training_says_the_same_again(
    plan: d.Plan, tmp_path: Path, strategy: str
) -> None:
    plan = replace(plan, strategy=strategy)
    first = run(plan, tmp_path / "a")
    again = run(plan, tmp_path / "a")
    assert again == first and math.isfinite(again["loss"])
    with pytest.raises(ValueError, match=r"steps=6: state.* has 12 already"):
        run(replace(plan, steps=6), tmp_path / "a")


@CHOICES
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lr": 0.5}, r"lr 0\.001 and not 0\.5"),
        ({"seed": 8}, "seed 7 and not 8"),
        ({"batch": 4}, "batch 8 and not 4"),
        ({"precision": "float64"}, "precision"),
        ({"accumulate": 2}, "accumulate"),
        ({"width": 4}, "width 8 and not 4"),
    ],
)
def test_a_checkpoint_of_another_plan_is_refused(
    plan: d.Plan, tmp_path: Path, strategy: str, change: dict, told: str
) -> None:
    plan = replace(plan, strategy=strategy, steps=5)
    run(plan, tmp_path / "a")
    with pytest.raises(ValueError, match=f"another training: {told}"):
        run(replace(plan, steps=12, **change), tmp_path / "a")


@CHOICES
def test_a_checkpoint_of_other_data_is_refused_and_a_moved_file_is_not(
    plan: d.Plan, tmp_path: Path, strategy: str
) -> None:
    plan = replace(plan, strategy=strategy, steps=5)
    run(plan, tmp_path / "a")
    moved = tmp_path / "moved.pt"
    shutil.copy(plan.data, moved)
    assert run(replace(plan, data=str(moved), steps=6), tmp_path / "a")["step"] == 6
    packed = torch.load(moved, weights_only=True)
    packed["late"][3] = 1 - packed["late"][3]
    torch.save(packed, moved)
    with pytest.raises(ValueError, match="other data"):
        run(replace(plan, data=str(moved), steps=7), tmp_path / "a")


def test_a_flipped_bit_is_noticed_wherever_it_is(plan: d.Plan, tmp_path: Path) -> None:
    run(replace(plan, steps=5), tmp_path / "a")
    kept = tmp_path / "a" / "state.pt"
    good = kept.read_bytes()
    chance = torch.Generator().manual_seed(1)
    places = torch.randint(len(good), (25,), generator=chance).tolist()
    for place in [0, len(good) // 2, len(good) - 1, *places]:
        bad = bytearray(good)
        bad[place] ^= 1
        kept.write_bytes(bad)
        with pytest.raises(ValueError, match=r"state\.pt is damaged"):
            run(plan, tmp_path / "a")
    for cut in (good[:-1], good[:100], b""):
        kept.write_bytes(cut)
        with pytest.raises(ValueError, match=r"state\.pt is damaged"):
            run(plan, tmp_path / "a")
    kept.write_bytes(good)
    assert run(plan, tmp_path / "a")["step"] == 12


def test_a_flipped_bit_of_a_shard_is_noticed(plan: d.Plan, tmp_path: Path) -> None:
    plan = replace(plan, strategy="fsdp")
    run(replace(plan, steps=5), tmp_path / "a")
    files = sorted((tmp_path / "a" / "state").iterdir())
    assert len(files) >= 4  # metadata, a part, the ranks' numbers, the manifest
    for file in files:
        good = file.read_bytes()
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        file.write_bytes(bad)
        with pytest.raises(ValueError, match="state is damaged"):
            run(plan, tmp_path / "a")
        file.unlink()
        with pytest.raises(ValueError, match="state is damaged"):
            run(plan, tmp_path / "a")
        file.write_bytes(good)
    assert run(plan, tmp_path / "a")["step"] == 12


def test_another_step_in_the_manifest_is_noticed(plan: d.Plan, tmp_path: Path) -> None:
    plan = replace(plan, strategy="fsdp", steps=5)
    run(plan, tmp_path / "a")
    manifest = tmp_path / "a" / "state" / "manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**told, "step": 4}))
    with pytest.raises(ValueError, match=r"manifest\.json is not what was written"):
        run(plan, tmp_path / "a")


def test_a_crash_between_two_names_leaves_the_older_shards(
    plan: d.Plan, tmp_path: Path
) -> None:
    plan = replace(plan, strategy="fsdp")
    whole = run(plan, tmp_path / "whole")
    run(replace(plan, steps=5), tmp_path / "a")
    kept = tmp_path / "a" / "state"
    kept.rename(kept.with_name("state.old"))
    assert run(plan, tmp_path / "a")["sha256"] == whole["sha256"]
    assert not kept.with_name("state.old").exists()


def test_the_folder_is_forced_to_disk_too(monkeypatch, tmp_path: Path) -> None:
    """A rename is in the folder: without it, a power cut brings the old name back."""
    forced = []
    checkpoint = __import__("sys").modules["flightline.distributed.checkpoint"]
    monkeypatch.setattr(checkpoint, "to_disk", forced.append)
    d.write_state(tmp_path / "state.pt", {"step": 1})
    assert forced == [tmp_path]
    assert d.read_state(tmp_path / "state.pt") == {"step": 1}


def test_a_checkpoint_in_the_background_is_of_its_step(
    plan: d.Plan, tmp_path: Path
) -> None:
    """The training goes on while it is written; what it wrote does not."""
    rows = torch.arange(8)
    with d.world() as here:
        examples = d.unpack(d.load_packed(plan.data))
        model = d.wrap(d.build_model(5, plan), "fsdp", here)
        optimizer = torch.optim.AdamW(model.parameters())
        d.train_step(model, optimizer, examples, rows, plan)
        then = d.digest(d.weights(model))
        finish = d.start_sharded(tmp_path / "state", model, optimizer, 1)
        d.train_step(model, optimizer, examples, rows, plan)
        assert not (tmp_path / "state").exists()
        finish()
        assert d.digest(d.weights(model)) != then
        found = d.load_sharded(tmp_path / "state", model, optimizer, here)
        assert found.step == 1 and d.digest(d.weights(model)) == then


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lr": math.nan}, "lr=nan"),
        ({"lr": 0.0}, "lr=0"),
        ({"steps": 0}, "steps=0"),
        ({"dropout": 1.0}, "dropout=1"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"report_every": 0}, "report_every=0"),
        ({"keep_every": -1}, "keep_every"),
        ({"strategy": "dpp"}, "strategy is 'dpp'"),
        ({"precision": "half"}, "precision is 'half'"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(change: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        d.Plan("x", **change)


def test_the_command_line_refuses_with_one_line(data: str, tmp_path: Path, capsys):
    for options in (["--lr=nan"], ["--steps=-3"], ["--timeout-s=nan"], ["--lr=x"]):
        with pytest.raises(SystemExit) as ended:
            d.main([data, str(tmp_path / "out"), *options])
        assert ended.value.code == 2
        assert "Traceback" not in capsys.readouterr().err
