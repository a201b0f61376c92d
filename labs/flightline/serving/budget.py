"""How much each caller may ask: a token bucket."""

import math


class TokenBucket:
    """A budget of requests: `burst` at once, and `rate_s` a second in the long run.

    Parameters
    ----------
    rate_s : float
        Tokens that come back each second, more than zero.
    burst : int
        How many tokens fit, at least one; the bucket starts full.
    now : float
        The clock, in seconds.

    Raises
    ------
    ValueError
        If `rate_s` or `burst` is not positive and finite.
    """

    __slots__ = ("burst", "rate_s", "then", "tokens")

    def __init__(self, rate_s: float, burst: int, now: float = 0.0) -> None:
        if not 0 < rate_s < math.inf or not 1 <= burst < math.inf:
            raise ValueError(
                f"rate_s={rate_s}, burst={burst}: both must be positive and finite."
            )
        self.rate_s, self.burst = rate_s, burst
        self.tokens, self.then = float(burst), now

    def take(self, now: float) -> float:
        """Take one token; return 0.0, or the seconds until one is there.

        Parameters
        ----------
        now : float
            The clock. If it goes back, it adds nothing until it is where it was.
        """
        gained = max(now - self.then, 0.0) * self.rate_s
        self.tokens = min(self.tokens + gained, float(self.burst))
        self.then = max(now, self.then)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate_s
