"""Evaluate 200 configurations of gradient boosting, for the lab's race of searches.

    python data/models/configurations.py        write configurations.csv (minutes)

Every point of a grid is fitted on a sample of January-May and judged on June. Lab 06
replays searches on this table, so that a search of twenty trials takes milliseconds and
the best configuration is known.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "labs"))

from flightline import training  # noqa: E402

SPACE = {
    "learning_rate": (0.02, 0.04, 0.08, 0.16, 0.32),
    "num_leaves": (4, 8, 16, 32, 64),
    "lambda_l2": (0.0, 10.0, 100.0, 1000.0),
    "feature_fraction": (0.3, 0.8),
}
ROWS, ROUNDS = 40_000, 100


def evaluate(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a configuration: its settings, June's log-loss and AUC."""
    import lightgbm

    parts = training.split(table)
    train = parts["train"].sample(ROWS, random_state=0)
    transform = training.Transform.fit(train)
    late, answer = training.labels(train), training.labels(parts["tune"])
    data, asked = transform.matrix(train), transform.matrix(parts["tune"])
    rows, start = [], time.monotonic()
    for number, values in enumerate(itertools.product(*SPACE.values()), start=1):
        settings = dict(zip(SPACE, values, strict=True))
        held = lightgbm.Dataset(data, late, categorical_feature=[0, 1, 2])
        trees = lightgbm.train(training.TREES | settings, held, ROUNDS)
        score = trees.predict(asked, num_threads=1)
        measured = {n: m(score, answer) for n, m in training.METRICS.items()}
        rows.append(settings | {k: round(v, 5) for k, v in measured.items()})
        if number % 20 == 0:
            print(f"{number} fits in {time.monotonic() - start:.0f} s", flush=True)
    return pd.DataFrame(rows)


def main() -> int:
    """Evaluate every configuration and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parent)
    parser.add_argument("--out", type=Path, default=HERE / "configurations.csv")
    options = parser.parse_args()
    table = training.load_table(options.data, months=range(1, 7))
    evaluate(table).to_csv(options.out, index=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
