"""An experiment that runs, for the tests of its report."""

import numpy as np
import pandas as pd
from flightline import experiments

TEST = experiments.Experiment(
    "b_warns",
    {"control": 0.5, "treatment": 0.5},
    primary="reward",
    guardrails={"latency_ms": 2.0},
    units_per_arm=4_000,
)


def exposures(seed=0, n=2_000, effect=0.0, slower=0.0):
    """Return one row a unit, assigned by the experiment, with two metrics."""
    rng = np.random.default_rng(seed)
    ids = pd.Series([f"2013-07-01-UA-{k}-EWR" for k in range(seed * n, (seed + 1) * n)])
    table = pd.DataFrame({"unit_id": ids, "arm": experiments.assign_many(ids, TEST)})
    treated = table["arm"] == "treatment"
    table["reward"] = rng.normal(0, 1, n) + effect * treated
    table["latency_ms"] = rng.gamma(2, 5, n) + slower * treated
    return table
