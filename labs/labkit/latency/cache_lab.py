"""The flights of a few months, and their features at any lead."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from flightline import features, training
from flightline.lake import flight_times, weather_events
from flightline.training import Predictor

from labkit import data


class Scene:
    """The flights from January to July, and their features at any lead.

    Parameters
    ----------
    months : iterable of int
        Which months to load; July is the last one of interest.
    """

    def __init__(self, months: Iterable[int] = range(1, 8)) -> None:
        self.flights = flight_times(data.load_flights(months), data.load_airports())
        self.weather = weather_events(data.load_weather())

    @cached_property
    def table(self) -> pd.DataFrame:
        """The training table, with the flight's number beside its features."""
        return self._table(self.flights)

    def parts(self) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
        """Return the flights to learn from, those of July, and July's labels."""
        parts = training.split(self.table)
        return parts["train"], parts["test"], training.labels(parts["test"])

    def at(self, lead_h: float, month: int = 7) -> pd.DataFrame:
        """Return the features of a month as they were so many hours before departure.

        Parameters
        ----------
        lead_h : float
            The course predicts at 2.
        month : int
            The flights of the month before are its history.
        """
        near = self.flights[self.flights["month"].between(month - 1, month)]

        lead = pd.Timedelta(hours=lead_h).as_unit("us")
        table = self._table(near, lead)
        return table[(table["month"] == month) & table["late"].notna()]

    def _table(
        self, flights: pd.DataFrame, lead: pd.Timedelta = features.LEAD
    ) -> pd.DataFrame:
        table = features.training_table(flights, self.weather, lead=lead)
        return table.assign(flight=flights["flight"].to_numpy())

    def model(self, name: str) -> Predictor:
        """Open a reference model."""
        return training.load_model(data.MODELS, name)

    def ours(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the row of the flight that the course follows."""
        key = data.RECURRING_FLIGHT
        date = f"2013-{key.month:02d}-{key.day:02d}"
        name = f"{date}-{key.carrier}-{key.flight}-{key.origin}"
        return table[table["flight_id"] == name]

    def by_age(self, model: Predictor, ages_h: Sequence[float]) -> pd.DataFrame:
        """Return the scores of July's flights, as they were some hours earlier.

        Parameters
        ----------
        model : Predictor
        ages_h : sequence of float
            Hours before the prediction time.

        Returns
        -------
        DataFrame
            One row a flight, one column an age.
        """
        tables = {age: self.at(2 + age) for age in ages_h}
        scores = {age: model.predict(table) for age, table in tables.items()}
        index = tables[ages_h[0]]["flight_id"]
        return pd.DataFrame(scores, index=index)
