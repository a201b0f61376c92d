"""An experiment: who is in it, in which shares, and what it is judged by.

Everything that an assignment depends on stands in one frozen object, which refuses at
once what would go wrong weeks later: weights that do not add up, an arm nobody is in,
a segment that no request has.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from numbers import Integral, Real

from flightline import lake

SLOTS = 1_000
"""How many slots a layer has."""

ADDS_UP = 1e-5
"""How far from one the sum of the weights may be: three thirds are written .33333."""

TEXT_FIELDS = ("carrier", "origin", "dest")
"""Fields of a request that a segment may list values of."""

NUMBER_FIELDS = ("flight", "distance", "block_min")
"""Fields of a request that a segment may give a range of."""

Condition = tuple[str, ...] | tuple[float, float]
"""The values that are in a segment, or a range from its first number to below its
second."""


@dataclass(frozen=True)
class Experiment:
    """An experiment, checked when it is made.

    Parameters
    ----------
    name : str
        Such as "b_warns"; like every name here without "|" and blank ends.
    weights : mapping of str to float
        The share of each arm, two arms or more; positive, and together 1. They are
        kept in the order of the arms' names, so that a file that was sorted assigns
        as before.
    salt : str
        What the hash depends on beside the unit; the name by default. Units change
        arms if it changes, and also if the weights do.
    traffic : float
        The share of the units that is in the experiment, 0 to 1. More of it adds
        units and moves none.
    unit : str
        What an id names: "flight", "day".
    control : str
        The arm that the others are compared with; "control" if there is such an arm,
        else the first by name.
    layer, slots
        Experiments of one layer share its 1,000 slots, of which each unit has one;
        `slots` is the first and the one after the last. Without a layer, an
        experiment has every unit.
    segments : mapping of str to tuple
        Which requests are in: for carrier, origin and dest the values, for flight,
        distance and block_min a range (from, below). All conditions must hold.
    holdout, holdout_salt
        The share of units that no experiment with this salt may have.
    primary : str
        The name of the metric that decides.
    guardrails : mapping of str to float
        For each metric that must not get worse, the loss that is still accepted.
    units_per_arm : int, optional
        The sample size that was planned.
    start, end : date or its ISO text, optional
        The first and the last day.

    Raises
    ------
    ValueError
        If anything is not as above; it names the experiment, the field and the value.

    Examples
    --------
    >>> Experiment("b_warns", {"treatment": 0.5, "control": 0.5}).arms
    ('control', 'treatment')
    """

    name: str
    weights: Mapping[str, float] = field(hash=False)
    salt: str = ""
    traffic: float = 1.0
    unit: str = "flight"
    control: str = ""
    layer: str = ""
    slots: tuple[int, int] = (0, SLOTS)
    segments: Mapping[str, Condition] = field(default_factory=dict, hash=False)
    holdout: float = 0.0
    holdout_salt: str = "holdout"
    primary: str = "reward"
    guardrails: Mapping[str, float] = field(default_factory=dict, hash=False)
    units_per_arm: int | None = None
    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        """Check every field, and bring it to its type."""
        must_be_a_name(self.name, "the name of an experiment")
        where = f"experiment {self.name!r}"
        self._set("salt", self.name if self.salt == "" else self.salt)
        for one in ("salt", "unit", "holdout_salt", "primary"):
            must_be_a_name(getattr(self, one), f"{where}: {one}")
        for one in ("traffic", "holdout"):
            self._set(one, share_of(getattr(self, one), f"{where}: {one}"))
        self._set("weights", _weights(self.weights, where))
        self._set("control", _control(self.control, self.arms, where))
        self._set("slots", _slots(self.layer, self.slots, where))
        self._set("segments", segments_of(self.segments, where))
        self._set("guardrails", _guardrails(self.guardrails, where))
        self._set("units_per_arm", _planned(self.units_per_arm, where))
        self._set_dates(where)

    def _set(self, name: str, value: object) -> None:
        """Store a checked value."""
        object.__setattr__(self, name, value)

    def _set_dates(self, where: str) -> None:
        """Bring both dates to their type, and refuse an end before the start."""
        for one in ("start", "end"):
            self._set(one, _day(getattr(self, one), f"{where}: {one}"))
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"{where}: it ends on {self.end}, before {self.start}.")

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of the arms, in order."""
        return tuple(self.weights)

    def runs_on(self, day: date) -> bool:
        """Tell whether a day lies between the first and the last, both included.

        Parameters
        ----------
        day : date
            Without a time of day: whoever has one knows in which zone it is.

        Returns
        -------
        bool

        Raises
        ------
        ValueError
            If it is no date.
        """
        if not isinstance(day, date) or isinstance(day, datetime):
            raise ValueError(
                f"experiment {self.name!r}: day is {day!r}. Give a date without a time "
                "of day."
            )
        begun = self.start is None or self.start <= day
        return begun and (self.end is None or day <= self.end)


def must_be_a_name(value: object, what: str) -> None:
    """Refuse what is no name: no text, blank, blank ends, or with a "|" in it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} is {value!r}. Give it a text that is not blank.")
    if value != value.strip() or "|" in value or not value.isprintable():
        raise ValueError(
            f"{what} is {value!r}. Leave out '|', blank ends and what does not print."
        )


def number_of(value: object, what: str) -> float:
    """Return a finite number; refuse anything else."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise ValueError(f"{what} is {value!r}. It must be a number.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} is {number}. It must be a finite number.")
    return number


def share_of(value: object, what: str) -> float:
    """Return a number from 0 to 1; refuse anything else."""
    share = number_of(value, what)
    if not 0 <= share <= 1:
        raise ValueError(f"{what} is {value!r}. A share lies between 0 and 1.")
    return share


def must_be_a_mapping(value: object, what: str, like: str) -> None:
    """Refuse what has no names and values."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is {value!r}. Give a mapping such as {like}.")


def _weights(weights: Mapping[str, float], where: str) -> dict[str, float]:
    """Return the weights in the order of the arms' names."""
    example = "{'control': 0.5, 'treatment': 0.5}"
    must_be_a_mapping(weights, f"{where}: weights", example)
    for arm in weights:
        must_be_a_name(arm, f"{where}: the name of an arm")
    if len(weights) < 2:
        raise ValueError(
            f"{where} has {len(weights)} arms ({', '.join(weights) or 'none'}). "
            "A comparison needs two or more."
        )
    shares = {
        arm: number_of(weights[arm], f"{where}: the weight of {arm!r}")
        for arm in sorted(weights)
    }
    for arm, share in shares.items():
        if share <= 0:
            raise ValueError(
                f"{where}: the weight of {arm!r} is {share:g}, so that nobody is in "
                "it. Give it a positive weight, or leave the arm out."
            )
    total = math.fsum(shares.values())
    if abs(total - 1) > ADDS_UP:
        raise ValueError(
            f"{where}: the weights add up to {total:.6g}, not to 1: {shares}. To let "
            "in fewer units, lower traffic."
        )
    return shares


def _control(control: str, arms: tuple[str, ...], where: str) -> str:
    """Return the arm that the others are compared with."""
    if control == "":
        return "control" if "control" in arms else arms[0]
    if control not in arms:
        raise ValueError(
            f"{where}: control is {control!r}, an unknown arm. It has: "
            f"{', '.join(arms)}."
        )
    return control


def _slots(layer: str, slots: tuple[int, int], where: str) -> tuple[int, int]:
    """Return the slots of an experiment in its layer."""
    if layer != "":
        must_be_a_name(layer, f"{where}: layer")
    pair = tuple(slots) if isinstance(slots, tuple | list) else ()
    whole = all(isinstance(n, Integral) and not isinstance(n, bool) for n in pair)
    if len(pair) != 2 or not whole or not 0 <= pair[0] < pair[1] <= SLOTS:
        raise ValueError(
            f"{where}: slots is {slots!r}. Give the first and the one after the last, "
            f"such as (0, 500), from 0 to {SLOTS}."
        )
    first, after = int(pair[0]), int(pair[1])
    if layer == "" and (first, after) != (0, SLOTS):
        raise ValueError(f"{where} has slots {slots!r}, but no layer. Name the layer.")
    return first, after


def segments_of(segments: Mapping[str, Condition], where: str) -> dict[str, Condition]:
    """Return the conditions of a segment; refuse what no request can meet.

    Parameters
    ----------
    segments : mapping of str to list or tuple
        As for `Experiment`.
    where : str
        Whose they are, for the message.

    Returns
    -------
    dict of str to tuple

    Raises
    ------
    ValueError
        If a field is unknown, a value is impossible, or a range is empty.
    """
    must_be_a_mapping(segments, f"{where}: segments", "{'origin': ['JFK']}")
    found: dict[str, Condition] = {}
    for name, values in segments.items():
        if name not in TEXT_FIELDS + NUMBER_FIELDS:
            known = ", ".join(TEXT_FIELDS + NUMBER_FIELDS)
            raise ValueError(f"{where}: no segment by {name!r}, only by {known}.")
        if not isinstance(values, tuple | list | set | frozenset) or not values:
            raise ValueError(
                f"{where}: the segment by {name} is {values!r}. Give a list."
            )
        if name in TEXT_FIELDS:
            found[name] = _texts(values, name, where)
        else:
            found[name] = _range(tuple(values), name, where)
    return found


def _texts(
    values: tuple[object, ...] | list[object] | set[object] | frozenset[object],
    name: str,
    where: str,
) -> tuple[str, ...]:
    """Return the values of a text field, sorted, each one once."""
    for value in values:
        if not isinstance(value, str) or not re.fullmatch(lake.TEXTS[name], value):
            raise ValueError(f"{where}: no {name} is {value!r}: an unknown segment.")
    return tuple(sorted({str(value) for value in values}))


def _range(values: tuple[object, ...], name: str, where: str) -> tuple[float, float]:
    """Return the range of a field of numbers."""
    if len(values) != 2:
        raise ValueError(f"{where}: {name} is {values!r}. Give (from, below).")
    low, high = (number_of(value, f"{where}: {name}") for value in values)
    if not low < high:
        raise ValueError(f"{where}: {name} from {low:g} to below {high:g} is empty.")
    return low, high


def _guardrails(margins: Mapping[str, float], where: str) -> dict[str, float]:
    """Return the margin of each guardrail."""
    must_be_a_mapping(margins, f"{where}: guardrails", "{'latency_ms': 5}")
    found = {}
    for metric, margin in margins.items():
        must_be_a_name(metric, f"{where}: a guardrail's metric")
        found[metric] = number_of(margin, f"{where}: the margin of {metric}")
        if found[metric] <= 0:
            raise ValueError(
                f"{where}: the margin of {metric} is {margin:g}. It must be positive: "
                "no experiment can exclude a loss of every size."
            )
    return found


def _planned(units: int | None, where: str) -> int | None:
    """Return the planned units of an arm."""
    if units is None:
        return None
    if not isinstance(units, Integral) or isinstance(units, bool) or units < 1:
        raise ValueError(f"{where}: units_per_arm is {units!r}. Give a whole number.")
    return int(units)


def _day(value: object, what: str) -> date | None:
    """Return a date, also from its text."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(
                f"{what} is {value!r}, no date such as 2013-07-01."
            ) from None
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise ValueError(f"{what} is {value!r}. Give a date without a time of day.")
