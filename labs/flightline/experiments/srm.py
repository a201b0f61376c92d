"""Sample ratio mismatch: whether the sizes of the arms fit the weights.

A mismatch says that assignment or logging is broken, so that no effect may be read.
Count the units that were assigned: flights of assigned days are not independent, and
their counts alarm without any fault.
"""

import math
import sys
from collections.abc import Mapping

import numpy as np
from scipy import special, stats

from flightline.experiments.core import Floats, srm_of_counts
from flightline.experiments.experiment import ADDS_UP, must_be_a_mapping, number_of

ENOUGH = 20
"""The smallest expected count for which chi-squared is trusted."""

CASES = 2_000_000
"""How many outcomes the exact test of three or more arms goes through at most."""

MOST = 10**12
"""Above so many units the exact test is refused."""

SMALLEST = sys.float_info.min
"""What a p-value that is too small for a float is given as; 0 would say impossible."""


def srm_pvalue(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """Return the p-value of the arms' sizes by chi-squared.

    Parameters
    ----------
    counts : mapping of str to int
        How many units were assigned to each arm, 0 included.
    weights : mapping of str to float
        The planned shares: parts that add up to 1, or in any unit from 1 on, such as 1
        and 1 for halves, or 10 and 90. An arm of weight 0 can have no units, and is
        left out.

    Returns
    -------
    float
        Above 0 and at most 1; the smallest positive float stands for less. It alarms
        too often where an arm expects fewer than 20 units: then take `srm_exact`.

    Raises
    ------
    ValueError
        If the arms of counts and weights differ, a count is negative or not whole,
        there are no units or fewer than two arms, or an arm of weight 0 has units; if
        all weights are below 1 and do not add up to 1: an arm is missing then.

    Notes
    -----
    Computed from the binomial distribution, two arms: at a threshold of .001 the false
    alarms are up to 3.4 times as many if the smaller arm expects 5 to 10 units, 1.7
    times at 20 to 40, and 1.3 times at 50 to 100.

    Examples
    --------
    >>> round(srm_pvalue({"a": 480, "b": 520}, {"a": 0.5, "b": 0.5}), 3)
    0.206
    """
    counts, weights = _checked(counts, weights)
    return max(srm_of_counts(counts, weights), SMALLEST)


def srm_exact(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """Return the exact p-value of the arms' sizes, for small counts.

    Parameters
    ----------
    counts, weights
        As for `srm_pvalue`.

    Returns
    -------
    float
        The probability of all sizes that are no likelier than these: binomial for two
        arms, multinomial for more.

    Raises
    ------
    ValueError
        As `srm_pvalue`, for more than 10^12 units, or if three or more arms have more
        than two million ways to share the units.

    Examples
    --------
    >>> round(srm_exact({"a": 1, "b": 9}, {"a": 0.5, "b": 0.5}), 3)
    0.021
    """
    counts, weights = _checked(counts, weights)
    if sum(counts.values()) > MOST:
        raise ValueError(f"Above {MOST} units there is no exact test. Use srm_pvalue.")
    seen = np.array([counts[arm] for arm in weights])
    share = np.array(list(weights.values())) / math.fsum(weights.values())
    if len(seen) == 2:
        pvalue = stats.binomtest(int(seen[0]), int(seen.sum()), share[0]).pvalue
    else:
        pvalue = _multinomial(seen, share)
    return min(max(float(pvalue), SMALLEST), 1.0)


def needs_exact(counts: Mapping[str, int], weights: Mapping[str, float]) -> bool:
    """Tell whether an arm expects fewer than 20 units, so that chi-squared is rough.

    Parameters
    ----------
    counts, weights
        As for `srm_pvalue`, with the same errors.

    Returns
    -------
    bool
    """
    counts, weights = _checked(counts, weights)
    smallest = min(weights.values()) / math.fsum(weights.values())
    return sum(counts.values()) * smallest < ENOUGH


def _multinomial(seen: Floats, share: Floats) -> float:
    """Return the probability of the outcomes that are no likelier than this one."""
    units = int(seen.sum())
    cases = math.comb(units + len(seen) - 1, len(seen) - 1)
    if cases > CASES:
        raise ValueError(
            f"{units} units have {cases} ways into {len(seen)} arms, too many to go "
            "through. Use srm_pvalue, or test the small arm against the others."
        )
    likely = _log_likelihoods(_shared_out(units, len(seen)), share)
    observed = _log_likelihoods(seen[None, :], share)[0]
    return float(np.exp(likely[likely <= observed + 1e-7]).sum())


def _log_likelihoods(rows: Floats, share: Floats) -> Floats:
    """Return the log of the multinomial probability of each row of sizes."""
    ways = special.gammaln(rows.sum(axis=1) + 1) - special.gammaln(rows + 1).sum(axis=1)
    return np.asarray(ways + rows @ np.log(share))


def _shared_out(units: int, arms: int) -> Floats:
    """Return every way to share units out to arms: [ways, arms]."""
    ways = np.zeros((1, 0), np.int64)
    left = np.array([units])
    for _ in range(arms - 1):
        parent = np.repeat(np.arange(len(left)), left + 1)
        first = np.cumsum(left + 1) - (left + 1)
        taken = np.arange(len(parent)) - first[parent]
        ways = np.column_stack([ways[parent], taken])
        left = left[parent] - taken
    return np.column_stack([ways, left]).astype(np.float64)


def _checked(
    counts: Mapping[str, int], weights: Mapping[str, float]
) -> tuple[dict[str, int], dict[str, float]]:
    """Return counts and weights of the arms that may have units."""
    must_be_a_mapping(counts, "counts", "{'control': 480, 'treatment': 520}")
    must_be_a_mapping(weights, "weights", "{'control': 0.5, 'treatment': 0.5}")
    _must_have_the_same_arms(counts, weights)
    shares = _shares(weights)
    whole = {arm: _whole(arm, counts[arm]) for arm in weights}
    for arm, share in shares.items():
        if share == 0 and whole[arm] > 0:
            raise ValueError(
                f"arm {arm!r} has weight 0 and {whole[arm]} units: assignment is "
                "broken, or these are not its weights. No test is needed."
            )
    open_arms = {arm: share for arm, share in shares.items() if share > 0}
    if len(open_arms) < 2:
        raise ValueError(
            f"{len(open_arms)} arms have a positive weight. A ratio needs two."
        )
    if sum(whole.values()) == 0:
        raise ValueError("No unit is in any arm yet, so that there is nothing to test.")
    return {arm: whole[arm] for arm in open_arms}, open_arms


def _must_have_the_same_arms(
    counts: Mapping[str, int], weights: Mapping[str, float]
) -> None:
    """Refuse counts of arms that were not planned, and planned arms without a count."""
    if unknown := [arm for arm in counts if arm not in weights]:
        raise ValueError(
            f"counts has the unknown arm {unknown[0]!r}; weights has "
            f"{', '.join(map(repr, weights)) or 'none'}. Count assigned units."
        )
    if missing := [arm for arm in weights if arm not in counts]:
        raise ValueError(
            f"counts lacks the arm {missing[0]!r}. State 0 if nobody is in it: an "
            "empty arm is a finding."
        )


def _shares(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights from 0 on, in units of the largest; parts of 1 must add up."""
    numbers = {
        arm: number_of(weights[arm], f"the weight of {arm!r}") for arm in weights
    }
    for arm, number in numbers.items():
        if number < 0:
            raise ValueError(f"the weight of {arm!r} is {number:g}, below 0.")
    largest = max(numbers.values(), default=0) or 1.0
    if largest < 1:
        _must_add_up(numbers)
    return {arm: number / largest for arm, number in numbers.items()}


def _must_add_up(shares: Mapping[str, float]) -> None:
    """Refuse parts of 1 that leave something out, or count it twice."""
    total = math.fsum(shares.values())
    if abs(total - 1) > ADDS_UP:
        raise ValueError(
            f"the weights add up to {total:.6g}, not to 1: {shares}. State every arm "
            "that units could be in, or give whole numbers, such as 1 and 1."
        )


def _whole(arm: str, count: int) -> int:
    """Return a count: a whole number from 0 on."""
    number = number_of(count, f"the count of {arm!r}")
    if number < 0 or not number.is_integer():
        raise ValueError(
            f"the count of {arm!r} is {number:g}. Units are counted in whole numbers."
        )
    return int(number)
