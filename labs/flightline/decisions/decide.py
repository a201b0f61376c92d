"""Ship, iterate or kill: from an interval, guardrails, and the cost of being wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np

from flightline.decisions.core import step_after
from flightline.decisions.guardrails import Guardrail
from flightline.decisions.inputs import number

Action = Literal["ship", "iterate", "kill"]
Guards = Mapping[str, Guardrail | bool | None]


class Evidence(Protocol):
    """What an analysis found: `experiments.Effect`, or anything with these four."""

    @property
    def estimate(self) -> float:
        """Treatment less control; a gain is positive."""

    @property
    def low(self) -> float:
        """Lower end of the interval."""

    @property
    def high(self) -> float:
        """Upper end of the interval."""

    @property
    def pvalue(self) -> float:
        """Two-sided, against no effect."""


@dataclass(frozen=True)
class Decision:
    """What to do, and why.

    Parameters
    ----------
    action : {"ship", "iterate", "kill"}
        Replace the control; change something or measure longer; give the change up.
    reasons : tuple of str
        Plain sentences that name the numbers, the primary metric first.
    """

    action: Action
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.action.upper(), *(f"- {why}" for why in self.reasons)])


def decide(primary: Evidence, guardrails: Guards, *, cost: float) -> Decision:
    """Decide what becomes of a change when its experiment has ended.

    Parameters
    ----------
    primary : Evidence
        Estimate and interval of the one primary metric. The interval has to hold at
        the moment of the decision: a fixed interval at the end of a fixed horizon, or
        one that is wider because you looked before.
    guardrails : mapping of str to Guardrail, bool or None
        By name. True is shown safe, False is not shown safe, None is not measured yet;
        all but safe keep a change from being shipped. Empty if there is none.
    cost : float
        What a shipped change costs per unit, in the unit of the effect: to run it, to
        keep it, and to have replaced something that worked. 0 if nothing.

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        If an end of the interval or the estimate is null or out of order, the p-value
        is none, a guardrail is something else, or the cost is no number from 0 on.

    Notes
    -----
    The promises. It ships only if the whole interval lies above the cost and each
    guardrail is shown safe. It kills only if the whole interval lies below the cost. In
    all other cases it iterates, so that a wide interval is never read as "no effect".
    Where shipping is free and a wrong change does no harm, shipping whatever looks
    better gains more than any such rule.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> found = SimpleNamespace(estimate=0.06, low=0.048, high=0.073, pvalue=1e-9)
    >>> decide(found, {"warnings": True}, cost=0.005).action
    'ship'
    >>> decide(found, {"warnings": None}, cost=0.005).action
    'iterate'
    """
    low, high, cost = _interval(primary), float(primary.high), _cost(cost)
    guards = _guards(guardrails)
    safe = {name: guard is True or _safe(guard) for name, guard in guards.items()}
    action = cast(Action, step_after(low, high, safe, cost))
    reasons = [_of_primary(primary, cost)]
    reasons += [_of_guard(name, guard) for name, guard in guards.items()]
    return Decision(action, (*reasons, _of_action(action, low > cost)))


def _interval(primary: Evidence) -> float:
    """Return the lower end of an effect that makes sense, or refuse it."""
    names = ("estimate", "low", "high", "pvalue")
    missing = [name for name in names if not hasattr(primary, name)]
    if missing:
        raise ValueError(f"primary has no {', '.join(missing)}: give an Effect.")
    estimate = number(primary.estimate, "primary.estimate")
    low = number(primary.low, "primary.low", infinite=True)
    high = number(primary.high, "primary.high", infinite=True)
    if not low <= estimate <= high:
        raise ValueError(
            f"primary: low={low:g}, estimate={estimate:g}, high={high:g} are not in "
            "order."
        )
    if not 0 <= number(primary.pvalue, "primary.pvalue") <= 1:
        raise ValueError(f"primary.pvalue={primary.pvalue:g} is outside of 0 to 1.")
    return low


def _cost(cost: float) -> float:
    """Return a cost from 0 on, or refuse it."""
    cost = number(cost, "cost")
    if cost < 0:
        raise ValueError(
            f"cost={cost:g}: what a shipped change costs is 0 or more. If it saves "
            "something, ask for `non_inferior` with the saving as margin."
        )
    return cost


def _guards(guardrails: Guards) -> dict[str, Guardrail | bool | None]:
    """Return the guardrails, each of a kind that says what it is."""
    if not isinstance(guardrails, Mapping):
        raise ValueError(
            f"guardrails is a {type(guardrails).__name__}: give a mapping of name to "
            "Guardrail, True, False or None."
        )
    guards: dict[str, Guardrail | bool | None] = {}
    for name, guard in guardrails.items():
        if isinstance(guard, np.bool_):
            guard = bool(guard)
        if not isinstance(guard, Guardrail | bool | None):
            raise ValueError(
                f"guardrail {name!r} is {guard!r}: give a Guardrail, True (shown "
                "safe), False (not shown safe) or None (not measured)."
            )
        guards[str(name)] = guard
    return guards


def _safe(guard: Guardrail | bool | None) -> bool:
    """Tell whether a measured guardrail is shown safe."""
    return isinstance(guard, Guardrail) and guard.state == "safe"


def _of_primary(primary: Evidence, cost: float) -> str:
    """Say where the interval lies."""
    span = f"{primary.estimate:+.4g} ({primary.low:+.4g} to {primary.high:+.4g})"
    if primary.low > cost:
        return f"The effect is {span}: all of it lies above the cost {cost:.4g}."
    if primary.high < cost:
        return f"The effect is {span}: all of it lies below the cost {cost:.4g}."
    return f"The effect is {span}: whether it is worth the cost {cost:.4g} is open."


def _of_guard(name: str, guard: Guardrail | bool | None) -> str:
    """Say what a guardrail shows."""
    if isinstance(guard, Guardrail):
        return f"Guardrail {name} {guard}."
    known = {True: "is shown safe", False: "is not shown safe", None: "is not measured"}
    return f"Guardrail {name} {known[guard]}."


def _of_action(action: Action, worth: bool) -> str:
    """Say what the action means."""
    if action == "ship":
        return "The change pays and no guardrail is in doubt: ship it."
    if action == "kill":
        return "The change does not pay for itself: give it up."
    if worth:
        return "The change pays, but a guardrail is not shown safe: mend or measure it."
    return "Neither gain nor loss is shown: measure longer, or change more."
