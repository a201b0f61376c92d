"""The module `training`: loader, transform, models, metrics, files, gate."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import bad_models
import numpy as np
import pandas as pd
import pytest
from flightline import training
from flightline.features import CATEGORICAL, FEATURES, NUMERIC, training_table
from flightline.lake import flight_times, weather_events
from hypothesis import given, settings
from hypothesis import strategies as st
from labkit import data
from labkit.training import searching

MODELS = data.DATA_DIR / "models"
REFERENCE = ("delay_lightgbm", "delay_mlp")


@pytest.fixture(scope="module")
def table():
    return training.load_table(data.DATA_DIR)


@pytest.fixture(scope="module")
def parts(table):
    found = training.split(table)
    return found | {"train": found["train"].sample(6_000, random_state=0)}


@pytest.fixture(scope="module")
def transform(parts):
    return training.Transform.fit(parts["train"])


@pytest.fixture(scope="module")
def reference():
    return {name: training.load_model(MODELS, name) for name in REFERENCE}


SMALL = {
    "constant": {},
    "logistic": {},
    "lightgbm": {"rounds": 20},
    "mlp": {"hidden": (16,), "epochs": 1},
}


@pytest.fixture(scope="module")
def fitted(parts):
    return {
        kind: training.fit(kind, parts["train"], parts["tune"], **more)
        for kind, more in SMALL.items()
    }


# --- loader and split


def test_importing_the_module_imports_no_heavy_library():
    heavy = {"torch", "lightgbm", "sklearn", "mlflow", "optuna", "onnxruntime"}
    code = f"import sys, flightline.training; print(sorted({heavy} & set(sys.modules)))"
    labs = Path(__file__).resolve().parents[2] / "labs"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=labs, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_loader_gives_what_the_lab_bench_gives():
    flights = flight_times(data.load_flights(months=[2]), data.load_airports())
    expected = training_table(flights, weather_events(data.load_weather()))
    found = training.load_table(data.DATA_DIR, months=[2])
    pd.testing.assert_frame_equal(found, expected)


def test_the_loader_refuses_a_changed_file(tmp_path):
    for path in data.DATA_DIR.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path / path.name)
    shutil.copytree(data.DATA_DIR / "flights", tmp_path / "flights")
    month = tmp_path / "flights" / "2013-01.parquet"
    month.write_bytes(month.read_bytes()[:-1])
    with pytest.raises(training.Damaged, match=r"2013-01\.parquet: sha256"):
        training.load_table(tmp_path, months=[1])
    month.unlink()
    with pytest.raises(training.Damaged, match="missing or empty"):
        training.load_table(tmp_path, months=[1])


def test_the_split_is_by_time_and_leaves_flights_without_a_label_out(table):
    parts = training.split(table)
    months = {name: sorted(part["month"].unique()) for name, part in parts.items()}
    assert months == {"train": [1, 2, 3, 4, 5], "tune": [6], "test": [7]}
    rows = {name: len(part) for name, part in parts.items()}
    assert rows == {"train": 133_603, "tune": 27_075, "test": 28_293}
    with pytest.raises(ValueError, match="missing in"):
        training.labels(table)


# --- transform


def test_the_transform_learns_from_training_rows_alone(parts, transform):
    again = training.Transform.fit(parts["train"].iloc[::-1])
    assert again.categories == transform.categories
    numbers = transform.numbers(parts["train"])
    assert numbers.dtype == np.float32 and numbers.shape == (6_000, len(NUMERIC))
    known = parts["train"][NUMERIC].notna().to_numpy()
    means = np.array([c[k].mean() for c, k in zip(numbers.T, known.T, strict=True)])
    assert np.abs(means).max() < 1e-4 and np.isfinite(numbers).all()


def test_unknown_and_missing_values(parts, transform):
    odd = (
        parts["test"]
        .head(3)
        .assign(
            carrier=["B6", "??", None],
            dest=[np.nan, pd.NA, "LAX"],
            temp=[1e9, None, -1e9],
        )
    )
    codes, numbers = transform.codes(odd), transform.numbers(odd)
    assert codes.dtype == np.int64 and codes.shape == (3, len(CATEGORICAL))
    assert codes[0, 0] > 0 and codes[1:, 0].tolist() == [0, 0]
    assert codes[:2, 2].tolist() == [0, 0] and codes[2, 2] > 0
    temp = numbers[:, NUMERIC.index("temp")]
    assert temp[1] == 0 and 1 < temp[0] < 10 and -10 < temp[2] < -1
    assert np.isnan(transform.matrix(odd)[1, len(CATEGORICAL) + NUMERIC.index("temp")])
    assert len(transform.codes(odd.head(0))) == len(transform.numbers(odd.head(0))) == 0


def test_a_constant_column_does_no_harm(parts):
    flat = parts["train"].head(500).assign(visib=10.0)
    numbers = training.Transform.fit(flat).numbers(flat)
    assert (numbers[:, NUMERIC.index("visib")] == 0).all()


def test_the_transform_travels_as_json_exactly(transform):
    text = transform.to_json()
    assert training.Transform.from_json(text) == transform
    other = json.loads(text) | {"features": FEATURES[::-1]}
    with pytest.raises(ValueError, match="other features"):
        training.Transform.from_json(json.dumps(other))


# --- metrics

SCORES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]),
        st.booleans(),
        st.integers(0, 3),
    ),
    min_size=2,
    max_size=40,
)


@given(SCORES)
@settings(max_examples=150, deadline=None)
def test_metrics_equal_scikit_learn(rows):
    from sklearn.metrics import log_loss, roc_auc_score

    score, late, weight = (np.array(v, float) for v in zip(*rows, strict=True))
    if (weight * late).sum() and (weight * (1 - late)).sum():
        expected = roc_auc_score(late, score, sample_weight=weight)
        assert training.auc(score, late, weight) == pytest.approx(expected)
        inside = np.clip(score, 1e-9, 1 - 1e-9)
        expected = log_loss(late, inside, sample_weight=weight)
        assert training.log_loss(inside, late, weight) == pytest.approx(expected)


def test_calibration_error_by_hand():
    score = np.repeat([0.2, 0.6], 50)
    late = np.r_[np.ones(10), np.zeros(40), np.ones(40), np.zeros(10)]
    assert training.calibration_error(score, late) == pytest.approx(0.1)
    assert training.calibration_error(np.full(100, 0.5), late) == pytest.approx(0)


def test_the_interval_draws_whole_days():
    day = np.repeat(np.arange(20), 50)
    late = (day % 2).astype(float)

    def share(score, late, weight):
        assert len(weight) == weight.sum() == 1000
        assert all(np.ptp(weight[day == d]) == 0 for d in range(20))
        return float(np.average(late, weights=weight))

    low, high = training.interval(share, None, late, day, draws=300, seed=1)
    assert high - low == pytest.approx(4 * np.sqrt(0.25 / 20), rel=0.15)
    assert (low, high) == training.interval(share, None, late, day, draws=300, seed=1)
    assert (low, high) != training.interval(share, None, late, day, draws=300, seed=2)


def test_days_are_new_yorks(parts):
    july = parts["test"]
    found = training.days(july)
    assert sorted(set(found)) == list(range(31))
    dates = july["flight_id"].str[:10]
    assert pd.DataFrame({"day": found, "date": dates}).drop_duplicates().shape[0] == 31


def test_calibration_equals_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(0)
    logit = chance.normal(size=4_000)
    late = (chance.random(4_000) < 1 / (1 + np.exp(1 - 0.5 * logit))).astype(float)
    line = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], late)
    slope, bias = training.calibrate(logit, late)
    assert slope == pytest.approx(line.coef_[0, 0], abs=1e-4)
    assert bias == pytest.approx(line.intercept_[0], abs=1e-4)


# --- models


def test_every_kind_scores_every_row(fitted, parts):
    for kind, model in fitted.items():
        score = model.predict(parts["test"])
        assert score.dtype == np.float64 and score.shape == (len(parts["test"]),)
        assert ((score > 0) & (score < 1)).all(), kind
        one = np.concatenate([model.predict(parts["test"].iloc[[n]]) for n in range(3)])
        assert one == pytest.approx(score[:3], abs=1e-6), kind
        assert len(model.predict(parts["test"].head(0))) == 0, kind


def test_models_get_better_up_the_ladder(fitted, parts):
    found = {
        kind: training.evaluate(model, parts["tune"], draws=20)
        for kind, model in fitted.items()
    }
    value = {kind: f.loc["auc", "value"] for kind, f in found.items()}
    assert value["constant"] == 0.5 < value["mlp"] and value["logistic"] > 0.7
    assert value["lightgbm"] > 0.7
    for each in found.values():
        assert list(each.index) == list(training.METRICS)
        assert (each["low"] <= each["high"]).all()


def test_models_are_calibrated_on_the_tuning_rows(fitted, parts):
    late = training.labels(parts["tune"]).mean()
    for kind in ("logistic", "lightgbm", "mlp"):
        assert fitted[kind].predict(parts["tune"]).mean() == pytest.approx(
            late, abs=1e-3
        )
    share = training.labels(parts["train"]).mean()
    assert fitted["constant"].predict(parts["tune"])[0] == pytest.approx(share)


@pytest.mark.parametrize("kind", ["constant", "logistic", "lightgbm"])
def test_the_same_seed_gives_the_same_bytes(kind, fitted, parts):
    again = training.fit(kind, parts["train"], parts["tune"], **SMALL[kind])
    assert again.content == fitted[kind].content


def test_an_unknown_kind_and_a_missing_feature_are_named(fitted, parts):
    with pytest.raises(ValueError, match="kind='forest'"):
        training.fit("forest", parts["train"], parts["tune"])
    with pytest.raises(ValueError, match="lacks the features temp"):
        fitted["constant"].predict(parts["test"].drop(columns="temp"))


def test_onnx_scores_as_torch_and_names_no_file(fitted, parts, transform):
    import onnx
    import torch

    run = training.start_training(transform.sizes, 10, hidden=(16,))
    codes, numbers, _ = training.tensors(transform, parts["test"].head(50))
    content = training.to_onnx(run.network)
    with torch.no_grad():
        expected = torch.sigmoid(run.network.eval()(codes, numbers)).numpy()
    model = training.open_model(content, "mlp", transform, precision="int8")
    assert model.precision == "int8" and model.name == "mlp"
    assert model.predict(parts["test"].head(50)) == pytest.approx(expected, abs=1e-6)
    graph = onnx.load_from_string(content).graph
    assert not any(node.metadata_props for node in graph.node)
    assert b"/flightline/" not in content and b"site-packages" not in content


# --- files


@pytest.fixture
def folder(tmp_path, fitted):
    training.save_models(tmp_path / "models", list(fitted.values()))
    return tmp_path / "models"


def test_stored_models_score_as_the_fitted_ones(tmp_path, fitted, parts):
    about = {"logistic": {"note": 1}, "": {"rows": 6_000}}
    pinned = training.save_models(tmp_path, list(fitted.values()), about)
    manifest = json.loads((tmp_path / "models.json").read_text())
    assert manifest["rows"] == 6_000 and manifest["models"][1]["note"] == 1
    for kind, model in fitted.items():
        opened = training.load_model(tmp_path, kind, pinned)
        assert (opened.kind, opened.precision) == (kind, model.precision)
        assert np.array_equal(
            opened.predict(parts["test"]), model.predict(parts["test"])
        )


@pytest.mark.parametrize("name", ["logistic", "lightgbm", "mlp", "transform"])
def test_a_changed_or_missing_file_is_refused(name, folder):
    (path,) = folder.glob(f"{name}.*")
    name = name.replace("transform", "logistic")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(training.Damaged, match=path.name):
        training.load_model(folder, name)
    path.unlink()
    with pytest.raises(training.Damaged, match="missing or empty"):
        training.load_model(folder, name)


def test_a_changed_manifest_is_refused_if_its_digest_is_known(folder):
    pinned = training.sha256((folder / "models.json").read_bytes())
    training.load_model(folder, "logistic", pinned)
    manifest = json.loads((folder / "models.json").read_text())
    path = folder / manifest["models"][1]["file"]
    path.write_text('{"weights": [], "bias": 9.0}')
    manifest["models"][1]["sha256"] = training.sha256(path.read_bytes())
    (folder / "models.json").write_text(json.dumps(manifest))
    assert training.load_model(folder, "logistic").name == "logistic"
    with pytest.raises(training.Damaged, match=r"models\.json"):
        training.load_model(folder, "logistic", pinned)


def test_an_unknown_name_and_a_second_transform_are_refused(folder, fitted, parts):
    with pytest.raises(ValueError, match="no model 'forest'"):
        training.load_model(folder, "forest")
    other = training.Transform.fit(parts["train"].head(900))
    with pytest.raises(ValueError, match="another transform"):
        training.save_models(
            folder, [fitted["constant"], replace(fitted["logistic"], transform=other)]
        )


def test_nothing_is_ever_unpickled():
    package = Path(training.__file__).parent
    source = "".join(path.read_text() for path in sorted(package.glob("*.py")))
    assert "pickle" not in source and "joblib" not in source
    assert source.count("torch.load(") == source.count("weights_only=True") > 0


# --- the reference models


def test_the_reference_models_score_as_their_manifest_says(reference, parts):
    manifest = json.loads((MODELS / "models.json").read_text())
    assert [entry["name"] for entry in manifest["models"]] == list(REFERENCE)
    full = {"train": 133_603, "tune": len(parts["tune"]), "test": len(parts["test"])}
    assert manifest["rows"] == full
    for entry in manifest["models"]:
        model = reference[entry["name"]]
        for part in ("tune", "test"):
            found = training.auc(
                model.predict(parts[part]), training.labels(parts[part])
            )
            assert found == pytest.approx(entry["auc"][part], abs=1e-4), (model, part)


def test_the_reference_models_are_small_and_name_no_machine():
    for path in MODELS.iterdir():
        if path.is_file():
            assert path.stat().st_size <= 1_100_000, path.name
            assert b"/site-packages/" not in path.read_bytes(), path.name


def test_the_reference_models_know_the_recurring_flight(reference, table):
    ours = table[table["flight_id"] == "2013-07-02-B6-523-JFK"]
    assert len(ours) == 1 and ours["late"].all()
    assert all(model.predict(ours)[0] > 0.5 for model in reference.values())


@pytest.mark.skipif(
    "FLIGHTLINE_REBUILD" not in os.environ, reason="set FLIGHTLINE_REBUILD=1 (minutes)"
)
def test_rebuilding_the_reference_models_gives_the_same_auc(tmp_path):
    spec = importlib.util.spec_from_file_location("models_build", MODELS / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    build.build(data.DATA_DIR, tmp_path)
    assert build.check(tmp_path, MODELS) == []


# --- the gate


def test_the_gate_stops_each_bad_model_for_its_own_reason(reference, fitted, parts):
    june, baseline = parts["tune"].iloc[::2], fitted["logistic"]
    models = {"good": reference["delay_lightgbm"]}
    models |= bad_models.make(models["good"], june, baseline)
    for name, model in models.items():
        report = training.gate(model, june, baseline)
        refused = list(report.index[~report["passed"]])
        assert refused == bad_models.REASONS.get(name, []), report


def test_each_check_of_the_gate_has_a_model_that_it_alone_stops():
    alone = [reasons[0] for reasons in bad_models.REASONS.values()]
    assert all(len(reasons) == 1 for reasons in bad_models.REASONS.values())
    assert sorted(alone) == sorted({**training.AT_LEAST, **training.AT_MOST})


def test_the_gate_stops_other_bad_models(reference, fitted, parts):
    june, good = parts["tune"].iloc[::4], reference["delay_lightgbm"]

    def checked(score):
        report = training.gate(replace(good, score=score), june, fitted["logistic"])
        return set(report.index[~report["passed"]])

    order = {"row order"}
    assert order <= checked(lambda t: np.linspace(0.01, 0.99, len(t)))
    assert {"baseline", "slices"} <= checked(lambda t: 1 - good.score(t))
    assert "direction" in checked(lambda t: 1 - good.score(t))
    assert {"baseline", "direction"} <= checked(lambda t: np.full(len(t), 0.3))
    nothing = checked(lambda t: np.full(len(t), np.nan))
    assert {"calibration", "features only", "row order", "direction"} <= nothing


# --- the exercises' functions


def test_regret_and_what_changed():
    found = training.regret([np.nan, 5, 7, np.nan, 4], 3)
    assert np.isnan(found[0]) and found[1:].tolist() == [2, 2, 2, 1]
    with pytest.raises(ValueError, match="below best"):
        training.regret([2.0], 3.0)
    run = {"seed": "1", "code_sha256": "c", "git_commit": "7"}
    assert training.what_changed(run, run | {"git_commit": "8"}) == []
    assert training.what_changed(run, {"seed": "1"}) == ["code_sha256", "git_commit"]


# --- the bench's searches


def bowl(point):
    """Return the distance from a point that no grid of few levels holds."""
    return sum((value - 0.37) ** 2 for value in point.values())


@pytest.mark.parametrize("name", searching.SEARCHES)
def test_searches_are_seeded_and_keep_their_budget(name):
    search = searching.SEARCHES[name]
    losses = search(bowl, 16, 3)
    assert losses == search(bowl, 16, 3) != search(bowl, 16, 4)
    assert 12 <= len(losses) <= 16 and len(set(losses)) > 12


@pytest.mark.parametrize(("budget", "product"), [(1, 1), (8, 8), (16, 16), (32, 32)])
def test_a_grid_spreads_its_levels_evenly(budget, product):
    found = list(searching.sizes(list(searching.SPACE), budget).values())
    assert np.prod(found) == product and max(found) - min(found) <= 2


def test_a_race_pairs_the_searches_by_seed():
    race = searching.race(bowl, budgets=(4, 12), seeds=3)
    assert len(race) == 3 * 2 * 3 and (race["tried"] <= race["budget"]).all()
    best = race.pivot(index=["search", "seed"], columns="budget", values="best")
    assert (best.drop("grid")[12] <= best.drop("grid")[4]).all()
    gain = searching.gains(race, "random", "random")
    assert (gain == 0).all(axis=None)
    gain = searching.gains(race, "TPE", "random")
    assert (gain["low"] <= gain["mean"]).all() and (gain["mean"] <= gain["high"]).all()


def test_settings_stay_inside_their_space(parts):
    for place in (0.0, 0.5, 1.0):
        found = searching.settings(dict.fromkeys(searching.SPACE, place))
        for name, (low, high) in searching.SPACE.items():
            assert low <= found[name] <= high and isinstance(found[name], type(low))
    task = searching.Task(parts["train"].head(600), parts["tune"].head(600))
    assert 0.2 < task.loss()(dict.fromkeys(searching.SPACE, 0.5)) < 1
    trials = searching.pruned(task, trials=6)
    assert trials["rounds"].between(1, searching.ROUNDS).all() and len(trials) == 6
