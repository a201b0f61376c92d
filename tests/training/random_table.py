"""A training table of random values: what they mean does not matter."""

import numpy as np
import pandas as pd
from flightline.features import CATEGORICAL, NUMERIC


def random_table(rows: int) -> pd.DataFrame:
    """Return rows of random features with labels of both classes."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(rows, len(NUMERIC))), columns=NUMERIC)
    for name in CATEGORICAL:
        table[name] = rng.choice(["a", "b", "c"], rows)
    return table.assign(late=rng.random(rows) < 0.4)
