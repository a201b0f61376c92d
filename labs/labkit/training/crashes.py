"""Crash training runs and damage their files, the same way each time.

The kills are real: a child process trains with `flightline.training` and gets SIGKILL
at a failpoint. `python -m labkit.training.crashes ROWS CHECKPOINTS` is that child.
"""

import argparse
import errno
import json
import os
import re
import shutil
import signal
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from unittest import mock

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import training
from flightline.training import Floats, Integers, Training, files, tracking
from matplotlib.axes import Axes

from labkit import figures, processes
from labkit.outcomes import outcome

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
Scorer = Callable[[Training], float]
Write = Callable[[Path, bytes], None]
Files = dict[str, bytes]  # the content of each file in a folder, by name
# Takes challenger, champion, late, day and slices, as `training.worse_slices` does.
Worse = Callable[[Floats, Floats, Floats, Integers, npt.NDArray[np.object_]], list[str]]
EVERY, HERE = 40, "labkit.training.crashes"


@dataclass(frozen=True)
class Small:
    """A small training task: rows on disk, and a network that takes a second."""

    path: Path
    data: training.Tensors
    sizes: list[int]
    batch: int = 256

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.data[2])

    @property
    def steps_per_epoch(self) -> int:
        """How many steps go once over the rows."""
        return -(-self.rows // self.batch)

    def start(self, seed: int = 0) -> Training:
        """Start a run of two epochs, with dropout."""
        return training.start_training(
            self.sizes, self.rows, seed=seed, epochs=2, batch=self.batch,
            hidden=(64, 32), dropout=0.2,
        )  # fmt: skip


def prepare(path: Path, table: pd.DataFrame, transform: training.Transform) -> Small:
    """Write the rows of a task for the child, and return the task.

    Parameters
    ----------
    path : Path
        A file name; `.npz` is added.
    table : DataFrame
        Training rows.
    transform : training.Transform
        A fitted transform.

    Returns
    -------
    Small
    """
    data = training.tensors(transform, table)
    codes, numbers, late = (part.numpy() for part in data)
    path = path.with_suffix(".npz")
    sizes = np.array(transform.sizes)
    np.savez(path, sizes=sizes, codes=codes, numbers=numbers, late=late)
    return Small(path, data, transform.sizes)


def read(path: Path) -> Small:
    """Read a task that `prepare` wrote; a NumPy file without pickles."""
    import torch

    with np.load(path, allow_pickle=False) as stored:
        parts = tuple(torch.from_numpy(stored[n]) for n in ("codes", "numbers", "late"))
        return Small(path, parts, stored["sizes"].tolist())


def weights(run: Training) -> "torch.Tensor":
    """Return all weights of a run as one flat vector."""
    import torch

    return torch.cat([p.detach().flatten() for p in run.network.parameters()])


def same(one: Training, other: Training) -> bool:
    """Return whether the weights of two runs are equal, bit for bit."""
    import torch

    return bool(torch.equal(weights(one), weights(other)))


def digest(run: Training) -> str:
    """Return the sha256 of the weights of a run."""
    return training.sha256(weights(run).numpy().tobytes())


def in_turns(small: Small, steps: int) -> list[bool]:
    """Train two runs in turns; return whether each equals one trained alone."""
    alone = small.start()
    training.train(alone, small.data, until=steps)
    runs = [small.start(), small.start()]
    for step in range(1, steps + 1):
        for run in runs:
            training.train(run, small.data, until=step)
    return [same(run, alone) for run in runs]


# --- kills


def child(rows: Path, checkpoints: Path, failpoint: str = "") -> tuple[int, str]:
    """Train in a child process, from its newest checkpoint on; return code and log.

    Parameters
    ----------
    rows, checkpoints : Path
        What `prepare` wrote, and the folder of checkpoints.
    failpoint : str
        Where the child is to be killed; nowhere if it is empty.

    Returns
    -------
    tuple of int and str
        The exit code (negative for a signal), and what the child wrote.
    """
    env = {"FLIGHTLINE_FAILPOINT": f"{failpoint}:SIGKILL" if failpoint else ""}
    command = processes.module(HERE, rows, checkpoints)
    with processes.Child(command, env=env, deadline_s=120) as process:
        code = process.wait()
    return code, process.log()


def kill_at(
    points: Sequence[str], small: Small, base: Path, whole: Training
) -> pd.DataFrame:
    """Kill children at failpoints, two at a time, and resume what they left.

    Parameters
    ----------
    points : sequence of str
        Failpoints: `step-100`, or those of `training.write_atomic`.
    small : Small
        The task.
    base : Path
        A folder with a checkpoint; each child works on its own copy.
    whole : training.Training
        The same run, finished without a disturbance.

    Returns
    -------
    DataFrame
        By failpoint: the signal, the step of the newest whole checkpoint, the drafts
        left behind, and whether the resumed weights equal the undisturbed ones.
    """
    folders = {p: shutil.copytree(base, base.with_name(f"kill-{p}")) for p in points}
    with ThreadPoolExecutor(2) as pool:
        jobs = {p: pool.submit(child, small.path, folders[p], p) for p in points}
    rows = {}
    for point, job in jobs.items():
        code, _ = job.result()
        drafts = len(list(folders[point].glob(".*.draft")))
        run = small.start()
        step, _ = training.load_checkpoint(folders[point], run)
        training.train(run, small.data)
        rows[point] = {
            "signal": signal.Signals(-code).name if code < 0 else "none",
            "resumed from step": step,
            "drafts left": drafts,
            "bitwise equal": same(run, whole),
        }
    return pd.DataFrame(rows).T.rename_axis("killed at")


@contextmanager
def full_disk(point: str) -> Iterator[None]:
    """Let the disk be full when `write_atomic` reaches a failpoint."""

    def refuse(name: str) -> None:
        if name == point:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with mock.patch.object(files, "failpoint", refuse):
        yield


def tear(path: Path) -> None:
    """Cut a file in half, as a disk may that lied about its cache."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def survive(small: Small, folder: Path, whole: Training) -> pd.DataFrame:
    """Meet a full disk and a torn file in one run, and finish it.

    Parameters
    ----------
    small, whole
        As for `kill_at`.
    folder : Path
        Where checkpoints go.

    Returns
    -------
    DataFrame
        By fault: what the run was told, the step it resumed from, and whether the
        weights at the end equal the undisturbed ones.
    """
    import torch

    def resume() -> dict[str, int]:
        with torch.random.fork_rng():
            again = small.start()
            step, skipped = training.load_checkpoint(folder, again)
            training.train(again, small.data)
        equal = same(again, whole)
        return {
            "skipped": len(skipped),
            "resumed from step": step,
            "bitwise equal": equal,
        }

    run, rows, told = small.start(), {}, "nothing"
    training.train(run, small.data, until=EVERY)
    training.save_checkpoint(folder, run)
    training.train(run, small.data, until=2 * EVERY)
    try:
        with full_disk("checkpoint-half"):
            training.save_checkpoint(folder, run)
    except OSError as error:
        told = f"OSError: {error.strerror}"
    rows["full disk"] = {"told": told, **resume()}
    training.save_checkpoint(folder, run)
    training.train(run, small.data, until=3 * EVERY)
    tear(training.save_checkpoint(folder, run))
    rows["torn file"] = {"told": "nothing", **resume()}
    return pd.DataFrame(rows).T.rename_axis("fault")


# --- a piece of state is left out


def leave_out(
    small: Small, at: int, score: Scorer
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Resume at a step, each time without one piece of the state.

    The missing piece is that of a fresh process, which seeds itself anew.

    Parameters
    ----------
    small : Small
        The task.
    at : int
        The step to stop and resume at.
    score : callable
        Takes a finished run and returns a number, such as its AUC.

    Returns
    -------
    damage : DataFrame
        By piece: `bitwise equal`; rows trained on `too often` and `too seldom`; the
        `distance` of the weights from the undisturbed ones, relative to how far these
        moved from the start; the score, and its change.
    paths : DataFrame
        The distance after each step from `at` on, one column a piece.
    """
    path: dict[int, torch.Tensor] = {}

    def keep(run: Training) -> None:
        path[run.step] = weights(run)

    whole = small.start()
    origin = weights(whole)
    training.train(whole, small.data, until=at, after_step=keep)
    saved = _copied(training.snapshot(whole))
    training.train(whole, small.data, after_step=keep)
    moved, undisturbed = float((weights(whole) - origin).norm()), score(whole)
    rows, paths = {}, {}
    for piece in ("nothing", *training.PIECES):
        run = small.start(seed=1)
        fresh = _copied(training.snapshot(run))
        mixed = {k: fresh[k] if k == piece else v for k, v in _copied(saved).items()}
        training.restore(run, mixed)
        first = run.step
        apart: list[float] = []

        def follow(run: Training, apart: list[float] = apart) -> None:
            apart.append(float((weights(run) - path[run.step]).norm()) / moved)

        training.train(run, small.data, after_step=follow)
        often, seldom = _visits(small, at, run.seed, first, run.step)
        found = score(run)
        rows[piece] = {
            "bitwise equal": same(run, whole),
            "too often": often,
            "too seldom": seldom,
            "distance": float((weights(run) - weights(whole)).norm()) / moved,
            "score": found,
            "change": found - undisturbed,
        }
        paths[piece] = pd.Series(apart, index=range(first + 1, run.step + 1))
    damage = pd.DataFrame(rows).T.rename_axis("left out")
    return damage.infer_objects(), pd.DataFrame(paths)


def scorer(transform: training.Transform, table: pd.DataFrame) -> Scorer:
    """Return a function that takes a run and returns its network's AUC on a table."""
    codes, numbers, late = training.tensors(transform, table)

    def score(run: Training) -> float:
        logit = run.network.eval()(codes, numbers).detach().double().numpy()
        return training.auc(logit, late.double().numpy())

    return score


def _copied(saved: Mapping[str, T]) -> dict[str, T]:
    """Return a snapshot that shares nothing with the run that it came from."""
    import copy

    return {piece: copy.deepcopy(value) for piece, value in saved.items()}


def _visits(small: Small, at: int, seed: int, first: int, last: int) -> tuple[int, int]:
    """Count the rows that were trained on more, and less, often than they should be."""
    counts = np.zeros(small.rows, np.int64)
    done = [(0, step) for step in range(at)] + [(seed, s) for s in range(first, last)]
    for used, step in done:
        rows = training.batch_rows(used, step, small.rows, small.batch)
        counts[rows.numpy()] += 1
    return int((counts > 2).sum()), int((counts < 2).sum())


def plot_paths(paths: pd.DataFrame, pieces: Sequence[str]) -> Axes:
    """Draw how far resumed runs are from the undisturbed one, step by step.

    Parameters
    ----------
    paths : DataFrame
        What `leave_out` returns.
    pieces : sequence of str
        Up to five columns of it.

    Returns
    -------
    matplotlib.axes.Axes
    """
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    colors = (figures.BLUE, figures.ORANGE, figures.GREEN, figures.GREY, figures.AMBER)
    for piece, color, style in zip(
        pieces, colors, ("-", "--", "-.", ":", "-"), strict=False
    ):
        line = paths[piece].dropna()
        ax.plot(line.index, line, style, color=color)
        figures.label_end(ax, line.index, line, piece, color)
    ax.set(
        xlabel="step", ylabel="distance, relative to the way trained", ylim=(0, None)
    )
    return ax


# --- files


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """Return a temporary folder; `cleanup` removes it, and so does the end."""
    return tempfile.TemporaryDirectory(prefix="training-")


def refuses(folder: Path, name: str) -> bool:
    """Return whether a model is refused after one byte of its file has changed."""
    return bool(_tampered(folder, name, lambda content: _flip(content)))


def tamper(folder: Path, name: str) -> dict[str, str]:
    """Change one digit in a copy of a model's file, and say what opening it gives."""

    def another_digit(content: bytes) -> bytes:
        return re.sub(rb"(leaf_value=-?0\.\d*)(\d)", rb"\g<1>7", content, count=1)

    return _tampered(folder, name, another_digit)


def _flip(content: bytes) -> bytes:
    """Change the last byte."""
    return content[:-1] + bytes([content[-1] ^ 1])


def _tampered(
    folder: Path, name: str, change: Callable[[bytes], bytes]
) -> dict[str, str]:
    """Return the error that a changed copy of a model gives; empty if it opens."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(folder, Path(scratch, "copy")))
        manifest = json.loads((copy / "models.json").read_text())
        file = next(e["file"] for e in manifest["models"] if e["name"] == name)
        content = (copy / file).read_bytes()
        (copy / file).write_bytes(change(content))
        try:
            training.load_model(copy, name)
        except training.Damaged as error:
            return {"file": file, "error": "Damaged", "named": str(file in str(error))}
    return {}


def tamper_registry(store: Path, name: str) -> dict[str, str]:
    """Change a registered model and the manifest beside it; say what `fetch` gives."""
    client, _ = tracking.tracker(store)
    entry = client.get_model_version_by_alias(name, "champion")
    folder = Path(str(entry.source).removeprefix("file://"))
    kept = {path: path.read_bytes() for path in folder.iterdir()}
    manifest = json.loads((folder / "models.json").read_text())
    model = folder / manifest["models"][0]["file"]
    model.write_bytes(_flip(kept[model]))
    manifest["models"][0]["sha256"] = training.sha256(model.read_bytes())
    (folder / "models.json").write_text(json.dumps(manifest))
    try:
        tracking.fetch(store, name)
    except training.Damaged as error:
        return {"file": str(error).split(":")[0], "error": "Damaged"}
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    return {}


def rehearse(write: Write) -> dict[str, str | bool | list[str]]:
    """Watch a function write a file, twice: on a good disk and on a full one.

    Parameters
    ----------
    write : callable
        Takes a path and bytes, as `training.write_atomic` does.

    Returns
    -------
    dict
        `order` of `fsync file`, `fsync folder` and `replace`; the `failpoints`; what
        the file holds; whether it was `opened in place`; and what was left behind.
    """
    order: list[str] = []
    failpoints: list[str] = []
    seen: dict[str, str | bool | list[str]] = {"order": order, "draft folder": "same"}
    real_sync, real_replace = os.fsync, os.replace

    def sync(file: int) -> None:
        folder = stat.S_ISDIR(os.fstat(file).st_mode)
        order.append("fsync folder" if folder else "fsync file")
        real_sync(file)

    def replace(source: Path | str, target: Path | str, **more: object) -> None:
        order.append("replace")
        if Path(source).resolve().parent != Path(target).resolve().parent:
            seen["draft folder"] = "another"
        real_replace(source, target)

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch).resolve()
        path, twin = folder / "checkpoint", folder / "twin"
        path.write_text("old content")
        os.link(path, twin)
        names = {"failpoint": failpoints.append}
        stack.enter_context(mock.patch.dict(write.__globals__, names))
        with mock.patch.multiple(os, fsync=sync, replace=replace, rename=replace):
            write(path, b"new content")
        seen |= {
            "new": path.read_text(),
            "opened in place": twin.read_text() != "old content",
        }
        seen["failpoints"] = list(failpoints)
        twin.unlink()
        path.write_text("old content")
        seen["full disk"] = "nothing"
        with mock.patch.multiple(os, fsync=full):
            try:
                write(path, b"new content")
            except OSError:
                seen["full disk"] = "OSError"
        seen["after full disk"] = path.read_text()
        seen["left behind"] = sorted(p.name for p in folder.iterdir() if p != path)
    return seen


def watch(write: Write) -> tuple[dict[str, Files], list[str | int]]:
    """Watch what the files hold at each failpoint, and what happens in which order.

    Parameters
    ----------
    write : callable
        As for `rehearse`. It replaces `old content` by ten bytes.

    Returns
    -------
    states : dict
        By failpoint: the content of each file in the folder, by name.
    order : list
        The names of the failpoints, and for each fsync the size of the file at that
        moment, or "the folder".
    """
    states: dict[str, Files] = {}
    order: list[str | int] = []
    real_sync = os.fsync

    with tempfile.TemporaryDirectory() as scratch:
        path, home = Path(scratch) / "checkpoint.pt", Path(scratch).stat()
        path.write_bytes(b"old content")

        def look(name: str) -> None:
            order.append(name)
            states[name] = {p.name: p.read_bytes() for p in Path(scratch).iterdir()}

        def sync(file: int) -> None:
            here = os.fstat(file)
            own = (here.st_dev, here.st_ino) == (home.st_dev, home.st_ino)
            other = "another folder" if stat.S_ISDIR(here.st_mode) else here.st_size
            order.append("the folder" if own else other)
            real_sync(file)

        names = mock.patch.dict(write.__globals__, {"failpoint": look})
        with names, mock.patch.object(os, "fsync", sync):
            write(path, b"0123456789")
    return states, order


def refused(write: Write, point: str) -> tuple[str | None, Files, int]:
    """Let the disk refuse at one point; return what is told, and what is left.

    Parameters
    ----------
    write : callable
        As for `rehearse`.
    point : str
        A failpoint, `replace`, or `folder` for its fsync after the rename.

    Returns
    -------
    tuple
        The outcome, the content of each file in the folder, by name, and how many
        descriptors were left open.
    """
    real_sync = os.fsync

    def no(*args: object, **more: object) -> None:
        if point == "replace" or args[0] == point:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def sync(file: int) -> None:
        folder = stat.S_ISDIR(os.fstat(file).st_mode)
        if folder and path.read_bytes() != b"old content":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real_sync(file)

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "checkpoint"
        path.write_bytes(b"old content")
        patch: AbstractContextManager[object]
        patch = mock.patch.dict(write.__globals__, {"failpoint": no})
        if point == "replace":
            patch = mock.patch.multiple(os, replace=no, rename=no)
        if point == "folder":
            patch = mock.patch.object(os, "fsync", sync)
        before = _open_files()
        with patch:
            told = outcome(lambda: write(path, b"new content"))
        opened = max(0, _open_files() - before)
        return told, {p.name: p.read_bytes() for p in Path(scratch).iterdir()}, opened


def _open_files() -> int:
    """Count the descriptors of this process; -1 where the system does not list them."""
    listed = Path("/proc/self/fd")
    return sum(1 for _ in listed.iterdir()) if listed.is_dir() else -1


def write_again(write: Write) -> tuple[str | None, bytes | None, int]:
    """Kill a process that is half-way through a write, then write once more.

    The process is a fork of this one, and the kill is a real `kill -9`.

    Parameters
    ----------
    write : callable
        As for `rehearse`; it is killed at `checkpoint-half`.

    Returns
    -------
    tuple
        The outcome of the second write, what the file holds, and how many descriptors
        that write left open.
    """

    def die(name: str) -> None:
        if name == "checkpoint-half":
            os.kill(os.getpid(), signal.SIGKILL)

    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "checkpoint"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fork beside threads; it only writes
            pid = os.fork()
        if pid == 0:
            try:
                write.__globals__["failpoint"] = die
                write(path, b"new content")
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        before = _open_files()
        told = outcome(lambda: write(path, b"new content"))
        opened = _open_files() - before
        return told, path.read_bytes() if path.exists() else None, opened


def example_slices() -> pd.DataFrame:
    """Return flights of four made-up carriers over 40 days, scored by two models.

    Returns
    -------
    DataFrame
        `challenger`, `champion`, `late`, `day` and `carrier`. With the challenger,
        `worse` is a little worse off on each day, `better` much better, `noisy` has
        one terrible day, and `seldom` flies on two days, the same with both.
    """
    chance, rows = np.random.default_rng(6), []
    for carrier in ("better", "noisy", "seldom", "worse"):
        for day in (5, 26) if carrier == "seldom" else range(40):
            late = (chance.random(30) < chance.uniform(0.05, 0.6)).astype(float)
            champion = np.full(30, 0.3)
            towards = {"better": 0.1, "worse": -0.03}.get(carrier, 0.0)
            if carrier == "noisy":
                towards = -0.28 if day == 3 else 0.0005
            challenger = champion + towards * (2 * late - 1)
            table = {"challenger": challenger, "champion": champion, "late": late}
            rows.append(pd.DataFrame(table).assign(day=day, carrier=carrier))
    return pd.concat(rows, ignore_index=True)


def slice_cases() -> dict[str, pd.DataFrame]:
    """Return four more made-up carriers, to be put behind `example_slices`.

    Returns
    -------
    dict of DataFrame
        `absent` is worse off and flies on three days only. `AA` is ranked as before,
        by chances that are worse, on the same three days. `even` is worse off on more
        days than not, by an amount that its days do not agree on. `busy` loses a little
        on its many quiet days, and gains on its few busy ones, where most flights are.
    """
    table = example_slices()
    some = (table["carrier"] == "worse") & table["day"].isin([3, 13, 33])
    absent = table[some].assign(carrier="absent")
    sharp = absent.assign(carrier="AA", champion=np.tile([0.1, 0.5], 45))
    sharp["challenger"] = np.tile([0.01, 0.5], 45)
    sharp["late"] = np.tile([0.0, 0.0, 0.0, 1.0], 23)[:90]
    sharp.iloc[::30, sharp.columns.get_loc("late")] = 1.0  # one sure miss a day
    luck = np.repeat(np.random.default_rng(1).normal(0.006, 0.03, 40), 30)
    late = np.tile([1.0] * 9 + [0.0] * 21, 40)
    even = {"challenger": 0.3 - luck * (2 * late - 1), "champion": 0.3, "late": late}
    day = np.repeat(np.arange(40), 30)
    days = []
    for number in range(40):
        count, towards = (200, 0.03) if number % 4 == 0 else (10, -0.03)
        answer = (np.arange(count) < 0.3 * count).astype(float)
        scores = {"challenger": 0.3 + towards * (2 * answer - 1), "champion": 0.3}
        days.append(pd.DataFrame({**scores, "late": answer}).assign(day=number))
    return {
        "absent": absent,
        "AA": sharp,
        "even": pd.DataFrame(even).assign(day=day, carrier="even"),
        "busy": pd.concat(days).assign(carrier="busy"),
    }


MORE_SLICES = {
    "absent": (
        ["absent", "worse"],
        "`absent` flies on three days only and is worse off: number its days anew "
        "instead of leaving it out, and sort the names.",
    ),
    "AA": (
        ["AA", "worse"],
        "`AA` is ranked as before, and its chances are worse: ask for the log-loss, "
        "and sort the names.",
    ),
    "even": (
        ["worse"],
        "`even` is worse off on more days than not, by an amount that its days do not "
        "agree on: ask for the interval.",
    ),
    "busy": (
        ["worse"],
        "`busy` loses on its quiet days and gains on its busy ones: each flight counts "
        "once, not each day. Hand interval's weights to log_loss.",
    ),
}


def ask_slices(worse: Worse, more: str = "") -> list[str] | str:
    """Ask a function like `training.worse_slices` about `example_slices`.

    Parameters
    ----------
    worse : callable
        Takes challenger, champion, late, day and slices.
    more : str, optional
        A carrier of `slice_cases` to put behind the table.

    Returns
    -------
    list of str, or str
        What it returns, or the name of the exception that it raises.
    """
    tables = [example_slices(), *([slice_cases()[more]] if more else [])]
    table = pd.concat(tables)
    columns = ("challenger", "champion", "late", "day", "carrier")
    return outcome(lambda: worse(*(table[name].to_numpy() for name in columns)))


LOSSES: list[tuple[list[float], str, str]] = [
    ([2.0], "ValueError", "A loss below `best`: the best is wrong. Raise a "
        "ValueError."),
    ([3.0], "[0.0]", "A loss equal to `best` is the best there is: return an array "
        "with a regret of 0."),
    ([5.0, np.nan, 2.0], "ValueError", "Look at every loss."),
    ([np.nan, 2.0], "ValueError", "Look at every loss, also behind a pruned trial: a "
        "comparison with NaN is False."),
    ([np.nan, np.nan, 5.0], "[nan, nan, 2.0]", "NaN until the first loss, however late "
        "it comes."),
    ([np.nan], "[nan]", "NaN until the first loss, also if there is none."),
    ([9.0, 5.0, 7.0, 6.0], "[6.0, 2.0, 2.0, 2.0]", "The best of all losses so far, not "
        "of the last two."),
]  # fmt: skip


def ask_regret(
    regret: Callable[[Floats, float], Floats], losses: Sequence[float], best: float
) -> str:
    """Ask a function like `training.regret`; return its answer as text.

    Parameters
    ----------
    regret : callable
        Takes an array of losses and the best.
    losses, best
        What to ask.

    Returns
    -------
    str
        The list that its array holds, the name of an exception, or what happened to
        the array that it was given.
    """
    given = np.array(losses)
    found = outcome(lambda: [float(x) for x in regret(given, best).tolist()])
    if not np.array_equal(given, losses, equal_nan=True):
        return "Leave the caller's losses as they are."
    return str(found)


Record = dict[str, str]


def records(run: Record) -> list[tuple[Record, Record, list[str], str]]:
    """Return pairs of records, what may explain their difference, and a hint."""
    code, dark = ["code_sha256", "git_commit"], {"code_sha256": "unknown"}
    less = {k: v for k, v in run.items() if k != "code_sha256"}
    bare = {k: v for k, v in run.items() if k != "git_commit"}
    dirty = {"git_commit": "77-dirty"}
    moved, silent = {"git_commit": "78"}, run | {"git_commit": "unknown"}
    return [
        ({"git_commit": "77"}, moved, ["git_commit"], "Without a digest of the code, "
            "another commit is a suspect."),
        (run, run | {"code_sha256": "dd"} | moved, code, "The code differs, so that "
            "the commit is a suspect, too."),
        (run | dark, run | dark | moved, code, "An unknown digest of the code shows "
            "nothing: the commit stays a suspect."),
        (silent, silent, [], "Equal code rules the commit out, also one that nobody "
            "wrote down."),
        (run, less | moved, code, "Only one run has a digest of its code: it shows "
            "nothing, and the commit stays a suspect."),
        (run, bare, [], "Equal code rules the commit out, also one that only one run "
            "has."),
        (dirty, dirty, [], "Two equal commits count as equal here, -dirty or not."),
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Train a small task to its end, with a checkpoint now and then."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("checkpoints", type=Path)
    every = int(os.environ.get("FLIGHTLINE_EVERY", EVERY))
    options = parser.parse_args(arguments)
    small = read(options.rows)
    run = small.start()
    step, _ = training.load_checkpoint(options.checkpoints, run)
    sys.stdout.write(f"from step {step}\n")

    def after_step(run: Training) -> None:
        if run.step % every == 0:
            training.save_checkpoint(options.checkpoints, run)

    training.train(run, small.data, after_step=after_step)
    sys.stdout.write(f"weights {digest(run)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
