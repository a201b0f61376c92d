"""What a score loses with age: the same flights, asked about earlier, and again."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from flightline import features, training
from flightline.lake import flight_times, weather_events
from flightline.latency import PredictionCache
from flightline.training import Predictor

from labkit import data, figures

MODELS = Path(__file__).resolve().parents[3] / "data" / "models"
FLIGHT = ["carrier", "flight", "origin", "dest"]


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

    def model(self, name: str) -> "Predictor":
        """Open a reference model."""
        return training.load_model(MODELS, name)

    def ours(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the row of the flight that the course follows."""
        key = data.RECURRING_FLIGHT
        date = f"2013-{key.month:02d}-{key.day:02d}"
        name = f"{date}-{key.carrier}-{key.flight}-{key.origin}"
        return table[table["flight_id"] == name]

    def by_age(self, model: "Predictor", ages_h: Sequence[float]) -> pd.DataFrame:
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


def without_date(
    table: pd.DataFrame, scores: np.ndarray, ttl_h: float, make: type[PredictionCache]
) -> tuple[pd.DataFrame, float]:
    """Ask about every flight once, through a cache whose key forgets the date.

    Parameters
    ----------
    table : DataFrame
        With carrier, flight, origin, dest and sched_dep_utc.
    scores : array of float, one per row
        What the model says when a flight is due for its score.
    ttl_h : float
        The time to live, in hours.
    make : class
        `PredictionCache`.

    Returns
    -------
    served : DataFrame, indexed like the table
        `score`, as served, and `age_h`: how many hours before its own moment it was
        computed; 0 where it is the row's own.
    hit_rate : float
        As the cache counts it.
    """
    now = 0.0
    cache = make(ttl_h * 3600, clock=lambda: now)
    known = table[[*FLIGHT, "sched_dep_utc"]].assign(score=scores)
    known = known.sort_values("sched_dep_utc", kind="stable")
    due = known["sched_dep_utc"].astype("datetime64[us, UTC]").astype("int64") / 1e6
    numbers = zip(*(known[name] for name in FLIGHT), strict=True)
    served = []
    for key, now, score in zip(numbers, due, known["score"], strict=True):
        found = cache.find(key)
        if found is None:
            found = (score, now)
            cache.keep(key, found)
        served.append((found[0], (now - found[1]) / 3600))
    out = pd.DataFrame(served, index=known.index, columns=["score", "age_h"])
    return out.loc[table.index], float(cache.hit_rate)


def stale_prices(
    aged: pd.DataFrame, served: pd.DataFrame, table: pd.DataFrame
) -> dict[str, float]:
    """Return AUCs of the flights that got an old score, and of nobody else.

    Parameters
    ----------
    aged : DataFrame
        From `Scene.by_age`, with columns 0 and 24.
    served : DataFrame
        From `without_date`.
    table : DataFrame
        With `late`.

    Returns
    -------
    dict of float
        `fresh`, with `features of the day before`, and `score of the day before`.
    """
    old = served["age_h"].to_numpy() > 0
    late = training.labels(table)[old]
    scores = {
        "fresh": aged[0].to_numpy(),
        "features of the day before": aged[24].to_numpy(),
        "score of the day before": served["score"].to_numpy(),
    }
    return {name: training.auc(score[old], late) for name, score in scores.items()}


def stale_rows(
    aged: pd.DataFrame, served: pd.DataFrame, table: pd.DataFrame
) -> dict[str, list[float | str]]:
    """Say what a key without the date does to a score and to the AUC, and its remedy.

    The score is that of the flight which left on time and whose old score is the
    furthest above its fresh one.

    Parameters
    ----------
    aged : DataFrame
        From `Scene.by_age`, with columns 0, 1 and 24.
    served : DataFrame
        From `without_date`.
    table : DataFrame
        With `flight_id` and `late`.

    Returns
    -------
    dict of list
        What is served, what a right key serves (an hour old at most), what is fresh,
        and the remedy; AUCs of the flights that are served an old score.
    """
    late, old = training.labels(table), served["age_h"].to_numpy() > 0
    scores = [served["score"].to_numpy(), aged[1].to_numpy(), aged[0].to_numpy()]
    place = int(np.argmax(np.where(late == 0, scores[0] - scores[2], -1)))
    flight, remedy = table["flight_id"].iloc[place], "date in the key, an hour at most"
    aucs = [training.auc(score[old], late[old]) for score in scores]
    return {
        f"stale cache: score of {flight}, on time": [
            *(float(score[place]) for score in scores),
            remedy,
        ],
        "stale cache: AUC": [*aucs, remedy],
    }


def traffic(
    table: pd.DataFrame, requests: int, *, exponent: float = 1.0, seed: int = 0
) -> pd.DataFrame:
    """Draw requests: popular flight numbers are asked about more often (Zipf).

    Parameters
    ----------
    table : DataFrame
        One row a flight.
    requests : int
        How many.
    exponent : float
        The k-th most popular flight number is asked about in proportion to
        `1 / k ** exponent`; which one that is, is drawn.
    seed : int

    Returns
    -------
    DataFrame
        `row` (place in the table), `lead_h` (hours before departure, 6 to 2, at which
        its features were renewed last) and `at_s` (the moment, within the hour after),
        in the order of time.
    """
    chance = np.random.default_rng(seed)
    groups = [rows for _, rows in table.reset_index().groupby(FLIGHT).indices.items()]
    order = chance.permutation(len(groups))
    weight = 1 / np.arange(1, len(groups) + 1) ** exponent
    numbers = order[chance.choice(len(groups), requests, p=weight / weight.sum())]
    rows = np.array([chance.choice(groups[number]) for number in numbers])
    lead_h = chance.integers(2, 7, requests)
    departs = table["sched_dep_utc"].astype("datetime64[us, UTC]").astype("int64")
    at_s = departs.to_numpy()[rows] / 1e6 - 3600 * (lead_h - chance.random(requests))
    found = pd.DataFrame({"row": rows, "lead_h": lead_h, "at_s": at_s})
    return found.sort_values("at_s", kind="stable", ignore_index=True)


def replay(
    asked: pd.DataFrame, ttl_h: float, make: type[PredictionCache]
) -> tuple[float, np.ndarray]:
    """Send requests through a cache on a clock of their own.

    Parameters
    ----------
    asked : DataFrame
        From `traffic`.
    ttl_h : float
        The time to live; zero is no cache.
    make : class
        `PredictionCache`.

    Returns
    -------
    hit_rate : float
    lead_h : array of int
        How many hours before departure the answer was computed that each request got.
    """
    now = 0.0
    cache = make(max(ttl_h * 3600, 1e-3), clock=lambda: now)
    served = []
    for row, lead_h, at_s in asked.itertuples(index=False):
        now = at_s
        found = cache.find(row)
        if found is None:
            found = lead_h
            cache.keep(row, found)
        served.append(found)
    return float(cache.hit_rate), np.array(served)


def price_of_ttl(
    aged: pd.DataFrame,
    asked: pd.DataFrame,
    ttls_h: Sequence[float],
    make: type[PredictionCache],
) -> pd.DataFrame:
    """Say what each time to live gains in hits, and loses in fresh scores.

    Parameters
    ----------
    aged : DataFrame
        From `Scene.by_age`: the first five columns are ages of 0 to 4 hours.
    asked : DataFrame
        From `traffic`.
    ttls_h : sequence of float
        Hours.
    make : class
        `PredictionCache`.

    Returns
    -------
    DataFrame
        One row a TTL: `hit rate`, `mean age, h` of what was served, the `mean change`
        against a fresh score, and the `share off by 0.1` or more, of all answers.
        Ages count the hourly renewals that were missed.
    """
    scores, row = aged.to_numpy(), asked["row"].to_numpy()
    lead_h = asked["lead_h"].to_numpy()
    rows = {}
    for ttl_h in ttls_h:
        hit_rate, served_h = replay(asked, ttl_h, make)
        change = np.abs(scores[row, served_h - 2] - scores[row, lead_h - 2])
        rows[f"TTL {ttl_h:g} h"] = {
            "hit rate": hit_rate,
            "mean age, h": float((served_h - lead_h).mean()),
            "mean change": float(change.mean()),
            "share off by 0.1": float((change > 0.1).mean()),
        }
    return pd.DataFrame(rows).T


def show_ages(auc_by_age: Mapping[float, float], stale_auc: float) -> None:
    """Draw the AUC over the age of a score, and that of a key without the date.

    Parameters
    ----------
    auc_by_age : mapping of float to float
        By hours; the last is a day.
    stale_auc : float
        Of the flights that get their number's score of the day before, these alone.
    """
    hours, aucs = list(auc_by_age), list(auc_by_age.values())
    _, ax = plt.subplots()
    ax.plot(hours[:-1], aucs[:-1], "o-", color=figures.BLUE)
    ax.plot(hours[-2:], aucs[-2:], "o:", color=figures.BLUE)
    ax.plot(24, stale_auc, "D", color=figures.ORANGE)
    ax.annotate(
        "score of the day before,\nwhere there is one",
        (24, stale_auc),
        (-14, -18),
        textcoords="offset points",
        ha="right",
        color=figures.ORANGE,
    )
    ax.margins(y=0.16)
    ax.set(title="An hour of age costs more than INT8")
    ax.set(xlabel="Age of the score, hours", ylabel="AUC, July")
    plt.show()


def pupils(
    models: Mapping[str, "Predictor"], table: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Compare pupils with their teacher, the first: size, and the AUC that is lost.

    Parameters
    ----------
    models : mapping of str to Predictor
    table : DataFrame
        With FEATURES and `late`.

    Returns
    -------
    DataFrame
        `KiB`, `AUC`, and `AUC lost` against the teacher.
    dict of float
        The AUC that each loses.
    """
    late = training.labels(table)
    aucs = {n: training.auc(model.predict(table), late) for n, model in models.items()}
    best = next(iter(aucs.values()))
    lost = {name: best - auc for name, auc in aucs.items()}
    kib = {name: round(len(model.content) / 1024) for name, model in models.items()}
    return pd.DataFrame({"KiB": kib, "AUC": aucs, "AUC lost": lost}), lost
