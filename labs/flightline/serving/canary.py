"""Automated canary analysis: a new version gets a few requests, and earns more.

Two questions at each look. *Is it worse?* Fisher's exact test, one-sided, on failures
and on slow answers: then it is rolled back. *Is it shown to be no worse?* The upper end
of an interval for the difference lies below a margin: only then does it get more. Not
significant is neither; the analysis waits.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from flightline.serving.deploy import Deployment

Action = Literal["go on", "wait", "roll back"]


@dataclass
class Tally:
    """What a version did so far: how often it was asked, failed, and was slow."""

    asked: int = 0
    failed: int = 0
    slow: int = 0

    def since(self, before: "Tally") -> "Tally":
        """Return what was added since an earlier tally."""
        return Tally(
            self.asked - before.asked,
            self.failed - before.failed,
            self.slow - before.slow,
        )


@dataclass(frozen=True)
class Verdict:
    """What to do with a canary, and why, a sentence for each measure."""

    action: Action
    reasons: tuple[str, ...]


def difference(
    bad: tuple[int, int], asked: tuple[int, int], alpha: float
) -> tuple[float, float]:
    """Return an interval for the difference of two shares, the second less the first.

    Newcombe's, from two Wilson intervals: it holds for rare failures too.

    Parameters
    ----------
    bad, asked : pair of int
        Failures and requests of the stable version and of the canary.
    alpha : float
        The chance to miss, both ends together.
    """
    from scipy import stats

    z = float(stats.norm.ppf(1 - alpha / 2))
    shares, ends = [], []
    for k, n in zip(bad, asked, strict=True):
        p = k / n
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        shares.append(p)
        ends.append((middle - half, middle + half))
    (p0, p1), ((low0, high0), (low1, high1)) = shares, ends
    apart = p1 - p0
    low = apart - math.hypot(p1 - low1, high0 - p0)
    high = apart + math.hypot(high1 - p1, p0 - low0)
    return low, high


def judge(
    stable: Tally,
    canary: Tally,
    *,
    margin: float = 0.01,
    alpha: float = 0.05,
    looks: int = 1,
) -> Verdict:
    """Judge a canary beside the stable version of the same time.

    Parameters
    ----------
    stable, canary : Tally
        Of the same period: traffic of different hours differs.
    margin : float
        How much more may fail, or be slow, as a share of the requests.
    alpha : float
        The chance to roll back a version that is no worse, over all looks.
    looks : int
        How often will be looked in all: each look and each measure gets its part.

    Returns
    -------
    Verdict

    Raises
    ------
    ValueError
        If a number makes no sense.
    """
    from scipy import stats

    if not 0 < margin < 1 or not 0 < alpha < 1 or looks < 1:
        raise ValueError(f"margin={margin}, alpha={alpha}, looks={looks}: no plan.")
    for tally in (stable, canary):
        if min(tally.failed, tally.slow) < 0 or tally.asked < max(
            tally.failed, tally.slow
        ):
            raise ValueError(f"{tally}: more bad answers than requests.")
    if not stable.asked or not canary.asked:
        return Verdict("wait", ("one of the versions was not asked yet",))
    part, actions, reasons = alpha / (2 * looks), [], []
    asked = stable.asked, canary.asked
    for name in ("failed", "slow"):
        bad = getattr(stable, name), getattr(canary, name)
        table = [[bad[1], asked[1] - bad[1]], [bad[0], asked[0] - bad[0]]]
        chance = float(stats.fisher_exact(table, alternative="greater").pvalue)
        low, high = difference(bad, asked, 2 * part)
        worse = chance < part
        action: Action = "roll back" if worse else "go on" if high < margin else "wait"
        actions.append(action)
        reasons.append(
            f"{name}: {bad[1]} of {asked[1]} against {bad[0]} of {asked[0]}, "
            f"difference {low:+.4f} to {high:+.4f} (margin {margin:g}), p {chance:.2g}"
        )
    for action in ("roll back", "wait", "go on"):
        if action in actions:
            break
    return Verdict(action, tuple(reasons))


class Watched(Protocol):
    """A service whose versions are counted."""

    live: Deployment
    tallies: dict[str, Tally]

    def deploy(self, deployment: Deployment) -> None:
        """Put another deployment in its place."""


async def roll_out(
    service: Watched,
    stable: str,
    canary: str,
    *,
    shares: Sequence[float] = (0.05, 0.25, 0.5),
    looks: int = 5,
    every_s: float = 60.0,
    margin: float = 0.01,
    alpha: float = 0.05,
) -> Verdict:
    """Give a canary more and more of the traffic, or take it back.

    Parameters
    ----------
    service : Watched
        Both labels must be loaded.
    stable, canary : str
        Labels.
    shares : sequence of float
        The canary's share at each step, ascending; after the last it gets everything.
    looks, every_s
        How often each step is judged at most, and how long between two looks.
    margin, alpha
        As for `judge`; alpha is for all steps together.

    Returns
    -------
    Verdict
        "go on": the canary has everything. "roll back": it was worse. "wait": some
        step could not be decided; it is rolled back too.
    """
    steps = [0.0, *shares, 1.0]
    if sorted(set(steps)) != steps:
        raise ValueError(f"shares={list(shares)}: give ascending shares below 1.")
    before_all = service.live
    every = looks * len(shares)
    verdict = Verdict("wait", ("no step",))
    for share in shares:
        _give(service, {stable: 1 - share, canary: share})
        began = {label: replace(_tally(service, label)) for label in (stable, canary)}
        for _ in range(looks):
            await asyncio.sleep(every_s)
            now = [
                _tally(service, label).since(began[label]) for label in (stable, canary)
            ]
            verdict = judge(*now, margin=margin, alpha=alpha, looks=every)
            if verdict.action != "wait":
                break
        if verdict.action != "go on":
            service.deploy(before_all)
            return verdict
    _give(service, {canary: 1.0})
    return verdict


def _tally(service: Watched, label: str) -> Tally:
    """Return what a label did so far."""
    return service.tallies.get(label, Tally())


def _give(service: Watched, weights: dict[str, float]) -> None:
    """Change the weights alone."""
    live = service.live
    service.deploy(Deployment(live.models, weights, live.shadows))
