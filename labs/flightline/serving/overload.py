"""Too much work: how many may be inside, who is sent away, what is not worth doing."""

import math
import re
from collections import Counter

from flightline.serving.refusals import Refused


class Limit:
    """How many requests may be inside at once; the rest is refused, cheaply.

    Without a limit a service that is offered more than it can do answers everybody
    late, and so nobody: its queue grows for as long as the load lasts. With one, the
    requests that come in are answered in time, and the others know it at once.

    Parameters
    ----------
    most : int
        Requests inside.
    per_caller : int, optional
        Those of one caller; by default three quarters, so that no caller fills the
        house alone.
    """

    def __init__(self, most: int = 64, per_caller: int | None = None) -> None:
        if most < 1 or (per_caller is not None and not 1 <= per_caller <= most):
            raise ValueError(f"most={most}, per_caller={per_caller}: at least 1 each.")
        self.most = most
        self.per_caller = per_caller or max(1, math.ceil(most * 0.75))
        self.inside, self.shed = 0, 0
        self.callers: Counter[str] = Counter()

    def enter(self, caller: str) -> None:
        """Count a request in; a `Refused` (503) says that there is no room."""
        if self.inside >= self.most or self.callers[caller] >= self.per_caller:
            self.shed += 1
            raise Refused(
                503,
                "overloaded",
                "The service is full. Wait, and retry only a few of your requests.",
                {"Retry-After": "1"},
            )
        self.inside += 1
        self.callers[caller] += 1

    def leave(self, caller: str) -> None:
        """Count a request out."""
        self.inside -= 1
        self.callers[caller] -= 1
        if not self.callers[caller]:
            del self.callers[caller]


class RetryBudget:
    """How often a caller may retry: a share of its first tries.

    Retries are load that appears when there is too much already. A caller that adds at
    most a tenth to its own traffic cannot make an overload last.

    Parameters
    ----------
    share : float
        Retries for each first try.
    reserve : float
        Retries that are there at the start, and the most that can be saved up.
    """

    def __init__(self, share: float = 0.1, reserve: float = 10.0) -> None:
        if not 0 <= share < math.inf or not 0 <= reserve < math.inf:
            raise ValueError(f"share={share}, reserve={reserve}: zero or more each.")
        self.share, self.reserve, self.saved = share, reserve, reserve

    def first_try(self) -> None:
        """Count a first try."""
        self.saved = min(self.saved + self.share, self.reserve)

    def may_retry(self) -> bool:
        """Take one retry, if one is left."""
        if self.saved < 1:
            return False
        self.saved -= 1
        return True


DEADLINE_HEADER = "X-Deadline-Ms"
DEADLINE_FORM = "^[1-9][0-9]{0,6}$"


def deadline_s(text: str) -> float:
    """Read how long a caller waits, in seconds.

    Raises
    ------
    Refused
        400 if it is no whole number of milliseconds, of seven digits at most.
    """
    if not re.fullmatch(DEADLINE_FORM[1:-1], text):
        raise Refused(
            400,
            "bad_deadline",
            f"{DEADLINE_HEADER} is a whole number of milliseconds, 1 to 9999999.",
        )
    return int(text) / 1000
