"""What came of an action: its result, or how it failed."""

from collections.abc import Callable
from typing import TypeVar

from labkit.processes import ChildError

T = TypeVar("T")


def outcome(action: Callable[[], T]) -> T | str:
    """Return what an action returns, or the name of the exception that it raises.

    Parameters
    ----------
    action : callable
        Called without arguments.

    Returns
    -------
    object
        The result, or a name such as "ValueError".
    """
    try:
        return action()
    except Exception as error:
        return type(error).__name__


def refusal(action: Callable[[], object]) -> str:
    """Return the message with which an action is refused.

    Parameters
    ----------
    action : callable
        Called without arguments; it should raise a ValueError or a ChildError.

    Returns
    -------
    str
        The message; "no error" and what came back; or the name of another error.

    Raises
    ------
    NotImplementedError
        If the action is not written yet.
    """
    try:
        return f"no error: {action()}"
    except (ValueError, ChildError) as error:
        return str(error)
    except NotImplementedError:
        raise
    except Exception as error:
        return f"no ValueError, but a {type(error).__name__}"
