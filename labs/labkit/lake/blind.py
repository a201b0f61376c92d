"""Blind a writer: whoever asks whether a file exists is told that it does not.

This is what a writer sees that asks a moment before another writer acts. The check of
`publish` uses it to tell a look before a move from a move that can fail.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock


@contextmanager
def nothing_exists() -> Iterator[None]:
    """Answer no to every question whether a file exists, as if asked too early."""
    nothing: dict[object, dict[str, Callable[..., object]]] = {
        os.path: dict.fromkeys(("exists", "isfile", "lexists"), lambda _: False),
        os: {"listdir": lambda _=None: []},
        Path: {
            "exists": lambda _: False,
            "is_file": lambda _: False,
            "iterdir": lambda _: iter(()),
            "glob": lambda *_: iter(()),
        },
    }
    with ExitStack() as stack:
        for owner, answers in nothing.items():
            for name, answer in answers.items():
                stack.enter_context(mock.patch.object(owner, name, answer))
        yield


@contextmanager
def no_overwriting() -> Iterator[None]:
    """Let no move take the place of a file: who made the final name first, is told."""
    moves = {name: getattr(os, name) for name in ("rename", "replace")}

    def guarded(name: str) -> Callable[..., None]:
        def move(source: str, target: str, **more: int) -> None:
            assert not os.path.lexists(target), (
                "The final name was there before its content: a kill between the two "
                "steps leaves it empty."
            )
            moves[name](source, target, **more)

        return move

    for name in moves:
        setattr(os, name, guarded(name))
    try:
        yield
    finally:
        for name, move in moves.items():
            setattr(os, name, move)
