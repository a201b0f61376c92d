"""A temporary folder that goes when its process goes, even by kill -9.

`tempfile.TemporaryDirectory` tidies up when Python ends in good order. A kernel that is
killed gets no chance to. So a small process, the keeper, waits at a pipe: the system
closes the pipe when the owner ends, for whatever reason, and the keeper removes the
folder and ends as well.
"""

import shutil
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from types import TracebackType

# Ranks of a killed owner may write once more, so it looks until the folder stays away.
KEEPER = """
import pathlib, shutil, sys, time
sys.stdin.buffer.read()
folder, gone = pathlib.Path(sys.argv[1]), 0
for _ in range(100):
    gone = 0 if folder.exists() else gone + 1
    if gone == 3:
        break
    shutil.rmtree(folder, ignore_errors=True)
    time.sleep(0.1)
"""


def _remove(path: Path, keeper: "subprocess.Popen[bytes]") -> None:
    """Remove a folder, and end its keeper, which has nothing to do any more."""
    shutil.rmtree(path, ignore_errors=True)
    if not path.exists():
        keeper.kill()
    if keeper.stdin is not None:
        keeper.stdin.close()
    keeper.wait()


class Folder:
    """A new temporary folder, removed on `cleanup`, or when this process ends.

    Parameters
    ----------
    prefix : str
        Of its name.

    Attributes
    ----------
    path : Path

    Examples
    --------
    >>> with Folder("example-") as path:
    ...     _ = (path / "file").write_text("something")
    >>> path.exists()
    False
    """

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self.keeper = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", KEEPER, str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what kills the owner's group spares the keeper
        )
        self._finish = weakref.finalize(self, _remove, self.path, self.keeper)

    def cleanup(self) -> None:
        """Remove the folder now. Calling it again is harmless."""
        self._finish()

    def __enter__(self) -> Path:
        """Return the folder's path."""
        return self.path

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the folder, whatever happened."""
        self.cleanup()
