"""Feature flags: who has a feature, by the same hash, without a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flightline.experiments.assignment import meets, must_be_an_id
from flightline.experiments.core import uniform
from flightline.experiments.experiment import (
    Condition,
    must_be_a_name,
    segments_of,
    share_of,
)


@dataclass(frozen=True)
class Flag:
    """A feature flag: who has a feature, without a comparison.

    Parameters
    ----------
    name : str
        Such as "new_page".
    share : float
        The share of the units that have it, 0 to 1. More of it takes it from nobody.
    salt : str
        The name by default.
    segments : mapping of str to tuple
        As for `Experiment`.

    Raises
    ------
    ValueError
        If anything is not as above.
    """

    name: str
    share: float = 0.0
    salt: str = ""
    segments: Mapping[str, Condition] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check every field, and bring it to its type."""
        must_be_a_name(self.name, "the name of a flag")
        where = f"flag {self.name!r}"
        object.__setattr__(self, "share", share_of(self.share, f"{where}: share"))
        object.__setattr__(self, "salt", self.name if self.salt == "" else self.salt)
        must_be_a_name(self.salt, f"{where}: salt")
        object.__setattr__(self, "segments", segments_of(self.segments, where))


def is_on(
    flag: Flag, unit_id: str, request_fields: Mapping[str, object] | None = None
) -> bool:
    """Tell whether a unit has a feature.

    Parameters
    ----------
    flag : Flag
    unit_id : str
        As for `assign`.
    request_fields : mapping, optional
        As for `eligible`; needed if the flag has segments.

    Returns
    -------
    bool
        The same answer for a unit each time. Flags are independent of each other and
        of the experiments.

    Raises
    ------
    ValueError
        As `assign` and `eligible`.
    """
    must_be_an_id(unit_id)
    if not meets(request_fields or {}, flag.segments, f"flag {flag.name!r}"):
        return False
    return uniform(unit_id, f"{flag.salt}|flag") < flag.share
