"""Lab 09 at full size: the service with each piece, engines, and what smaller costs.

`make bench` runs it and writes `results/latency_*.{json,csv,txt}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio or
a verdict: only that the answers agree. The accelerator has a run of its own,
`gpu_latency.py`.
"""

import contextlib
from pathlib import Path

import engines
import numpy as np
import pandas as pd
import popular
import pytest
import smaller
from flightline import estimate, latency, training
from labkit import bench, timing
from labkit.latency import cache_lab, fast_service
from labkit.latency.paired import auc_difference
from labkit.serving import http_load
from labkit.serving.servers import Served

RESULTS = Path(__file__).parent / "results"
ROUNDS, SECONDS, FLIGHTS = 6, 1.5, 400
RARE_S, BUSY = 30, 0.6
"""Requests a second of a service that is nearly idle; the busy one's share of what the
plain service can do."""
USD_HOUR = 0.10
"""An assumed price of a machine with two cores for an hour."""


@pytest.fixture(scope="module")
def scene():
    return cache_lab.Scene()


@pytest.fixture(scope="module")
def parts(scene):
    return training.split(scene.table)


@pytest.fixture(scope="module")
def models(scene, parts):
    trees, network = scene.model("delay_lightgbm"), scene.model("delay_mlp")
    learned = parts["train"]
    rows = learned.sample(2048, random_state=9)
    soft, hard = trees.predict(learned), training.labels(learned)
    teach, quantize = latency.fit_student, latency.quantize_model
    wide = teach(trees.transform, learned, soft, hidden=(1024,) * 3, name="wide")
    student = teach(trees.transform, learned, soft)
    return {
        "network FP32": network,
        "network INT8, static": quantize(network, rows, version="2"),
        "network INT8, static, per tensor": quantize(network, rows, per_channel=False),
        "network INT8, every operator": quantize(network, rows, whole=True),
        "network INT8, dynamic": quantize(network, method="dynamic"),
        "wide FP32": wide,
        "wide INT8, static": quantize(wide, rows, version="2"),
        "trees": trees,
        "student, soft labels": student,
        "student, hard labels": teach(trees.transform, learned, hard),
        "student INT8, static": quantize(student, rows),
    }


# --- the service, with one piece at a time --------------------------------------------

PIECES = {
    "network": ("network FP32", {}),
    "network, INT8": ("network INT8, static", {}),
    "network, batcher waits 5 ms": ("network FP32", {"most_rows": 16, "wait_ms": 5}),
    "network, batcher takes what waits": (
        "network FP32",
        {"most_rows": 16, "wait_ms": 0},
    ),
    "network, cache of 60 s": ("network FP32", {"ttl_s": 60}),
    "wide": ("wide FP32", {}),
    "wide, INT8": ("wide INT8, static", {}),
    "wide, batcher takes what waits": ("wide FP32", {"most_rows": 16, "wait_ms": 0}),
}


def test_each_piece_beside_the_plain_service(scene, parts, models, tmp_path):
    watch = timing.Watch()
    asked = parts["test"].sample(FLIGHTS, random_state=9)
    bodies = fast_service.bodies(scene.flights, asked)
    chance = np.random.default_rng(9)
    zipf = 1 / np.arange(1, FLIGHTS + 1)
    order = chance.choice(FLIGHTS, 5000, p=zipf / zipf.sum())
    used = {label: models[label] for label, _ in PIECES.values()}
    letters = dict(zip(used, "ABCDEF", strict=False))
    by_letter = {letters[label]: model for label, model in used.items()}
    names = fast_service.write_models(tmp_path / "models", by_letter)
    features = fast_service.write_features(tmp_path, asked)
    direct = {
        label: pd.Series(model.predict(asked), asked["flight_id"])
        for label, model in used.items()
    }
    found, capacity = [], {}
    with contextlib.ExitStack() as house:
        services = {}
        for number, (piece, (label, options)) in enumerate(PIECES.items()):
            kind = fast_service.Fast if options else Served
            rollout = {"models": names, "weights": {letters[label]: 1.0}}
            folder, where = tmp_path / str(number), tmp_path / "models"
            served = kind(folder, features, models=where, rollout=rollout, **options)
            services[piece] = house.enter_context(served)
        for turn in range(ROUNDS + 1):  # the first turn warms up
            for piece, served in services.items():
                requests = [served.request(bodies[number]) for number in order]
                plain = capacity.get(piece.partition(",")[0], 0.0)
                for load in ("full", "rare", "busy") if turn else ("full",):
                    run = drive(served.port, requests, load, plain)
                    answers = http_load.answers(run)
                    assert set(run["status"]) <= {200, 503}, piece  # or refused
                    expected = direct[PIECES[piece][0]].loc[answers["flight_id"]]
                    assert np.allclose(answers["score"], expected, atol=1e-6), piece
                    per_s = len(answers) / run.attrs["seconds"]
                    if turn:
                        refused = 1 - len(answers) / len(run)
                        found.append((piece, load, answers["ms"], per_s, refused))
                    else:
                        capacity[piece] = per_s
    note = (
        f"Open loops at {RARE_S} a second and at {BUSY:.0%} of what the plain service "
        f"of that network can do; the capacity is what 16 clients got that always "
        f"asked. {ROUNDS} rounds of {SECONDS:g} s each, all pieces in turns; client "
        f"and service share the cores. A machine is taken to cost {USD_HOUR:.2f} US "
        "dollars an hour and to be full."
    )
    table = service_table(found).reset_index()
    left_out = [name for name in table if name.startswith("Refused")]
    if not table[left_out].to_numpy().any():
        note += " No request was refused."
        page = {name: name for name in table if name not in left_out}
    else:
        page = {name: name for name in table}
    bench.record(RESULTS, "latency_service", table, page, note, watch=watch)


def drive(port, requests, load, plain_per_s):
    """Put a load on a service: as much as 16 clients can ask, or an open loop."""
    if load == "full":
        return http_load.closed_loop(port, requests, clients=16, seconds=SECONDS)
    rate = RARE_S if load == "rare" else BUSY * plain_per_s
    return http_load.open_loop(port, requests, http_load.poisson(rate, SECONDS, seed=9))


def service_table(found):
    """Return one row a piece: latency under two loads, capacity, and its price."""
    rows = {}
    for piece in PIECES:
        row = {}
        for load, name in (("rare", f"{RARE_S} a second"), ("busy", "busy")):
            runs = [run[2:] for run in found if run[:2] == (piece, load)]
            ms = np.concatenate([ms for ms, _, _ in runs])
            for percent in (50, 99):
                row[f"p{percent}, {name}, ms"] = round(np.percentile(ms, percent), 1)
            row[f"Refused, {name}"] = round(np.mean([r for _, _, r in runs]), 4)
        full = [run[3] for run in found if run[:2] == (piece, "full")]
        row["Capacity, a second"] = round(float(np.median(full)))
        row["Least"], row["Most"] = round(min(full)), round(max(full))
        price = estimate.cost_per_million_usd(1, USD_HOUR, float(np.median(full)))
        row["USD a million"] = round(price, 3)
        rows[piece] = row
    return pd.DataFrame(rows).T.rename_axis("Service")


# --- the same score by other paths ----------------------------------------------------


def test_a_million_predictions_by_path(parts, models):
    watch, july = timing.Watch(), parts["test"]
    pieces, rows = {}, {}
    for label in ("trees", "network FP32", "wide FP32", "student, soft labels"):
        model = models[label]
        for count in (1, 32, 2048):
            part = july.head(count)
            pieces[label, count] = lambda model=model, part=part: model.predict(part)
    times = timing.compare(pieces, 31)
    for (label, count), ms in times["median_ms"].items():
        per_s = 1000 * count / ms
        rows.setdefault(label, {})[f"{count:,} rows a call: a second"] = round(per_s)
        price = estimate.cost_per_million_usd(0.5, USD_HOUR, per_s)
        rows[label][f"{count:,} rows a call: USD a million"] = round(price, 4)
    note = (
        "Scored in this process from a table of features, transform included, one "
        f"thread: half of a machine that is taken to cost {USD_HOUR:.2f} US dollars an "
        "hour, and full. Medians of 31 rounds in turns."
    )
    table = pd.DataFrame(rows).T.rename_axis("Model").reset_index()
    bench.record(RESULTS, "latency_paths", table, note=note, watch=watch)


# --- engines --------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["network", "wide"])
def test_engines_and_precisions(parts, models, size):
    watch, july, fp32 = timing.Watch(), parts["test"], models[f"{size} FP32"]
    int8 = models[f"{size} INT8, static"]
    zeros = smaller.with_weights(fp32, smaller.WAYS["95% zero"][1])
    runners = {
        "PyTorch, eager": engines.eager(fp32, july),
        "torch.compile": None,
        "ONNX Runtime, graph as stored": engines.runtime(fp32, july, optimised=False),
        "ONNX Runtime": engines.runtime(fp32, july),
        "ONNX Runtime, 95% of the weights zero": engines.runtime(zeros, july),
        "ONNX Runtime, INT8, static": engines.runtime(int8, july),
    }
    if engines.compiler():
        runners["torch.compile"] = engines.eager(fp32, july, compiled=True)
    else:
        del runners["torch.compile"]
    own = {"ONNX Runtime, 95% of the weights zero": zeros}
    own["ONNX Runtime, INT8, static"] = int8
    for name, run in runners.items():
        engines.agree(run, own.get(name, fp32), july)
    times = engines.by_batch(runners)
    ratio = (times[["PyTorch, eager"]].to_numpy() / times).round(2)
    table = ratio.T.rename_axis("Times as fast as eager").rename(
        columns=lambda rows: f"{rows:,} row" + "s" * (rows > 1)
    )
    note = "Medians in turns, one thread, features ready."
    if not engines.compiler():
        note += " torch.compile is missing: no C++ compiler."
    name = f"latency_engines_{size}"
    bench.record(RESULTS, name, table.reset_index(), note=note, watch=watch)


# --- what it costs --------------------------------------------------------------------


def prices(models, table, control):
    """Return AUC and its difference to a control, with an interval by day, by name."""
    late, day = training.labels(table), table["sched_dep_utc"].dt.dayofyear.to_numpy()
    base, rows = models[control].predict(table), {}
    for name, model in models.items():
        score = model.predict(table)
        gap = auc_difference(base, score, late, day, draws=1000)
        rows[name] = {
            "AUC, July": f"{training.auc(score, late):.4f}",
            "Minus the first": f"{gap['value']:+.4f}",
            "95%, by day": f"{gap['low']:+.4f} to {gap['high']:+.4f}",
            "Largest change": f"{np.abs(score - base).max():.3f}",
            "Different scores": len(np.unique(score)),
        }
    return rows


def test_the_price_in_accuracy(parts, models):
    rows = prices(models, parts["test"], "network FP32")
    for name, row in rows.items():
        row["File, KiB"] = round(len(models[name].content) / 1024)
    table = pd.DataFrame(rows).T.rename_axis("Model").reset_index()
    note = (
        f"{len(parts['test']):,} flights of July; the intervals draw its days. The "
        "students and the wide network learn from all "
        f"{len(parts['train']):,} training flights."
    )
    bench.record(RESULTS, "latency_accuracy", table, note=note, timed=False)


@pytest.mark.parametrize("size", ["network", "wide"])
def test_fewer_bits_and_fewer_weights(parts, models, size):
    found = smaller.variants(models[f"{size} FP32"])
    rows = prices(found, parts["test"], "FP32")
    for name, row in rows.items():
        del row["Different scores"]
        row["Bits a weight"] = smaller.WAYS[name][0]
        row["Packed, KiB"] = round(smaller.packed_kib(found[name]))
    table = pd.DataFrame(rows).T.rename_axis("Weights").reset_index()
    note = (
        f"{len(parts['test']):,} flights of July; the intervals draw its days. Only "
        "weights are changed, all layers alike and without training again; the "
        "arithmetic stays FP32. Packed: the FP32 file after zlib."
    )
    bench.record(RESULTS, f"latency_smaller_{size}", table, note=note, timed=False)


def test_the_price_of_a_time_to_live(scene, models):
    july = scene.at(2).reset_index(drop=True)
    aged = scene.by_age(models["network FP32"], range(5))
    assert list(aged.index) == list(july["flight_id"])
    asked = popular.traffic(july, 50_000, seed=9)
    found = popular.price_of_ttl(aged, asked, july, (0, 0.25, 0.5, 1, 2, 4))
    shown = pd.DataFrame(
        {
            "Time to live": ["none"]
            + [f"{60 * h:.0f} min" for h in found["ttl_h"][1:]],
            "Hit rate": [f"{rate:.0%}" for rate in found["hit_rate"]],
            "Mean age of an answer, h": [f"{age:.2f}" for age in found["age_h"]],
            "Off by 0.1 or more": [f"{share:.1%}" for share in found["off"]],
            "AUC of the answers": [f"{auc:.4f}" for auc in found["auc"]],
            "Minus the first": [f"{value:+.4f}" for value in found["value"]],
            "95%, by day": [
                f"{low:+.4f} to {high:+.4f}"
                for low, high in zip(found["low"], found["high"], strict=True)
            ],
        }
    )
    note = (
        f"{len(asked):,} simulated requests for July's flights, 2 to 6 hours before "
        "departure; the k-th most popular flight number is asked about in proportion "
        "to 1/k. Features are renewed every hour, and an answer's age counts the "
        "renewals that it missed."
    )
    bench.record(RESULTS, "latency_ttl", shown, note=note, timed=False)
