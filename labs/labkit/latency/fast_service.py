"""Serve two precisions of one model, and the service with a batcher or a cache."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd
from flightline import serving, training
from flightline.features import FEATURES
from flightline.training import Predictor

from labkit import folders, timing
from labkit.latency import onnx_lab
from labkit.serving import http_load
from labkit.serving.http_load import Json
from labkit.serving.servers import Rollout, Served, wait_until

APP = "flightline.latency"
ROOT = Path(__file__).resolve().parents[3]
GPU_RECORD = ROOT / "tests" / "bench" / "results" / "latency_gpu.json"


class Fast(Served):
    """The service of `flightline.latency`; its options come on top of `Served`'s.

    Parameters
    ----------
    folder, features, **options
        As for `Served`; also most_rows, wait_ms and ttl_s.
    """

    program = APP


class GpuRecord(TypedDict):
    """What `gpu_record` says."""

    text: str
    most: float


def write_models(folder: Path, models: Mapping[str, "Predictor"]) -> dict[str, str]:
    """Write each model, with its digest, into a folder of its own.

    Parameters
    ----------
    folder : Path
    models : mapping of str to Predictor
        By label.

    Returns
    -------
    dict of str
        For each label the name that a rollout uses.
    """
    for label, model in models.items():
        training.save_models(folder / label, [model])
    return {label: f"{label}/{model.name}" for label, model in models.items()}


def write_features(folder: Path, table: pd.DataFrame) -> tuple[str, Path]:
    """Write features for the service to read; return the option that names them."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "features.parquet"
    table[["flight_id", *FEATURES]].to_parquet(path, index=False)
    return "--table", path


def bodies(flights: pd.DataFrame, table: pd.DataFrame) -> list[Json]:
    """Return the request for each flight of a table, in its order."""
    rows = flights.loc[table.index].to_dict("records")
    return [serving.request_of(row) for row in rows]


@contextlib.contextmanager
def pair(table: pd.DataFrame, models: Mapping[str, "Predictor"]) -> Iterator[Served]:
    """Run lab 08's service with these models; the first label gets everything.

    Parameters
    ----------
    table : DataFrame
        The flights that can be asked about, with their features.
    models : mapping of str to Predictor
        By label, such as A and B.

    Yields
    ------
    Served
    """
    with folders.Folder("latency-") as folder:
        names = write_models(folder / "models", models)
        rollout: Rollout = {"models": names, "weights": {next(iter(names)): 1.0}}
        features = write_features(folder, table.drop_duplicates("flight_id"))
        with Served(
            folder, features, models=folder / "models", rollout=rollout
        ) as served:
            yield served


def same_load(
    served: Served,
    asked: Sequence[Json],
    *,
    rate_s: float = 60.0,
    seconds: float = 1.5,
    rounds: int = 2,
) -> pd.DataFrame:
    """Put the same open-loop load on one label after the other, round after round.

    Parameters
    ----------
    served : Served
        A running service.
    asked : sequence of dict
        Bodies of requests.
    rate_s, seconds, rounds
        Requests a second, how long, and how often each label gets its turn.

    Returns
    -------
    DataFrame
        One row an answer: `label`, `turn`, `flight_id`, `score`, `version`,
        `precision`, `ms` and `status`; after the last turn the first label is live
        again.
    """
    requests = [served.request(body) for body in asked]
    due = http_load.poisson(rate_s, seconds, seed=9)
    tables = []
    labels = list(served.rollout["models"])
    for turn in range(rounds):
        for label in labels:
            served.deploy(weights={label: 1.0})
            for request in requests[:5]:
                http_load.ask(served.port, request)  # warm
            answers = http_load.answers(http_load.open_loop(served.port, requests, due))
            tables.append(answers.assign(label=label, sent=len(due), turn=turn))
    served.deploy(weights={labels[0]: 1.0})
    return pd.concat(tables, ignore_index=True)


def rehearse(served: Served, body: Json) -> pd.DataFrame:
    """Promote the second label, roll back, and note who answers at each step.

    Parameters
    ----------
    served : Served
        A running service with two labels.
    body : dict
        The request that is sent after each step.

    Returns
    -------
    DataFrame
        One row a step: the step, the answer's model, version, precision and score, and
        the `shadow's score` as the prediction log has it.
    """
    first, second = served.rollout["models"]
    steps: dict[str, tuple[dict[str, float], tuple[str, ...]]] = {
        f"{first} live, {second} listens": ({first: 1.0}, (second,)),
        f"{second} promoted": ({second: 1.0}, ()),
        "rolled back": ({first: 1.0}, ()),
    }
    rows = {}
    for step, (weights, shadows) in steps.items():
        served.deploy(weights=weights, shadows=list(shadows))
        before = _shadow_scores(served)
        answer = served.predict(body)
        rows[step] = {n: answer[n] for n in ("model", "version", "precision", "score")}
        heard = np.nan
        if shadows:  # it scores after the answer is out
            heard = _next_score(served, len(before))
        rows[step]["shadow's score"] = heard
    table = pd.DataFrame(rows).T.rename_axis("step")
    return table.astype({"score": float, "shadow's score": float})


def _next_score(served: Served, known: int) -> float:
    """Wait until the shadows have scored once more, and return that score."""
    wait_until(lambda: len(_shadow_scores(served)) > known, "the shadow has scored")
    return float(_shadow_scores(served).iloc[-1])


def _shadow_scores(served: Served) -> pd.Series:
    """Return the scores of shadows in the prediction log so far."""
    if not served.log_path.exists():
        return pd.Series(dtype=float)
    log = served.log()
    return log.loc[log["shadow"].astype(bool), "score"]


def model_share(
    served: Served,
    body: Json,
    model: "Predictor",
    row: pd.DataFrame,
    rounds: int = 150,
) -> float:
    """Return the share of a request that the model takes, one caller, in turns.

    The model is called in this process and the service asked over HTTP, one after the
    other, so that a slow moment of the machine meets both alike.

    Parameters
    ----------
    served : Served
        A running service whose live model is `model`.
    body : dict
        What is asked.
    model : Predictor
    row : DataFrame with FEATURES
        The same flight's.
    rounds : int

    Returns
    -------
    float
        Median time of the model over median time of a request.
    """
    request = served.request(body)
    pieces = {
        "request": lambda: http_load.ask(served.port, request),
        "model": lambda: model.predict(row),
    }
    return float(timing.compare(pieces, rounds)["ratio"]["model"])


def summary(answers: pd.DataFrame, models: Mapping[str, "Predictor"]) -> pd.DataFrame:
    """Summarise what `same_load` returned, beside the memory of each model.

    Parameters
    ----------
    answers : DataFrame
    models : mapping of str to Predictor
        By label.

    Returns
    -------
    DataFrame
        One row a label.
    """
    rows = {}
    for label, part in answers.groupby("label"):
        model = models[str(label)]
        rounds = part.groupby("turn")["ms"].median()
        by_round = " / ".join(f"{ms:.1f}" for ms in rounds)
        rows[f"{label}: {model.precision}, version {model.version}"] = {
            "answers": len(part),
            "mean score": part["score"].mean(),
            "p50, ms": float(np.percentile(part["ms"], 50)),
            "p50 by round, ms": by_round,
            "p99, ms": float(np.percentile(part["ms"], 99)),
            "file, KiB": len(model.content) / 1024,
            "memory, MiB": onnx_lab.memory_mib(model.content),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def compare(
    answers: pd.DataFrame, table: pd.DataFrame, models: Mapping[str, "Predictor"]
) -> dict[str, bool | int]:
    """Compare served answers with what the models say directly.

    Parameters
    ----------
    answers : DataFrame
        From `same_load`.
    table : DataFrame
        The flights that were asked about.
    models : mapping of str to Predictor
        By label.

    Returns
    -------
    dict
        Whether all answers have `status 200`, are `named` with the version and the
        precision of their label, and are `as scored directly`; and how many of the
        flights' `decisions differ` between the labels, at one half.
    """
    flights = table.drop_duplicates("flight_id")
    direct = pd.DataFrame(
        {label: model.predict(flights) for label, model in models.items()},
        index=flights["flight_id"],
    )
    named, close = True, True
    for label, model in models.items():
        rows = answers[answers["label"] == label]
        expected = {(model.name, model.version, model.precision)}
        found = zip(rows["model"], rows["version"], rows["precision"], strict=True)
        named &= set(found) == expected
        scores = direct.loc[rows["flight_id"], label]
        close &= bool(np.allclose(rows["score"], scores, atol=1e-6))
    late = direct.ge(0.5)
    return {
        "status 200": bool((answers["status"] == 200).all()),
        "named": named,
        "as scored directly": close,
        "decisions differ": int((late.nunique(axis=1) > 1).sum()),
        "flights": len(flights),
    }


def gpu_record(path: Path = GPU_RECORD) -> GpuRecord:
    """Summarise the recorded run on an accelerator, if there is one.

    Returns
    -------
    dict
        `text`, for a claim, and `most`: the largest gain over the same machine's
        processor, 0.0 without a record.
    """
    if not path.exists():
        text = "no run on an accelerator has been recorded for this table"
        return {"text": text, "most": 0.0}
    record = json.loads(path.read_text())
    ratio = {
        f"{r['net']}, {r['rows']:,} rows": r["cpu_ms"] / r["gpu_ms"]
        for r in record["rows"]
    }
    least, most = min(ratio, key=ratio.__getitem__), max(ratio, key=ratio.__getitem__)
    text = (
        f"recorded on {record['device']}: {ratio[least]:.1f}x ({least}) to "
        f"{ratio[most]:.0f}x ({most}) over that machine's processor"
    )
    return {"text": text, "most": ratio[most]}
