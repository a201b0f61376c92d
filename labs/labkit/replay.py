"""A replay in which two policies are known to the last flight.

Policy A scores by the timetable alone, policy B by all 28 features. Both have learned
January to May and were calibrated on June; July to September is replayed. Whatever the
other policy would have answered is known too, and so is the true difference.
"""

import numpy as np
import pandas as pd
from flightline import features, lake, training
from flightline.features import ON_DEMAND

from labkit import data

GAIN, LOSS = 1.0, 0.4
"""What a warning is worth if the flight is late, and what it costs if it is not."""

THRESHOLD = LOSS / (GAIN + LOSS)
"""A warning pays above this probability."""

SEED = 0


def load() -> pd.DataFrame:
    """Load July to September with the decisions and rewards of both policies.

    Returns
    -------
    DataFrame
        One row per flight that arrived, in scheduled order: `flight_id`, `day` (the
        local date as text, such as "07-02"), `hour` of the local clock, `carrier`,
        `number` (carrier and flight number), `origin`, `dest`, `late` (bool), and for
        each policy its probability `score_a`, `score_b`, its warning `warns_a`,
        `warns_b` (bool), and its reward in points `reward_a`, `reward_b`: 1 for a
        warning that was right, -0.4 for one that was wrong, 0 for none.

    Notes
    -----
    Flights without an arrival have no label, so no reward; they are left out of both
    policies alike.
    """
    flights = data.load_flights(months=range(1, 10))
    flights = lake.flight_times(flights, data.load_airports())
    weather = lake.weather_events(data.load_weather())
    table = features.training_table(flights, weather)
    table = table[table["late"].notna()].reset_index(drop=True)
    played = table[table["month"].between(7, 9)].reset_index(drop=True)
    local = played["sched_dep_utc"].dt.tz_convert("America/New_York")
    result = played[["flight_id", "carrier", "origin", "dest"]].assign(
        day=local.dt.strftime("%m-%d"),
        hour=local.dt.hour,
        number=played["carrier"] + " " + played["flight_id"].str.split("-").str[4],
        late=played["late"].astype(bool),
    )
    scores = {"a": _timetable(table, played)}
    full = training.load_model(data.MODELS, "delay_lightgbm")
    scores["b"] = np.asarray(full.predict(played), np.float64)
    for policy, score in scores.items():
        warns = score > THRESHOLD
        right = np.where(result["late"], GAIN, -LOSS)
        result[f"score_{policy}"] = score
        result[f"warns_{policy}"] = warns
        result[f"reward_{policy}"] = np.where(warns, right, 0.0)
    return result


def _timetable(table: pd.DataFrame, played: pd.DataFrame) -> np.ndarray:
    """Return what gradient boosting on the timetable answers, calibrated on June."""
    import lightgbm

    months = table["month"]
    transform = training.Transform.fit(table[months <= 5])
    learned, tuned, asked = (
        (transform.matrix(rows)[:, : len(ON_DEMAND)], training.labels(rows))
        for rows in (table[months <= 5], table[months == 6], played)
    )
    codes = list(range(len(features.CATEGORICAL)))
    train = lightgbm.Dataset(*learned, categorical_feature=codes)
    held = lightgbm.Dataset(*tuned, reference=train)
    stop = lightgbm.early_stopping(50, verbose=False)
    settings = training.TREES | {"seed": SEED}
    trees = lightgbm.train(settings, train, 600, valid_sets=[held], callbacks=[stop])
    logit = np.asarray(trees.predict(tuned[0], raw_score=True))
    slope, bias = training.calibrate(logit, tuned[1])
    raw = np.asarray(trees.predict(asked[0], raw_score=True), np.float64)
    return np.asarray(1 / (1 + np.exp(-(slope * raw + bias))), np.float64)
