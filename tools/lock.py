"""Renew the lock: newest direct dependencies, and everything that they need.

Run as `python -m tools.lock`. It asks pip which versions fit together and installs
nothing. requirements.txt keeps its order, its comments and its bounds; its pins are
renewed. constraints.txt is written anew. With `--keep` the pins that stand in
requirements.txt stay, and only new names and the rest of the lock are resolved.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[^\]]*\])?"
    r"(?:==(?P<pin>\S+))?(?P<note>\s+#\s*(?P<bound>[<>=!~][^\s(]*)?.*)?$"
)
_HEADER = """\
# The rest of the lock: exact versions of what requirements.txt pulls in.
# Written by `make lock`. A constraint never forces a package in, so a CPU build of
# torch stays free of GPU packages.
"""


def wanted(requirements: str, *, keep: bool) -> list[str]:
    """Return what to ask pip for: each direct dependency with its bound or its pin.

    Parameters
    ----------
    requirements : str
        The text of requirements.txt.
    keep : bool
        Ask for the pinned version where there is one, not for the newest.

    Returns
    -------
    list of str
        Requirement specifiers, in the order of the file.

    Raises
    ------
    ValueError
        If a line is not `name==version`, with an optional comment.
    """
    specifiers = []
    for number, line in enumerate(requirements.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(
                f"requirements.txt, line {number}: {line!r} is not 'name==version'."
            )
        name = match["name"] + (match["extras"] or "")
        pinned = keep and match["pin"]
        specifiers.append(
            name + (f"=={match['pin']}" if pinned else match["bound"] or "")
        )
    return specifiers


def resolve(specifiers: list[str]) -> dict[str, str]:
    """Ask pip which versions it would install into an empty environment.

    Parameters
    ----------
    specifiers : list of str
        Requirement specifiers.

    Returns
    -------
    dict of str to str
        Version by normalised name, without a local part such as `+cpu`.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", *specifiers]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = [entry["metadata"] for entry in json.loads(done.stdout)["install"]]
    return {normal(m["name"]): m["version"].split("+")[0] for m in found}


def normal(name: str) -> str:
    """Return a distribution's normalised name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pin(requirements: str, versions: dict[str, str]) -> str:
    """Return requirements.txt with its pins renewed and all else as it was.

    Parameters
    ----------
    requirements : str
        The text of requirements.txt.
    versions : dict of str to str
        Version by normalised name.

    Returns
    -------
    str
        The new text.
    """
    lines = []
    for line in requirements.splitlines():
        match = _LINE.match(line)
        if match and not line.startswith("#"):
            name = match["name"] + (match["extras"] or "")
            line = f"{name}=={versions[normal(match['name'])]}{match['note'] or ''}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def constraints(requirements: str, versions: dict[str, str]) -> str:
    """Return the text of constraints.txt: all versions that are not direct.

    Parameters
    ----------
    requirements : str
        The text of requirements.txt, whose names are left out.
    versions : dict of str to str
        Version by normalised name.

    Returns
    -------
    str
        One `name==version` a line, sorted, below a header.
    """
    matches = map(_LINE.match, requirements.splitlines())
    direct = {normal(m["name"]) for m in matches if m}
    rest = sorted(set(versions) - direct)
    return _HEADER + "".join(f"{name}=={versions[name]}\n" for name in rest)


def main() -> None:
    """Renew requirements.txt and constraints.txt in place."""
    parser = argparse.ArgumentParser(description="Renew the lock of the course.")
    parser.add_argument("--keep", action="store_true", help="keep the present pins")
    keep = parser.parse_args().keep
    path = ROOT / "requirements.txt"
    text = path.read_text()
    print("Asking pip which versions fit together (a few minutes) ...", flush=True)
    versions = resolve(wanted(text, keep=keep))
    path.write_text(pin(text, versions))
    (ROOT / "constraints.txt").write_text(constraints(text, versions))
    print(f"requirements.txt and constraints.txt: {len(versions)} packages pinned.")
    print("Now run `make test` before you commit them.")


if __name__ == "__main__":
    main()
