"""What a result depends on besides its recipe."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

import flightline
from flightline.training.digests import sha256


def provenance(data_dir: Path | str) -> dict[str, str]:
    """Return what a result depends on besides its recipe.

    Parameters
    ----------
    data_dir : path
        The folder with `SHA256SUMS`.

    Returns
    -------
    dict of str
        `data_sha256` (of the list of all digests), `lock_sha256` (of the two files
        of pinned versions), `installed_sha256` (of the versions that are there),
        `code_sha256` (of the package), `processor`, and `git_commit`, with
        `-dirty` if files differ from it. "unknown" where there is no such thing.
    """
    package = Path(str(flightline.__file__)).parent
    locks = [
        package.parents[1] / name for name in ("requirements.txt", "constraints.txt")
    ]
    here = sorted(
        {f"{d.name}=={d.version}" for d in importlib.metadata.distributions()}
    )
    files = {
        "data_sha256": [Path(data_dir) / "SHA256SUMS"],
        "lock_sha256": locks,
        "code_sha256": sorted(package.rglob("*.py")),
    }
    found = {
        name: sha256(b"".join(path.read_bytes() for path in paths))
        if all(path.is_file() for path in paths)
        else "unknown"
        for name, paths in files.items()
    }
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(
            command, cwd=package, capture_output=True, text=True, timeout=20
        )
        commit = done.stdout.strip() if done.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        commit = ""
    found |= {
        "installed_sha256": sha256("\n".join(here).encode()),
        "processor": _processor(),
    }
    return {**found, "git_commit": commit or "unknown"}


def _processor() -> str:
    """Return the name of the processor, or its kind where no name is known."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.is_file() else []
    names = [
        line.partition(":")[2].strip()
        for line in lines
        if line.startswith("model name")
    ]
    return next(iter(names), platform.processor() or platform.machine() or "unknown")
