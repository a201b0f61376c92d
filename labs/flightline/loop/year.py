"""The requests of a year in the order in which they were asked, and their labels."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline import training
from flightline.features import FEATURES
from flightline.loop.clock import day_of
from flightline.loop.fits import NEEDED, due_at
from flightline.loop.labels import must_have

Places = npt.NDArray[np.int64]


class Year:
    """All requests of a time, found by their moment or by their id.

    Parameters
    ----------
    table : DataFrame
        What `features.training_table` returned, in any order.

    Attributes
    ----------
    table : DataFrame
        Sorted by prediction time and flight.
    requests : DataFrame
        `id`, `asked_at`, `day` (New York's date of the departure, as text) and
        `due_at`, row by row beside the table.
    ids : Index
    digest : str
        Of all that a model or a score can depend on.

    Raises
    ------
    ValueError
        If a column is missing, there is no row, or an id comes twice.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        must_have(table, [*NEEDED, *FEATURES], "table")
        if not len(table):
            raise ValueError("the table has no row: there is nothing to replay.")
        self.table = table.sort_values(
            ["prediction_time", "flight_id"], ignore_index=True
        )
        self.requests = pd.DataFrame(
            {
                "id": self.table["flight_id"],
                "asked_at": self.table["prediction_time"],
                "day": day_of(self.table["sched_dep_utc"]),
                "due_at": due_at(self.table),
            }
        )
        self.ids = pd.Index(self.requests["id"])
        if self.ids.has_duplicates:
            twice = self.ids[self.ids.duplicated()][0]
            raise ValueError(f"{twice!r} stands twice in the table.")
        columns = ["flight_id", "prediction_time", "label_time", "late", *FEATURES]
        hashed = pd.util.hash_pandas_object(self.table[columns], index=False)
        self.digest = training.sha256(hashed.to_numpy().tobytes())

    @property
    def end(self) -> pd.Timestamp:
        """The moment of the last request."""
        return self.requests["asked_at"].iloc[-1]

    def between(self, since: pd.Timestamp, until: pd.Timestamp) -> Places:
        """Return the places of the requests in (since, until]."""
        asked = self.requests["asked_at"]
        low, high = (int(asked.searchsorted(t, side="right")) for t in (since, until))
        return np.arange(low, max(low, high), dtype=np.int64)

    def labels(self, places: Places) -> pd.DataFrame:
        """Return the labels of requests: `id`, `available_at` and `late`."""
        rows = self.table.iloc[places]
        rows = rows[rows["late"].notna()]
        columns = {"flight_id": "id", "label_time": "available_at", "late": "late"}
        return rows[list(columns)].rename(columns=columns)
