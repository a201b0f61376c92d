"""Try the stub and the wrong answers of an exercise before its check runs.

While nbval runs a lab, `conftest.py` calls `complaints` just before each check cell. In
the same kernel the stub must raise NotImplementedError or AssertionError, and each cell
of `tests/<stem>/wrong_answers/<grade_id>.py` must fail the check with the message that
its docstring quotes. Then nbval runs the check on the solution.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from tools.labs import kernels, notebooks, student
from tools.labs.kernels import DeadKernelError, UnresponsiveError
from tools.labs.notebooks import Exercise, NotebookError, show

RUNNER = (Path(__file__).parent / "attempt_runner.py").read_text(encoding="utf-8")
LEAST = 2  # wrong answers for each exercise
SHORTEST_HINT = 10
HEADER = re.compile(r"^(#[ \t]*%%.*)$", re.MULTILINE)
NAMED = re.compile(r"# %% (?P<name>\w+)")
OPENING = (
    '"""Wrong answers to `{grade_id}` (lab {number}).\n\n'
    'Each cell is one mistake; its text is the hint it must meet.\n"""\n'
)
EXPRESSION = (
    "(lambda n: (exec({runner!r}, n), n['attempt'](get_ipython().user_ns, {answer!r}, "
    "{check!r}, {deadline!r}))[1])({{'__name__': 'attempt_runner'}})"
)


@dataclass(frozen=True)
class WrongAnswer:
    """A wrong answer: its file, its name there, its source and the hint for it."""

    path: Path
    name: str
    source: str
    hint: str

    @property
    def grade_id(self) -> str:
        """The exercise that it answers."""
        return self.path.stem

    @property
    def label(self) -> str:
        """What messages call it: file and name."""
        return f"{show(self.path)}, {self.name}"


def folder(notebook: Path) -> Path:
    """Return the folder of a lab's wrong answers."""
    stem = notebooks.module_name(notebook)
    return notebook.resolve().parents[1] / "tests" / stem / "wrong_answers"


def wrong_answers(notebook: Path) -> list[WrongAnswer]:
    """Read the wrong answers of a lab, file by file and cell by cell.

    Raises
    ------
    NotebookError
        If a file is not made of named cells, or a cell does not parse or gives no hint.
    """
    return [
        WrongAnswer(path, name, source, _hint(path, name, source))
        for path in sorted(folder(notebook).glob("*.py"))
        for name, source in _cells(path)
    ]


def write(notebook: Path, grade_id: str, sources: Mapping[str, str]) -> Path:
    """Write the wrong answers to one exercise.

    Parameters
    ----------
    notebook : Path
        The lab.
    grade_id : str
        The exercise.
    sources : mapping of str to str
        The source of each wrong answer under its name, in the order of the file.

    Returns
    -------
    Path
        The file.
    """
    path = folder(notebook) / f"{grade_id}.py"
    opening = OPENING.format(grade_id=grade_id, number=notebook.stem[:2])
    cells = [f"# %% {name}\n{text.rstrip()}\n" for name, text in sources.items()]
    notebooks.write_text(path, "\n\n".join([opening, *cells]))
    return path


def _cells(path: Path) -> Iterator[tuple[str, str]]:
    """Yield name and source of each cell of a file."""
    opening, *rest = HEADER.split(path.read_text(encoding="utf-8"))
    if not rest:
        raise NotebookError(
            f"{show(path)}: no wrong answer. Start each with a line '# %% name'."
        )
    if not _is_docstring(opening):
        raise NotebookError(
            f"{show(path)}: code before the first '# %% name'. Only a docstring may "
            "stand there; each cell is tried by itself."
        )
    names: set[str] = set()
    for header, source in zip(rest[::2], rest[1::2], strict=True):
        name = _name(path, header)
        if name in names:
            raise NotebookError(
                f"{show(path)}, {name}: two cells have this name. Rename one."
            )
        names.add(name)
        yield name, source.strip("\n") + "\n"


def _name(path: Path, header: str) -> str:
    """Return the name in the first line of a cell."""
    named = NAMED.fullmatch(header)
    if named is None:
        raise NotebookError(
            f"{show(path)}: {header!r} is not '# %% name', with a name of letters, "
            "digits and underscores. Write it so."
        )
    return named["name"]


def _is_docstring(source: str) -> bool:
    """Return whether a source holds a docstring, or comments, and nothing else."""
    try:
        module = ast.parse(source)
    except SyntaxError:
        return False
    return len(module.body) == (ast.get_docstring(module) is not None)


def _hint(path: Path, name: str, source: str) -> str:
    """Return the docstring of a cell on one line."""
    try:
        hint = ast.get_docstring(ast.parse(source)) or ""
    except SyntaxError as error:
        raise NotebookError(
            f"{show(path)}, {name}: {error.msg} in line {error.lineno} of the cell. "
            "Mend its syntax."
        ) from error
    if len(hint) < SHORTEST_HINT:
        raise NotebookError(
            f"{show(path)}, {name}: the docstring is the part of the check's message "
            f"that must meet this answer; {hint!r} is too short."
        )
    return " ".join(hint.split())


def defined(source: str) -> str:
    """Return the name of the last function or class that a source defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = [node for node in ast.parse(source).body if isinstance(node, kinds)]
    return nodes[-1].name if nodes else ""


def plain_complaints(path: Path) -> list[str]:
    """Return what is wrong with a lab's wrong answers before any of them runs."""
    notebook = notebooks.read(path)
    answers = wrong_answers(path)
    tasks = {task.grade_id: task for task in notebooks.exercises(notebook)}
    found = [
        f"{show(file)}: {show(path)} has no exercise {file.stem!r}; it has "
        f"{', '.join(tasks) or 'none'}. Rename the file <grade_id>.py, or remove it."
        for file in dict.fromkeys(answer.path for answer in answers)
        if file.stem not in tasks
    ]
    for answer in answers:
        if answer.grade_id not in tasks:
            continue
        name = defined(notebook.cells[tasks[answer.grade_id].solution].source)
        if defined(answer.source) != name:
            found.append(
                f"{answer.label}: the last definition is "
                f"{defined(answer.source) or 'missing'}. Redefine {name}."
            )
    for grade_id in tasks:
        count = sum(answer.grade_id == grade_id for answer in answers)
        if count < LEAST:
            found.append(
                f"{show(path)}: the exercise {grade_id!r} has {count} wrong answers. "
                f"Write at least {LEAST} in {show(folder(path))}/{grade_id}.py."
            )
    return found


def judge_stub(outcome: dict[str, str]) -> str:
    """Return what is wrong with how the stub failed, or ''."""
    if outcome["stage"] == "passed":
        return "the stub passes the check. Assert something that only a solution does."
    if outcome["error"] in ("NotImplementedError", "AssertionError"):
        return ""
    return (
        f"the stub raises {outcome['error']} ({outcome['text']}), which puzzles a "
        "reader. Let the check call the function before anything else."
    )


def judge_wrong(answer: WrongAnswer, outcome: dict[str, str]) -> str:
    """Return what is wrong with how a wrong answer failed, or ''."""
    name, error, text = answer.label, outcome["error"], outcome["text"]
    if outcome["stage"] == "passed":
        return f"{name} passes the check. Add an assert that it fails."
    if error == "Overdue":
        return f"{name}: {text}, and was stopped. Let the check fail it sooner."
    if error != "AssertionError":
        return (
            f"{name} fails with {error} ({text}) in the {outcome['stage']}, not with a "
            "hint. Assert what it gets wrong before that happens."
        )
    if answer.hint not in " ".join(text.split()):
        return (
            f"{name} fails with {text!r}, but its docstring expects {answer.hint!r}. "
            "Order the asserts, or correct the docstring."
        )
    return ""


def complaints(
    kernel: Any, path: Path, notebook: NotebookNode, task: Exercise, deadline_s: float
) -> list[str]:
    """Try the stub and the wrong answers of one exercise.

    Parameters
    ----------
    kernel : nbval.kernel.RunningKernel
        The kernel, in which the solution was just defined.
    path : Path
        The lab.
    notebook : NotebookNode
        Its content.
    task : Exercise
        The exercise whose check comes next.
    deadline_s : float
        Seconds for each attempt.

    Returns
    -------
    list of str
        Empty if each attempt fails as it should.
    """
    check = notebook.cells[task.check].source
    stub = student.stub(notebook.cells[task.solution])
    mine = [a for a in wrong_answers(path) if a.grade_id == task.grade_id]
    found = []
    for answer in (None, *mine):
        source = stub if answer is None else answer.source
        name = "the stub" if answer is None else answer.label
        try:
            outcome = _attempt(kernel, source, check, deadline_s)
        except (DeadKernelError, UnresponsiveError) as error:
            if kernel.is_alive():
                kernel.stop()
            found.append(f"{name}: {error}; the kernel is gone, and the run ends here.")
            break
        found.append(judge_wrong(answer, outcome) if answer else judge_stub(outcome))
    return [text for text in found if text]


def _attempt(kernel: Any, answer: str, check: str, deadline_s: float) -> dict[str, str]:
    """Run one attempt in the kernel and return its outcome.

    A timer in the kernel ends it at the deadline. Code that swallows the timer's
    exception is interrupted after twice that time, and after three times it is lost.
    """
    expression = EXPRESSION.format(
        runner=RUNNER, answer=answer, check=check, deadline=deadline_s
    )
    value = kernels.evaluate(kernel, expression, 2 * deadline_s, deadline_s)
    if value:
        return dict(json.loads(value))
    text = f"still running after {2 * deadline_s:g} s"
    return {"stage": "check", "error": "Overdue", "text": text}
