"""Files, folders, names and checkpoints that users hand over, and what each gets."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from flightline import training
from flightline.training import __main__ as train_app
from flightline.training import tracking
from labkit import data
from random_table import random_table

MODELS = data.DATA_DIR / "models"


# --- runs and checkpoints


@pytest.fixture
def rows():
    table = random_table(64)
    return training.tensors(training.Transform.fit(table), table)


def started(**more):
    return training.start_training(
        [4, 4, 4], 64, **{"epochs": 4, "batch": 16, "hidden": (8,), **more}
    )


def test_a_snapshot_and_its_run_go_their_own_ways(rows):
    run = started()
    training.train(run, rows, until=4)
    saved = training.snapshot(run)
    before = {n: v.clone() for n, v in run.network.state_dict().items()}
    training.train(run, rows, until=8)
    for _ in range(2):  # what was restored does not change the snapshot, either
        training.restore(run, saved)
        found = run.network.state_dict()
        assert all(torch.equal(found[n], before[n]) for n in before)
        training.train(run, rows, until=10)


def test_rows_of_a_step_can_be_changed_by_their_reader():
    first = training.batch_rows(0, 1, 64, 16)
    kept = first.clone()
    first[:] = 0
    assert torch.equal(training.batch_rows(0, 1, 64, 16), kept)


@pytest.mark.parametrize("change", ["label", "number", "fewer"])
def test_a_run_goes_on_with_its_own_rows_alone(change, rows, tmp_path):
    codes, numbers, late = (part.clone() for part in rows)
    if change == "label":
        late[5] = 1 - late[5]
    elif change == "number":
        numbers[0, 0] += 1
    else:
        codes, numbers, late = codes[:-1], numbers[:-1], late[:-1]
    run = started()
    training.train(run, rows, until=4)
    training.save_checkpoint(tmp_path, run)
    again = started()
    assert training.load_checkpoint(tmp_path, again) == (4, [])
    with pytest.raises(ValueError, match="not those that the run began with"):
        training.train(again, (codes, numbers, late))


def test_fit_never_returns_the_model_of_another_plan(tmp_path):
    table, settings = random_table(64), {"epochs": 2, "batch": 16, "hidden": (8,)}
    settings |= {"checkpoints": tmp_path, "every": 4}
    training.fit("mlp", table, table, seed=1, **settings)
    with pytest.raises(ValueError, match="another seed"):
        training.fit("mlp", table, table, seed=2, **settings)
    mended = table.assign(late=np.r_[~table["late"][:1], table["late"][1:]])
    with pytest.raises(ValueError, match="other rows"):
        training.fit("mlp", mended, table, seed=1, **settings)
    with pytest.raises(ValueError, match="other settings"):
        training.fit("mlp", table, table, seed=1, **settings, rate=0.1)


def test_checkpoints_are_sorted_by_number_and_strangers_left_alone(tmp_path):
    strangers = ("step-best.pt", "step-00000001-copy.pt", ".step-old.draft", "notes")
    for name in strangers:
        (tmp_path / name).write_text("mine")
    run = started()
    for step in (99_999_999, 100_000_000, 100_000_001):
        run.step = step
        path = training.save_checkpoint(tmp_path, run)
        shutil.copy(path, path.with_name(f"{path.stem} (copy).pt"))
    assert training.load_checkpoint(tmp_path, started())[0] == 100_000_001
    names = {path.name for path in tmp_path.iterdir()}
    assert {*strangers} <= names and len([n for n in names if "copy)" in n]) == 3
    with pytest.raises(ValueError, match="keep=0"):
        training.save_checkpoint(tmp_path, run, keep=0)


@pytest.mark.parametrize("change", [{"epochs": 0}, {"batch": 0}])
def test_a_run_of_nothing_is_refused(change):
    with pytest.raises(ValueError, match="all at least 1"):
        started(**change)


# --- model files


@pytest.fixture(scope="module")
def constants():
    transform = training.load_model(MODELS, "delay_lightgbm").transform

    def make(bias, name="m"):
        content = json.dumps({"weights": [], "bias": bias}).encode()
        return training.open_model(content, "constant", transform, name=name)

    return make


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b", "x" * 101, "é"])
def test_a_name_that_cannot_name_a_file(name, tmp_path, constants):
    model = replace(constants(1.0), name=name)
    with pytest.raises(ValueError, match="cannot name a file"):
        training.save_models(tmp_path / "out", [model])
    assert not list(tmp_path.rglob("*.json"))


def test_twins_and_nothing_are_refused(tmp_path, constants):
    with pytest.raises(ValueError, match="two models are called"):
        training.save_models(tmp_path, [constants(1.0), constants(2.0, "M")])
    with pytest.raises(ValueError, match="no model to save"):
        training.save_models(tmp_path, [])


def test_names_of_our_own_files_do_no_harm(tmp_path, constants):
    names = ["transform", "models", "models.json"]
    training.save_models(tmp_path, [constants(1.0, name) for name in names])
    for name in names:
        assert training.load_model(tmp_path, name).name == name


@pytest.mark.parametrize("point", ["checkpoint-half", "checkpoint-draft"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_disk_that_refuses_keeps_what_is_served(
    point, nth, tmp_path, constants, monkeypatch
):
    training.save_models(tmp_path, [constants(1.0)])
    old = training.load_model(tmp_path, "m").content
    seen = []

    def full(name):
        seen.append(name)
        if seen.count(point) == nth:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("flightline.training.files.failpoint", full)
    with pytest.raises(OSError, match="No space"):
        training.save_models(tmp_path, [constants(2.0)])
    assert training.load_model(tmp_path, "m").content == old
    monkeypatch.undo()
    training.save_models(tmp_path, [constants(2.0)])
    assert training.load_model(tmp_path, "m").content != old


def test_about_cannot_overwrite_what_the_manifest_says(tmp_path, constants):
    about = {"m": {"file": "/etc/passwd", "note": 1}, "": {"models": []}}
    training.save_models(tmp_path, [constants(1.0)], about)
    assert training.load_model(tmp_path, "m").name == "m"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"models": 1}', "\x00"])
def test_a_manifest_that_is_none(text, tmp_path):
    (tmp_path / "models.json").write_text(text)
    with pytest.raises(training.Damaged, match="is no manifest"):
        training.load_model(tmp_path, "m")


def test_a_manifest_that_points_elsewhere(tmp_path, constants):
    training.save_models(tmp_path / "in", [constants(1.0)])
    path = tmp_path / "in" / "models.json"
    manifest = json.loads(path.read_text())
    manifest["models"][0]["file"] = "../secret"
    path.write_text(json.dumps(manifest))
    with pytest.raises(training.Damaged, match="outside its folder"):
        training.load_model(tmp_path / "in", "m")


# --- runs, names and folders


SMALL = training.Recipe("constant", 1, 500)


@pytest.fixture(scope="module")
def table():
    return training.load_table(data.DATA_DIR, range(5, 8))


@pytest.mark.parametrize("name", ["o'hare", "50% & #2 ünï"])
def test_odd_folders_and_names_work(name, tmp_path, table):
    store = tmp_path / name
    run = tracking.record(store, SMALL, data.DATA_DIR, table)
    assert {p.name for p in tmp_path.iterdir()} == {name}
    assert tracking.promote(store, run, name) == "1"
    assert tracking.fetch(store, name).kind == "constant"
    with pytest.raises(ValueError, match="is its 'other'"):
        tracking.fetch(store, name, "other")
    for bad in ("", "a/b", "a:b", "a@b"):
        with pytest.raises(ValueError, match="Take another"):
            tracking.promote(store, run, bad)


@pytest.mark.parametrize("name", ["why?1", "%41"])
def test_a_folder_that_mlflow_would_miss(name, tmp_path, capsys):
    with pytest.raises(ValueError, match="Rename it"):
        tracking.tracker(tmp_path / name)
    assert not list(tmp_path.iterdir())
    assert train_app.main([str(tmp_path / name), "--reproduce", "x"]) == 2
    assert "Rename it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"), [(OSError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_run_that_fails_says_so(error, status, tmp_path, table, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise error("the disk is gone")

    monkeypatch.setattr(tracking, "train_recipe", fail)
    with pytest.raises(error):
        tracking.record(tmp_path, SMALL, data.DATA_DIR, table)
    client, experiment = tracking.tracker(tmp_path)
    (run,) = client.search_runs([experiment])
    assert run.info.status == status and "the disk is gone" in run.data.tags["error"]
    for ask in (tracking.open_run, lambda *a: tracking.promote(*a, "delay")):
        with pytest.raises(ValueError, match=f"is {status}: it has no model"):
            ask(tmp_path, run.info.run_id)


def test_a_run_that_nobody_knows(tmp_path, capsys):
    assert train_app.main([str(tmp_path), "--reproduce", "nonsense"]) == 2
    assert "no run 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize("rows", ["0", "-3", "999999999"])
def test_a_sample_that_cannot_be_drawn(rows, tmp_path, capsys, monkeypatch, table):
    monkeypatch.setattr(training, "load_table", lambda *_: table)
    assert train_app.main([str(tmp_path), "--rows", rows]) == 2
    assert "take 1 to all" in capsys.readouterr().err


def test_a_setting_that_does_not_exist(tmp_path, capsys, monkeypatch, table):
    monkeypatch.setattr(training, "load_table", lambda *_: table)
    arguments = [str(tmp_path), "--kind", "logistic", "--rows", "500", "--set", "c=1"]
    assert train_app.main(arguments) == 2
    assert "unexpected keyword" in capsys.readouterr().err
