"""Try one answer to an exercise inside a lab's kernel, and leave no trace.

The source of this file is sent to the kernel as text, so that it imports nothing but
the standard library. The answer runs in the notebook's own namespace, where functions
of other cells find it; frames, arrays, lists, dicts, sets and random generators that it
can reach by name are copies, and everything is put back afterwards. What cannot be
copied (modules of torch, connections, servers) is shared: a check makes its own.
"""

import ast
import contextlib
import copy
import io
import json
import os
import random
import signal
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

COPIED = {
    "builtins": ("list", "dict", "set", "bytearray"),
    "collections": ("deque", "defaultdict", "OrderedDict", "Counter"),
    "numpy": ("ndarray",),
    "numpy.random": ("Generator", "RandomState"),
    "pandas": ("DataFrame", "Series", "Index"),
    "polars": ("DataFrame", "Series"),
    "random": ("Random",),
    "torch": ("Tensor",),
}
OWN = {"In", "Out", "get_ipython", "exit", "quit"}


class Overdue(BaseException):
    """The answer takes longer than its deadline."""


def attempt(
    namespace: dict[str, Any], answer: str, check: str, deadline_s: float
) -> str:
    """Define an answer, run its check, and put everything back.

    Parameters
    ----------
    namespace : dict
        The notebook's namespace.
    answer : str
        The source that redefines the exercise.
    check : str
        The source of the check cell.
    deadline_s : float
        Seconds after which the attempt is stopped.

    Returns
    -------
    str
        JSON with `stage` (answer, check or passed), `error` (its class) and `text`.
    """
    outcome = {"stage": "answer", "error": "", "text": ""}
    with restored(namespace), quiet():
        try:
            names = reachable(namespace, answer + "\n" + check)
            namespace.update(copies(namespace, names))
            with deadline(deadline_s):
                exec(compile(answer, "<answer>", "exec"), namespace)
                outcome["stage"] = "check"
                exec(compile(check, "<check>", "exec"), namespace)
            outcome["stage"] = "passed"
        except (Exception, SystemExit, Overdue) as error:
            outcome.update(error=type(error).__name__, text=str(error))
    return json.dumps(outcome)


def reachable(namespace: dict[str, Any], source: str) -> set[str]:
    """Return the names that code can reach, also through the notebook's functions."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    found: set[str] = set()
    todo = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    while todo:
        name = todo.pop()
        if name in found or name in OWN or name not in namespace:
            continue
        found.add(name)
        value = namespace[name]
        kind = value if isinstance(value, type) else type(value)
        members = vars(kind).values() if kind.__module__ == "__main__" else ()
        for function in (value, *members):
            if isinstance(function, types.FunctionType):
                todo += code_names(function.__code__)
    return found


def code_names(code: types.CodeType) -> list[str]:
    """Return the global names that a function uses, nested functions included."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return [*code.co_names, *(name for c in inner for name in code_names(c))]


def copies(namespace: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Return deep copies of those values that an answer could change."""
    kinds = tuple(
        getattr(sys.modules[module], name)
        for module, names_ in COPIED.items()
        if module in sys.modules
        for name in names_
        if hasattr(sys.modules[module], name)
    )
    memo: dict[int, Any] = {}
    made = {}
    for name in sorted(names):
        if isinstance(namespace[name], kinds):
            with contextlib.suppress(Exception):  # it holds what cannot be copied
                made[name] = copy.deepcopy(namespace[name], memo)
    return made


@contextlib.contextmanager
def restored(namespace: dict[str, Any]) -> Iterator[None]:
    """Put back names, random states, working directory, environment and figures."""
    names, folder, environment = dict(namespace), Path.cwd(), dict(os.environ)
    puts_back = [*random_states(), *open_figures()]
    try:
        yield
    finally:
        for name in set(namespace) - set(names):
            del namespace[name]
        namespace.update(names)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for put_back in puts_back:
            put_back()


def random_states() -> list[Callable[[], None]]:
    """Return what puts back the global random states, of the libraries in use."""
    state = random.getstate()
    puts_back: list[Callable[[], None]] = [lambda: random.setstate(state)]
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy_state = numpy.random.get_state()
        puts_back.append(lambda: numpy.random.set_state(numpy_state))
    if (torch := sys.modules.get("torch")) is not None:
        torch_state = torch.get_rng_state()
        puts_back.append(lambda: torch.set_rng_state(torch_state))
    return puts_back


def open_figures() -> list[Callable[[], None]]:
    """Return what closes the figures opened from now on: no later cell shows them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return []
    known = set(pyplot.get_fignums())

    def close() -> None:
        for number in set(pyplot.get_fignums()) - known:
            pyplot.close(number)

    return [close]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what an attempt prints."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        yield


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `Overdue` in the main thread after so many seconds."""

    def stop(_signal: int, _frame: types.FrameType | None) -> None:
        raise Overdue(f"still running after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
