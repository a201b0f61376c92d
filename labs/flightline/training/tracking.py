"""Track runs and models with MLflow: a database, files, a registry with aliases.

Wiring around `flightline.training`: `record` writes down all that a run depends on,
`reproduce` trains it again from its ID alone, `promote` gives a run's model a version
and points an alias to it, and `fetch` opens what an alias points to. The database is
one SQLite file in a folder. For a shared server, change the address in `tracker`.
"""

import json
import logging
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import pandas as pd

from flightline.training.data import load_table
from flightline.training.digests import Damaged
from flightline.training.files import load_model, save_models
from flightline.training.predictors import Predictor
from flightline.training.recipes import Recipe, measure, train_recipe
from flightline.training.records import provenance

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


def tracker(store: Path | str) -> "tuple[MlflowClient, str]":
    """Open the run database of a folder; return the client and the experiment's id.

    MLflow's messages go to `mlflow.log` in the folder, and nothing leaves the machine.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    from mlflow import MlflowClient

    folder = Path(store).resolve()
    if "?" in str(folder) or unquote(str(folder)) != str(folder):
        raise ValueError(
            f"{folder}: MLflow cannot keep a database in a folder whose path holds ? "
            "or % before two digits. Rename it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("mlflow", "alembic"):
        logger = logging.getLogger(name)
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate = [], False
        logger.addHandler(logging.FileHandler(folder / "mlflow.log", delay=True))
    address = f"sqlite:///{folder / 'runs.db'}"
    client = MlflowClient(tracking_uri=address, registry_uri=address)
    known = client.get_experiment_by_name("delays")
    if known is not None:
        return client, str(known.experiment_id)
    place = (folder / "artifacts").as_uri()
    return client, str(client.create_experiment("delays", artifact_location=place))


def record(
    store: Path | str,
    recipe: Recipe,
    data_dir: Path | str,
    table: pd.DataFrame | None = None,
    **more: Any,
) -> str:
    """Train a recipe and record the run: parameters, metrics, files, provenance.

    Parameters
    ----------
    store : path
        The folder of the run database.
    recipe : Recipe
        What to train.
    data_dir : path
        The folder with the data and `SHA256SUMS`.
    table : DataFrame, optional
        What `load_table(data_dir)` returns, if you have it already.
    **more
        Passed on to `fit`: what has no influence on the result, such as `report`.

    Returns
    -------
    str
        The run ID.
    """
    table = load_table(data_dir) if table is None else table
    client, experiment = tracker(store)
    run_id = str(client.create_run(experiment, tags=provenance(data_dir)).info.run_id)
    try:
        model = train_recipe(recipe, table, **more)
        client.log_param(run_id, "recipe", json.dumps(asdict(recipe), sort_keys=True))
        for name, value in {**asdict(recipe), **recipe.settings}.items():
            if name != "settings":
                client.log_param(run_id, name, value)
        for name, measured in measure(model, table).items():
            client.log_metric(run_id, name, measured)
        with tempfile.TemporaryDirectory() as folder:
            digest = save_models(folder, [model])
            client.log_artifacts(run_id, folder, "model")
        client.set_tag(run_id, "manifest_sha256", digest)
    except BaseException as error:  # an interrupt, too: no run stays RUNNING
        stopped = isinstance(error, KeyboardInterrupt | SystemExit)
        client.set_tag(run_id, "error", f"{type(error).__name__}: {error}"[:500])
        client.set_terminated(run_id, "KILLED" if stopped else "FAILED")
        raise
    client.set_terminated(run_id)
    return run_id


def _run(client: "MlflowClient", run_id: str) -> "Run":
    """Return a run that finished; another is a ValueError."""
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        raise ValueError(f"the database has no run {run_id!r}.") from error
    if run.info.status != "FINISHED" or "manifest_sha256" not in run.data.tags:
        raise ValueError(
            f"run {run_id} is {run.info.status}: it has no model. Repeat it."
        )
    return run


class Reproduced(NamedTuple):
    """What came of a run that was trained again.

    `metrics` has a row for each, with `recorded` and `again`; `same_files` says whether
    the digest of the manifest is the recorded one.
    """

    metrics: pd.DataFrame
    same_files: bool


def reproduce(store: Path | str, run_id: str, data_dir: Path | str) -> Reproduced:
    """Train a recorded run again, from its ID alone, and compare.

    Parameters
    ----------
    store, run_id
        The run database, and which run.
    data_dir : path
        The folder with the data.

    Returns
    -------
    Reproduced
        The metrics of both, and whether the model's files are the same.

    Raises
    ------
    Damaged
        If the data are not those of the run.
    """
    stored = _run(tracker(store)[0], run_id).data
    now = provenance(data_dir)["data_sha256"]
    if now != stored.tags["data_sha256"]:
        raise Damaged(
            f"run {run_id} saw other data: check out its commit's data first."
        )
    recipe = Recipe(**json.loads(stored.params["recipe"]))
    table = load_table(data_dir)
    model = train_recipe(recipe, table)
    with tempfile.TemporaryDirectory() as folder:
        digest = save_models(folder, [model])
    both = {"recorded": stored.metrics, "again": measure(model, table)}
    return Reproduced(pd.DataFrame(both), digest == stored.tags["manifest_sha256"])


def _check_name(name: str) -> None:
    """Refuse a name that cannot stand in an address such as `models:/NAME@champion`."""
    if not name.strip() or set(name) & set("/:@"):
        raise ValueError(f"the name {name!r} is empty or holds / : or @. Take another.")


def promote(store: Path | str, run_id: str, name: str, alias: str = "champion") -> str:
    """Register the model of a run as a new version, and point an alias to it.

    Parameters
    ----------
    store, run_id
        The run database, and which run.
    name : str
        The registered model; it is made if it is missing.
    alias : str
        What servers ask for. Pointing it back is the rollback.

    Returns
    -------
    str
        The version.

    Raises
    ------
    ValueError
        For a run that did not finish, or a name that no server can ask for.
    """
    from mlflow.exceptions import MlflowException

    client, _ = tracker(store)
    run = _run(client, run_id)
    _check_name(name)
    try:
        client.get_registered_model(name)
    except MlflowException:
        client.create_registered_model(name)
    tags = {"manifest_sha256": run.data.tags["manifest_sha256"]}
    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(name, source, run_id, tags=tags).version
    client.set_registered_model_alias(name, alias, str(version))
    return str(version)


def open_run(
    store: Path | str, run_id: str, pinned: str = "", **labels: Any
) -> Predictor:
    """Open the model of a run; the manifest must have the digest in the database.

    `pinned` is that digest, by default the run's; `labels` are a name and a version.
    """
    client, _ = tracker(store)
    stored = _run(client, run_id).data
    with tempfile.TemporaryDirectory() as folder:
        path = client.download_artifacts(run_id, "model", folder)
        digest = pinned or stored.tags["manifest_sha256"]
        return replace(load_model(path, stored.params["kind"], digest), **labels)


def fetch(store: Path | str, name: str, alias: str = "champion") -> Predictor:
    """Open the registered model of an alias, if nobody touched its files."""
    from mlflow.exceptions import MlflowException

    try:
        entry = tracker(store)[0].get_model_version_by_alias(name, alias)
    except MlflowException as error:
        raise ValueError(f"no version of {name!r} is its {alias!r}.") from error
    run_id, pinned = str(entry.run_id), entry.tags["manifest_sha256"]
    return open_run(store, run_id, pinned, name=name, version=str(entry.version))
