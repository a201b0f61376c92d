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
from typing import TYPE_CHECKING, Any

import pandas as pd

from flightline.training import core
from flightline.training.core import Damaged, Predictor, Recipe

if TYPE_CHECKING:
    from mlflow import MlflowClient


def tracker(store: Path | str) -> "tuple[MlflowClient, str]":
    """Open the run database of a folder; return the client and the experiment's id.

    MLflow's messages go to `mlflow.log` in the folder, and nothing leaves the machine.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    from mlflow import MlflowClient

    folder = Path(store).resolve()
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
    table = core.load_table(data_dir) if table is None else table
    client, experiment = tracker(store)
    run_id = str(
        client.create_run(experiment, tags=core.provenance(data_dir)).info.run_id
    )
    model = core.train_recipe(recipe, table, **more)
    client.log_param(run_id, "recipe", json.dumps(asdict(recipe), sort_keys=True))
    for name, value in {**asdict(recipe), **recipe.settings}.items():
        if name != "settings":
            client.log_param(run_id, name, value)
    for name, measured in core.measure(model, table).items():
        client.log_metric(run_id, name, measured)
    with tempfile.TemporaryDirectory() as folder:
        digest = core.save_models(folder, [model])
        client.log_artifacts(run_id, folder, "model")
    client.set_tag(run_id, "manifest_sha256", digest)
    client.set_terminated(run_id)
    return run_id


def reproduce(store: Path | str, run_id: str, data_dir: Path | str) -> pd.DataFrame:
    """Train a recorded run again, from its ID alone, and compare.

    Parameters
    ----------
    store, run_id
        The run database, and which run.
    data_dir : path
        The folder with the data.

    Returns
    -------
    DataFrame
        One row a metric: `recorded` and `again`.

    Raises
    ------
    Damaged
        If the data are not those of the run.
    """
    stored = tracker(store)[0].get_run(run_id).data
    now = core.provenance(data_dir)["data_sha256"]
    if now != stored.tags["data_sha256"]:
        raise Damaged(
            f"run {run_id} saw other data: check out its commit's data first."
        )
    recipe, table = (
        Recipe(**json.loads(stored.params["recipe"])),
        core.load_table(data_dir),
    )
    again = core.measure(core.train_recipe(recipe, table), table)
    return pd.DataFrame({"recorded": stored.metrics, "again": again})


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
    """
    client, _ = tracker(store)
    run = client.get_run(run_id)
    if not client.search_registered_models(f"name = '{name}'"):
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
    stored = client.get_run(run_id).data
    with tempfile.TemporaryDirectory() as folder:
        path = client.download_artifacts(run_id, "model", folder)
        digest = pinned or stored.tags["manifest_sha256"]
        return replace(core.load_model(path, stored.params["kind"], digest), **labels)


def fetch(store: Path | str, name: str, alias: str = "champion") -> Predictor:
    """Open the registered model of an alias, if nobody touched its files."""
    entry = tracker(store)[0].get_model_version_by_alias(name, alias)
    run_id, pinned = str(entry.run_id), entry.tags["manifest_sha256"]
    return open_run(store, run_id, pinned, name=name, version=str(entry.version))
