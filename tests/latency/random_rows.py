"""Random rows with the features of the reference models."""

import numpy as np
import pandas as pd
from flightline import training
from flightline.features import CATEGORICAL, FEATURES, NUMERIC
from labkit.data import MODELS


def random_rows(rows, seed=0, missing=0.05):
    """Return random rows with FEATURES, as the network's transform expects them."""
    chance = np.random.default_rng(seed)
    model = training.load_model(MODELS, "delay_mlp").transform
    table = pd.DataFrame(
        {name: chance.choice(model.categories[name], rows) for name in CATEGORICAL}
    )
    numbers = (
        chance.normal(size=(rows, len(NUMERIC))) * model.scaling["scale"]
        + model.scaling["mean"]
    )
    numbers[chance.random(numbers.shape) < missing] = np.nan
    return table.join(pd.DataFrame(numbers, columns=NUMERIC))[FEATURES]
