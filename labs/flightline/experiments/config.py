"""The configuration: all experiments and flags of a service, held against each other.

What is wrong between experiments shows only here: a name or a salt used twice, slots
that overlap, units that one experiment holds out and another one has.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from flightline.experiments.assignment import (
    OUTSIDE,
    assign,
    eligible,
    layers,
    must_be_an_id,
)
from flightline.experiments.experiment import Experiment, must_be_a_name, share_of
from flightline.experiments.flags import Flag

HOLDOUT = ("holdout", "holdout_salt")
"""What is stated once, for all experiments."""


@dataclass(frozen=True)
class Config:
    """All experiments and flags of a service, checked against each other.

    Parameters
    ----------
    experiments : iterable of Experiment
    flags : iterable of Flag
    holdout, holdout_salt
        The units that no experiment may have; each experiment states the same.

    Raises
    ------
    ValueError
        If a name or a salt is used twice, slots of a layer overlap, or experiments
        differ in their holdout.
    """

    experiments: tuple[Experiment, ...] = ()
    flags: tuple[Flag, ...] = ()
    holdout: float = 0.0
    holdout_salt: str = "holdout"

    def __post_init__(self) -> None:
        """Check what no experiment can check alone."""
        for name, kind in (("experiments", Experiment), ("flags", Flag)):
            object.__setattr__(self, name, _all_of(getattr(self, name), kind, name))
        must_be_a_name(self.holdout_salt, "holdout_salt")
        share = share_of(self.holdout, "holdout")
        object.__setattr__(self, "holdout", share)
        everything: list[Experiment | Flag] = [*self.experiments, *self.flags]
        _must_be_used_once("name", everything)
        _must_be_used_once("salt", everything)
        layers(self.experiments)
        for experiment in self.experiments:
            self._must_agree(experiment)

    def _must_agree(self, experiment: Experiment) -> None:
        """Refuse an experiment that holds out other units."""
        for name in HOLDOUT:
            own, common = getattr(experiment, name), getattr(self, name)
            if own != common:
                raise ValueError(
                    f"experiment {experiment.name!r}: {name} is {own!r}, and in the "
                    f"configuration {common!r}. State it once, for all experiments."
                )

    def flag(self, name: str) -> Flag:
        """Return the flag of a name; a ValueError names those that there are."""
        return _named(name, self.flags, "flag")

    def experiment(self, name: str) -> Experiment:
        """Return the experiment of a name, as `flag` does."""
        return _named(name, self.experiments, "experiment")


def _all_of(things: object, kind: type, name: str) -> tuple[object, ...]:
    """Return a tuple of things of one kind; refuse anything else."""
    found = tuple(things) if isinstance(things, Iterable) else (things,)
    if not isinstance(things, Iterable) or not all(isinstance(t, kind) for t in found):
        kinds = ", ".join(sorted({type(thing).__name__ for thing in found}))
        raise ValueError(
            f"{name} is a {type(things).__name__} of {kinds}. Give a tuple of "
            f"{kind.__name__}."
        )
    return found


Named = TypeVar("Named", Experiment, Flag)


def _named(name: str, things: Iterable[Named], what: str) -> Named:
    """Return the one of a name."""
    found = {one.name: one for one in things}
    if name not in found:
        known = ", ".join(found) or "none"
        raise ValueError(f"There is no {what} {name!r}, only: {known}.")
    return found[name]


def _must_be_used_once(what: str, things: Iterable[Experiment | Flag]) -> None:
    """Refuse a name or salt that two experiments or flags have."""
    owners: dict[str, str] = {}
    for one in things:
        text = str(getattr(one, what))
        if text in owners:
            raise ValueError(
                f"{one.name!r} has the {what} {text!r} of {owners[text]!r}. With one "
                "salt for two, each arm of the one is an arm of the other: give it "
                f"a {what} of its own."
            )
        owners[text] = one.name


def assignment_function(
    config: Config, *, unit: str = "flight", today: Callable[[], date] | None = None
) -> Callable[[str, Mapping[str, object]], dict[str, str]]:
    """Return the function that a service asks for the arms of a request.

    Parameters
    ----------
    config : Config
    unit : str
        What the ids are that the function will get; experiments on other units are
        left out.
    today : callable, optional
        Returns the date; experiments that do not run on it are left out. By default
        no date is looked at.

    Returns
    -------
    callable
        Maps (unit_id, request fields) to {experiment: arm}, without the experiments
        that the request or the unit is outside of. It raises as `assign` and
        `eligible` do.
    """
    mine = [one for one in config.experiments if one.unit == unit]

    def arms_of(unit_id: str, request_fields: Mapping[str, object]) -> dict[str, str]:
        """Return the arm of the unit in each experiment that it is in."""
        must_be_an_id(unit_id)
        day = None if today is None else today()
        arms = {
            one.name: assign(unit_id, one)
            for one in mine
            if (day is None or one.runs_on(day)) and eligible(request_fields, one)
        }
        return {name: arm for name, arm in arms.items() if arm != OUTSIDE}

    return arms_of


def moved(before: Config, after: Config) -> list[str]:
    """Name what would give units another arm: look before you save.

    Parameters
    ----------
    before, after : Config

    Returns
    -------
    list of str
        A sentence for each experiment whose weights changed while its salt stayed. A
        share of traffic, slots or a holdout that changed lets units in or out and
        moves none between arms.
    """
    was = {one.salt: one for one in before.experiments}
    return [
        f"{one.name!r} changes its weights from {dict(was[one.salt].weights)} to "
        f"{dict(one.weights)} with the salt {one.salt!r}: units change arms. Give it "
        "a new salt, or change traffic instead."
        for one in after.experiments
        if one.salt in was and one.weights != was[one.salt].weights
    ]
