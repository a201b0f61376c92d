"""Hold the pieces of `flightline.training` against the libraries that define them."""

from collections.abc import Callable
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import training
from flightline.features import CATEGORICAL, NUMERIC

Models = dict[str, training.Predictor]
Sides = tuple[npt.ArrayLike, npt.ArrayLike]  # what we get, and what the peer gets


def compare(
    models: Models, train: pd.DataFrame, parts: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """Compare metrics, transform and scores on all rows to report on.

    Parameters
    ----------
    models : dict of training.Predictor
        By kind: `lightgbm`, fitted on `train` with a learning rate of 0.1, and `mlp`.
    train : DataFrame
        The rows that they were fitted on.
    parts : dict of DataFrame
        `tune` and `test`.

    Returns
    -------
    DataFrame
        By piece: the peer, how many values were compared, the largest difference.
    """
    checks: dict[str, tuple[str, Callable[[], Sides]]] = {
        "metrics, weighted": ("scikit-learn", lambda: _metrics(models, parts["test"])),
        "codes": ("scikit-learn", lambda: _codes(models, train, parts["test"])),
        "numbers": ("scikit-learn", lambda: _numbers(models, train, parts["test"])),
        "trees": ("LightGBM, scikit-learn", lambda: _trees(models, train, parts)),
        "network": ("ONNX reference", lambda: _network(models, parts["test"])),
    }  # fmt: skip
    rows = {}
    for piece, (peer, check) in checks.items():
        ours, theirs = (np.asarray(side, np.float64).ravel() for side in check())
        gap = float(np.abs(ours - theirs).max()) if len(ours) == len(theirs) else np.inf
        rows[piece] = {"peer": peer, "values": len(ours), "largest difference": gap}
    return pd.DataFrame(rows).T.rename_axis("piece").infer_objects()


def _metrics(models: Models, table: pd.DataFrame) -> Sides:
    """Return AUC and log-loss of each model under five sets of weights, both ways."""
    from sklearn.metrics import log_loss, roc_auc_score

    late, chance = training.labels(table), np.random.default_rng(0)
    ours, theirs = [], []
    for model in models.values():
        score = model.predict(table)
        for weight in chance.integers(0, 4, (5, len(late))).astype(float):
            ours += [training.auc(score, late, weight)]
            ours += [training.log_loss(score, late, weight)]
            theirs += [roc_auc_score(late, score, sample_weight=weight)]
            theirs += [log_loss(late, score, sample_weight=weight)]
    return ours, theirs


def _codes(models: Models, train: pd.DataFrame, table: pd.DataFrame) -> Sides:
    """Return the codes of the transform, and those of an OrdinalEncoder."""
    from sklearn.preprocessing import OrdinalEncoder

    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encoder.fit(train[CATEGORICAL])
    return models["mlp"].transform.codes(table), encoder.transform(
        table[CATEGORICAL]
    ) + 1


def _numbers(models: Models, train: pd.DataFrame, table: pd.DataFrame) -> Sides:
    """Return the numbers of the transform, and those of a StandardScaler."""
    from sklearn.preprocessing import StandardScaler

    low, high = train[NUMERIC].quantile(0.005), train[NUMERIC].quantile(0.995)
    scaler = StandardScaler().fit(train[NUMERIC].clip(low, high, axis=1))
    scaled = scaler.transform(table[NUMERIC].clip(low, high, axis=1))
    ours = models["mlp"].transform.numbers(table)
    return ours, np.nan_to_num(scaled, nan=0.0).astype(np.float32)


def _trees(
    models: Models, train: pd.DataFrame, parts: dict[str, pd.DataFrame]
) -> Sides:
    """Return the file's scores, and LightGBM's with scikit-learn's calibration."""
    import lightgbm
    from sklearn.linear_model import LogisticRegression

    transform = models["lightgbm"].transform
    june, july = (transform.matrix(parts[name]) for name in ("tune", "test"))
    late = training.labels(parts["tune"])
    trees = lightgbm.LGBMClassifier(
        **training.TREES | {"learning_rate": 0.1, "seed": 0}, n_estimators=600
    )
    trees.fit(
        transform.matrix(train), training.labels(train), eval_X=june, eval_y=late,
        eval_metric="binary_logloss", categorical_feature=[0, 1, 2],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )  # fmt: skip
    logits = [
        np.asarray(trees.predict(rows, raw_score=True))[:, np.newaxis]
        for rows in (june, july)
    ]
    line = LogisticRegression(C=np.inf, tol=1e-10).fit(logits[0], late)
    return models["lightgbm"].predict(parts["test"]), line.predict_proba(logits[1])[
        :, 1
    ]


def _network(models: Models, table: pd.DataFrame) -> Sides:
    """Return the scores of ONNX Runtime, and of the specification's own evaluator."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = models["mlp"]
    graph = ReferenceEvaluator(onnx.load_from_string(model.content))
    feed = {
        "categorical": model.transform.codes(table),
        "numeric": model.transform.numbers(table),
    }
    scores = cast(list[npt.NDArray[np.float32]], graph.run(None, feed))
    return model.predict(table), scores[0]
