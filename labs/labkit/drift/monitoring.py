"""The bench of the drift lab: the stream, faults, a peer, simulations, figures.

`python -m labkit.drift.monitoring FOLDER` asks Evidently about two tables in a process
of its own, because its import takes many seconds.
"""

import atexit
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import features, lake
from flightline.features import CATEGORICAL, DEPARTURES, FEATURES

from labkit import data, figures
from labkit.processes import Child, module

if TYPE_CHECKING:
    import lightgbm
    from flightline.drift import Pair

Floats = npt.NDArray[np.float64]
Distance = Callable[..., float | pd.Series]  # of two columns, or of two tables
COMPARED = ["carrier", "origin", "weekday", "temp", "pressure"]
TREES = 60


def scratch() -> Path:
    """Return a new temporary folder that is removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="lab12-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def refuses(function: Callable[..., object], name: str, *arguments: object) -> bool:
    """Tell whether a call raises a ValueError that names an argument as a word."""
    try:
        function(*arguments)
    except ValueError as error:
        return re.search(rf"\b{name}\b", str(error)) is not None
    except Exception:  # another error is no refusal: the check says so
        return False
    return False


def load_stream() -> pd.DataFrame:
    """Return every flight with its features, label, delay and date, in order of time.

    Returns
    -------
    DataFrame
        What `features.training_table` returns, and `arr_delay` in minutes (null: never
        landed) and `date`, the local day of departure as "MM-DD". The year ends before
        the sealed week.
    """
    flights = lake.flight_times(data.load_flights(), data.load_airports())
    weather = lake.weather_events(data.load_weather())
    table = features.training_table(flights, weather)
    local = flights["sched_dep_utc"].dt.tz_convert("America/New_York")
    number, days = pd.factorize(local.dt.normalize())
    date = np.asarray(days.strftime("%m-%d"), dtype=object)[number]
    table = table.assign(arr_delay=flights["arr_delay"], date=date)
    return table.sort_values("prediction_time", kind="stable", ignore_index=True)


def weather_arrivals() -> pd.Series:
    """Return when each weather report of the year became available."""
    return lake.weather_events(data.load_weather())["available_at"]


def _inputs(table: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Return the features as a model reads them: categories as numbers."""
    codes = {name: _codes(table[name]) for name in CATEGORICAL}
    inputs: npt.NDArray[np.float32]
    inputs = table[FEATURES].assign(**codes).to_numpy(np.float32)
    return inputs


def _codes(column: pd.Series) -> Floats:
    """Return a number for each text that depends on the text alone."""
    codes, texts = pd.factorize(column)
    numbers = [int.from_bytes(str(text).encode()[:3], "big") % 65_521 for text in texts]
    return np.asarray(np.asarray(numbers, np.float64)[codes])


def fit(table: pd.DataFrame) -> "lightgbm.Booster":
    """Fit a small LightGBM to the labelled rows of a table.

    Parameters
    ----------
    table : DataFrame
        Features and `late`; rows without a label are left out.

    Returns
    -------
    lightgbm.Booster
        The same trees each time.
    """
    import lightgbm

    known = table[table["late"].notna()]
    settings = {
        "objective": "binary",
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 200,
        "num_threads": 1,
        "verbosity": -1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
    }
    late = known["late"].to_numpy(np.float64)
    return lightgbm.train(settings, lightgbm.Dataset(_inputs(known), late), TREES)


def score(model: "lightgbm.Booster", table: pd.DataFrame) -> Floats:
    """Return the probability of being late for each row."""
    return np.asarray(model.predict(_inputs(table), num_threads=1), np.float64)


# --- faults ---------------------------------------------------------------------------


def break_unit(
    table: pd.DataFrame, model: "lightgbm.Booster | None" = None
) -> pd.DataFrame:
    """Return a table whose delays of recent departures are in hours, not minutes.

    Parameters
    ----------
    table : DataFrame
        With the features.
    model : lightgbm.Booster, optional
        Scores the broken rows, into `score`.

    Returns
    -------
    DataFrame
    """
    broken = table.assign(**{name: table[name] / 60 for name in DEPARTURES})
    return broken if model is None else broken.assign(score=score(model, broken))


def make_up(table: pd.DataFrame, minutes: float) -> pd.DataFrame:
    """Return a table in which every flight makes up some minutes in the air.

    Features stay as they are: only the label changes. A flight counts as late from 15
    minutes on.
    """
    late = (table["arr_delay"] - minutes >= 15).astype("boolean")
    return table.assign(late=late.where(table["late"].notna()))


DAYS = (1, 2, 3, 7, 14, 28)


def faults(
    stream: pd.DataFrame, model: "lightgbm.Booster"
) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return a reference and four weeks since the fault, for nothing and three faults.

    Parameters
    ----------
    stream : DataFrame
        The year, with `score`.
    model : lightgbm.Booster
        What scores the broken rows.

    Returns
    -------
    dict of str to pair of DataFrame
    """
    march = stream[stream["month"] == 3]
    july = stream[stream["date"].between("07-04", "07-31")]
    august = stream[stream["date"].between("08-01", "08-28")]
    june = stream[stream["date"].between("06-01", "06-28")]
    return {
        "nothing": (july, august),
        "unit": (july, break_unit(august, model)),
        "season": (march, june),
        "relation": (july, make_up(august, 15)),
    }


def watchers(
    quality: Callable[..., pd.DataFrame],
    report: Callable[..., pd.DataFrame],
    worse: Callable[..., pd.DataFrame],
    base_rate: float,
) -> Callable[[pd.DataFrame, pd.DataFrame], dict[str, bool | None]]:
    """Return a function that says which watchers see something.

    Parameters
    ----------
    quality, report, worse : callable
        The functions of `flightline.drift`.
    base_rate : float
        For `worse`.

    Returns
    -------
    callable
        Takes a reference and the rows since; returns a boolean by watcher. The five
        delays count as seen once all five drift. Calibration and AUC say no until
        there are seven days of labels. Then come `broken`, `drifted` and `worse` (None
        before seven days), as `next_step` takes them.
    """
    others = [name for name in FEATURES if name not in DEPARTURES]

    def judge(before: pd.DataFrame, now: pd.DataFrame) -> dict[str, bool | None]:
        inputs = [side[[*FEATURES, "date"]] for side in (before, now)]
        checks = quality(*inputs, blocks="date")["found"]
        both = [side[[*FEATURES, "score", "date"]] for side in (before, now)]
        drifted = report(*both, blocks="date")["drifted"]
        found = {
            "data checks": bool(checks.any()),
            "the five delays": bool(drifted[list(DEPARTURES)].all()),
            "other features": bool(drifted[others].any()),
            "score": bool(drifted["score"]),
        }
        change, judged = {"gap": False, "auc": False}, now["date"].nunique() >= 7
        if judged:
            change = worse(before, now, base_rate=base_rate)["found"].to_dict()
        return found | {
            "calibration": change["gap"],
            "AUC": change["auc"],
            "broken": found["data checks"],
            "drifted": bool(drifted.any()),
            "worse": change["gap"] or change["auc"] if judged else None,
        }

    return judge


def follow(
    watch: Callable[[pd.DataFrame, pd.DataFrame], Mapping[str, bool | None]],
    before: pd.DataFrame,
    after: pd.DataFrame,
    days: Sequence[int] = DAYS,
) -> pd.DataFrame:
    """Ask the watchers after each of some days, about all rows since the fault.

    Parameters
    ----------
    watch : callable
        What `watchers` returned.
    before, after : DataFrame
        With `date`.
    days : sequence of int
        After how many days to look.

    Returns
    -------
    DataFrame
        What `watch` said, one row a day.
    """
    dates = sorted(after["date"].unique())
    said = [watch(before, after[after["date"] <= dates[day - 1]]) for day in days]
    return pd.DataFrame(said, index=list(days), dtype=object)


def first_alarm(said: pd.DataFrame) -> pd.Series:
    """Return the first day on which each watcher saw something; null for never."""
    seen = said.drop(columns=["broken", "drifted", "worse"]).astype(bool)
    return seen.idxmax().astype(float).where(seen.any())


def steps(
    next_step: Callable[..., str],
    said: Mapping[str, pd.DataFrame],
    days: Sequence[int] = (3, 7, 14, 28),
) -> pd.DataFrame:
    """Return what the rule decides about each case, after some days."""
    rows = {
        name: [
            next_step(*table.loc[day, ["broken", "drifted", "worse"]]) for day in days
        ]
        for name, table in said.items()
    }
    return pd.DataFrame(rows, index=[f"day {day}" for day in days]).T


def retrain(stream: pd.DataFrame, model: "lightgbm.Booster") -> pd.DataFrame:
    """Train again on three months under each fault, and compare in the month after.

    Parameters
    ----------
    stream : DataFrame
        The year.
    model : lightgbm.Booster
        The model before, of January and February.

    Returns
    -------
    DataFrame
        What `before_after` returns: faults last from August to October and are judged
        in November; the season is learned from March to May and judged in June. In the
        last row the unit is mended in November; `old` is there the model that was
        trained on the same months without the fault, so that only the fault differs.
    """
    autumn = stream[stream["month"].between(8, 10)]
    november, june = (stream[stream["month"] == month] for month in (11, 6))
    learned = {
        "nothing": autumn,
        "unit": break_unit(autumn),
        "season": stream[stream["month"].between(3, 5)],
        "relation": make_up(autumn, 15),
    }
    judged = {
        "nothing": november,
        "unit": break_unit(november),
        "season": june,
        "relation": make_up(november, 15),
        "unit, mended": november,
    }
    new = {name: fit(table) for name, table in learned.items()}
    old = dict.fromkeys(new, model) | {"unit, mended": new["nothing"]}
    return before_after(old, new | {"unit, mended": new["unit"]}, judged)


def before_after(
    old: Mapping[str, "lightgbm.Booster"],
    retrained: Mapping[str, "lightgbm.Booster"],
    tests: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Compare the log-loss of the old model and of the one trained again.

    Parameters
    ----------
    old, retrained : mapping of str to Booster
        By the name of the fault.
    tests : mapping of str to DataFrame
        What both score, by the same names; with `date`.

    Returns
    -------
    DataFrame
        By fault: `log-loss old`, `gap old`, `log-loss new`, `gap new`, and `change` of
        the log-loss with its 95% interval by day (`low`, `high`).
    """
    rows = {}
    for name, table in tests.items():
        known = table[table["late"].notna()]
        late, row = known["late"].to_numpy(np.float64), dict[str, float]()
        losses = {}
        for kind, model in (("old", old[name]), ("new", retrained[name])):
            p = np.clip(score(model, known), 1e-6, 1 - 1e-6)
            losses[kind] = -np.log(np.where(late > 0, p, 1 - p))
            row[f"log-loss {kind}"] = losses[kind].mean()
            row[f"gap {kind}"] = float(np.mean(p - late))
        change = losses["new"] - losses["old"]
        rows[name] = row | _day_interval(change, known["date"])
    return pd.DataFrame(rows).T


def _day_interval(values: Floats, date: pd.Series) -> dict[str, float]:
    """Return a mean and its 95% interval, days being the independent units."""
    mean = float(values.mean())
    sums = pd.Series(values - mean).groupby(date.to_numpy()).sum()
    error = float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(values))
    return {"change": mean, "low": mean - 1.96 * error, "high": mean + 1.96 * error}


# --- the service ----------------------------------------------------------------------


def write_log(live: pd.DataFrame, path: Path) -> Path:
    """Write a prediction log of 40 days, with a simulated latency and one bad day.

    Real flights and scores, in the fields of the log of `flightline.serving`. On the
    last day the feature store is slow from noon on: answers wait, then fall back.

    Parameters
    ----------
    live : DataFrame
        With `prediction_time`, `flight_id` and `score`.
    path : Path
        A file for one JSON object a line.

    Returns
    -------
    Path
        The same path.
    """
    rng = np.random.default_rng(12)
    asked = live[live["date"].between("06-30", "08-08")]
    time = asked["prediction_time"]
    bad = (asked["date"] == "08-08") & (time.dt.hour >= 16)
    latency = rng.lognormal(1.2, 0.35, len(asked)) + 50 * bad * rng.random(len(asked))
    fell = bad & (rng.random(len(asked)) < 0.6)
    log = pd.DataFrame(
        {
            "time": time.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "request_id": [f"r{k}" for k in range(len(asked))],
            "flight_id": asked["flight_id"],
            "model": "delay",
            "version": "1",
            "precision": "fp64",
            "score": asked["score"],
            "late": asked["score"] >= 0.5,
            "source": np.where(fell, "fallback", "online"),
            "latency_ms": latency.round(3),
            "shadow": False,
        }
    )
    log.to_json(path, orient="records", lines=True)
    return path


def save_pair(
    stream: pd.DataFrame, reference: pd.DataFrame, current: pd.DataFrame, folder: Path
) -> list[Path]:
    """Write two tables as Parquet, with features, score, label and date."""
    paths = [folder / "reference.parquet", folder / "current.parquet"]
    for path, table in zip(paths, (reference, current), strict=True):
        table[[*FEATURES, "score", "late", "date"]].to_parquet(path)
    return paths


def scrape(ok: int, failed: int) -> str:
    """Return what Prometheus would read from a service with so many answers."""
    name = "flightline_requests_total"
    return f'{name}{{status="200"}} {ok}\n{name}{{status="503"}} {failed}\n'


# --- the peer -------------------------------------------------------------------------


def ask_evidently(
    reference: pd.DataFrame, current: pd.DataFrame, folder: Path
) -> Child:
    """Start a process in which Evidently compares some columns.

    Parameters
    ----------
    reference, current : DataFrame
        With the columns COMPARED.
    folder : Path
        Where the tables and the answers go.

    Returns
    -------
    Child
        For `evidently_answers`. It ends with this process, or after its deadline.
    """
    for name, table in (("before", reference), ("now", current)):
        table[COMPARED].to_parquet(folder / f"evidently_{name}.parquet")
    child = Child(
        module("labkit.drift.monitoring", folder),
        deadline_s=300,
        env={"DO_NOT_TRACK": "1"},
    )
    return child.__enter__()


def evidently_answers(child: Child, folder: Path) -> pd.DataFrame:
    """Wait for the process and return its answers, one row a column."""
    try:
        if child.wait() != 0:
            raise RuntimeError(f"Evidently failed:\n{child.log()[-2000:]}")
    finally:
        child.end()
    return pd.read_json(folder / "evidently.json", orient="index").loc[COMPARED]


def evidently(reference: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    """Return Evidently's PSI, Jensen-Shannon distance, and KS p-value by column.

    Parameters
    ----------
    reference, current : DataFrame
        Numbers and texts. KS is null for texts.

    Returns
    -------
    DataFrame
        With the columns `psi`, `js`, `ks`.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import ValueDrift

    numbers = list(reference.select_dtypes("number"))
    texts = [name for name in reference if name not in numbers]
    kinds = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    sides = [Dataset.from_pandas(t, kinds) for t in (current, reference)]
    methods = {"psi": "psi", "js": "jensenshannon", "ks": "ks"}
    asked = [
        (name, kind, method)
        for kind, method in methods.items()
        for name in reference
        if kind != "ks" or name in numbers
    ]
    metrics = [ValueDrift(column=name, method=method) for name, _, method in asked]
    found = Report(metrics).run(*sides).dict()["metrics"]
    table = pd.DataFrame(np.nan, index=list(reference), columns=list(methods))
    for (name, kind, _), one in zip(asked, found, strict=True):
        table.loc[name, kind] = float(one["value"])
    return table


def without_empty_bins(pair: "Pair") -> int:
    """Return how many columns have no bin that is empty on one side only."""
    return int((~((pair.before > 0) ^ (pair.after > 0)).any(axis=1)).sum())


# --- simulations ----------------------------------------------------------------------


def _samples(rows: int, runs: int, seed: int, shift: float = 0.0) -> list[pd.DataFrame]:
    """Return two tables of normal numbers, one column a run."""
    rng = np.random.default_rng(seed)
    sides = [rng.standard_normal((rows, runs)) for _ in range(2)]
    return [pd.DataFrame(sides[0]), pd.DataFrame(sides[1] + shift)]


def null_rates(
    psi: Distance,
    threshold: Callable[..., float],
    sizes: Sequence[int],
    runs: int,
) -> pd.DataFrame:
    """Simulate PSI without drift, in ten bins.

    Parameters
    ----------
    psi, threshold : callable
        The functions under test.
    sizes : sequence of int
        Rows of both samples.
    runs : int
        Simulations a size; fewer for large ones.

    Returns
    -------
    DataFrame
        By size, the share of runs over 0.1, over 0.2 and over the threshold for five
        false alarms in a hundred (`calibrated`), and the simulated point that these
        exceed over that threshold (`95% point / formula`).
    """
    rows = {}
    for size in sizes:
        count = max(min(runs, 2_000_000 // size), 1)
        found = np.asarray(psi(*_samples(size, count, size)), np.float64)
        limit = threshold(size, size)
        rows[size] = {
            "PSI > 0.1": float(np.mean(found > 0.1)),
            "PSI > 0.2": float(np.mean(found > 0.2)),
            "calibrated": float(np.mean(found > limit)),
            "95% point / formula": float(np.quantile(found, 0.95)) / limit,
        }
    return pd.DataFrame(rows).T.rename_axis("rows")


def power(
    psi: Distance,
    threshold: Callable[..., float],
    ks: Callable[..., pd.DataFrame],
    shift: float,
    runs: int,
    sizes: Sequence[int] = (100, 300, 1_000, 3_000, 10_000),
) -> pd.DataFrame:
    """Simulate how often a shift of normal numbers is seen, by four rules.

    Parameters
    ----------
    psi, threshold, ks : callable
        The functions under test.
    shift : float
        In standard deviations.
    runs : int
        Simulations a size; fewer for large ones.
    sizes : sequence of int
        Rows of both samples.

    Returns
    -------
    DataFrame
        By size, the share of runs with an alarm.
    """
    rows = {}
    for size in sizes:
        tables = _samples(size, min(runs, max(2_000_000 // size, 20)), size + 1, shift)
        found = np.asarray(psi(*tables), np.float64)
        rows[size] = {
            "KS": float((ks(*tables)["pvalue"] < 0.05).mean()),
            "PSI, calibrated": float((found > threshold(size, size)).mean()),
            "PSI > 0.1": float((found > 0.1).mean()),
            "PSI > 0.2": float((found > 0.2).mean()),
        }
    return pd.DataFrame(rows).T.rename_axis("rows")


def power_by_bins(
    psi: Distance,
    threshold: Callable[..., float],
    shift: float,
    rows: int,
    runs: int,
) -> pd.DataFrame:
    """Simulate false alarms and power of the calibrated PSI for 5 to 50 bins."""
    found = {}
    for bins in (5, 10, 20, 50):
        limit = threshold(rows, rows, bins)
        found[bins] = {
            name: float(
                np.mean(np.asarray(psi(*_samples(rows, runs, bins, by), bins)) > limit)
            )
            for name, by in (("no drift", 0.0), ("shift", shift))
        }
    return pd.DataFrame(found).T.rename_axis("bins")


def null_share_alarms(rows: int, share: float = 0.1, change: float = 0.01) -> float:
    """Return how often two samples differ by more than so many nulls, by chance."""
    rng = np.random.default_rng(rows)
    one, two = (rng.binomial(rows, share, 100_000) / rows for _ in range(2))
    return float(np.mean(np.abs(one - two) > change + 1e-12))


def false_alarms(
    report: Callable[..., pd.DataFrame], month: pd.DataFrame, runs: int, seed: int = 5
) -> pd.DataFrame:
    """Deal one month into two random halves, many times, and count the alarms.

    Parameters
    ----------
    report : callable
        The rule under test.
    month : DataFrame
        With the features and `date`.
    runs : int
        How often to deal days; rows are dealt three times as often.
    seed : int
        Of the random numbers.

    Returns
    -------
    DataFrame
        By way of dealing and rule: the share of features that alarm at 0.05 each (`one
        feature`) with a 95% interval (`low`, `high`; runs are the independent units),
        and the share of runs with any alarm after the correction (`any feature`).
    """
    rng = np.random.default_rng(seed)
    rows, days = month[[*FEATURES, "date"]], month["date"].unique()
    found: dict[str, list[tuple[float, bool]]] = {}
    for run in range(3 * runs):
        half = rng.random(len(rows)) < 0.5
        chosen = rng.permutation(days)[: len(days) // 2]
        by_day = rows["date"].isin(chosen).to_numpy()
        ways: list[tuple[str, npt.NDArray[np.bool_], str | None]] = [
            ("rows, by rows", half, None)
        ]
        if run < runs:
            ways += [("days, by rows", by_day, None), ("days, by days", by_day, "date")]
        for name, mask, blocks in ways:
            columns = list(rows) if blocks else FEATURES
            sides = rows.loc[~mask, columns], rows.loc[mask, columns]
            table = report(*sides, blocks=blocks, draws=999)
            each = float((table["pvalue"] <= 0.05).mean())
            found.setdefault(name, []).append((each, bool(table["drifted"].any())))
    return pd.DataFrame({name: _rates(pairs) for name, pairs in found.items()}).T


def _rates(pairs: list[tuple[float, bool]]) -> dict[str, float]:
    """Return the mean share with its interval, and the share of runs with any."""
    each = np.array([one for one, _ in pairs])
    error = 1.96 * each.std(ddof=1) / np.sqrt(len(each))
    mean = float(each.mean())
    return {
        "one feature": mean,
        "low": mean - error,
        "high": mean + error,
        "any feature": float(np.mean([yes for _, yes in pairs])),
    }


def promised(groups: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return, by group of rows, what the score promised and what came."""
    rows = {}
    for name, part in groups.items():
        mean, late = float(part["score"].mean()), float(part["late"].mean())
        rows[name] = {
            "flights": len(part),
            "mean score": mean,
            "share late": late,
            "gap": mean - late,
        }
    return pd.DataFrame(rows).T


def by_month(
    psi: Distance,
    performance: Callable[..., pd.DataFrame],
    worse: Callable[..., pd.DataFrame],
    reference: pd.DataFrame,
    live: pd.DataFrame,
    base_rate: float,
) -> pd.DataFrame:
    """Compare each month with the reference: drift of score and features, and harm.

    Parameters
    ----------
    psi, performance, worse : callable
        The functions of `flightline.drift`.
    reference, live : DataFrame
        With features, `score`, `late`, `date`; `live` with `month`.
    base_rate : float
        For `worse`. The skill of a month is that over its own rate.

    Returns
    -------
    DataFrame
        By month; `worse` names those of gap and AUC that `worse` finds, or is empty;
        `log_loss worse` says whether it finds the log-loss.
    """
    rows = {}
    for month, now in live.groupby("month"):
        own = performance(now, base_rate=float(now["late"].mean()))["value"]
        found = worse(reference, now, base_rate=base_rate)["found"]
        moved: pd.Series = psi(reference[FEATURES], now[FEATURES])
        rows[month] = {
            "PSI of score": psi(reference["score"], now["score"]),
            "features > 0.2": int((moved > 0.2).sum()),
            "largest": moved.idxmax(),
            **own[["calibration_error", "gap", "skill", "auc"]],
            "worse": ", ".join(name for name in ("gap", "auc") if found[name]),
            "share late": float(now["late"].mean()),
            "log_loss": own["log_loss"],
            "log_loss worse": bool(found["log_loss"]),
        }
    return pd.DataFrame(rows).T.infer_objects().rename_axis("month")


def answer(
    null: pd.DataFrame,
    months: pd.DataFrame,
    seen: pd.DataFrame,
    outcome: pd.DataFrame,
    rates: pd.DataFrame,
) -> None:
    """Write out what came of the four predictions."""
    names = ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    peak = names[months["PSI of score"].astype(float).argmax()]
    worst = [
        names[months["calibration_error"].astype(float).argmax()],
        *(names[months[name].astype(float).argmin()] for name in ("skill", "auc")),
    ]
    each = len(FEATURES) * rates["one feature"]
    lines = [
        f"1. {null.loc[200, 'PSI > 0.1']:.0%} of the pairs are over 0.1.",
        f"2. The PSI of the score peaks in {peak}; the worst month is {worst[0]} by "
        f"calibration, {worst[1]} by skill, {worst[2]} by AUC.",
        f"3. After {seen.loc['unit', 'the five delays']:.0f} days; retraining changes "
        f"the log-loss by {outcome.loc['unit', 'change']:+.3f}.",
        f"4. {each['rows, by rows']:.1f} of {len(FEATURES)} if rows are dealt out; if "
        "days are, "
        f"{each['days, by rows']:.0f} by rows and {each['days, by days']:.1f} by days.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


# --- figures --------------------------------------------------------------------------


def plot_threshold(threshold: Callable[..., float], null: pd.DataFrame) -> None:
    """Draw the calibrated threshold over the rows, with simulated points."""
    _, ax = plt.subplots()
    rows, colour = np.geomspace(100, 100_000, 50), figures.ORANGE
    ax.loglog(rows, [threshold(n, n) for n in rows], color=figures.BLUE)
    points = [
        row["95% point / formula"] * threshold(n, n) for n, row in null.iterrows()
    ]
    ax.plot(null.index, points, "o", color="black", zorder=3)
    for fixed in (0.1, 0.2):
        ax.axhline(fixed, color=colour, ls="--")
        place = (100_000, fixed)
        ax.annotate(f"{fixed}", place, (0, 3), textcoords="offset points", color=colour)
    where = (3_000, threshold(3_000, 3_000))
    ax.annotate(
        "5% false alarms", where, (8, 8), textcoords="offset points", color=figures.BLUE
    )
    ax.set(title="A fixed line is right at one size", xlabel="Rows in each sample")
    ax.set(ylabel="PSI (dots are simulated)")


def plot_report(by_row: pd.DataFrame, by_day: pd.DataFrame, title: str) -> None:
    """Draw the PSI of each feature beside its two thresholds; filled: drifted."""
    order = by_day.sort_values("psi").index
    _, ax = plt.subplots(figsize=(6, 8))
    for table, colour, name in (
        (by_row, figures.ORANGE, "threshold of one feature, rows independent"),
        (by_day, figures.GREEN, "threshold of one feature, days dealt out"),
    ):
        limit = table.loc[order, "threshold"]
        ax.plot(limit, order, "|", ms=11, mew=2.5, color=colour, label=name)
    drifted = by_day["drifted"].astype(bool)
    for mask, fill, name in (
        (~drifted, "white", "PSI"),
        (drifted, figures.BLUE, "PSI, drifted by days after Holm"),
    ):
        chosen = by_day.index[mask]
        points = ax.plot(by_day.loc[chosen, "psi"], chosen, "o", zorder=3)[0]
        points.set(color=figures.BLUE, markerfacecolor=fill, label=name)
    ax.set_xscale("log")
    ax.set_title(title, loc="right", fontsize=12)
    ax.set(xlabel="PSI (logarithmic)", ylim=(-1, len(order)))
    ax.tick_params(axis="y", labelsize=9)
    ax.legend(loc="upper center", bbox_to_anchor=(0.3, -0.09), fontsize=10)


def plot_months(table: pd.DataFrame) -> None:
    """Draw PSI and harm month by month; months that are worse have a frame."""
    _, axes = plt.subplots(4, 1, sharex=True, figsize=(6, 7))
    names = ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    worse = (table["worse"] != "").to_numpy()
    panels = ("PSI of score", "features > 0.2", "calibration_error", "skill")
    labels = ("PSI of score", "Features\nover 0.2", "Calibration\nerror", "Skill")
    for ax, column, label in zip(axes, panels, labels, strict=True):
        bars = ax.bar(names, table[column].astype(float), color=figures.SKY)
        for k in np.flatnonzero(worse):
            bars[k].set(facecolor=figures.AMBER, edgecolor="black", linewidth=1.5)
        ax.set_ylabel(label)
    axes[0].axhline(0.2, color=figures.ORANGE, ls="--")
    axes[0].set_ylim(0, 1.3 * float(table["PSI of score"].max()))
    axes[0].annotate(
        "0.2", (-0.4, 0.2), (0, 3), textcoords="offset points", color=figures.ORANGE
    )
    axes[0].set_title("Highest PSI: December; least skill: September", loc="right")
    axes[-1].set_xlabel("Framed: gap or AUC is worse than in March")


def plot_power(table: pd.DataFrame) -> None:
    """Draw the share of alarms over the rows, one line a rule."""
    _, ax = plt.subplots()
    for name, colour, style in (
        ("KS", figures.BLUE, "-"),
        ("PSI, calibrated", figures.GREEN, "--"),
        ("PSI > 0.1", "black", "-."),
        ("PSI > 0.2", figures.ORANGE, ":"),
    ):
        ax.semilogx(table.index, table[name], style, marker="o", color=colour)
    for name, colour, place in (
        ("KS", figures.BLUE, (900, 0.62)),
        ("PSI, calibrated", figures.GREEN, (2_300, 0.4)),
        ("PSI > 0.1", "black", (150, 0.8)),
        ("PSI > 0.2", figures.ORANGE, (102, 0.03)),
    ):
        ax.annotate(name, place, color=colour, ha="right" if name == "KS" else "left")
    ax.set(title="A fixed line cannot see a small shift", xlabel="Rows in each sample")
    ax.set(ylabel="Share of alarms", ylim=(-0.03, 1.05))


def main(arguments: Sequence[str]) -> int:
    """Compare the two tables in a folder with Evidently, and write the answers."""
    folder = Path(arguments[0])
    paths = [folder / f"evidently_{name}.parquet" for name in ("before", "now")]
    answers = evidently(*map(pd.read_parquet, paths)).to_dict(orient="index")
    draft = folder / "evidently.draft"
    draft.write_text(json.dumps(answers))
    draft.replace(folder / "evidently.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
