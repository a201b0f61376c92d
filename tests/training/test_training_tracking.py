"""Runs, the registry and the command line of lab 06, on MLflow's SQLite database."""

import importlib.metadata
import json
import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import flightline
import pytest
from flightline import training
from flightline.training import __main__ as train
from flightline.training import fits, tracking
from labkit import data

SMALL = {"rounds": 15, "learning_rate": 0.2}


@pytest.fixture(scope="module")
def table():
    return training.load_table(data.DATA_DIR)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def runs(store, table):
    recipes = [training.Recipe("lightgbm", seed, 3_000, SMALL) for seed in (1, 2)]
    return [tracking.record(store, each, data.DATA_DIR, table) for each in recipes]


def test_a_run_holds_all_that_it_depends_on(store, runs):
    stored = tracking.tracker(store)[0].get_run(runs[0]).data
    recipe = training.Recipe(**json.loads(stored.params["recipe"]))
    assert recipe == training.Recipe("lightgbm", 1, 3_000, SMALL)
    assert stored.params["rounds"] == "15" and stored.params["rows"] == "3000"
    names = {"data_sha256", "lock_sha256", "installed_sha256", "code_sha256"}
    assert all(len(stored.tags[name]) == 64 for name in names)
    assert stored.tags["git_commit"] and len(stored.metrics) == 6
    sums = (data.DATA_DIR / "SHA256SUMS").read_bytes()
    assert stored.tags["data_sha256"] == training.sha256(sums)


def test_a_run_is_made_again_from_its_id_alone(store, runs):
    metrics, same_files = tracking.reproduce(store, runs[0], data.DATA_DIR)
    assert (metrics["recorded"] == metrics["again"]).all() and len(metrics) == 6
    assert same_files


def test_other_bytes_of_a_model_are_told_although_its_metrics_are_equal(
    store, table, monkeypatch
):
    recipe = training.Recipe("lightgbm", 3, 3_000, SMALL)
    run = tracking.record(store, recipe, data.DATA_DIR, table)

    def renamed(*arguments):
        model = training.train_recipe(*arguments)
        return replace(model, name="other")

    monkeypatch.setattr(tracking, "train_recipe", renamed)
    metrics, same_files = tracking.reproduce(store, run, data.DATA_DIR)
    assert (metrics["recorded"] == metrics["again"]).all() and not same_files


def test_a_run_on_other_data_is_not_made_again(store, runs, tmp_path):
    (tmp_path / "SHA256SUMS").write_text("other data")
    with pytest.raises(training.Damaged, match="other data"):
        tracking.reproduce(store, runs[0], tmp_path)


def test_provenance_says_unknown_where_nothing_is_known(tmp_path):
    assert training.provenance(tmp_path)["data_sha256"] == "unknown"


def test_provenance_sees_each_pin_and_each_installed_version(tmp_path, monkeypatch):
    package = tmp_path / "labs" / "flightline" / "__init__.py"
    monkeypatch.setattr(flightline, "__file__", str(package))
    monkeypatch.setattr(subprocess, "run", mock.Mock(side_effect=OSError))
    versions = {"lightgbm": "4.7.0"}
    monkeypatch.setattr(
        importlib.metadata, "distributions",
        lambda: [SimpleNamespace(name=n, version=v) for n, v in versions.items()],
    )  # fmt: skip
    locks = [tmp_path / name for name in ("requirements.txt", "constraints.txt")]
    (tmp_path / "SHA256SUMS").write_text("some data")
    locks[0].write_text("lightgbm==4.7.0")
    assert training.provenance(tmp_path)["lock_sha256"] == "unknown"
    locks[1].write_text("zipp==1.0")
    seen = [training.provenance(tmp_path)]
    for lock in locks:
        lock.write_text(lock.read_text() + "1")
        seen.append(training.provenance(tmp_path))
    assert len({found["lock_sha256"] for found in seen}) == 3
    assert len({found["installed_sha256"] for found in seen}) == 1
    versions["lightgbm"] = "4.6.0"
    now = training.provenance(tmp_path)
    assert training.what_changed(now, seen[-1]) == ["installed_sha256"]


def test_aliases_move_forth_and_back(store, runs):
    versions = [tracking.promote(store, run, "delay") for run in runs]
    live = tracking.fetch(store, "delay")
    assert versions == ["1", "2"] and (live.name, live.version) == ("delay", "2")
    client, _ = tracking.tracker(store)
    client.set_registered_model_alias("delay", "champion", "1")
    assert tracking.fetch(store, "delay").version == "1"


def test_a_changed_artefact_is_refused_even_with_its_manifest(store, runs):
    tracking.promote(store, runs[1], "tampered")
    client, _ = tracking.tracker(store)
    entry = client.get_model_version_by_alias("tampered", "champion")
    folder = Path(str(entry.source).removeprefix("file://"))
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    manifest = json.loads((folder / "models.json").read_text())
    model = folder / manifest["models"][0]["file"]
    model.write_bytes(kept[model][:-1] + b"x")
    manifest["models"][0]["sha256"] = training.sha256(model.read_bytes())
    (folder / "models.json").write_text(json.dumps(manifest))
    with pytest.raises(training.Damaged, match=r"models\.json"):
        tracking.fetch(store, "tampered")
    for path, content in kept.items():
        path.write_bytes(content)
    assert tracking.fetch(store, "tampered").kind == "lightgbm"


def test_mlflow_writes_to_its_folder_alone(store, runs, capfd):
    tracking.tracker(store)
    assert capfd.readouterr() == ("", "")
    with sqlite3.connect(store / "runs.db") as database:
        rows = database.execute("select count(*) from runs").fetchone()
    assert rows[0] >= 2


def test_the_command_line_trains_records_and_reproduces(
    tmp_path, capsys, monkeypatch, table
):
    monkeypatch.setattr(training, "load_table", lambda *_: table)
    monkeypatch.setattr(tracking, "load_table", lambda *_: table)
    store, out = tmp_path / "store", tmp_path / "out"
    arguments = [str(store), "--kind", "logistic", "--rows", "3000"]
    arguments += ["--out", str(out), "--promote", "delay"]
    assert train.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "passed" in printed and "version 1, logistic, is the champion" in printed
    model = training.load_model(out, "logistic")
    live = tracking.fetch(store, "delay")
    assert live.content == model.content
    run_id = printed.split("run ")[1].split(",")[0]
    assert train.main([str(store), "--reproduce", run_id]) == 0
    assert "equal to the last bit" in capsys.readouterr().out


def test_the_gate_decides_the_exit_code(tmp_path, capsys, monkeypatch, table):
    monkeypatch.setattr(training, "load_table", lambda *_: table)
    monkeypatch.setattr(tracking, "load_table", lambda *_: table)
    arguments = [str(tmp_path), "--rows", "2000", "--set", "rounds=1"]
    assert train.main([*arguments, "--promote", "delay"]) == 1
    assert "refused by the gate" in capsys.readouterr().out
    client, _ = tracking.tracker(tmp_path)
    assert not client.search_registered_models()


def test_an_interrupted_network_goes_on_where_it_was(
    tmp_path, capsys, monkeypatch, table
):
    monkeypatch.setattr(training, "load_table", lambda *_: table)
    monkeypatch.setattr(tracking, "load_table", lambda *_: table)
    monkeypatch.setattr(train, "passes", lambda *_: True)
    monkeypatch.setattr(fits, "to_onnx", lambda network: interrupted())
    steps = []

    def interrupted():
        raise OSError("stopped")

    monkeypatch.setattr(
        train.Progress, "__call__", lambda s, run: steps.append(run.step)
    )
    arguments = [str(tmp_path), "--kind", "mlp", "--rows", "2000", "--set", "epochs=2"]
    arguments += ["--set", "hidden=[8]", "--set", "batch=16", "--set", "every=50"]
    assert train.main(arguments) == 2 and steps == list(range(1, 251))
    steps.clear()
    for path in (tmp_path / "checkpoints").rglob("step-00000250-*"):
        path.unlink()
    assert train.main(arguments) == 2 and steps == list(range(201, 251))
    assert "stopped" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "rounds"], "is no setting"),
        (["--set", "rounds=x"], "is no setting"),
        (["--kind", "forest"], "invalid choice"),
    ],
)
def test_bad_arguments_are_named(arguments, told, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        train.main([str(tmp_path / "store"), *arguments])
    assert stopped.value.code == 2 and told in capsys.readouterr().err


def test_missing_data_is_said(tmp_path, capsys):
    assert train.main([str(tmp_path), "--data", str(tmp_path)]) == 2
    assert "SHA256SUMS" in capsys.readouterr().err


def test_progress_says_what_is_left(capsys):
    progress = train.Progress(every_s=0)
    for step in (1, 2, 4):
        progress(training.Training(None, None, None, 0, 1, 4, step))
    assert "step 4 of 4" in capsys.readouterr().out
