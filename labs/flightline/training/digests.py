"""Digests of files; bytes are opened only if their digest is the recorded one."""

import hashlib
from pathlib import Path


class Damaged(Exception):
    """A file is not what its digest says; it was not opened."""


def sha256(content: bytes) -> str:
    """Return the sha256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def verified(path: Path, digest: str) -> bytes:
    """Return the bytes of a file if they have the digest that was recorded.

    Parameters
    ----------
    path : Path
        The file. It is read once.
    digest : str
        The sha256 that it must have, in hex.

    Returns
    -------
    bytes
        The bytes whose digest was compared: open these, and do not read again.

    Raises
    ------
    Damaged
        If the file is missing, empty or changed; the message names it.
    """
    content = path.read_bytes() if path.is_file() else b""
    if sha256(content) != digest:
        found = f"sha256 {sha256(content)[:12]}..." if content else "missing or empty"
        raise Damaged(
            f"{path.name}: {found}, the record says {digest[:12]}.... It was "
            "not opened. Restore it from a copy, or make it again."
        )
    return content
