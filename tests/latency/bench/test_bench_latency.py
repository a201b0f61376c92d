"""Lab 09 at full size: the service with each piece, engines, and INT8's price.

`make bench` runs it and writes `results/latency_*.{json,csv,txt}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio or
a verdict: only that the answers agree. The accelerator has a run of its own,
`gpu_latency.py`.
"""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import latency, training
from labkit import bench
from labkit.latency import cache_lab, fast_service, onnx_lab
from labkit.latency.paired import auc_difference
from labkit.serving import http_load
from labkit.serving.servers import Served

RESULTS = Path(__file__).parent / "results"
ROUNDS, SECONDS, FLIGHTS = 6, 1.0, 400


def two_digits(value):
    """Write a number with two digits after the point."""
    return round(value, 2) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def scene():
    return cache_lab.Scene()


@pytest.fixture(scope="module")
def parts(scene):
    return training.split(scene.table)


@pytest.fixture(scope="module")
def models(scene, parts):
    trees, fp32 = scene.model("delay_lightgbm"), scene.model("delay_mlp")
    rows = parts["train"].sample(2048, random_state=9)
    soft = trees.predict(parts["train"])
    student = latency.fit_student(trees.transform, parts["train"], soft)
    return {
        "trees": trees,
        "network FP32": fp32,
        "network INT8, static": latency.quantize_model(fp32, rows, version="2"),
        "network INT8, static, per tensor": latency.quantize_model(
            fp32, rows, per_channel=False
        ),
        "network INT8, every operator": latency.quantize_model(fp32, rows, whole=True),
        "network INT8, dynamic": latency.quantize_model(fp32, method="dynamic"),
        "student": student,
        "student INT8, static": latency.quantize_model(student, rows),
    }


# --- the service, with one piece at a time --------------------------------------------

PIECES = {
    "plain, FP32": ("A", {}),
    "INT8": ("B", {}),
    "micro-batcher, waits 5 ms": ("A", {"most_rows": 16, "wait_ms": 5}),
    "micro-batcher, no wait": ("A", {"most_rows": 16, "wait_ms": 0}),
    "cache, 60 s": ("A", {"ttl_s": 60}),
}


def test_each_piece_beside_the_plain_service(scene, parts, models, tmp_path):
    asked = parts["test"].sample(FLIGHTS, random_state=9)
    bodies = fast_service.bodies(scene.flights, asked)
    chance = np.random.default_rng(9)
    zipf = 1 / np.arange(1, FLIGHTS + 1)
    order = chance.choice(FLIGHTS, 5000, p=zipf / zipf.sum())
    both = {"A": models["network FP32"], "B": models["network INT8, static"]}
    names = fast_service.write_models(tmp_path / "models", both)
    features = fast_service.write_features(tmp_path, asked)
    direct = {
        label: pd.Series(model.predict(asked), asked["flight_id"])
        for label, model in both.items()
    }
    found = []
    with contextlib.ExitStack() as stack:
        services = {}
        for number, (piece, (label, options)) in enumerate(PIECES.items()):
            kind = fast_service.Fast if options else Served
            services[piece] = stack.enter_context(
                kind(
                    tmp_path / str(number), features, models=tmp_path / "models",
                    rollout={"models": names, "weights": {label: 1.0}}, **options,
                )
            )  # fmt: skip
        for turn in range(ROUNDS + 1):  # the first turn warms up
            for piece, served in services.items():
                requests = [served.request(bodies[number]) for number in order]
                for load in ("idle", "busy"):
                    run = drive(served.port, requests, load)
                    answers = http_load.answers(run)
                    assert len(answers) == len(run), piece
                    expected = direct[PIECES[piece][0]].loc[answers["flight_id"]]
                    assert np.allclose(answers["score"], expected, atol=1e-6), piece
                    row = {"piece": piece, "load": load, "ms": answers["ms"]}
                    row["per_s"] = len(run) / run.attrs["seconds"]
                    found += [row] if turn else []
    bench.record(
        RESULTS,
        "latency_service",
        service_table(found).reset_index(),
        form=two_digits,
    )


def drive(port, requests, load):
    """Put one of two loads on a service: few callers now and then, or many at once."""
    if load == "busy":
        return http_load.closed_loop(port, requests, clients=16, seconds=SECONDS)
    due = http_load.poisson(30, SECONDS, seed=9)
    return http_load.open_loop(port, requests, due)


def service_table(found):
    """Return one row a piece: idle and busy latency, and requests a second."""
    rows = {}
    for piece in PIECES:
        row = {}
        for load, what in (("idle", "30 a second"), ("busy", "16 callers")):
            runs = [r for r in found if r["piece"] == piece and r["load"] == load]
            ms = np.concatenate([run["ms"] for run in runs])
            row[f"p50, {what}, ms"] = float(np.percentile(ms, 50))
            row[f"p99, {what}, ms"] = float(np.percentile(ms, 99))
        row["Requests a second, 16 callers"] = float(
            np.median([run["per_s"] for run in runs])
        )
        rows[piece] = row
    table = pd.DataFrame(rows).T.rename_axis("Piece")
    rate = table["Requests a second, 16 callers"]
    return table.assign(**{"Throughput, ratio": rate / rate.iloc[0]})


# --- engines --------------------------------------------------------------------------


def test_engines_and_precisions(parts, models):
    july, fp32 = parts["test"], models["network FP32"]
    runners = {
        "PyTorch, eager": onnx_lab.torch_runner(fp32, july),
        "torch.compile": compiled_runner(fp32, july),
        "ONNX Runtime, FP32": onnx_lab.runner(fp32, july),
        "ONNX Runtime, INT8, static": onnx_lab.runner(
            models["network INT8, static"], july
        ),
        "ONNX Runtime, INT8, dynamic": onnx_lab.runner(
            models["network INT8, dynamic"], july
        ),
    }
    skipped = [name for name, run in runners.items() if isinstance(run, str)]
    for name in skipped:
        print(f"\n{name} is skipped: {runners.pop(name)}")
    expected = fp32.predict(july)[:64]
    for name, run in runners.items():
        got = np.asarray(run(64)).reshape(-1)
        assert np.allclose(got, expected, atol=0.2 if "INT8" in name else 1e-5), name
    times = onnx_lab.by_batch(runners, (1, 8, 32, 128, 512, 2048), repeats=21)
    ratio = (times[["PyTorch, eager"]].to_numpy() / times).round(2)
    table = ratio.T.rename_axis("Times faster than eager").rename(
        columns=lambda rows: f"{rows} rows"
    )
    bench.record(RESULTS, "latency_engines", table.reset_index(), form=two_digits)
    note = "".join(f" {name} is missing: no C++ compiler." for name in skipped)
    path = RESULTS / "latency_engines.txt"
    path.write_text(path.read_text().rstrip("\n") + note + "\n")


def compiled_runner(model, table):
    """Return the network behind torch.compile, or why it cannot be compiled here."""
    import torch

    if not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        return "no C++ compiler"
    net = torch.compile(onnx_lab.torch_twin(model), dynamic=True)
    feed = [torch.from_numpy(rows) for rows in onnx_lab.feeds(model, table).values()]

    def run(n):
        with torch.inference_mode():
            return torch.sigmoid(net(*(rows[:n] for rows in feed))).numpy()

    run(64)
    return run


# --- what it costs --------------------------------------------------------------------


def test_the_price_in_accuracy(parts, models):
    july = parts["test"]
    late, day = training.labels(july), july["sched_dep_utc"].dt.dayofyear.to_numpy()
    scores = {name: model.predict(july) for name, model in models.items()}
    base, rows = scores["network FP32"], {}
    for name, score in scores.items():
        gap = auc_difference(base, score, late, day, draws=1000)
        rows[name] = {
            "AUC, July": f"{training.auc(score, late):.4f}",
            "Minus the network's": f"{gap['value']:+.4f}",
            "95%, by day": f"{gap['low']:+.4f} to {gap['high']:+.4f}",
            "Largest change of a score": round(float(np.abs(score - base).max()), 3),
            "Different scores": len(np.unique(score)),
            "File, KiB": round(len(models[name].content) / 1024),
        }
        if models[name].kind == "mlp":
            memory = onnx_lab.memory_mib(models[name].content)
            rows[name]["Memory, MiB"] = round(memory, 1)
    bench.record(
        RESULTS,
        "latency_accuracy",
        pd.DataFrame(rows).T.rename_axis("Model").reset_index(),
        form=two_digits,
    )
    assert len(rows) == len(models)
