"""Ask statsmodels and tea-tasting what the lab asks its own functions."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Arms = npt.NDArray[np.bool_]


def statsmodels_units(
    effect: float, sd: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Return the units in each arm by statsmodels' normal power, not rounded."""
    from statsmodels.stats.power import NormalIndPower

    solve = NormalIndPower().solve_power
    return float(solve(effect / sd, alpha=alpha, power=power, alternative="two-sided"))


def tea_tasting_srm(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """Return the p-value of tea-tasting's `SampleRatio` for two arms, A and B."""
    import tea_tasting as tt

    arms = pd.DataFrame({"variant": np.repeat(["A", "B"], [counts["A"], counts["B"]])})
    metric = tt.SampleRatio(dict(weights), method="norm", correction=False)
    return float(tt.Experiment(srm=metric).analyze(arms)["srm"].pvalue)


def tea_tasting_ratio(
    values: Floats, in_b: Arms, unit: npt.ArrayLike
) -> tuple[float, float]:
    """Return B minus A and its standard error, a ratio of sums over the units.

    Parameters
    ----------
    values : array of float, shape (rows,)
        The metric of each row.
    in_b : array of bool, shape (rows,)
        Whether the row's unit is in B.
    unit : array_like, shape (rows,)
        The unit that was assigned.

    Returns
    -------
    tuple of float
        The difference of the ratios, and its standard error by the delta method.
    """
    import tea_tasting as tt

    rows = pd.DataFrame({"points": values, "variant": in_b.astype(int), "unit": unit})
    units = rows.groupby(["unit", "variant"], as_index=False).agg(
        points=("points", "sum"), rows=("points", "size")
    )
    metric = tt.RatioOfMeans("points", "rows", use_t=False)
    return _estimate(tt.Experiment(metric=metric).analyze(units)["metric"])


def tea_tasting_cuped(
    values: Floats, in_b: Arms, covariate: Floats
) -> tuple[float, float]:
    """Return B minus A and its standard error by tea-tasting's CUPED."""
    import tea_tasting as tt

    rows = pd.DataFrame({"y": values, "x": covariate, "variant": in_b.astype(int)})
    metric = tt.Mean("y", "x", use_t=False)
    return _estimate(tt.Experiment(metric=metric).analyze(rows)["metric"])


def _estimate(result: object) -> tuple[float, float]:
    """Return the estimate and standard error behind a normal 95% interval."""
    low = float(result.effect_size_ci_lower)  # type: ignore[attr-defined]
    high = float(result.effect_size_ci_upper)  # type: ignore[attr-defined]
    return (low + high) / 2, (high - low) / (2 * NORMAL)


NORMAL = 1.959963984540054
"""The quantile of a standard normal variable at 0.975."""
