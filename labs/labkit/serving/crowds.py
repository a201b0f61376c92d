"""Callers in virtual time, who may give up waiting and try again."""

import asyncio
from collections.abc import Awaitable, Callable

from flightline.serving import Refused, RetryBudget

PATIENCE_S, PAUSE_S = 0.2, 0.05


class Crowd:
    """Callers of one server; who is refused, or waits too long, may ask again.

    A caller that may ask only once waits as long as it takes. One that may ask again
    gives up after PATIENCE_S; the server does not know that, and works on.

    Parameters
    ----------
    answer : coroutine function
        The server's: takes the number of the request, and may raise `Refused`.
    tries : int
        How often a caller asks at most.
    budget : RetryBudget, optional
        How many retries they may make together; by default all.

    Attributes
    ----------
    sent : int
        Requests that were sent, retries included.
    answered : set of int
        The numbers of the requests that were answered.
    """

    def __init__(
        self,
        answer: Callable[[int], Awaitable[object]],
        tries: int = 1,
        budget: RetryBudget | None = None,
    ) -> None:
        self.answer, self.tries = answer, tries
        self.budget = budget or RetryBudget(share=tries, reserve=tries)
        self.sent = 0
        self.answered: set[int] = set()

    async def ask(self, number: int) -> None:
        """Send a request until it is answered, or hope is gone."""
        self.budget.first_try()
        for attempt in range(self.tries):
            if attempt and not self.budget.may_retry():
                return
            self.sent += 1
            work = asyncio.ensure_future(self.answer(number))
            try:
                await asyncio.wait_for(
                    asyncio.shield(work), PATIENCE_S if self.tries > 1 else None
                )
            except (Refused, TimeoutError):
                await asyncio.sleep(PAUSE_S)
            else:
                self.answered.add(number)
                return
