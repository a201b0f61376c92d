"""The training pipeline: a run that repeats, and a model that can be refused.

The table and its splits (`data`), the transform that travels with a model
(`transform`), four kinds of models behind one door (`fits`, `network`, `predictors`),
metrics with intervals by day (`metrics`, `intervals`, `calibration`), model files under
their digests (`files`), checkpoints (`checkpoints`), and a gate (`gates`, `slices`).
Lab 06 builds the core: an interval, a run and its snapshot, why two runs differ, who is
worse off. `tracking` writes runs and models to MLflow, and `python -m
flightline.training` trains from the command line.
"""

from flightline.training import tracking
from flightline.training.calibration import calibrate, sigmoid
from flightline.training.checkpoints import load_checkpoint, save_checkpoint
from flightline.training.core import (
    PIECES,
    Floats,
    Integers,
    Metric,
    Tensors,
    Training,
    batch_rows,
    restore,
    snapshot,
    train,
    what_changed,
)
from flightline.training.data import (
    SPLITS,
    days,
    labels,
    load_table,
    raw_tables,
    split,
)
from flightline.training.digests import Damaged, sha256
from flightline.training.files import load_model, save_models, write_atomic
from flightline.training.fits import FITS, TREES, fit
from flightline.training.gates import AT_LEAST, AT_MOST, gate
from flightline.training.intervals import interval
from flightline.training.metrics import (
    METRICS,
    auc,
    calibration_error,
    evaluate,
    lead,
    log_loss,
)
from flightline.training.network import make_mlp, start_training, tensors, to_onnx
from flightline.training.predictors import KINDS, Predictor, Score, open_model
from flightline.training.recipes import Recipe, measure, train_recipe
from flightline.training.records import provenance
from flightline.training.searches import regret
from flightline.training.slices import worse_slices
from flightline.training.transform import Transform

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
    "raw_tables",
    "regret",
    "restore",
    "save_checkpoint",
    "save_models",
    "sha256",
    "sigmoid",
    "snapshot",
    "split",
    "start_training",
    "tensors",
    "to_onnx",
    "tracking",
    "train",
    "train_recipe",
    "what_changed",
    "worse_slices",
    "write_atomic",
]
