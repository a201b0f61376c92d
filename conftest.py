"""pytest's set-up: threads, notebooks, and attempts at the exercises.

While nbval runs a lab, stub and wrong answers are tried just before each check cell, in
the same kernel (see `tools/labs/attempts.py`).
"""

import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for _name in (*THREADS, "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"  # before anything imports: outputs must not vary
os.environ.pop("MPLBACKEND", None)  # a kernel chooses its own, and shows figures

# IPython's history and Feast both tell sqlite3 how to read timestamps, and the last one
# to be imported wins: Feast must, wherever a test happens to import IPython.
import IPython.core.history  # noqa: E402, F401
import pytest  # noqa: E402
from nbval.kernel import RunningKernel  # noqa: E402
from nbval.plugin import IPyNbCell, NbCellError  # noqa: E402

from tools.labs import kernels, notebooks  # noqa: E402

EVERY_STAGE = ("test_house.py", "test_site.py")
"""What `--stem` runs for every stage: style, types, imports, and the built book."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of one stage, and how long an attempt at an exercise may take."""
    parser.addoption(
        "--stem", help="run one stage alone: its tests, its lab and its chapter"
    )
    parser.addini(
        "attempt_deadline", "seconds for each attempt at an exercise", default="20"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Find nbval's settings from any folder, and notice dead kernels soon."""
    RunningKernel.await_reply = kernels.await_reply
    if not hasattr(config, "workerinput"):
        _keep_temporary_files_together(config)
    sanitize = config.option.nbval_sanitize_with
    if sanitize and not Path(sanitize).exists():
        config.option.nbval_sanitize_with = str(config.rootpath / sanitize)


def _keep_temporary_files_together(config: pytest.Config) -> None:
    """Put all temporary files into one folder that goes with the run.

    nbval kills kernels, and Feast's folder of counters would stay behind.
    """
    folder = tempfile.mkdtemp(prefix="flightline-tests-")
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Try stub and wrong answers before a check cell; end a run whose kernel died."""
    if not isinstance(item, IPyNbCell):
        return (yield)
    complaints = list(_attempts(item))
    if complaints and not item.parent.kernel.is_alive():
        item.parent.timed_out = True  # nbval expects the later cells to fail
        raise _failure(item, complaints)
    try:
        yield
    except NbCellError:
        item.add_report_section("call", "advice", _advice(item.parent.path))
        raise
    finally:
        if not item.parent.kernel.is_alive():
            item.parent.timed_out = True
    if complaints:
        raise _failure(item, complaints)


def _attempts(item: IPyNbCell) -> Iterator[str]:
    """Yield the complaints about the attempts that come before a check cell."""
    if not notebooks.is_check(item.cell) or item.parent.timed_out:
        return
    from tools.labs import attempts

    notebook = item.parent.nb
    check = notebook.cells.index(item.cell)
    deadline_s = float(item.config.getini("attempt_deadline"))
    for task in notebooks.exercises(notebook):
        if task.check == check:
            yield from attempts.complaints(
                item.parent.kernel, item.parent.path, notebook, task, deadline_s
            )


def _advice(path: Path) -> str:
    """Say what to do about a cell that fails or gives another output."""
    return (
        f"If the new output is right, store it: make execute LAB={path.stem}. "
        "If it is not, the code, the data or the environment has changed."
    )


def _failure(item: IPyNbCell, complaints: list[str]) -> NbCellError:
    """Return the failure of a check cell whose attempts went wrong."""
    text = "\n".join(f"  {complaint}" for complaint in complaints)
    message = f"attempts at this exercise do not fail as they should:\n{text}"
    return NbCellError(item.cell_num, message, item.cell.source)


def group(item: pytest.Item) -> str:
    """Name the group of a test; a group stays in one process, in order.

    Cells need the kernel of their notebook, and the tests of a file share what they
    make. The student edition of each lab is a group of its own, and the tests of the
    built site share one build.
    """
    if item.path.parent.name == "book":
        return "site"
    if item.path.name == "test_exercises.py":
        return item.path.name + item.name.partition("[")[2]
    return item.path.relative_to(item.config.rootpath).as_posix()


def belongs(item: pytest.Item, stem: str) -> bool:
    """Return whether a test is one of a stage: of its folder, its lab, its chapter."""
    where = item.path.relative_to(item.config.rootpath).parts
    named = re.search(rf"(?<![a-z])\d\d_{stem}(?![a-z_])", item.nodeid) is not None
    return where[:2] == ("tests", stem) or named or item.path.name in EVERY_STAGE


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Group the tests for two processes; choose a stage; refuse a run without labs.

    A wrapper, since xdist reads the groups before any other hook of this name.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    _choose(config, items)
    return (yield)


def _choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the stage that was asked for, or insist on every lab."""
    if stem := config.getoption("--stem"):
        stems = [
            notebooks.module_name(path)
            for path in notebooks.find_labs(config.rootpath / "labs")
        ]
        if stem not in stems:
            raise pytest.UsageError(f"--stem {stem}: name one of {', '.join(stems)}.")
        left_out = [item for item in items if not belongs(item, stem)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if belongs(item, stem)]
        return
    _refuse_a_run_without_labs(config, items)


def _refuse_a_run_without_labs(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a whole run that would pass without running every lab."""
    chosen = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf")
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    if not whole or any(getattr(config.option, name, None) for name in chosen):
        return
    run = {item.path for item in items if isinstance(item, IPyNbCell)}
    missing = [p for p in notebooks.find_labs(config.rootpath / "labs") if p not in run]
    if not run:
        raise pytest.UsageError(
            "no notebook cell was collected, so that no lab would be tested. Run "
            "pytest in the root of the repository, with --nbval as in pyproject.toml."
        )
    if missing:
        names = ", ".join(path.name for path in missing)
        raise pytest.UsageError(
            f"labs without a collected cell: {names}. Check testpaths and "
            "norecursedirs in pyproject.toml, and that the notebooks hold code."
        )
