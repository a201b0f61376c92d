"""pytest's set-up: threads, notebooks, and attempts at the exercises.

While nbval runs a lab, stub and wrong answers are tried just before each check cell, in
the same kernel (see `tools/attempts.py`).
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before anything imports: outputs must not vary
os.environ.pop("MPLBACKEND", None)  # a kernel chooses its own, and shows figures

import pytest  # noqa: E402
from nbval.kernel import RunningKernel  # noqa: E402
from nbval.plugin import IPyNbCell, NbCellError  # noqa: E402
from xdist.remote import Producer  # noqa: E402
from xdist.scheduler import LoadScopeScheduling  # noqa: E402

from tools import kernels, notebooks  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting for how long an attempt at an exercise may take."""
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
    from tools import attempts

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> LoadScopeScheduling:
    """Keep together what belongs together when `make test` runs two processes."""
    return Together(config, log)


class Together(LoadScopeScheduling):
    """Run the tests of a file in one process.

    The student edition of each lab is a group of its own, and the tests of the built
    site share one build.
    """

    def _split_scope(self, nodeid: str) -> str:
        return self.group(nodeid)

    @staticmethod
    def group(nodeid: str) -> str:
        """Name the group of a test; a group stays in one process, in order."""
        file, _, test = nodeid.partition("::")
        if file.endswith(("test_site.py", "test_browser.py")):
            return "site"
        if file.endswith("test_exercises.py"):
            return file + test.partition("[")[2]
        return file


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
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
