"""Lab 09 at full size: the service with each piece, engines, and what smaller costs.

`make bench` runs it and writes `results/latency_*.{json,csv,txt}`, which name the
machine; the chapter shows them as recorded. Nothing here asserts a duration, a ratio or
a verdict: only that the answers agree. The accelerator has a run of its own,
`gpu_latency.py`.
"""

import contextlib
from functools import partial
from pathlib import Path

import latency_engines as engines
import numpy as np
import pandas as pd
import popular
import pytest
import smaller
from flightline import estimate, latency, serving, training
from labkit import bench, timing
from labkit.latency import cache_lab, fast_service, onnx_lab
from labkit.latency.paired import auc_difference
from labkit.serving import http_load, serving_lab
from labkit.serving.servers import Served

RESULTS = Path(__file__).parent / "results"
ROUNDS, SECONDS, FLIGHTS, CALLERS = 6, 1.0, 400, 16
WIDE_ROWS = 40_000
"""So many rows the wide network learns from, as in the lab."""
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
    part = np.random.default_rng(9).choice(len(learned), WIDE_ROWS, replace=False)
    wide = teach(
        trees.transform,
        learned.iloc[part],
        soft[part],
        hidden=(1024,) * 3,
        epochs=2,
        rate=1e-3,
        name="wide",
    )
    student = teach(trees.transform, learned, soft)
    return {
        "network FP32": network,
        "network INT8, static": quantize(network, rows, version="2"),
        "network INT8, static, per tensor": quantize(network, rows, per_channel=False),
        "network INT8, every operator": quantize(network, rows, whole=True),
        "network INT8, dynamic": quantize(network, method="dynamic"),
        "wide FP32": wide,
        "wide INT8, static": quantize(wide, rows, version="2"),
        "wide INT8, dynamic": quantize(wide, method="dynamic"),
        "trees": trees,
        "student, soft labels": student,
        "student, hard labels": teach(trees.transform, learned, hard),
        "student INT8, static": quantize(student, rows),
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
    watch = timing.Watch()
    asked = parts["test"].sample(FLIGHTS, random_state=9)
    bodies = fast_service.bodies(scene.flights, asked)
    chance = np.random.default_rng(9)
    zipf = 1 / np.arange(1, FLIGHTS + 1)
    order = chance.choice(FLIGHTS, 5000, p=zipf / zipf.sum())
    both = {"A": models["network FP32"], "B": models["network INT8, static"]}
    names = fast_service.write_models(tmp_path / "models", both)
    features = serving_lab.table_file(tmp_path, asked)
    direct = {
        label: pd.Series(model.predict(asked), asked["flight_id"])
        for label, model in both.items()
    }
    found = []
    with contextlib.ExitStack() as house:
        services = {}
        for number, (piece, (label, options)) in enumerate(PIECES.items()):
            kind = fast_service.Fast if options else Served
            rollout = {"models": names, "weights": {label: 1.0}}
            folder, where = tmp_path / str(number), tmp_path / "models"
            served = kind(folder, features, models=where, rollout=rollout, **options)
            services[piece] = house.enter_context(served)
        for turn in range(ROUNDS + 1):  # the first turn warms up
            for piece, served in services.items():
                requests = [served.request(bodies[number]) for number in order]
                for load in ("idle", "full"):
                    run = drive(served.port, requests, load)
                    answers = http_load.answers(run)
                    assert len(answers) == len(run), piece
                    expected = direct[PIECES[piece][0]].loc[answers["flight_id"]]
                    assert np.allclose(answers["score"], expected, atol=1e-6), piece
                    row = {"piece": piece, "load": load, "ms": answers["ms"]}
                    row["per_s"] = len(run) / run.attrs["seconds"]
                    found += [row] if turn else []
    table = service_table(found).reset_index()
    form = two_digits
    bench.record(
        RESULTS, "latency_service", table, note=SERVICE_NOTE, form=form, watch=watch
    )


SERVICE_NOTE = (
    "Latency comes from an open loop at 30 a second. The throughput is the capacity: "
    f"what {CALLERS} callers got that asked again as soon as they were answered. The "
    f"price is that of a machine for {USD_HOUR:.2f} US dollars an hour, kept full."
)


def two_digits(value):
    """Write a number with two digits after the point."""
    return round(value, 2) if isinstance(value, float) else value


def drive(port, requests, load):
    """Put one of two loads on a service: a few requests now and then, or a capacity."""
    if load == "full":
        return http_load.closed_loop(port, requests, clients=CALLERS, seconds=SECONDS)
    due = http_load.poisson(30, SECONDS, seed=9)
    return http_load.open_loop(port, requests, due)


def service_table(found):
    """Return one row a piece: latency when nearly idle, throughput when full, price."""
    rows = {}
    for piece in PIECES:
        idle = [r for r in found if (r["piece"], r["load"]) == (piece, "idle")]
        full = [r for r in found if (r["piece"], r["load"]) == (piece, "full")]
        ms = np.concatenate([run["ms"] for run in idle])
        per_s = float(np.median([run["per_s"] for run in full]))
        rows[piece] = {
            "p50, 30 a second, ms": float(np.percentile(ms, 50)),
            "p99, 30 a second, ms": float(np.percentile(ms, 99)),
            f"Requests a second, {CALLERS} callers": per_s,
        }
    return with_price(pd.DataFrame(rows).T.rename_axis("Piece"))


def with_price(table):
    """Add the throughput's ratio to the first row's, and the price of a million."""
    rate = table[f"Requests a second, {CALLERS} callers"]
    price = [
        f"{estimate.cost_per_million_usd(1, USD_HOUR, per_s):.4f}" for per_s in rate
    ]
    ratio = rate / rate.iloc[0]
    return table.assign(**{"Throughput, ratio": ratio, "USD a million": price})


# --- the same score by other paths ----------------------------------------------------


def test_a_million_predictions_by_path(parts, models):
    watch, july = timing.Watch(), parts["test"]
    labels = ("trees", "network FP32", "wide FP32", "student, soft labels")
    scorers = {label: serving.scorer_of(models[label]) for label in labels}
    table, rounds = {label: {} for label in labels}, []
    for count in (1, 32, 2048):  # each apart: a long call leaves cold caches behind
        rows = serving.Rows.of(july.head(count))
        pieces = {label: partial(score, rows) for label, score in scorers.items()}
        more = 1 if count > 32 else 6
        times = timing.compare(pieces, 31 * more, narrow=0.1, most=150 * more)
        name = f"{count:,} row{'s' * (count > 1)} a call"
        rounds.append(f"{times.attrs['repeats']}")
        for label, ms in times["median_ms"].items():
            per_s = 1000 * count / ms
            price = estimate.cost_per_million_usd(0.5, USD_HOUR, per_s)
            table[label][f"{name}: predictions a second"] = f"{per_s:,.0f}"
            table[label][f"{name}: USD a million"] = np.format_float_positional(
                price, precision=2, fractional=False
            )
    note = (
        "Scored in this process from features as the service holds them, transform "
        "included, on one thread: half of a machine for "
        f"{USD_HOUR:.2f} US dollars an hour, kept full. The models take turns, "
        "each number of rows apart from the others; medians of "
        f"{', '.join(rounds)} rounds."
    )
    shown = pd.DataFrame(table).T.rename_axis("Model").reset_index()
    bench.record(RESULTS, "latency_paths", shown, note=note, watch=watch)


# --- engines --------------------------------------------------------------------------


PATIENT = {"repeats": 21, "narrow": 0.1, "most": 105}
RESULT_OF = {"network": "latency_engines", "wide": "latency_engines_wide"}


@pytest.mark.parametrize("size", RESULT_OF)
def test_engines_and_precisions(parts, models, size):
    watch, july, fp32 = timing.Watch(), parts["test"], models[f"{size} FP32"]
    int8 = {
        f"ONNX Runtime, INT8, {how}": models[f"{size} INT8, {how}"]
        for how in ("static", "dynamic")
    }
    runners = {"PyTorch, eager": engines.eager(fp32, july)}
    if engines.compiler():
        runners["torch.compile"] = engines.eager(fp32, july, compiled=True)
    runners["ONNX Runtime, FP32"] = onnx_lab.runner(fp32, july)
    for run in runners.values():
        engines.agree(run, fp32, july)
    for name, model in int8.items():
        runners[name] = onnx_lab.runner(model, july)
        engines.agree(runners[name], model, july)
    times = onnx_lab.by_batch(runners, **PATIENT)
    ratio = (times[["PyTorch, eager"]].to_numpy() / times).round(2)
    note = "" if engines.compiler() else "torch.compile is missing: no C++ compiler."
    table = by_rows(ratio, "Times faster than eager")
    bench.record(RESULTS, RESULT_OF[size], table, note=note, watch=watch)


def test_what_rewriting_a_graph_and_zeros_are_worth(parts, models):
    watch, july, tables = timing.Watch(), parts["test"], []
    for size in RESULT_OF:
        fp32 = models[f"{size} FP32"]
        zeros = smaller.with_weights(fp32, smaller.WAYS["95% zero"][1])
        runners = {
            f"{size}, graph as stored": onnx_lab.runner(fp32, july, optimised=False),
            f"{size}, graph rewritten": onnx_lab.runner(fp32, july),
            f"{size}, rewritten, 95% of the weights zero": onnx_lab.runner(zeros, july),
        }
        for run, model in zip(runners.values(), (fp32, fp32, zeros), strict=True):
            engines.agree(run, model, july)
        times = onnx_lab.by_batch(runners, **PATIENT)
        first = times[[f"{size}, graph as stored"]].to_numpy()
        tables.append((first / times).round(2))
    table = by_rows(pd.concat(tables, axis=1), "Times faster than the stored graph")
    bench.record(RESULTS, "latency_graph", table, watch=watch)


def by_rows(ratio, name):
    """Return ratios with one row a way, and one column a size of batch."""
    table = ratio.T.rename_axis(name).rename(columns=lambda rows: f"{rows} rows")
    return table.reset_index()


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
            "Minus the first": f"{gap['value']:+z.4f}",
            "95%, by day": f"{gap['low']:+z.4f} to {gap['high']:+z.4f}",
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
        f"students learn from all {len(parts['train']):,} training flights, the wide "
        f"network from the trees' scores of {WIDE_ROWS:,}. The wide network here is "
        "trained for two epochs, the lab's for one, on other rows; so their AUCs "
        "differ a little."
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
            "Minus the first": [f"{value:+z.4f}" for value in found["value"]],
            "95%, by day": [
                f"{low:+z.4f} to {high:+z.4f}"
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
