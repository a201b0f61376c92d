"""Two models on the same days, and many policies against one.

The rows of a day share its weather, so days are the units, and what is compared is the
difference on each day. Two policies that run for a year differ for weeks on end by the
same two models: there the units are whole weeks. Whoever compares ten policies finds
one that is better by chance; Holm's correction allows for it. A difference whose
interval holds zero is undecided, and that is what the tables say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from flightline import decisions, training
from flightline.loop.core import Floats, losses, paired_by_day
from flightline.loop.labels import must_have, probabilities, truths, whole

Finding = Literal["better", "worse", "undecided"]

SERVED = ["id", "day", "score", "late"]
"""The columns of what a policy served."""

POLICY = [
    "log_loss",
    "auc",
    "ece",
    "bad_days",
    "difference",
    "low",
    "high",
    "pvalue",
    "adjusted",
    "finding",
]
"""The columns of `policies`."""

RAREST = 1e-300


@dataclass(frozen=True)
class Paired:
    """A challenger's log-loss less the champion's, with its interval by units of days.

    Below zero the challenger is better. `pvalue` is two-sided, of Student's t.
    """

    difference: float
    low: float
    high: float
    pvalue: float
    units: int
    rows: int

    @property
    def finding(self) -> Finding:
        """Whether the interval lies on one side of zero."""
        return finding(self.low, self.high)


def finding(low: float, high: float) -> Finding:
    """Return what an interval of a difference in log-loss says."""
    if high < 0:
        return "better"
    return "worse" if low > 0 else "undecided"


def compare(
    champion: npt.ArrayLike,
    challenger: npt.ArrayLike,
    late: npt.ArrayLike,
    day: npt.ArrayLike,
    *,
    alpha: float = 0.05,
) -> Paired:
    """Compare two models on the same answers, paired by day.

    Parameters
    ----------
    champion, challenger : array_like of float, shape (n,)
        Probabilities of both for the same requests, in the same order.
    late : array_like, shape (n,)
        True, false, 1 or 0; no nulls: take answers that are mature and have a label.
    day : array_like, shape (n,)
        The unit of each row: a day, or a block of days. Each unit counts alike.
    alpha : float
        One minus the level of the interval.

    Returns
    -------
    Paired

    Raises
    ------
    ValueError
        If the lengths differ, there are fewer than two units, a score is no
        probability, a label none, or alpha no rate.

    Examples
    --------
    >>> found = compare([0.5, 0.5, 0.5], [0.4, 0.4, 0.3], [0, 0, 0], [1, 2, 3])
    >>> round(found.difference, 3), found.units
    (-0.234, 3)
    """
    old, new = (
        probabilities(champion, "champion"),
        probabilities(challenger, "challenger"),
    )
    truth = truths(late, "late")
    units = np.asarray(day)
    if not len(old) == len(new) == len(truth) == len(units):
        raise ValueError(
            f"{len(old)} scores of the champion, {len(new)} of the challenger, "
            f"{len(truth)} labels and {len(units)} days: one of each is needed."
        )
    _must_be_a_rate(alpha)
    codes = pd.factorize(units)[0]
    if (codes < 0).any() or (size := int(codes.max(initial=-1)) + 1) < 2:
        raise ValueError(
            f"{len(np.unique(codes[codes >= 0]))} days, {int((codes < 0).sum())} rows "
            "without one: an interval takes at least two days, and one for each row."
        )
    mean, low, high = paired_by_day(old, new, truth, codes, alpha)
    return Paired(mean, low, high, _pvalue(mean, high, size, alpha), size, len(old))


def _must_be_a_rate(alpha: float) -> None:
    """Refuse what is no error rate."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha} must lie between 0 and 1.")


def _pvalue(mean: float, high: float, units: int, alpha: float) -> float:
    """Return the two-sided p-value of a mean, from the end of its interval."""
    if mean == 0:
        return 1.0
    error = (high - mean) / stats.t.isf(alpha / 2, units - 1)
    if error <= 0:  # every unit has the same difference
        return RAREST
    return max(float(2 * stats.t.sf(abs(mean) / error, units - 1)), RAREST)


def units_of(day: pd.Series, days: int) -> pd.Series:
    """Join consecutive days into units, counted from the first day of all.

    Parameters
    ----------
    day : Series
        Dates: texts such as "2013-04-01", or times, whose date counts.
    days : int
        How many make a unit.

    Returns
    -------
    Series of int
        With the index of `day`.

    Raises
    ------
    ValueError
        If `days` is no whole number or below 1, or the days are numbers: 20130401
        would be read as nanoseconds.
    """
    if not whole(days, 1):
        raise ValueError(f"days={days}: a unit has at least one day, and whole ones.")
    if pd.api.types.is_numeric_dtype(day.dtype):
        raise ValueError(
            f"day holds {day.dtype}: give texts such as '2013-04-01', or times."
        )
    when = pd.to_datetime(day.astype(object)).dt.tz_localize(None).dt.normalize()
    return ((when - when.min()) // pd.Timedelta(days=1)) // days


def policies(
    served: Mapping[str, pd.DataFrame],
    baseline: str,
    *,
    best: str | None = None,
    margin: float = 0.02,
    days: int = 7,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Compare policies with one of them, on the same requests.

    Parameters
    ----------
    served : mapping of str to DataFrame
        By policy, what its users got: `id`, `day`, `score` and `late` (no nulls). All
        tables hold the same ids, and each id the same day and label.
    baseline : str
        The policy that the others are compared with.
    best : str, optional
        The policy that a day is held against to be called bad; the baseline by default.
    margin : float
        A day is bad if its log-loss is more than this above that of `best`.
    days : int
        How many consecutive days are one unit of the intervals.
    alpha : float
        One minus the level of the intervals, and what adjusted p-values are held
        against.

    Returns
    -------
    DataFrame
        The columns POLICY, one row a policy, in the given order. `log_loss`, `auc` and
        `ece` are over all rows; `difference`, `low`, `high` and `pvalue` are those of
        `compare` with the baseline, `adjusted` is Holm's over the other policies.
        `finding` is better or worse if `adjusted` is below alpha, else undecided; null,
        like the rest, for the baseline.

    Raises
    ------
    ValueError
        If a name is unknown, ids, days or labels differ, margin is negative, or as in
        `compare` and `units_of`.
    """
    _must_be_a_rate(alpha)
    if not 0 <= margin < np.inf:
        raise ValueError(f"margin={margin} must be a number, 0 or more.")
    for name in (baseline, best or baseline):
        if name not in served:
            raise ValueError(f"{name!r} is none of {', '.join(served)}.")
    _must_be_the_same_requests(served)
    daily = {name: _daily(rows) for name, rows in served.items()}
    ideal = daily[best or baseline]
    found = {
        name: {
            **_measures(rows),
            "bad_days": int((daily[name] - ideal > margin).sum()),
            **_against(served[baseline], rows, days, alpha, name == baseline),
        }
        for name, rows in served.items()
    }
    table = pd.DataFrame.from_dict(found, orient="index")
    return _corrected(table, alpha)[POLICY]


def over_starts(
    runs: Mapping[str, Mapping[str, pd.DataFrame]],
    baseline: str,
    *,
    days: int = 7,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Compare policies with a baseline over several starts of the same year.

    A policy that retrains on the right day by luck looks good in one run. Here each
    policy runs from several Mondays on, and its difference on a day is the mean over
    the starts.

    Parameters
    ----------
    runs : mapping of str to mapping of str to DataFrame
        By start, then by policy: as in `policies`. The same policies in each.
    baseline : str
        The policy that the others are compared with, start by start.
    days, alpha
        As in `policies`.

    Returns
    -------
    DataFrame
        One row for each policy but the baseline: `difference`, `low`, `high` and
        `pvalue` over the days that all starts share; `adjusted` (Holm); `least` and
        `most`, the range of the differences over the starts; `finding`, which is
        undecided unless `adjusted` is below alpha and all starts have one sign.

    Raises
    ------
    ValueError
        If the starts have different policies, or none but the baseline, share fewer
        than two units, or as in `policies`.
    """
    _must_be_a_rate(alpha)
    if not runs:
        raise ValueError("there is no run: give at least one start.")
    names = list(next(iter(runs.values())))
    for start, served in runs.items():
        if set(served) != set(names) or baseline not in served:
            raise ValueError(
                f"start {start} has {', '.join(served)}, the first has "
                f"{', '.join(names)}: run the same policies, {baseline!r} among them."
            )
        if len(names) < 2:
            raise ValueError(f"there is nothing to compare with {baseline!r}: add one.")
        _must_be_the_same_requests(served)
    daily = {
        name: pd.DataFrame(
            {start: _daily(served[name]) for start, served in runs.items()}
        ).dropna()
        for name in names
    }
    found = {}
    for name in names:
        if name == baseline:
            continue
        apart = daily[name] - daily[baseline]
        unit = units_of(apart.index.to_series(), days)
        each = apart.mean(axis=1).groupby(unit).mean()
        found[name] = {
            **_interval(each.to_numpy(np.float64), alpha),
            "least": float(apart.mean().min()),
            "most": float(apart.mean().max()),
        }
    table = _corrected(pd.DataFrame.from_dict(found, orient="index"), alpha)
    torn = np.sign(table["least"]) != np.sign(table["most"])
    return table.assign(finding=table["finding"].mask(torn, "undecided"))


def _interval(values: Floats, alpha: float) -> dict[str, float]:
    """Return the mean of the units, its interval and its p-value."""
    if len(values) < 2:
        raise ValueError(
            f"the starts share {len(values)} units: an interval takes at least two."
        )
    mean = float(values.mean())
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    half = float(stats.t.isf(alpha / 2, len(values) - 1)) * error
    pvalue = _pvalue(mean, mean + half, len(values), alpha)
    return {
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "pvalue": pvalue,
    }


def _corrected(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Add Holm's p-values, and what stands after them."""
    tested = table["pvalue"].notna()
    adjusted = pd.Series(np.nan, table.index)
    adjusted[tested] = decisions.holm_adjusted(table.loc[tested, "pvalue"])
    said = pd.Series("undecided", table.index, dtype=object)
    sure = adjusted < alpha
    said[sure & (table["difference"] < 0)] = "better"
    said[sure & (table["difference"] > 0)] = "worse"
    said[~tested] = None
    return table.assign(adjusted=adjusted, finding=said)


def _measures(rows: pd.DataFrame) -> dict[str, float]:
    """Return log-loss, AUC and calibration error over all rows."""
    score, late = (rows[name].to_numpy(np.float64) for name in ("score", "late"))
    return {
        "log_loss": training.log_loss(score, late),
        "auc": training.auc(score, late),
        "ece": training.calibration_error(score, late),
    }


def _daily(rows: pd.DataFrame) -> pd.Series:
    """Return the mean log-loss of each day."""
    found = pd.Series(losses(rows["score"], rows["late"].astype(np.float64)))
    return found.groupby(rows["day"].to_numpy()).mean()


def _against(
    base: pd.DataFrame, rows: pd.DataFrame, days: int, alpha: float, same: bool
) -> dict[str, float]:
    """Return how a policy differs from the baseline; nothing for itself."""
    if same:
        return dict.fromkeys(("difference", "low", "high", "pvalue"), np.nan)
    both = base.set_index("id").loc[rows["id"], "score"]
    found = compare(
        both.to_numpy(),
        rows["score"],
        rows["late"].astype(np.float64),
        units_of(rows["day"], days),
        alpha=alpha,
    )
    return {
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "pvalue": found.pvalue,
    }


def _must_be_the_same_requests(served: Mapping[str, pd.DataFrame]) -> None:
    """Refuse policies that did not answer the same requests, each once."""
    first = None
    for name, rows in served.items():
        must_have(rows, SERVED, name)
        probabilities(rows["score"], f"{name}['score']")
        truths(rows["late"], f"{name}['late']")
        ids = pd.Index(rows["id"])
        if ids.has_duplicates:
            raise ValueError(f"{name} has answered {ids[ids.duplicated()][0]!r} twice.")
        if first is None:
            first, kept = name, rows.set_index("id")
        elif len(apart := kept.index.symmetric_difference(ids)):
            raise ValueError(
                f"{first} and {name} did not answer the same requests: {len(apart)} "
                f"differ (one is {apart[0]!r}). Compare them on the same ids."
            )
        else:
            same = kept if kept.index.equals(ids) else kept.loc[ids]
            _must_agree(same, rows, (first, name))


def _must_agree(one: pd.DataFrame, two: pd.DataFrame, names: tuple[str, str]) -> None:
    """Refuse a request that has one day or label here, and another there."""
    for column in ("day", "late"):
        left, right = (
            rows[column].astype(object).where(rows[column].notna(), None).to_numpy()
            for rows in (one, two)
        )
        apart = np.flatnonzero(left != right)
        if len(apart):
            at = apart[0]
            raise ValueError(
                f"{names[0]} and {names[1]} differ in {column!r} of {len(apart)} "
                f"requests ({two['id'].iloc[at]!r}: {left[at]} and {right[at]}). Join "
                "both with the same labels, and give both the same kind of days."
            )
