"""Watch a function write a file: the order of its steps, and what a refusal leaves."""

import errno
import os
import signal
import stat
import tempfile
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from unittest import mock

from labkit.outcomes import outcome

Write = Callable[[Path, bytes], None]
Files = dict[str, bytes]  # the content of each file in a folder, by name


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
