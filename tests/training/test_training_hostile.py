"""What users hand over by mistake or on purpose, and the sentence that each gets."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from flightline import training
from flightline.features import CATEGORICAL, NUMERIC
from flightline.training import __main__ as train_app
from flightline.training import tracking
from labkit import data

MODELS = data.DATA_DIR / "models"
LATE = np.array([0.0, 0.0, 1.0, 1.0])
METRICS = (training.auc, training.log_loss, training.calibration_error)


# --- calibration


@pytest.fixture(scope="module")
def calibrated():
    """Return logits, labels drawn from them, and the slope and bias that fit."""
    rng = np.random.default_rng(0)
    logit = rng.normal(size=5000)
    late = (rng.random(5000) < 1 / (1 + np.exp(-logit))).astype(float)
    return logit, late, training.calibrate(logit, late)


@pytest.mark.parametrize("scale", [1e-6, 0.3, 3.0, -3.0, 40.0, 1e6])
@pytest.mark.parametrize("shift", [0.0, 5.0, -60.0])
def test_calibration_undoes_any_scale_and_shift(scale, shift, calibrated):
    logit, late, (slope, bias) = calibrated
    found, offset = training.calibrate(scale * (logit + shift), late)
    assert found * scale == pytest.approx(slope, rel=1e-6)
    assert offset + found * scale * shift == pytest.approx(bias, abs=1e-4)


@pytest.mark.parametrize(
    ("logit", "late", "told"),
    [
        ([0.1, 0.2, 0.3, 0.4], [1, 1, 1, 1], "one class"),
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], "separate the classes"),
        ([0.4, 0.3, 0.2, 0.1], [0, 0, 1, 1], "separate the classes"),
        ([0.1, 0.2, 0.2, 0.3], [0, 0, 1, 1], "separate the classes"),
        ([0.2, 0.2, 0.2, 0.2], [0, 1, 0, 1], "all scores are equal"),
        ([0.1, np.nan, 0.3, 0.4], [0, 1, 0, 1], "finite"),
        ([0.1, np.inf, 0.3, 0.4], [0, 1, 0, 1], "finite"),
        ([0.1, 0.2, 0.3, 0.4], [0, 2, 0, 1], "between 0 and 1"),
        ([0.1, 0.2, 0.3, 0.4], [0, np.nan, 0, 1], "between 0 and 1"),
        ([], [], "one of each"),
        ([0.1, 0.2], [1.0], "one of each"),
    ],
)
def test_what_cannot_be_calibrated_is_said(logit, late, told):
    with pytest.raises(ValueError, match=told):
        training.calibrate(np.array(logit), np.array(late, float))


def test_soft_labels_are_calibrated_as_numbers(calibrated):
    logit, _, _ = calibrated
    chance = 1 / (1 + np.exp(-(0.5 * logit - 1)))
    assert training.calibrate(logit, chance) == pytest.approx((0.5, -1), abs=1e-6)


def test_training_rows_of_one_class_are_refused():
    table = random_table(40).assign(late=True)
    for kind in ("constant", "logistic", "lightgbm"):
        with pytest.raises(ValueError, match="class"):
            training.fit(kind, table, table)


# --- metrics and intervals


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"score": [0.2, 0.4, np.nan, np.nan]}, "score is NaN in 2 of 4"),
        ({"late": [0, 1, np.nan, 1]}, "late is NaN in 1 of 4"),
        ({"late": [1, 2, 1, 2]}, "late holds 2, outside 0 to 1"),
        ({"late": [-1, 1, -1, 1]}, "late holds -1"),
        ({"weight": [1, np.nan, 1, 1]}, "weight is NaN"),
        ({"weight": [1, -1, 1, 1]}, "weight holds -1"),
        ({"late": [0, 1]}, "one value a row"),
        ({"score": [], "late": [], "weight": []}, "no row"),
    ],
)
def test_metrics_refuse_what_they_cannot_judge(metric, change, told):
    given = {"score": [0.1, 0.4, 0.35, 0.8], "late": LATE, "weight": np.ones(4)}
    given = {name: np.array(v, float) for name, v in {**given, **change}.items()}
    with pytest.raises(ValueError, match=told):
        metric(**given)


def test_a_logit_is_no_probability():
    logit = np.array([-2.0, 0.1, 0.4, 3.0])
    assert training.auc(logit, LATE) == 1
    for metric in METRICS[1:]:
        with pytest.raises(ValueError, match="score holds -2, outside 0 to 1"):
            metric(logit, LATE)


def test_soft_labels_count_as_parts_of_a_flight():
    """A label of 0.25 is one late flight and three punctual ones of the same score."""
    score, soft = np.array([0.2, 0.6, 0.9]), np.array([0.25, 0.5, 1.0])
    hard = np.array([1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1], float)
    for metric in METRICS[:2]:
        found = metric(score, soft)
        assert found == pytest.approx(metric(np.repeat(score, 4), hard))


def test_one_class_has_no_auc():
    assert np.isnan(training.auc(np.array([0.1, 0.2]), np.ones(2)))
    with pytest.raises(ValueError, match="NaN in a draw"):
        training.interval(training.auc, LATE / 2, LATE, np.array([0, 0, 1, 1]))


def test_days_need_no_order_and_no_gapless_numbers():
    rng = np.random.default_rng(1)
    day, late = np.repeat(np.arange(20), 30), rng.integers(0, 2, 600).astype(float)
    score = rng.random(600)
    expected = training.interval(training.auc, score, late, day)
    assert training.interval(training.auc, score, late, day * 7 + 100) == expected
    with pytest.raises(ValueError, match="name a day for each"):
        training.interval(training.auc, score, late, day[:5])
    with pytest.raises(ValueError, match="at least two"):
        training.interval(training.auc, score, late, day, draws=1)


# --- the table


def random_table(rows: int) -> pd.DataFrame:
    """Return rows of random features with labels of both classes."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(rows, len(NUMERIC))), columns=NUMERIC)
    for name in CATEGORICAL:
        table[name] = rng.choice(["a", "b", "c"], rows)
    return table.assign(late=rng.random(rows) < 0.4)


@pytest.mark.parametrize("dtype", ["boolean", "int8", "Int64", "float32", "object"])
def test_labels_of_any_dtype(dtype):
    table = random_table(20)
    expected = training.labels(table)
    assert np.array_equal(training.labels(table.astype({"late": dtype})), expected)


def test_labels_that_are_none():
    table = random_table(4)
    with pytest.raises(ValueError, match="late holds 2"):
        training.labels(table.assign(late=[0, 1, 2, 1]))
    with pytest.raises(ValueError, match="missing in 1 rows"):
        training.labels(table.assign(late=[True, None, False, True]))
    with pytest.raises(ValueError, match="no number"):
        training.labels(table.assign(late=["yes", "no", "no", "yes"]))


@pytest.mark.parametrize("dtype", ["float32", "Float64", "object"])
def test_the_transform_reads_any_dtype_and_any_index(dtype):
    table = random_table(30)
    transform = training.Transform.fit(table)
    odd = table.copy()
    odd[NUMERIC] = table[NUMERIC].astype(np.float32).astype(dtype)
    odd.loc[3, "temp"] = None
    odd["carrier"] = odd["carrier"].astype("category")
    odd.index = np.zeros(30, int)
    expected = table.astype(dict.fromkeys(NUMERIC, np.float32))
    expected.loc[3, "temp"] = np.nan
    assert np.array_equal(transform.numbers(odd), transform.numbers(expected))
    assert np.array_equal(transform.codes(odd), transform.codes(expected))


def test_a_column_of_nulls_and_an_infinite_number():
    table = random_table(30)
    empty = training.Transform.fit(table.assign(gust=np.nan))
    assert empty == training.Transform.from_json(empty.to_json())
    assert (empty.numbers(table)[:, NUMERIC.index("gust")] == 0).all()
    with pytest.raises(ValueError, match="gust is infinite"):
        training.Transform.fit(table.assign(gust=np.inf))
    with pytest.raises(ValueError, match="there is none"):
        training.Transform.fit(table.head(0))


@pytest.mark.parametrize("months", [[], [0], [13]])
def test_months_that_are_none(months):
    with pytest.raises(ValueError, match="each from 1 to 12"):
        training.load_table(data.DATA_DIR, months)


# --- slices and the gate


@pytest.mark.parametrize("days", [1, 2, 5, 9])
def test_slices_of_few_days_are_not_named(days):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        late, day = (rng.random(50) < 0.5).astype(float), np.arange(50) % days
        scores, slices = rng.uniform(0.3, 0.7, (2, 50)), np.repeat("X", 50)
        assert training.worse_slices(*scores, late, day, slices) == []


def test_equal_models_are_called_worse_at_the_stated_rate():
    """16 carriers, 30 days that share their luck, no difference: at most 1 in 20."""
    named, rounds = 0, 200
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        day, carrier = np.divmod(np.arange(30 * 16 * 5) // 5, 16)
        late = (rng.random(len(day)) < 0.3).astype(float)
        luck = rng.normal(0, 0.05, 30)[day] + rng.normal(0, 0.05, len(day))
        champion, challenger = 0.4 + luck, 0.4 - luck
        slices = carrier.astype(str)
        named += bool(training.worse_slices(challenger, champion, late, day, slices))
    assert named <= 0.05 * rounds


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"challenger": [0.1, np.nan]}, "challenger holds NaN"),
        ({"late": [0.0, 2.0]}, "late holds"),
        ({"champion": [0.5]}, "champion has the shape"),
    ],
)
def test_slices_refuse_what_they_cannot_judge(change, told):
    given = {"challenger": [0.1, 0.2], "champion": [0.1, 0.2], "late": [0.0, 1.0]}
    given |= {"day": [0, 1], "slices": ["a", "a"]}
    with pytest.raises(ValueError, match=told):
        training.worse_slices(**(given | change))
    with pytest.raises(ValueError, match="no noise to judge by"):
        training.worse_slices(**given, least_days=1)


def test_certain_scores_and_rows_without_a_slice():
    late, day = np.tile([0.0, 1.0], 20), np.repeat(np.arange(20), 2)
    slices = np.array(["a", None] * 20, object)
    sure = 1 - late
    assert training.worse_slices(sure, late * 0 + 0.5, late, day, slices) == ["a"]
    assert training.worse_slices(sure, late, late, day, [None] * 40) == []


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
