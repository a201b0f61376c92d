"""What lab 08 works on: flights with their features, a store, models and a spare."""

import json
import shutil
import warnings
from pathlib import Path

import pandas as pd
from flightline import features, lake, serving, training
from flightline.serving import serve
from flightline.training import Predictor

from labkit import data
from labkit.serving.http_load import Json

MANIFEST = "models.json"


def models() -> dict[str, Predictor]:
    """Load the two reference models, digests verified, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        names = ("delay_lightgbm", "delay_mlp")
        return {name: training.load_model(data.MODELS, name) for name in names}


def summer() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return flights of June and July with their times, weather, and July's features.

    Returns
    -------
    flights, weather : DataFrame
        As `lake.flight_times` and `lake.weather_events` return them.
    table : DataFrame
        July's rows of `features.training_table`, each as known two hours before
        departure.
    """
    flights = lake.flight_times(data.load_flights([6, 7]), data.load_airports())
    weather = lake.weather_events(data.load_weather())
    table = features.training_table(flights, weather)
    return flights, weather, table[table["month"] == 7].reset_index(drop=True)


def learned() -> pd.DataFrame:
    """Return the rows from which the reference models learned, January to May.

    Returns
    -------
    DataFrame
        As `features.training_table` returns them, those with a label.
    """
    months = training.SPLITS["train"]
    flights = lake.flight_times(data.load_flights(months), data.load_airports())
    table = features.training_table(flights, lake.weather_events(data.load_weather()))
    return training.split(table)["train"]


def bodies(flights: pd.DataFrame) -> list[Json]:
    """Return the body of a request for each flight."""
    return [serving.request_of(row) for row in flights.to_dict("records")]


def evening_store(
    folder: Path, flights: pd.DataFrame, weather: pd.DataFrame, followed: pd.DataFrame
) -> features.OnlineSource:
    """Fill a feature store as of a flight's prediction time; return it as a source."""
    now = followed["sched_dep_utc"].iloc[0] - features.LEAD
    return features.OnlineSource(serve.fill_store(folder, flights, weather, now))


def file_of(folder: Path, name: str) -> Path:
    """Return the file of a model, as the manifest of its folder names it."""
    manifest = json.loads((folder / MANIFEST).read_bytes())
    if name == "transform":
        return folder / str(manifest["transform"]["file"])
    found = {entry["name"]: entry["file"] for entry in manifest["models"]}
    return folder / str(found[name])


def model_vault(folder: Path) -> Path:
    """Copy the models, and put beside them a copy in which one byte is wrong."""
    shutil.copytree(data.MODELS, folder)
    damaged = file_of(shutil.copytree(data.MODELS, folder / "damaged"), "delay_mlp")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    return folder


def spare_model(vault: Path) -> Predictor:
    """Train a small model on the timetable alone, and store it in the vault.

    It learns from January to May, tuned on June, as the reference models did. What
    only the store knows is the same in every row, so that nothing is learned of it.

    Parameters
    ----------
    vault : Path
        A folder of models; the new one is `spare/timetable` in it.

    Returns
    -------
    Predictor
        As `training.load_model` returns it.
    """
    raw = data.load_flights(range(1, 7)).dropna(subset=["arr_delay", "air_time"])
    flights = lake.flight_times(raw.reset_index(drop=True), data.load_airports())
    table = serving.timetable_only(flights).fillna(0.0)
    late = (flights["arr_delay"] >= 15).astype("boolean")
    parts = training.split(table.assign(month=flights["month"], late=late))
    made = training.fit(
        "lightgbm",
        parts["train"],
        parts["tune"],
        rounds=150,
        name="timetable",
        version="1",
    )
    training.save_models(vault / "spare", [made])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return training.load_model(vault / "spare", "timetable")


def table_file(folder: Path, table: pd.DataFrame) -> tuple[str, Path]:
    """Write a table of features; return the option that names it."""
    table.to_parquet(folder / "features.parquet")
    return "--table", folder / "features.parquet"
