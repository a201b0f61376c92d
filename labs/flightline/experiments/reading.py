"""Read what a report needs: a table of exposures, or the lake that logs them."""

from datetime import datetime
from pathlib import Path

import pandas as pd

from flightline import lake
from flightline.experiments.events import EXPOSURES, read_exposures, read_outcomes
from flightline.experiments.experiment import Experiment
from flightline.experiments.joining import Joined, joined

NULLS = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"}
"""Texts that stand for no outcome in a column of numbers."""

TRUTH = {"true": "1", "false": "0"}


def read_table(path: Path, texts: tuple[str, str]) -> pd.DataFrame:
    """Read a table of exposures from Parquet or CSV.

    Parameters
    ----------
    path : path
        Ends in .parquet or .csv.
    texts : tuple of str
        The columns of unit and arm: in a CSV file, 007 stays 007.

    Returns
    -------
    DataFrame
        Of a CSV file, a column is numbers where each of its texts is a number, a truth
        value, or says that there is none.

    Raises
    ------
    ValueError
        If the file is not there, cannot be read, or is neither.
    """
    if path.suffix not in (".parquet", ".csv"):
        raise ValueError(f"{path.name}: write a .parquet or a .csv file, or a lake.")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        table = pd.read_csv(path, dtype=str, keep_default_na=False, index_col=False)
    except Exception as error:  # readers raise what they like for a file that is torn
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    table = table.fillna("")
    return table.apply(lambda one: one if one.name in texts else _typed(one))


def _typed(column: pd.Series) -> pd.Series:
    """Return a column of texts as numbers, if all of them are."""
    texts = column.str.strip()
    texts = texts.mask(texts.isin(NULLS)).replace(
        {word: number for word in texts if (number := TRUTH.get(word.lower()))}
    )
    numbers = pd.to_numeric(texts, errors="coerce")
    return column if (numbers.isna() & texts.notna()).any() else numbers


def read_lake(
    folder: Path,
    experiment: Experiment,
    *,
    now: datetime,
    maturity: str,
    metrics: list[str],
) -> Joined:
    """Read the exposures and outcomes of an experiment from the lake.

    Parameters
    ----------
    folder : path
        The lake.
    experiment : Experiment
    now : datetime with a time zone
        Nothing is used that became known after it.
    maturity : str
        How old an exposure must be to be judged, such as "12h".
    metrics : list of str
        The metrics that are wanted.

    Returns
    -------
    Joined
        A unit that is not mature has no outcome.

    Raises
    ------
    ValueError
        As `joined`, or if the folder holds no exposures.
    """
    if not lake.log(folder, EXPOSURES):
        raise ValueError(f"{folder.name} is no lake, or holds no exposures yet.")
    return joined(
        read_exposures(folder, experiment.name),
        read_outcomes(folder),
        now=now,
        maturity=maturity,
        metrics=metrics,
    )
