"""Write the training rows of the course as a file that ranks and GPUs can read.

`python -m labkit.distributed.examples OUT.pt` writes all landed flights of January to
May with the 28 features of lab 05, as tensors, for `flightline.distributed.gpu_run`.
Lab 07 uses a sample.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from flightline import distributed as d
from flightline.distributed import Packed, load_packed
from flightline.features import FEATURES, training_table
from flightline.lake import flight_times, weather_events

from labkit import data

FIRST, LAST = 1, 5


def feature_rows() -> pd.DataFrame:
    """Return the training table of all flights, as lab 05 makes it.

    Returns
    -------
    DataFrame
        What `flightline.features.training_table` returns.
    """
    flights = flight_times(data.load_flights(), data.load_airports())
    return training_table(flights, weather_events(data.load_weather()))


def write(table: pd.DataFrame, path: Path, sample: int | None = None) -> int:
    """Write landed flights of January to May as Parquet, features and label.

    Parameters
    ----------
    table : DataFrame
        What `feature_rows` returns.
    path : Path
        A .parquet file, or a .pt file for tensors.
    sample : int, optional
        So many rows, drawn with a fixed seed; all without it.

    Returns
    -------
    int
        Rows written.
    """
    rows = table[table["month"].between(FIRST, LAST) & table["late"].notna()]
    if sample is not None:
        rows = rows.sample(sample, random_state=7)
    rows = rows[[*FEATURES, "late"]]
    parquet = path.with_suffix(".parquet")
    rows.to_parquet(parquet, index=False)
    if path != parquet:
        import torch

        torch.save(load_packed(parquet), path)
        parquet.unlink()
    return len(rows)


def pack_rows(rows: pd.DataFrame, like: Packed) -> Packed:
    """Pack rows of the training table as the training rows were packed.

    Parameters
    ----------
    rows : DataFrame
        Of `feature_rows`; those without a label are dropped.
    like : Packed
        The packed training rows.

    Returns
    -------
    dict
        As `flightline.distributed.pack` returns it.
    """
    import pyarrow as pa

    landed = rows.loc[rows["late"].notna(), [*FEATURES, "late"]]
    return d.pack(pa.Table.from_pandas(landed, preserve_index=False), like)


def our_row(table: pd.DataFrame, like: Packed) -> d.Examples:
    """Return the one flight that recurs in the course.

    Parameters
    ----------
    table : DataFrame
        What `feature_rows` returns.
    like : Packed
        The packed training rows.

    Returns
    -------
    tuple
        One row, as `flightline.distributed.Examples`.
    """
    key = data.RECURRING_FLIGHT._asdict()
    flights = data.load_flights()[list(key)]
    ours = table[(flights == pd.Series(key)).all(axis=1).to_numpy()]
    return d.unpack(pack_rows(ours, like))


def scores(ours: d.Examples, runs: Sequence[Path], width: int) -> list[float]:
    """Score a flight with the weights of several trainings.

    Parameters
    ----------
    ours : Examples
        One row.
    runs : sequence of Path
        Folders with `weights.pt`.
    width : int
        Of the network; it has two blocks.

    Returns
    -------
    list of float
        The probability of being late, one a training.
    """
    import torch

    found = []
    for run in runs:
        model = d.Network(ours.inputs.shape[1], width, depth=2).eval()
        model.load_state_dict(torch.load(run / "weights.pt"))
        with torch.no_grad():
            found.append(float(torch.sigmoid(model(ours.inputs))))
    return found


if __name__ == "__main__":
    print(write(feature_rows(), Path(sys.argv[1])), "rows")  # noqa: T201
