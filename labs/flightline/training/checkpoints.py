"""Checkpoints: whole after a crash at any moment, and of this run or refused."""

import io
import re
from pathlib import Path
from typing import Any

from flightline.training.core import Training, restore, snapshot
from flightline.training.digests import sha256
from flightline.training.files import write_atomic

OURS = re.compile(r"step-(\d{8,})-([0-9a-f]{32})\.pt")
DRAFT = re.compile(r"\.step-\d{8,}-[0-9a-f]{32}\.pt\.draft")


def _newest_first(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder by their steps; other files are none."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if (name := OURS.fullmatch(path.name)) and path.is_file():
            found.append((int(name[1]), path))
    return [path for _, path in sorted(found, reverse=True)]


def _whole(path: Path) -> bytes:
    """Return the bytes of a checkpoint; none if its name has another digest."""
    content, name = path.read_bytes(), OURS.fullmatch(path.name)
    return content if name and sha256(content)[:32] == name[2] else b""


def save_checkpoint(folder: Path | str, run: Training, keep: int = 2) -> Path:
    """Save a run so that a crash at any moment leaves a checkpoint that is whole.

    Parameters
    ----------
    folder : path
        It is made if it is missing. One run at a time writes to it. Files whose names
        are not those of checkpoints are left alone.
    run : Training
        The run.
    keep : int
        How many whole ones to keep: this one and the newest of the others; two, in
        case the disk damages one. Torn files go.

    Returns
    -------
    Path
        The file: its name holds the step and the digest.

    Raises
    ------
    ValueError
        If `keep` is below 1.
    OSError
        If the disk refuses; older checkpoints stay.
    """
    import torch

    if keep < 1:
        raise ValueError(f"keep={keep}: the checkpoint just written is kept, too.")
    (folder := Path(folder)).mkdir(parents=True, exist_ok=True)
    about = {"settings": run.settings, "data": run.data}
    torch.save({**snapshot(run), **about}, buffer := io.BytesIO())
    content = buffer.getvalue()
    path = folder / f"step-{run.step:08d}-{sha256(content)[:32]}.pt"
    write_atomic(path, content)
    older = [old for old in _newest_first(folder) if old != path]
    kept = [old for old in older if _whole(old)][: keep - 1]
    drafts = [left for left in folder.iterdir() if DRAFT.fullmatch(left.name)]
    for old in {*older, *drafts} - set(kept):
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(folder: Path | str, run: Training) -> tuple[int, list[str]]:
    """Put a run into the state of the newest checkpoint that is whole.

    Parameters
    ----------
    folder : path
        Where `save_checkpoint` wrote. It may be missing or empty.
    run : Training
        A run that was started with the same settings and seed. Where it knows the
        digest of its rows (`run.data`), they must be those of the checkpoint, too;
        else the digest is taken over, and `train` refuses other rows.

    Returns
    -------
    step : int
        The step it goes on from; 0 if there is no checkpoint.
    skipped : list of str
        Files whose bytes do not match their digest, newest first.

    Raises
    ------
    ValueError
        If the newest whole checkpoint is of another run: of other settings, another
        seed or other rows. `run` is then as it was.
    """
    import torch

    skipped: list[str] = []
    for path in _newest_first(Path(folder)):
        if content := _whole(path):
            saved = torch.load(io.BytesIO(content), weights_only=True)
            _same_run(path, saved, run)
            restore(run, saved)
            run.data = saved.get("data", "")
            return run.step, skipped
        skipped.append(path.name)
    return 0, skipped


def _same_run(path: Path, saved: dict[str, Any], run: Training) -> None:
    """Refuse the checkpoint of another run."""
    for name, known in {
        "settings": run.settings,
        "seed": run.seed,
        "data": run.data or saved.get("data"),
    }.items():
        if saved.get(name) != known:
            what = {"settings": "other settings", "seed": "another seed"}
            raise ValueError(
                f"{path.name} is of {what.get(name, 'other rows')}. Use another folder."
            )
