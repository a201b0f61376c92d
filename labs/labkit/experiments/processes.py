"""Ask a function of the lab from another process, as another service would."""

import builtins
import json
import os
from collections.abc import Callable, Iterable


def answers_elsewhere(
    function: Callable[..., str], calls: Iterable[tuple[object, ...]]
) -> list[str]:
    """Return a function's answers from a process of its own, asked in reversed order.

    In that process `hash` of a text is another number, as it is after each start of
    Python, and what a function remembers or draws there does not reach this one. Where
    processes cannot be forked (Windows) the answers come from this process.

    Parameters
    ----------
    function : callable
        Returns a text.
    calls : iterable of tuple
        The arguments of each call.

    Returns
    -------
    list of str
        One answer for each call, in the order of the calls; empty if the function
        failed there.
    """
    asked = list(calls)
    if not hasattr(os, "fork"):
        return [function(*arguments) for arguments in asked]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(function, asked, reader, writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return list(reversed(json.loads(text))) if text else []


def _answer(
    function: Callable[..., str],
    asked: list[tuple[object, ...]],
    reader: int,
    writer: int,
) -> None:
    """Write the answers into the pipe, and end the process whatever happens."""
    try:
        os.close(reader)
        _as_after_a_start()
        answers = [str(function(*arguments)) for arguments in reversed(asked)]
        os.write(writer, json.dumps(answers).encode())
    finally:
        os._exit(0)


def _as_after_a_start() -> None:
    """Let `hash` give other numbers than in the process before."""
    before = builtins.hash
    builtins.hash = lambda value: before((value, "another start"))
