# Do not edit: exported from labs/06_training.ipynb.
# Change the lab, then run `make export`.

"""Lab 06: the training pipeline."""

__all__ = [
    "AT_LEAST",
    "AT_MOST",
    "FITS",
    "KINDS",
    "METRICS",
    "PIECES",
    "SPLITS",
    "TREES",
    "Damaged",
    "Floats",
    "Integers",
    "Metric",
    "Predictor",
    "Recipe",
    "Score",
    "Tensors",
    "Training",
    "Transform",
    "auc",
    "batch_rows",
    "calibrate",
    "calibration_error",
    "days",
    "evaluate",
    "fit",
    "gate",
    "interval",
    "labels",
    "lead",
    "load_checkpoint",
    "load_model",
    "load_table",
    "log_loss",
    "make_mlp",
    "measure",
    "open_model",
    "provenance",
    "regret",
    "restore",
    "save_checkpoint",
    "save_models",
    "sha256",
    "snapshot",
    "split",
    "start_training",
    "tensors",
    "to_onnx",
    "train",
    "train_recipe",
    "what_changed",
    "worse_slices",
    "write_atomic",
]

import hashlib
import importlib.metadata
import io
import json
import logging
import os
import platform
import subprocess
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

import flightline
from flightline.features import CATEGORICAL, FEATURES, NUMERIC, training_table
from flightline.lake import failpoint, flight_times, is_sealed, weather_events

if TYPE_CHECKING:
    import torch


Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Score = Callable[[pd.DataFrame], Floats]
SPLITS = {"train": range(1, 6), "tune": range(6, 7), "test": range(7, 8)}


class Damaged(Exception):
    """A file is not what its digest says; it was not opened."""


def sha256(content: bytes) -> str:
    """Return the sha256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def _verified(path: Path, digest: str) -> bytes:
    """Return the bytes of a file if they have the digest that was recorded."""
    content = path.read_bytes() if path.is_file() else b""
    if sha256(content) != digest:
        found = f"sha256 {sha256(content)[:12]}..." if content else "missing or empty"
        raise Damaged(
            f"{path.name}: {found}, the record says {digest[:12]}.... It was "
            "not opened. Restore it from a copy, or make it again."
        )
    return content


def load_table(
    data_dir: Path | str, months: Iterable[int] = range(1, 8)
) -> pd.DataFrame:
    """Load raw tables whose digests hold, and compute the training table.

    Parameters
    ----------
    data_dir : path
        The folder with the Parquet files and `SHA256SUMS`.
    months : iterable of int
        The months of 2013 to read; features look back at these alone. The sealed
        week at the end of December is left out.

    Returns
    -------
    DataFrame
        What `features.training_table` returns: one row a flight.

    Raises
    ------
    Damaged
        If a file is missing or changed; the message names it.
    """
    lines = (Path(data_dir) / "SHA256SUMS").read_text().splitlines()
    sums = dict(line.split("  ")[::-1] for line in lines)

    def read(name: str) -> pd.DataFrame:
        content = _verified(Path(data_dir) / name, sums[name])
        frame = pd.read_parquet(io.BytesIO(content))
        return frame.astype(dict.fromkeys(frame.select_dtypes("integer"), "int64"))

    parts = [read(f"flights/2013-{month:02d}.parquet") for month in months]
    flights = pd.concat(parts, ignore_index=True)
    flights = flights[~is_sealed(flights)]
    times = flight_times(flights, read("airports.parquet"))
    return training_table(times, weather_events(read("weather.parquet")))


def split(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Cut a training table by time.

    Parameters
    ----------
    table : DataFrame
        With `month` and `late`.

    Returns
    -------
    dict of DataFrame
        `train` (January-May), `tune` (June) and `test` (July), without the rows that
        have no label: flights that never landed.
    """
    known = table[table["late"].notna()]
    return {name: known[known["month"].isin(list(m))] for name, m in SPLITS.items()}


def labels(table: pd.DataFrame) -> Floats:
    """Return the labels as 0.0 and 1.0; a missing one is a ValueError."""
    if missing := int(table["late"].isna().sum()):
        raise ValueError(f"late is missing in {missing} rows. Take rows from split().")
    return np.asarray(table["late"].to_numpy(np.float64))


@dataclass(frozen=True)
class Transform:
    """Turn features into what models take.

    Fitted on training rows alone. A category that they lack, or that is missing, has
    code 0. A number is clipped to their range, less half a percent at either end, then
    standardised; a missing one becomes 0, the mean of the training rows.
    """

    categories: Mapping[str, Sequence[str]]
    scaling: Mapping[str, Sequence[float]]

    @classmethod
    def fit(cls, train: pd.DataFrame) -> Self:
        """Learn categories, ranges, means and scales from training rows."""
        seen = {name: sorted(train[name].dropna().unique()) for name in CATEGORICAL}
        raw = train[NUMERIC].to_numpy(np.float64)
        low, high = np.nanquantile(raw, [0.005, 0.995], axis=0)
        inside = np.clip(raw, low, high)
        spread = np.nanstd(inside, axis=0)
        learned = {"low": low, "high": high, "mean": np.nanmean(inside, axis=0)}
        learned["scale"] = np.where(spread > 0, spread, 1.0)
        return cls(seen, {name: values.tolist() for name, values in learned.items()})

    @cached_property
    def _code(self) -> dict[str, dict[str, int]]:
        """The code of each known category, from 1."""
        return {
            n: {v: i for i, v in enumerate(s, 1)} for n, s in self.categories.items()
        }

    @property
    def sizes(self) -> list[int]:
        """How many codes each categorical feature has, code 0 included."""
        return [len(self.categories[name]) + 1 for name in CATEGORICAL]

    def codes(self, table: pd.DataFrame) -> Integers:
        """Return the categories as codes, int64 [n, 3]; 0 is unknown or missing."""
        columns = [
            [self._code[n].get(value, 0) for value in table[n]] for n in CATEGORICAL
        ]
        return np.array(columns, np.int64).T

    def numbers(self, table: pd.DataFrame) -> npt.NDArray[np.float32]:
        """Return the numbers clipped, standardised and filled, float32 [n, 25]."""
        raw = table[NUMERIC].to_numpy(np.float64)
        by = self.scaling
        ready = (np.clip(raw, by["low"], by["high"]) - by["mean"]) / by["scale"]
        return np.asarray(np.nan_to_num(ready, nan=0.0), np.float32)

    def matrix(self, table: pd.DataFrame) -> Floats:
        """Return codes and raw numbers for trees, float64 [n, 28]; NaN is missing."""
        raw = table[NUMERIC].to_numpy(np.float64)
        return np.hstack([self.codes(table).astype(np.float64), raw])

    def to_json(self) -> str:
        """Return the transform as JSON, exact to the last bit."""
        return json.dumps({"features": FEATURES, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a transform; one for other features is a ValueError."""
        stored = json.loads(text)
        if stored.pop("features") != FEATURES:
            raise ValueError("the transform is for other features. Train again.")
        return cls(**stored)


@dataclass(frozen=True)
class Predictor:
    """A model that answers, opened from the bytes of its file.

    `kind` is constant, logistic, lightgbm or mlp; `precision` is that of its numbers.
    """

    name: str
    version: str
    precision: str
    kind: str
    transform: Transform = field(repr=False)
    content: bytes = field(repr=False)
    score: Score = field(repr=False)

    def predict(self, table: pd.DataFrame) -> Floats:
        """Return the probability of a late arrival for each row, float64 [n]."""
        missing = [name for name in FEATURES if name not in table.columns]
        if missing:
            raise ValueError(f"the table lacks the features {', '.join(missing)}.")
        return self.score(table)


def _processor() -> str:
    """Return the name of the processor, or its kind where no name is known."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.is_file() else []
    names = [
        line.partition(":")[2].strip()
        for line in lines
        if line.startswith("model name")
    ]
    return next(iter(names), platform.processor() or platform.machine() or "unknown")


def _sigmoid(logit: Floats) -> Floats:
    """Turn logits into probabilities."""
    return np.asarray(1 / (1 + np.exp(-logit)), np.float64)


def _one_hot(transform: Transform, table: pd.DataFrame) -> Floats:
    """Return a column of 0 and 1 for each code, beside the numbers."""
    codes = zip(transform.sizes, transform.codes(table).T, strict=True)
    hot = [np.eye(size)[code] for size, code in codes]
    return np.hstack([*hot, transform.numbers(table).astype(np.float64)])


def _open_linear(content: bytes, transform: Transform) -> Score:
    """Open weights and a bias; without weights every row gets the same score."""
    stored = json.loads(content)
    weights, bias = np.array(stored["weights"]), np.float64(stored["bias"])
    if not len(weights):
        return lambda table: np.full(len(table), 1 / (1 + np.exp(-bias)))
    return lambda table: _sigmoid(_one_hot(transform, table) @ weights + bias)


def _open_lightgbm(content: bytes, transform: Transform) -> Score:
    """Open LightGBM's text format."""
    import lightgbm

    trees = lightgbm.Booster(model_str=content.decode())
    return lambda table: np.asarray(
        trees.predict(transform.matrix(table), num_threads=1), np.float64
    )


def _open_onnx(content: bytes, transform: Transform) -> Score:
    """Open an ONNX graph with the inputs `categorical` and `numeric`."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def score(table: pd.DataFrame) -> Floats:
        codes, numbers = transform.codes(table), transform.numbers(table)
        found = session.run(["score"], {"categorical": codes, "numeric": numbers})
        return np.asarray(found[0], np.float64)

    return score


KINDS = {
    "constant": (_open_linear, ".json", "fp64"),
    "logistic": (_open_linear, ".json", "fp64"),
    "lightgbm": (_open_lightgbm, ".txt", "fp64"),
    "mlp": (_open_onnx, ".onnx", "fp32"),
}


def open_model(
    content: bytes,
    kind: str,
    transform: Transform,
    *,
    name: str = "",
    version: str = "0",
    precision: str = "",
) -> Predictor:
    """Open a model from the bytes of its file.

    Parameters
    ----------
    content : bytes
        The file: JSON, LightGBM's text or ONNX.
    kind : {"constant", "logistic", "lightgbm", "mlp"}
        What the file holds.
    transform : Transform
        The transform that it was trained with.
    name, version, precision : str, optional
        What answers are labelled with; by default the kind, "0", and that of the kind.

    Returns
    -------
    Predictor
    """
    opener, _, usual = KINDS[kind]
    score = opener(content, transform)
    return Predictor(
        name or kind, version, precision or usual, kind, transform, content, score
    )


def auc(score: Floats, late: Floats, weight: Floats | None = None) -> float:
    """Return the area under the ROC curve; ties count one half."""
    weight = np.ones(len(score)) if weight is None else weight
    order = np.argsort(score, kind="stable")  # fast where rows are sorted already
    ranked = score[order]
    group = np.append(0, np.cumsum(ranked[1:] > ranked[:-1]))
    positive = np.bincount(group, (weight * late)[order])
    negative = np.bincount(group, (weight * (1 - late))[order])
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / (positive.sum() * negative.sum()))


def log_loss(score: Floats, late: Floats, weight: Floats | None = None) -> float:
    """Return the mean log-loss; scores are kept 1e-12 away from 0 and 1."""
    chance = np.clip(score, 1e-12, 1 - 1e-12)
    loss = -np.where(late > 0, np.log(chance), np.log1p(-chance))
    return float(np.average(loss, weights=weight))


def calibration_error(
    score: Floats, late: Floats, weight: Floats | None = None
) -> float:
    """Return the expected calibration error (ECE), over ten bins of equal count."""
    weight = np.ones(len(score)) if weight is None else weight
    edges = np.quantile(score, np.arange(1, 10) / 10)
    group = np.searchsorted(edges, score, side="right")
    gap = np.bincount(group, weight * (score - late))
    return float(np.abs(gap).sum() / weight.sum())


Metric = Callable[..., float]
METRICS: dict[str, Metric] = {
    "auc": auc,
    "log_loss": log_loss,
    "ece": calibration_error,
}


def calibrate(logit: Floats, late: Floats) -> tuple[float, float]:
    """Return the slope and bias that calibrate `sigmoid(slope * logit + bias)`."""
    inputs = np.stack([logit, np.ones(len(logit))])
    found = np.array([1.0, 0.0])
    for _ in range(25):  # Newton's method on the log-loss
        score = _sigmoid(found @ inputs)
        bend = (inputs * score * (1 - score)) @ inputs.T
        found = found - np.linalg.solve(bend, inputs @ (score - late))
    return float(found[0]), float(found[1])


def days(table: pd.DataFrame) -> Integers:
    """Return the day of each row, by New York's calendar, numbered from 0."""
    local = table["sched_dep_utc"].dt.tz_convert("America/New_York")
    return np.asarray(pd.factorize(local.dt.date)[0], np.int64)


def interval(
    metric: Metric,
    score: Any,
    late: Floats,
    day: Integers,
    *,
    draws: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """Return a 95% interval of a metric, from whole days drawn with replacement.

    Parameters
    ----------
    metric : callable
        Called with scores, labels and one weight for each row.
    score : any
        Passed on to the metric as it is: one score for each row, or several.
    late : array of float64
        The labels, 0.0 or 1.0.
    day : array of int64
        The day of each row, numbered from 0 without a gap.
    draws, seed : int
        How many rounds, and the seed of the generator.

    Returns
    -------
    low, high : float
        The 2.5% and the 97.5% quantile of the metric over the rounds.
    """
    chance, count = np.random.default_rng(seed), int(day.max()) + 1
    drawn = chance.multinomial(count, np.full(count, 1 / count), size=draws)
    found = [metric(score, late, times[day].astype(np.float64)) for times in drawn]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def evaluate(
    model: Predictor, table: pd.DataFrame, *, draws: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Measure a model, with intervals from days drawn anew.

    Parameters
    ----------
    model : Predictor
        The model.
    table : DataFrame
        Rows with features, labels and `sched_dep_utc`.
    draws, seed : int
        As in `interval`.

    Returns
    -------
    DataFrame
        Rows `auc`, `log_loss` and `ece`; columns `value`, `low` and `high`.
    """
    score = model.predict(table)
    order = np.argsort(score, kind="stable")
    score, late, day = score[order], labels(table)[order], days(table)[order]
    even, rows = np.ones(len(late)), {}
    for name, metric in METRICS.items():
        ends = interval(metric, score, late, day, draws=draws, seed=seed)
        rows[name] = (metric(score, late, even), *ends)
    return pd.DataFrame(rows, index=["value", "low", "high"]).T


# Slow learning, small trees, rows and columns drawn anew.
TREES: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.04, "num_leaves": 31,
    "min_data_in_leaf": 200, "feature_fraction": 0.5, "bagging_fraction": 0.7,
    "bagging_freq": 1, "lambda_l2": 10.0, "max_cat_threshold": 8, "cat_smooth": 50.0,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1,
}  # fmt: skip


def _fit_constant(
    transform: Transform, train: pd.DataFrame, tune: pd.DataFrame, seed: int
) -> bytes:
    """Return the share of late training rows, as a bias, as JSON."""
    rate = labels(train).mean()
    return json.dumps(
        {"weights": [], "bias": float(np.log(rate / (1 - rate)))}
    ).encode()


def _fit_logistic(
    transform: Transform,
    train: pd.DataFrame,
    tune: pd.DataFrame,
    seed: int,
    strength: float = 0.01,
) -> bytes:
    """Return the weights of a calibrated logistic regression, as JSON."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=strength, max_iter=200)
    line.fit(_one_hot(transform, train), labels(train))
    logit = line.decision_function(_one_hot(transform, tune))
    slope, bias = calibrate(logit, labels(tune))
    bias += slope * float(line.intercept_[0])
    return json.dumps(
        {"weights": (slope * line.coef_[0]).tolist(), "bias": bias}
    ).encode()


def _fit_lightgbm(
    transform: Transform,
    train: pd.DataFrame,
    tune: pd.DataFrame,
    seed: int,
    rounds: int = 600,
    patience: int = 50,
    **settings: Any,
) -> bytes:
    """Return calibrated trees as LightGBM's text; June chooses how many."""
    import lightgbm

    codes = list(range(len(CATEGORICAL)))
    data = lightgbm.Dataset(
        transform.matrix(train), labels(train), categorical_feature=codes
    )
    asked, late = transform.matrix(tune), labels(tune)
    held = lightgbm.Dataset(asked, late, reference=data)
    stop = lightgbm.early_stopping(patience, verbose=False)
    chosen = TREES | {"seed": seed} | settings
    trees = lightgbm.train(chosen, data, rounds, valid_sets=[held], callbacks=[stop])
    slope, bias = calibrate(np.asarray(trees.predict(asked, raw_score=True)), late)
    best = trees.model_to_string(num_iteration=trees.best_iteration)
    kept = lightgbm.Booster(model_str=best)
    for tree, row in enumerate(kept.dump_model()["tree_info"]):
        for leaf in range(row["num_leaves"]):
            value = slope * kept.get_leaf_output(tree, leaf) + bias * (tree == 0)
            kept.set_leaf_output(tree, leaf, value)
    return kept.model_to_string().encode()


@dataclass
class Training:
    """A training run in progress: all that its next step depends on but the data.

    `settings` are those that it was started with, as JSON.
    """

    network: Any
    optimizer: Any
    scheduler: Any
    seed: int
    batch: int
    steps: int
    step: int = 0
    settings: str = ""


def _whole(path: Path) -> bytes:
    """Return the bytes of a checkpoint; none if its name has another digest."""
    content = path.read_bytes()
    return content if sha256(content)[:32] == path.stem.split("-")[2] else b""


def make_mlp(
    sizes: Sequence[int], hidden: Sequence[int] = (512, 256), dropout: float = 0.3
) -> "torch.nn.Module":
    """Make the network: it takes codes [n, 3] and numbers [n, 25], returns logits [n].

    Parameters
    ----------
    sizes : sequence of int
        How many codes each categorical feature has.
    hidden : sequence of int
        The widths of the hidden layers.
    dropout : float
        The share of hidden values that are set to zero in training.
    """
    import torch
    from torch import nn

    dims = [min(8, (size + 1) // 2) for size in sizes]
    widths = [sum(dims) + len(NUMERIC), *hidden]
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.ReLU(), nn.Dropout(dropout)]

    class MLP(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.ModuleList(map(nn.Embedding, sizes, dims))
            self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

        def forward(self, categorical: Any, numeric: Any) -> Any:
            parts = [e(categorical[:, i]) for i, e in enumerate(self.embed)]
            return self.layers(torch.cat([*parts, numeric], 1)).squeeze(1)

    return MLP()


Tensors = tuple["torch.Tensor", ...]


def tensors(transform: Transform, table: pd.DataFrame) -> Tensors:
    """Return codes, numbers and labels of a table as tensors."""
    import torch

    late = labels(table).astype(np.float32)
    arrays = (transform.codes(table), transform.numbers(table), late)
    return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)


def start_training(
    sizes: Sequence[int],
    rows: int,
    *,
    seed: int = 0,
    epochs: int = 4,
    batch: int = 1024,
    rate: float = 2e-3,
    decay: float = 0.01,
    **shape: Any,
) -> Training:
    """Start a run: a fresh network, AdamW, a warm-up and a cosine to zero.

    Parameters
    ----------
    sizes, **shape
        As for `make_mlp`.
    rows, epochs, batch : int
        Training rows, rounds over them, and rows a step.
    seed : int
        Of the weights, of dropout and of the order of the rows.
    rate, decay : float
        The largest learning rate, and the weight decay.
    """
    import torch

    torch.manual_seed(seed)
    network, steps = make_mlp(sizes, **shape), epochs * -(-rows // batch)
    settings = json.dumps(
        {
            "sizes": list(sizes),
            "rows": rows,
            "epochs": epochs,
            "batch": batch,
            "rate": rate,
            "decay": decay,
            **shape,
        },
        sort_keys=True,
    )

    def factor(step: int) -> float:
        cosine = (1 + np.cos(np.pi * min(1, step / steps))) / 2
        return float(min((step + 1) / max(1, steps // 10), cosine))

    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    return Training(
        network, optimizer, scheduler, seed, batch, steps, settings=settings
    )


@lru_cache(maxsize=2)
def _epoch_order(seed: int, epoch: int, rows: int) -> "torch.Tensor":
    """Return the order of the rows in an epoch, from seed and epoch alone."""
    import torch

    generator = torch.Generator().manual_seed(1_000_003 * seed + epoch)
    return torch.randperm(rows, generator=generator)


def batch_rows(seed: int, step: int, rows: int, batch: int) -> "torch.Tensor":
    """Return the rows of a step, from the seed and the number of the step alone."""
    epoch, place = divmod(step, -(-rows // batch))
    return _epoch_order(seed, epoch, rows)[place * batch : (place + 1) * batch]


def train(
    run: Training,
    data: Tensors,
    *,
    until: int | None = None,
    after_step: Callable[[Training], Any] = lambda run: None,
) -> None:
    """Train until a step, by default to the end; call `after_step` after each.

    Parameters
    ----------
    run : Training
        Is changed.
    data : tuple of tensors
        What `tensors` returns for the training rows.
    until : int, optional
        The step to stop at.
    after_step : callable
        Called with the run: to report, or to save a checkpoint.
    """
    from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

    (codes, numbers, late), _ = data, run.network.train()
    while run.step < (run.steps if until is None else until):
        rows = batch_rows(run.seed, run.step, len(late), run.batch)
        loss = loss_of(run.network(codes[rows], numbers[rows]), late[rows])
        run.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        run.optimizer.step()
        run.scheduler.step()
        run.step += 1
        failpoint(f"step-{run.step}")
        after_step(run)


def _fit_mlp(
    transform: Transform,
    train_rows: pd.DataFrame,
    tune: pd.DataFrame,
    seed: int,
    checkpoints: Path | None = None,
    every: int = 100,
    report: Callable[[Training], Any] = lambda run: None,
    **settings: Any,
) -> bytes:
    """Return a calibrated network as ONNX; with `checkpoints` it resumes."""
    import torch

    data, (codes, numbers, late) = (tensors(transform, t) for t in (train_rows, tune))
    run = start_training(transform.sizes, len(train_rows), seed=seed, **settings)
    if checkpoints is not None:
        load_checkpoint(checkpoints, run)

    def after_step(run: Training) -> None:
        report(run)
        if checkpoints is not None and run.step % every == 0:
            save_checkpoint(checkpoints, run)

    train(run, data, after_step=after_step)
    network = run.network.eval()
    with torch.no_grad():
        logit, answer = network(codes, numbers).double().numpy(), late.double().numpy()
        slope, bias = calibrate(logit, answer)
        network.layers[-1].weight.mul_(slope)
        network.layers[-1].bias.mul_(slope).add_(bias)
    return to_onnx(network)


def to_onnx(network: "torch.nn.Module") -> bytes:
    """Export a network, with a sigmoid behind it, without traces of this machine."""
    import torch

    class Scored(torch.nn.Module):
        def forward(self, categorical: Any, numeric: Any) -> Any:
            return torch.sigmoid(network(categorical, numeric))

    scored, rows = Scored(), torch.export.Dim("rows")
    scored.add_module("network", network.eval())
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    shapes = (2, len(CATEGORICAL)), (2, len(NUMERIC))
    example = torch.zeros(shapes[0], dtype=torch.int64), torch.zeros(shapes[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            scored.eval(), example, dynamo=True, verbose=False, opset_version=20,
            dynamic_shapes=({0: rows}, {0: rows}),
            input_names=["categorical", "numeric"], output_names=["score"],
        )  # fmt: skip
    model = program.model_proto
    graph = model.graph
    values = [*graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in (model, graph, *graph.node, *values):
        part.ClearField("metadata_props")
    return bytes(model.SerializeToString(deterministic=True))


FITS: dict[str, Callable[..., bytes]] = {
    "constant": _fit_constant, "logistic": _fit_logistic,
    "lightgbm": _fit_lightgbm, "mlp": _fit_mlp,
}  # fmt: skip


def fit(
    kind: str,
    train: pd.DataFrame,
    tune: pd.DataFrame,
    *,
    seed: int = 0,
    name: str = "",
    version: str = "0",
    **settings: Any,
) -> Predictor:
    """Fit a model on training rows; tune and calibrate it on tuning rows.

    Parameters
    ----------
    kind : {"constant", "logistic", "lightgbm", "mlp"}
        The kind of model.
    train, tune : DataFrame
        Rows with features and labels. The transform is fitted on `train` alone.
    seed : int
        Decides all that is random.
    name, version : str, optional
        What the model is called.
    **settings
        Settings of the kind: `strength` for logistic; `rounds`, `patience` and
        LightGBM's own; `epochs`, `batch`, `rate`, `decay`, `hidden`, `dropout`,
        `checkpoints`, `every` and `report` for the network.

    Returns
    -------
    Predictor
        Opened from the bytes that a file of it would hold.
    """
    if kind not in FITS:
        raise ValueError(f"kind={kind!r} is none of {', '.join(FITS)}.")
    transform = Transform.fit(train)
    content = FITS[kind](transform, train, tune, seed, **settings)
    return open_model(content, kind, transform, name=name, version=version)


def save_models(
    folder: Path | str,
    models: Sequence[Predictor],
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Write models that share a transform, and a manifest with their digests.

    Parameters
    ----------
    folder : path
        It is made if it is missing.
    models : sequence of Predictor
        At least one; their names become file names.
    about : mapping of mappings, optional
        More entries for the manifest, by the name of a model, or "" for the whole.

    Returns
    -------
    str
        The digest of the manifest. Keep it elsewhere: who can change the files can
        change the manifest too.
    """
    folder, about = Path(folder), about or {}
    folder.mkdir(parents=True, exist_ok=True)
    files = {"transform.json": models[0].transform.to_json().encode()}
    entries = []
    for model in models:
        if model.transform != models[0].transform:
            raise ValueError(
                f"{model.name} has another transform. Use a folder of its own."
            )
        file = model.name + KINDS[model.kind][1]
        files[file] = model.content
        said = {k: getattr(model, k) for k in ("name", "version", "kind", "precision")}
        entry = {**said, "file": file, "sha256": sha256(model.content)}
        entries.append(entry | dict(about.get(model.name, {})))
    pinned = {"file": "transform.json", "sha256": sha256(files["transform.json"])}
    manifest = {"transform": pinned, "models": entries, **about.get("", {})}
    files["models.json"] = (json.dumps(manifest, indent=1) + "\n").encode()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return sha256(files["models.json"])


def load_model(folder: Path | str, name: str, manifest_sha256: str = "") -> Predictor:
    """Open a stored model, from the very bytes whose digest was checked.

    Parameters
    ----------
    folder : path
        What `save_models` wrote.
    name : str
        The name of a model.
    manifest_sha256 : str, optional
        The digest of the manifest, from a place that the folder's owner cannot change.

    Returns
    -------
    Predictor

    Raises
    ------
    Damaged
        If a file is missing or changed; the message names it.
    ValueError
        If the folder has no model of this name.
    """
    folder, path = Path(folder), Path(folder) / "models.json"
    text = _verified(path, manifest_sha256) if manifest_sha256 else path.read_bytes()
    manifest = json.loads(text)
    entries = {entry["name"]: entry for entry in manifest["models"]}
    if name not in entries:
        raise ValueError(f"no model {name!r}. There is: {', '.join(entries)}.")
    entry, pinned = entries[name], manifest["transform"]
    content = _verified(folder / entry["file"], entry["sha256"])
    transform = _verified(folder / pinned["file"], pinned["sha256"])
    return open_model(
        content,
        entry["kind"],
        Transform.from_json(transform),
        name=name,
        version=entry["version"],
        precision=entry["precision"],
    )


@dataclass(frozen=True)
class Recipe:
    """What to train: the kind, the seed, how many training rows, the settings."""

    kind: str = "lightgbm"
    seed: int = 0
    rows: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def train_recipe(recipe: Recipe, table: pd.DataFrame, **more: Any) -> Predictor:
    """Train what a recipe says on a training table; `more` goes to `fit`."""
    parts = split(table)
    rows = parts["train"]
    if recipe.rows is not None:
        rows = rows.sample(recipe.rows, random_state=recipe.seed)
    wanted = {"seed": recipe.seed, **recipe.settings, **more}
    return fit(recipe.kind, rows, parts["tune"], **wanted)


def measure(model: Predictor, table: pd.DataFrame) -> dict[str, float]:
    """Return each metric in June (`tune_auc` ...) and July (`test_auc` ...)."""
    found: dict[str, float] = {}
    for part in ("tune", "test"):
        rows = split(table)[part]
        score, late = model.predict(rows), labels(rows)
        found |= {
            f"{part}_{name}": metric(score, late) for name, metric in METRICS.items()
        }
    return found


def provenance(data_dir: Path | str) -> dict[str, str]:
    """Return what a result depends on besides its recipe.

    Parameters
    ----------
    data_dir : path
        The folder with `SHA256SUMS`.

    Returns
    -------
    dict of str
        `data_sha256` (of the list of all digests), `lock_sha256` (of the two files
        of pinned versions), `installed_sha256` (of the versions that are there),
        `code_sha256` (of the package), `processor`, and `git_commit`, with
        `-dirty` if files differ from it. "unknown" where there is no such thing.
    """
    package = Path(str(flightline.__file__)).parent
    locks = [
        package.parents[1] / name for name in ("requirements.txt", "constraints.txt")
    ]
    here = sorted(
        {f"{d.name}=={d.version}" for d in importlib.metadata.distributions()}
    )
    files = {
        "data_sha256": [Path(data_dir) / "SHA256SUMS"],
        "lock_sha256": locks,
        "code_sha256": sorted(package.rglob("*.py")),
    }
    found = {
        name: sha256(b"".join(path.read_bytes() for path in paths))
        if all(path.is_file() for path in paths)
        else "unknown"
        for name, paths in files.items()
    }
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(
            command, cwd=package, capture_output=True, text=True, timeout=20
        )
        commit = done.stdout.strip() if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        commit = ""
    found |= {
        "installed_sha256": sha256("\n".join(here).encode()),
        "processor": _processor(),
    }
    return {**found, "git_commit": commit or "unknown"}


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that it is there completely, or not at all.

    Parameters
    ----------
    path : Path
        The file; an older one is replaced. Its folder exists.
    content : bytes
        What it will hold.

    Raises
    ------
    OSError
        If the disk refuses. Before the rename the older file is untouched, and no draft
        is left; after it, the new file is there and the error still comes through.

    Notes
    -----
    Failpoints: `checkpoint-half` after half of the bytes (flushed), `checkpoint-draft`
    when the draft is on disk, `checkpoint-named` after the rename.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as stream:
            stream.write(content[: len(content) // 2])
            stream.flush()
            failpoint("checkpoint-half")
            stream.write(content[len(content) // 2 :])
            stream.flush()
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        os.replace(draft, path)  # noqa: PTH105
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


PIECES = ("network", "optimizer", "scheduler", "step", "seed", "random")


def snapshot(run: Training) -> dict[str, Any]:
    """Return all that the next step depends on, by the names of PIECES."""
    import torch

    states = {name: getattr(run, name).state_dict() for name in PIECES[:3]}
    return {
        **states,
        "step": run.step,
        "seed": run.seed,
        "random": torch.get_rng_state(),
    }


def restore(run: Training, saved: Mapping[str, Any]) -> None:
    """Put a run into the state of a snapshot; a missing piece is a ValueError."""
    import torch

    if missing := [piece for piece in PIECES if piece not in saved]:
        raise ValueError(
            f"the snapshot lacks {', '.join(missing)}. Start from another."
        )
    for name in PIECES[:3]:
        getattr(run, name).load_state_dict(saved[name])
    run.step, run.seed = saved["step"], saved["seed"]
    torch.set_rng_state(saved["random"])


def save_checkpoint(folder: Path | str, run: Training, keep: int = 2) -> Path:
    """Save a run so that a crash at any moment leaves a checkpoint that is whole.

    Parameters
    ----------
    folder : path
        It is made if it is missing. One run at a time writes to it.
    run : Training
        The run.
    keep : int
        How many whole ones to keep: this one and the newest of the others; two, in
        case the disk damages one. Torn files go.

    Returns
    -------
    Path
        The file: its name holds the step and the digest.
    """
    import torch

    (folder := Path(folder)).mkdir(parents=True, exist_ok=True)
    torch.save({**snapshot(run), "settings": run.settings}, buffer := io.BytesIO())
    content = buffer.getvalue()
    path = folder / f"step-{run.step:08d}-{sha256(content)[:32]}.pt"
    write_atomic(path, content)
    older = sorted(set(folder.glob("step-*.pt")) - {path}, reverse=True)
    kept = {path, *[old for old in older if _whole(old)][: keep - 1]}
    for old in {*older, *folder.glob(".step-*.draft")} - kept:
        old.unlink()
    return path


def load_checkpoint(folder: Path | str, run: Training) -> tuple[int, list[str]]:
    """Put a run into the state of the newest checkpoint that is whole.

    Parameters
    ----------
    folder : path
        Where `save_checkpoint` wrote. It may be missing or empty.
    run : Training
        A run that was started with the same settings; the seed may differ.

    Returns
    -------
    step : int
        The step it goes on from; 0 if there is no checkpoint.
    skipped : list of str
        Files whose bytes do not match their digest, newest first.

    Raises
    ------
    ValueError
        If the newest whole checkpoint is of a run with other settings.
    """
    import torch

    skipped: list[str] = []
    for path in sorted(Path(folder).glob("step-*.pt"), reverse=True):
        if content := _whole(path):
            saved = torch.load(io.BytesIO(content), weights_only=True)
            if saved.get("settings") != run.settings:
                raise ValueError(
                    f"{path.name} is of other settings. Use another folder."
                )
            restore(run, saved)
            return run.step, skipped
        skipped.append(path.name)
    return 0, skipped


AT_LEAST = {"baseline": 0.0, "slices": -0.03, "direction": 0.0}  # must be above
AT_MOST = {"calibration": 0.03, "features only": 1e-6, "row order": 1e-6}  # below


def lead(scores: Floats, late: Floats, weight: Floats) -> float:
    """Return how far the AUC of the first scores is above that of the second."""
    return auc(scores[0], late, weight) - auc(scores[1], late, weight)


def _worst_slice(
    scores: Floats, table: pd.DataFrame, by: Sequence[str], least: int
) -> tuple[float, str]:
    """Return the smallest gain in AUC over the baseline in any slice, and where."""
    late, found = labels(table), {"no slice is large enough": np.inf}
    for name in by:
        for value in table[name].dropna().unique():
            rows = (table[name] == value).to_numpy()
            if rows.sum() >= least and 0 < late[rows].mean() < 1:
                new, old = (auc(score[rows], late[rows]) for score in scores)
                found[f"{name} {value}"] = new - old
    where = min(found, key=found.__getitem__)
    return float(found[where]), where


def _behaviour(model: Predictor, few: pd.DataFrame) -> dict[str, float]:
    """Return what changes when rows are blanked, shuffled, or given a longer queue."""
    score, order = model.predict(few), np.random.default_rng(0).permutation(len(few))
    alone = model.predict(few[FEATURES].reindex(columns=few.columns))
    shuffled = model.predict(few.iloc[order])
    longer = model.predict(
        few.assign(**(few[["origin_waiting", "origin_carrier_waiting"]] + 10))
    )
    return {
        "features only": float(np.abs(alone - score).max()),
        "row order": float(np.abs(shuffled - score[order]).max()),
        "direction": float((longer - score).mean()),
    }


def gate(
    model: Predictor,
    table: pd.DataFrame,
    baseline: Predictor,
    *,
    by: Sequence[str] = ("origin", "carrier", "month"),
    least: int = 500,
) -> pd.DataFrame:
    """Ask whether a model may go live.

    Parameters
    ----------
    model, baseline : Predictor
        The candidate, and what it must beat.
    table : DataFrame
        Labelled rows that neither was trained on.
    by : sequence of str
        Columns whose values are slices; slices under `least` rows are left out.
    least : int
        See `by`.

    Returns
    -------
    DataFrame
        One row a check: `measured`, `limit`, `passed` and `where`. What is measured
        must be above AT_LEAST or below AT_MOST; equal, or NaN, does not pass.
    """
    late, score = labels(table), model.predict(table)
    both = np.stack([score, baseline.predict(table)])
    gain = interval(lead, both, late, days(table), draws=100)
    worst, where = _worst_slice(both, table, by, least)
    measured = {
        "baseline": gain[0],
        "calibration": calibration_error(score, late),
        "slices": worst,
        **_behaviour(model, table.iloc[::5]),
    }
    report = pd.DataFrame({"measured": measured, "limit": {**AT_LEAST, **AT_MOST}}).loc[
        list(measured)
    ]
    low = report.index.isin(list(AT_LEAST))
    gap = np.where(
        low, report["measured"] - report["limit"], report["limit"] - report["measured"]
    )
    return report.assign(
        passed=gap > 0, where=[where if n == "slices" else "" for n in measured]
    )


def regret(losses: Sequence[float], best: float) -> Floats:
    """Return, after each trial, how far the best loss so far is from the best there is.

    Parameters
    ----------
    losses : sequence of float
        In the order of the trials; NaN for a trial that was pruned. Not changed.
    best : float
        The smallest loss that any configuration has.

    Returns
    -------
    array of float64
        One value a trial; NaN until the first loss.

    Raises
    ------
    ValueError
        If a loss is below `best`.
    """
    found = np.asarray(losses, np.float64)
    if (found < best).any():
        raise ValueError(f"a loss of {np.nanmin(found)} is below best={best}.")
    return np.fmin.accumulate(found) - best


def what_changed(run: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Name what may explain that two runs differ.

    Parameters
    ----------
    run, other : mapping of str to str
        What each run depended on; "unknown" where nobody wrote it down.

    Returns
    -------
    list of str
        Sorted: names with different values, of one run only, or unknown in either.
        `git_commit` is left out if `code_sha256` is known and equal.
    """

    def proven(name: str) -> bool:
        return run.get(name, "unknown") == other.get(name, "unknown") != "unknown"

    suspects = {name for name in {*run, *other} if not proven(name)}
    return sorted(suspects - ({"git_commit"} if proven("code_sha256") else set()))


def worse_slices(
    challenger: Floats, champion: Floats, late: Floats, day: Integers, slices: Any
) -> list[str]:
    """Name the slices that are worse off with the challenger, beyond the noise of days.

    Parameters
    ----------
    challenger, champion : array of float64
        The scores of both models for the same rows.
    late : array of float64
        The labels.
    day : array of int64
        The day of each row.
    slices : array of str
        The slice of each row, such as its carrier.

    Returns
    -------
    list of str
        Sorted: slices whose difference in log-loss, challenger less champion, has a
        95% interval over days that lies above 0.
    """

    def excess(scores: Any, late: Floats, weight: Floats) -> float:
        return log_loss(scores[0], late, weight) - log_loss(scores[1], late, weight)

    names, worse = np.asarray(slices), []
    for name in sorted(set(names)):
        rows = names == name
        flown = np.unique(day[rows], return_inverse=True)[1]
        scores = np.stack([challenger[rows], champion[rows]])
        if interval(excess, scores, late[rows], flown)[0] > 0:
            worse.append(str(name))
    return worse
