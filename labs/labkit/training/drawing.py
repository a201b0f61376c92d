"""What an interval by days draws: a metric that keeps each call, to try the rule."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from flightline.training import Floats

Found = tuple[tuple[float, ...], Floats, Floats]


def ask(
    interval: Callable[..., tuple[float, float]],
    day: npt.ArrayLike,
    given: Floats,
    seed: int = 0,
    draws: int = 200,
) -> Found:
    """Return the interval of a skewed metric, and the weights and values of its draws.

    The metric asserts that it is called with the labels as they are, and with one
    weight for each row. It is skewed, so that no normal curve gives its quantiles.
    """
    seen = []

    def skewed(score: object, late: Floats, weight: Floats) -> float:
        assert len(weight) == len(late) == len(given), "One weight for each row."
        assert np.array_equal(late, given), (
            "Hand `late` on as it is: the weights say what was drawn."
        )
        value = float(np.exp(4 * np.average(late, weights=weight)))
        seen.append((np.array(weight, float), value))
        return value

    found = tuple(interval(skewed, None, given, day, draws=draws, seed=seed))
    assert len(seen) == draws, "Call the metric once for each of `draws` draws."
    weights, values = zip(*seen, strict=True)
    return found, np.array(weights), np.array(values)
