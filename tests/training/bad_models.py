"""Six models that must not go live, one for each check of the gate.

Each looks fine from one side. `make` returns them, `REASONS` names the checks of
`training.gate` that must stop each, and no others may.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from flightline import features, training
from flightline.training import Floats, Predictor

REASONS = {
    "no better": ["baseline"],
    "leaky": ["features only"],
    "overconfident": ["calibration"],
    "broken slice": ["slices"],
    "nosy": ["row order"],
    "deaf": ["direction"],
}


def _logit(score: Floats) -> Floats:
    """Turn probabilities into logits."""
    return np.log(score) - np.log1p(-score)


def _sigmoid(logit: Floats) -> Floats:
    """Turn logits into probabilities."""
    return 1 / (1 + np.exp(-logit))


def make(
    good: Predictor, table: pd.DataFrame, baseline: Predictor
) -> dict[str, Predictor]:
    """Make bad models from a good one and its baseline.

    Parameters
    ----------
    good : training.Predictor
        A calibrated model.
    table : DataFrame
        Labelled rows; the leaky and the deaf model are calibrated on them, as their
        authors would.
    baseline : training.Predictor
        What a model must beat.

    Returns
    -------
    dict of training.Predictor
        `no better` is the baseline; `leaky` uses the time of landing, where the table
        holds it; `overconfident` triples the logits; `broken slice` lost the delays and
        queues of one carrier; `nosy` mixes in a tenth of the score of the row before;
        `deaf` gets the usual queue of the airport and hour, not the present one.
    """

    def leaky_logit(table: pd.DataFrame) -> Floats:
        logit = _logit(good.score(table))
        if "label_time" not in table or table["label_time"].isna().all():
            return logit
        due_min = (table["label_time"] - table["sched_dep_utc"]).dt.total_seconds() / 60
        behind_min: Floats = (due_min - table["block_min"]).fillna(0).to_numpy()
        return logit + LEAK * np.clip(behind_min, -60, 60)

    slope, bias = training.calibrate(leaky_logit(table), training.labels(table))

    def leaky(table: pd.DataFrame) -> Floats:
        return _sigmoid(slope * leaky_logit(table) + bias)

    def overconfident(table: pd.DataFrame) -> Floats:
        return _sigmoid(3 * _logit(good.score(table)))

    def broken(table: pd.DataFrame) -> Floats:
        score, at = good.score(table).copy(), (table["carrier"] == "9E").to_numpy()
        blind = table.loc[at].assign(**dict.fromkeys(MOVING, np.nan))
        if at.any():
            score[at] = good.score(blind)
        return score

    def nosy(table: pd.DataFrame) -> Floats:
        score = good.score(table)
        return 0.9 * score + 0.1 * np.roll(score, 1)

    def deaf_logit(table: pd.DataFrame) -> Floats:
        days = usual.reindex([table["origin"], table["minute_of_day"] // 60])
        queues = {name: days[name].fillna(0.0).to_numpy() for name in QUEUES}
        return _logit(good.score(table.assign(**queues)))

    hours = [table["origin"], table["minute_of_day"] // 60]
    usual = table.groupby(hours)[list(QUEUES)].mean()
    level, offset = training.calibrate(deaf_logit(table), training.labels(table))

    def deaf(table: pd.DataFrame) -> Floats:
        return _sigmoid(level * deaf_logit(table) + offset)

    parts = {"leaky": leaky, "overconfident": overconfident, "broken slice": broken}
    parts |= {"nosy": nosy, "deaf": deaf}
    made = {name: replace(good, name=name, score=s) for name, s in parts.items()}
    return {"no better": baseline, **made}


QUEUES = ("origin_waiting", "origin_carrier_waiting")
MOVING = (*features.DEPARTURES, *features.BACKLOG, *features.ARRIVALS)
LEAK = 0.02  # a mild leak: enough to win, not enough to look perfect
