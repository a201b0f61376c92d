"""A model that answers, opened from the bytes of its file."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from flightline.features import FEATURES
from flightline.training.calibration import sigmoid
from flightline.training.core import Floats
from flightline.training.transform import Transform

Score = Callable[[pd.DataFrame], Floats]


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


def one_hot(transform: Transform, table: pd.DataFrame) -> Floats:
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
    return lambda table: sigmoid(one_hot(transform, table) @ weights + bias)


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

    Raises
    ------
    ValueError
        If the kind is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} is none of {', '.join(KINDS)}.")
    opener, _, usual = KINDS[kind]
    score = opener(content, transform)
    return Predictor(
        name or kind, version, precision or usual, kind, transform, content, score
    )
