"""Lab 06 at full size: every model on all rows, the models rebuilt, the cost of safety.

`make bench` runs it and writes `results/training*.{json,csv,txt}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio or
a verdict: only that answers agree, and that rebuilt models score as the stored ones.
"""

import importlib.util
import io
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import training
from labkit import bench, data, timing
from labkit.training import searching

RESULTS = Path(__file__).parent / "results"
BUILD = data.DATA_DIR / "models" / "build.py"
# July AUC measured before the course was written: learned January to June; the trees
# and the network from 74 point-in-time features, the others from fewer.
NAMES = {
    "constant": "Constant",
    "carrier x hour": "Share by carrier and hour",
    "logistic": "Logistic regression",
    "mlp": "Network, 512-256",
    "lightgbm": "LightGBM",
}


@pytest.fixture(scope="module")
def parts():
    return training.split(training.load_table(data.DATA_DIR))


def by_carrier_and_hour(train, table):
    """Return the share of late training flights of the same carrier and hour."""
    key = [train["carrier"], train["minute_of_day"] // 60]
    share = train["late"].astype(float).groupby(key).mean()
    asked = pd.MultiIndex.from_arrays([table["carrier"], table["minute_of_day"] // 60])
    found = share.reindex(asked).fillna(train["late"].astype(float).mean())
    return found.to_numpy()


def measured(score, table):
    """Return AUC with its interval by day, log-loss and ECE, as text."""
    late, day = training.labels(table), training.days(table)
    low, high = training.interval(training.auc, score, late, day, draws=500)
    return {
        "AUC in July": f"{training.auc(score, late):.3f}",
        "95% interval by day": f"{low:.3f} to {high:.3f}",
        "Log-loss": f"{training.log_loss(score, late):.3f}",
        "ECE": f"{training.calibration_error(score, late):.3f}",
    }


def later(kind, model, parts):
    """Fit again with June learned too, and as many trees as June chose before."""
    train = pd.concat([parts["train"], parts["tune"]])
    more = {}
    if kind == "lightgbm":
        rounds = model.content.count(b"\nTree=")
        more = {"rounds": rounds, "patience": rounds + 1}
    again = training.fit(kind, train, parts["tune"], **more)
    return training.auc(again.predict(parts["test"]), training.labels(parts["test"]))


def test_every_model_on_all_rows(parts):
    rows = []
    both = pd.concat([parts["train"], parts["tune"]])
    for kind, name in NAMES.items():
        start = time.perf_counter()
        if kind == "carrier x hour":
            score = by_carrier_and_hour(parts["train"], parts["test"])
            second = by_carrier_and_hour(both, parts["test"])
            june = training.auc(second, training.labels(parts["test"]))
        else:
            model = training.fit(kind, parts["train"], parts["tune"])
            score = model.predict(parts["test"])
            june = later(kind, model, parts) if kind != "constant" else 0.5
        rows.append({
            "Model": name,
            **measured(score, parts["test"]),
            "AUC, June learned too": f"{june:.3f}",
        })  # fmt: skip
        print(rows[-1], f"{time.perf_counter() - start:.0f} s", flush=True)
    note = "Learned on January to May, tuned on June; intervals from 500 draws of days."
    bench.record(RESULTS, "training_auc", pd.DataFrame(rows), note=note, timed=False)
    assert len(rows) == len(NAMES)


def test_the_reference_models_are_rebuilt_to_three_digits(tmp_path):
    spec = importlib.util.spec_from_file_location("models_build", BUILD)
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    build.build(data.DATA_DIR, tmp_path)
    assert build.check(tmp_path, BUILD.parent) == []
    entries = [
        json.loads((folder / "models.json").read_text())["models"]
        for folder in (tmp_path, BUILD.parent)
    ]
    rows = [
        {
            "Model": new["name"],
            "AUC in July, stored": f"{old['auc']['test']:.3f}",
            "AUC in July, rebuilt": f"{new['auc']['test']:.3f}",
            "Same bytes": "yes" if new["sha256"] == old["sha256"] else "no",
            "Bytes": f"{len((tmp_path / new['file']).read_bytes()):,}",
        }
        for new, old in zip(*entries, strict=True)
    ]
    bench.record(RESULTS, "training_rebuilt", pd.DataFrame(rows))


def test_what_a_safe_checkpoint_costs(tmp_path, parts):
    import torch

    transform = training.Transform.fit(parts["train"])
    run = training.start_training(transform.sizes, len(parts["train"]))
    train_data = training.tensors(transform, parts["train"])
    training.train(run, train_data, until=3)
    state = io.BytesIO()
    torch.save(training.snapshot(run), state)
    content = state.getvalue()

    def step():
        training.train(run, train_data, until=run.step + 1)

    times = timing.compare(
        {
            "one training step": step,
            "plain write": lambda: (tmp_path / "plain").write_bytes(content),
            "write_atomic": lambda: training.write_atomic(tmp_path / "safe", content),
            "save_checkpoint": lambda: training.save_checkpoint(tmp_path, run),
        },
        repeats=15,
    )
    assert (tmp_path / "safe").read_bytes() == content
    bench.record(
        RESULTS,
        "training_checkpoint",
        pd.DataFrame(
            [
                {
                    "What": name,
                    "Median, ms": f"{row.median_ms:.1f}",
                    "Middle half, ms": f"{row.low_ms:.1f} to {row.high_ms:.1f}",
                    "Ratio": f"{row.ratio:.2f}",
                }
                for name, row in times.iterrows()
            ]
        ),
    )


def test_the_race_of_searches(parts):
    task = searching.Task(
        parts["train"].sample(6_000, random_state=0),
        parts["tune"].sample(8_000, random_state=0),
    )
    budgets = (8, 16, 32)
    race = searching.race(task.loss(), budgets, seeds=20)
    best = race["best"].min()
    rows = []
    for (budget, search), found in race.groupby(["budget", "search"]):
        low, middle, high = np.quantile(
            1000 * (found["best"] - best), [0.25, 0.5, 0.75]
        )
        gain = 1000 * searching.gains(race, search, "random").loc[budget]
        rows.append({
            "Budget": int(budget),
            "Search": search,
            "Median regret": f"{middle:.1f}",
            "Middle half": f"{low:.1f} to {high:.1f}",
            "Gain over random": "0" if search == "random" else f"{gain['mean']:+.1f} "
            f"({gain['low']:+.1f} to {gain['high']:+.1f})",
        })  # fmt: skip
    bench.record(RESULTS, "training_race", pd.DataFrame(rows))
    assert len(rows) == 9 and (race["tried"] <= race["budget"]).all()
    trials = searching.pruned(task)
    assert len(trials) == 12 and trials["rounds"].max() == searching.ROUNDS
