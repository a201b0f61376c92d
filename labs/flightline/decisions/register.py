"""Pre-registration: a file that says what is analysed, and cannot be exceeded."""

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import TextIO, cast

import numpy as np

from flightline.decisions.boundaries import boundaries
from flightline.decisions.guardrails import Guardrail
from flightline.decisions.inputs import Floats, number, one_of, rate, whole
from flightline.decisions.spending import spending_bounds

RULES = ("fixed", "pocock", "obrien_fleming", "lan_demets")
"""Rules that a registration may name."""

SMALLEST = 2
"""Day of the earliest look: one day has no variance."""


class RegistrationError(ValueError):
    """The analysis asks for something else than what was registered."""


@dataclass(frozen=True)
class Margin:
    """How much of a guardrail may be lost.

    Parameters
    ----------
    margin : float
        As a positive number in `unit`.
    unit : str
        Of the metric.
    better : {"higher", "lower"}
        Which way the metric is good.
    """

    margin: float
    unit: str
    better: str = "higher"

    def __post_init__(self) -> None:
        """Check it as a guardrail would."""
        Guardrail(0.0, 1.0, self.margin, self.unit, better=self.better)
        object.__setattr__(self, "margin", float(self.margin))


@dataclass(frozen=True)
class Registration:
    """What is analysed, when, and by which rule, written before the first day.

    Parameters
    ----------
    metric, unit : str
        The one primary metric, and its unit.
    horizon : int
        Days of the experiment.
    looks : sequence of int
        Days after which somebody looks, rising; the last is the horizon.
    analysis_date : str
        Date of the final analysis, as 2013-09-30.
    rule : {"fixed", "pocock", "obrien_fleming", "lan_demets"}
        "fixed" has one look. Pocock and O'Brien-Fleming need looks that are equally far
        apart; Lan-DeMets takes any.
    alpha : float
        Two-sided error of the primary metric, and one-sided of each guardrail.
    cost : float
        What a shipped change costs, in `unit`.
    guardrails : mapping of str to Margin
        By the name of the metric.

    Raises
    ------
    ValueError
        If a part contradicts another, or is out of its range.
    """

    metric: str
    unit: str
    horizon: int
    looks: Sequence[int]
    analysis_date: str
    rule: str = "lan_demets"
    alpha: float = 0.05
    cost: float = 0.0
    guardrails: Mapping[str, Margin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check all of it, once."""
        for name in ("metric", "unit", "analysis_date"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise ValueError(f"{name}={value!r} must be a text.")
        one_of(self.rule, "rule", RULES)
        if number(self.cost, "cost") < 0:
            raise ValueError(f"cost={self.cost:g} must be 0 or more.")
        _date(self.analysis_date)
        checked = {
            "horizon": whole(self.horizon, "horizon", SMALLEST),
            "looks": self._checked_looks(),
            "alpha": rate(self.alpha),
            "cost": float(self.cost),
            "guardrails": self._checked_guardrails(),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def _checked_guardrails(self) -> dict[str, Margin]:
        """Return the margins by name, none of them for the primary metric."""
        if not isinstance(self.guardrails, Mapping):
            raise ValueError("guardrails are no mapping: give a Margin by name.")
        for name, margin in self.guardrails.items():
            if not isinstance(name, str) or not isinstance(margin, Margin):
                raise ValueError(f"guardrail {name!r} is {margin!r}: give a Margin.")
        if self.metric in self.guardrails:
            raise ValueError(f"{self.metric!r} is primary metric and guardrail.")
        return dict(self.guardrails)

    def _checked_looks(self) -> tuple[int, ...]:
        """Return the looks if they rise, end at the horizon, and fit the rule."""
        horizon = whole(self.horizon, "horizon", SMALLEST)
        if isinstance(self.looks, str | bytes) or not isinstance(self.looks, Sequence):
            raise ValueError(f"looks={self.looks!r}: give the days, as [7, 14, 28].")
        looks = [whole(look, "a look", SMALLEST) for look in self.looks]
        gaps = np.diff(looks)
        if not looks or looks[-1] != horizon or (gaps <= 0).any():
            raise ValueError(
                f"looks={looks} must rise, and end at the horizon {horizon}."
            )
        if self.rule == "fixed" and len(looks) > 1:
            raise ValueError(f"rule 'fixed' has one look; {len(looks)} were given.")
        equal = np.ptp([looks[0], *gaps]) == 0
        if self.rule in ("pocock", "obrien_fleming") and not equal:
            raise ValueError(
                f"rule {self.rule!r} needs equal looks, and {looks} are not: use "
                "'lan_demets'."
            )
        return tuple(looks)

    @property
    def bounds(self) -> Floats:
        """The bound of |Z| at each look, shape (looks,)."""
        return _bounds(self.rule, tuple(self.looks), self.alpha).copy()

    @property
    def digest(self) -> str:
        """SHA-256 of all that is registered, in hexadecimal."""
        said = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(said.encode()).hexdigest()

    def allow(self, *, metric: str, alpha: float, looks: Sequence[int]) -> None:
        """Refuse an analysis that goes beyond the registration.

        Parameters
        ----------
        metric : str
            The primary metric of the analysis.
        alpha : float
            Its two-sided error.
        looks : sequence of int
            Days after which somebody has looked, the last one now.

        Raises
        ------
        RegistrationError
            If the metric or alpha is another, or a look was not registered.
        """
        if metric != self.metric:
            raise RegistrationError(
                f"metric {metric!r} is not the registered one: {self.metric!r}."
            )
        if not math.isclose(alpha, self.alpha, rel_tol=1e-12):
            raise RegistrationError(
                f"alpha={alpha:g} is not the registered one: {self.alpha:g}."
            )
        extra = sorted(set(looks) - set(self.looks))
        if extra:
            days = ", ".join(map(str, extra))
            raise RegistrationError(
                f"looks after day {days} were not registered: "
                f"{', '.join(map(str, self.looks))} were."
            )

    def write(self, path: Path) -> None:
        """Write the registration once, as JSON with its digest.

        Parameters
        ----------
        path : Path
            A file that does not exist yet.

        Raises
        ------
        RegistrationError
            If the file exists: a registration is not changed.
        OSError
            If it cannot be written; nothing is left behind.
        """
        body = json.dumps(asdict(self) | {"digest": self.digest}, indent=1)
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                _write_whole(file, f"{body}\n")
        except FileExistsError:
            raise RegistrationError(
                f"{path} exists: a registration is written once. Name a new experiment."
            ) from None


def _write_whole(file: TextIO, text: str) -> None:
    """Write a text; on a full disk take the file away, for another attempt."""
    try:
        file.write(text)
        file.flush()
    except OSError:
        Path(file.name).unlink()
        raise


def read_registration(path: Path, digest: str | None = None) -> Registration:
    """Read a registration, and refuse one that was changed.

    Parameters
    ----------
    path : Path
        What `Registration.write` wrote.
    digest : str, optional
        The digest that you kept elsewhere (a commit, a tracked run, a message). Without
        it a slip is found, and somebody who also writes a new digest is not.

    Returns
    -------
    Registration

    Raises
    ------
    RegistrationError
        If the file is torn, lacks a field, has one too many, holds values of another
        kind, or is not what was registered.
    OSError
        If there is no such file.
    """
    path = Path(path)
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise RegistrationError(f"{path} is no registration: {error}.") from None
    if not isinstance(given, dict) or "digest" not in given:
        raise RegistrationError(f"{path} is no registration: it has no digest.")
    stored = given.pop("digest")
    try:
        made = _made(given)
        fits = made.digest == stored
    except (TypeError, ValueError, AttributeError) as error:
        raise RegistrationError(f"{path} is no registration: {error}") from None
    if not fits:
        raise RegistrationError(
            f"{path} was changed since it was written: its digest is "
            f"{made.digest[:12]}, and it says {str(stored)[:12]}. Take the file that "
            "was registered."
        )
    if digest is not None and made.digest != digest.strip().lower():
        raise RegistrationError(
            f"{path} is not the registration whose digest you kept "
            f"({digest.strip()[:12]}): its own is {made.digest[:12]}."
        )
    return made


@cache
def _bounds(rule: str, looks: tuple[int, ...], alpha: float) -> Floats:
    """Return the bounds of a rule; they take some hundredths of a second."""
    if rule in ("pocock", "obrien_fleming"):
        return boundaries(rule, len(looks), alpha)
    return spending_bounds(np.array(looks) / looks[-1], alpha)


def _made(given: Mapping[str, object]) -> Registration:
    """Return a registration from what a file holds."""
    wrong = sorted(set(given) ^ set(Registration.__dataclass_fields__))
    if wrong:
        raise ValueError(f"fields missing or unknown: {', '.join(wrong)}.")
    guards = given["guardrails"]
    if not isinstance(guards, dict):
        raise ValueError("guardrails are no mapping.")
    margins = {name: Margin(**guard) for name, guard in guards.items()}
    fields = cast(dict[str, object], {**given, "guardrails": margins})
    return Registration(**fields)  # type: ignore[arg-type]  # checked when made


def _date(text: str) -> dt.date:
    """Return a date, or refuse a text that is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"analysis_date={text!r} is no date such as 2013-09-30."
        ) from None
