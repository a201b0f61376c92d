"""Assignment: which arm a unit is in, now and for as long as the experiment lasts.

Nothing is stored: an arm is a hash of the unit and the salt. Each question that is
asked of a unit (its slot in a layer, the holdout, the traffic, the arm) has a hash of
its own, so that no answer depends on another one.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from numbers import Real

import pandas as pd

from flightline.experiments.core import arm_of, uniform
from flightline.experiments.experiment import SLOTS, TEXT_FIELDS, Experiment

OUTSIDE = ""
"""The answer for a unit that is not in the experiment."""

NULL_TEXTS = ("nan", "NaN", "None", "<NA>", "NaT", "null")
"""What nulls become when a column is turned into texts: one id for very many units."""


def must_be_an_id(unit_id: object) -> None:
    """Refuse what identifies nobody: no text, a blank one, or the text of a null."""
    if not isinstance(unit_id, str):
        raise ValueError(
            f"unit_id is {unit_id!r} ({type(unit_id).__name__}), no text. Give the id "
            "as a str, written the same way everywhere: 7 and 7.0 are two units."
        )
    if not unit_id.strip() or unit_id in NULL_TEXTS:
        raise ValueError(
            f"unit_id is {unit_id!r}: a unit without an id cannot be assigned. Leave "
            "it out, and count it."
        )
    try:
        unit_id.encode()
    except UnicodeEncodeError:
        raise ValueError(f"unit_id is {unit_id!r}, which is no valid text.") from None


def assign(unit_id: str, experiment: Experiment) -> str:
    """Return the arm of a unit.

    Parameters
    ----------
    unit_id : str
        The id of what is assigned: of the flight, the day.
    experiment : Experiment
        Its segments are not looked at here: they are about requests (`eligible`).

    Returns
    -------
    str
        An arm, or "" for a unit outside: in another slot of the layer, held out, or
        not in the traffic yet. The same answer in each process and on each day.

    Raises
    ------
    ValueError
        If the id is no text, is blank, or is the text of a null such as "nan"; or if
        the experiment is none.

    Examples
    --------
    >>> assign("2013-07-04", Experiment("b_warns", {"a": 0.5, "b": 0.5}))
    'a'
    """
    must_be_an_id(unit_id)
    _must_be_an_experiment(experiment)
    return _arm(unit_id, experiment)


def _must_be_an_experiment(experiment: object) -> None:
    """Refuse weights or a name in the place of an experiment."""
    if not isinstance(experiment, Experiment):
        kind = type(experiment).__name__
        raise ValueError(
            f"experiment is a {kind}. Make one: Experiment(name, weights)."
        )


def _arm(unit_id: str, experiment: Experiment) -> str:
    """Return the arm of an id that was checked."""
    if not _has_slot(unit_id, experiment) or _is_held_out(unit_id, experiment):
        return OUTSIDE
    return arm_of(unit_id, experiment.salt, experiment.weights, experiment.traffic)


def _has_slot(unit_id: str, experiment: Experiment) -> bool:
    """Tell whether the layer leaves a unit to an experiment."""
    if experiment.layer == "":
        return True
    first, after = experiment.slots
    return first <= slot_of(unit_id, experiment.layer) < after


def slot_of(unit_id: str, layer: str) -> int:
    """Return the one slot that a unit has in a layer, 0 to 999."""
    return int(uniform(unit_id, f"{layer}|layer") * SLOTS)


def _is_held_out(unit_id: str, experiment: Experiment) -> bool:
    """Tell whether a unit is held out of every experiment with this holdout."""
    if experiment.holdout == 0:
        return False
    return uniform(unit_id, f"{experiment.holdout_salt}|holdout") < experiment.holdout


def assign_many(unit_ids: pd.Series, experiment: Experiment) -> pd.Series:
    """Return the arm of each unit of a column.

    Parameters
    ----------
    unit_ids : Series of str
        Of any text type: objects, Arrow strings, categories. Ids may repeat.
    experiment : Experiment

    Returns
    -------
    Series of str
        What `assign` returns for each, with the index of `unit_ids` and the name
        "arm".

    Raises
    ------
    ValueError
        If an id is null (it says how many, and the first row) or is refused by
        `assign`.
    """
    if not isinstance(unit_ids, pd.Series):
        kind = type(unit_ids).__name__
        raise ValueError(f"unit_ids is a {kind}. Give a Series of texts.")
    missing = unit_ids.isna().to_numpy()
    if missing.any():
        raise ValueError(
            f"unit_ids is null in {missing.sum()} of {len(unit_ids)} rows (first: row "
            f"{missing.argmax()}). Leave these rows out, and count them."
        )
    values = unit_ids.tolist()
    for unit_id in values:
        if not isinstance(unit_id, str):
            must_be_an_id(unit_id)
    _must_be_an_experiment(experiment)
    arms = dict.fromkeys(values, OUTSIDE)  # each id once, in the order of memory
    for unit_id in arms:
        must_be_an_id(unit_id)
        arms[unit_id] = _arm(unit_id, experiment)
    found = [arms[unit_id] for unit_id in values]
    return pd.Series(found, index=unit_ids.index, name="arm", dtype=object)


def eligible(request_fields: Mapping[str, object], experiment: Experiment) -> bool:
    """Tell whether a request is in the segments of an experiment.

    Parameters
    ----------
    request_fields : mapping
        What is known of the request before it is answered: carrier, origin, dest,
        flight, distance, block_min. Further fields are ignored.
    experiment : Experiment

    Returns
    -------
    bool
        True if every condition holds, and so without conditions.

    Raises
    ------
    ValueError
        If the request lacks a field that a condition is about, or it has no value
        of its kind.
    """
    return meets(request_fields, experiment.segments, experiment.name)


def meets(
    request_fields: Mapping[str, object],
    segments: Mapping[str, tuple[str, ...] | tuple[float, float]],
    owner: str,
) -> bool:
    """Tell whether a request meets every condition; `owner` is for the message."""
    for name, wanted in segments.items():
        value = request_fields.get(name)
        kind = str if name in TEXT_FIELDS else Real
        if not isinstance(value, kind) or value != value:
            raise ValueError(
                f"{owner} has a segment by {name}, and the request's is {value!r}. "
                "Pass the fields of a request that was validated."
            )
        if isinstance(value, str):
            if value not in wanted:
                return False
        elif not wanted[0] <= value < wanted[1]:  # type: ignore[operator]
            return False
    return True


def layers(experiments: Iterable[Experiment]) -> dict[str, tuple[Experiment, ...]]:
    """Return the experiments of each layer, and refuse those that would share units.

    Two experiments of one layer never have a unit in common. Two layers are
    independent: each hashes the units with its own name.

    Parameters
    ----------
    experiments : iterable of Experiment
        Those without a layer are left out.

    Returns
    -------
    dict of str to tuple of Experiment
        In the order of their slots.

    Raises
    ------
    ValueError
        If slots overlap, or the experiments of a layer differ in their unit.
    """
    found: dict[str, list[Experiment]] = {}
    for experiment in experiments:
        if experiment.layer != "":
            found.setdefault(experiment.layer, []).append(experiment)
    for layer, members in found.items():
        members.sort(key=lambda one: one.slots)
        for before, after in pairwise(members):
            _must_be_apart(before, after, layer)
    return {layer: tuple(members) for layer, members in found.items()}


def _must_be_apart(before: Experiment, after: Experiment, layer: str) -> None:
    """Refuse two neighbours in a layer that could share a unit."""
    names = f"layer {layer!r}: {before.name!r} and {after.name!r}"
    if before.unit != after.unit:
        raise ValueError(
            f"{names} assign a {before.unit} and a {after.unit}. Nothing excludes "
            "each other there: give them two layers."
        )
    if after.slots[0] < before.slots[1]:
        raise ValueError(
            f"{names} overlap: slots {before.slots} and {after.slots}. Take free ones."
        )
