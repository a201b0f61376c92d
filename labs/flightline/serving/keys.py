"""Keys: made once, shown once, kept as salted digests, compared in constant time."""

import contextlib
import hashlib
import hmac
import json
import math
import os
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from flightline.serving.budget import TokenBucket
from flightline.serving.refusals import Refused

_NAME = re.compile(r"[A-Za-z0-9-]{1,40}")


@dataclass(frozen=True)
class KeyRecord:
    """What the service keeps of a key: its public name, a salt, a digest."""

    name: str
    salt: str
    digest: str


_NOBODY = KeyRecord("", "", "0" * 64)


def _digest(key: str, salt: str) -> str:
    """Return the salted digest of a key."""
    return hashlib.sha256(f"{salt}:{key}".encode()).hexdigest()


def new_key(name: str) -> tuple[str, KeyRecord]:
    """Make a key for a caller. The key itself is shown once and stored nowhere.

    Parameters
    ----------
    name : str
        Who gets it: letters, digits and hyphens. It appears in logs.

    Returns
    -------
    key : str
        The secret, `name.random`, with 256 random bits.
    record : KeyRecord
        What the service stores.

    Raises
    ------
    ValueError
        If the name holds anything else.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a key: use letters, digits, hyphens."
        )
    key, salt = f"{name}.{secrets.token_urlsafe(32)}", secrets.token_hex(16)
    return key, KeyRecord(name, salt, _digest(key, salt))


def caller_of(key: str, records: Mapping[str, KeyRecord]) -> str | None:
    """Return whose key this is, or None.

    An unknown name costs the same work as a known one, and the digests are compared
    in constant time, so that the time of the answer tells nothing.

    Parameters
    ----------
    key : str
        What the caller sent.
    records : mapping of str to KeyRecord
        The records by name.
    """
    record = records.get(key.partition(".")[0], _NOBODY)
    same = hmac.compare_digest(_digest(key, record.salt), record.digest)
    return record.name if same and record.name else None


class Admission:
    """Who may come in: a known key, within its budget.

    Parameters
    ----------
    keys : iterable of KeyRecord
        The callers. Each has a budget of its own.
    rate_s, burst
        As for `TokenBucket`.

    Raises
    ------
    ValueError
        If two keys have one name, or the budget is no budget.
    """

    def __init__(self, keys: Iterable[KeyRecord], rate_s: float, burst: int) -> None:
        TokenBucket(rate_s, burst)  # refuses a budget that is none, keys or not
        now = time.monotonic()
        self.records: dict[str, KeyRecord] = {}
        for record in keys:
            if record.name in self.records:
                raise ValueError(f"two keys are called {record.name!r}: rename one.")
            self.records[record.name] = record
        self.buckets = {name: TokenBucket(rate_s, burst, now) for name in self.records}

    def admit(self, authorization: str) -> str:
        """Return who calls, and take one token of their budget.

        Parameters
        ----------
        authorization : str
            The value of the header; empty if there is none.

        Raises
        ------
        Refused
            401 without a known key; 429 if the budget of the key is used up.
        """
        scheme, _, key = authorization.partition(" ")
        ask = {"WWW-Authenticate": "Bearer"}
        if scheme.lower() != "bearer" or not key.strip():
            raise Refused(
                401, "no_key", "Send your key: Authorization: Bearer KEY.", ask
            )
        caller = caller_of(key.strip(), self.records)
        if caller is None:
            raise Refused(401, "unknown_key", "This key is not known.", ask)
        wait_s = self.buckets[caller].take(time.monotonic())
        if wait_s > 0:
            whole_s = str(math.ceil(wait_s))
            message = f"Your budget is used up. Try again in {whole_s} s."
            raise Refused(429, "too_many_requests", message, {"Retry-After": whole_s})
        return caller


def read_keys(path: Path) -> list[KeyRecord]:
    """Read stored keys.

    Raises
    ------
    ValueError
        If the file holds no list of key records; it says what to do.
    """
    try:
        rows = json.loads(path.read_bytes())
        records = [KeyRecord(**row) for row in rows]
    except (ValueError, TypeError):
        records = []
    sound = [r for r in records if all(isinstance(v, str) for v in asdict(r).values())]
    if not records or len(sound) < len(records):
        raise ValueError(
            f"{path} holds no list of keys (name, salt, digest). Restore it, or move "
            "it away and make new keys: those in it are lost."
        )
    return records


def keep_keys(
    path: Path, records: Iterable[KeyRecord], *, replace: bool = False
) -> None:
    """Store keys in one step, for the owner alone.

    Parameters
    ----------
    path : Path
        The file. Its folder exists.
    records : iterable of KeyRecord
        What is stored.
    replace : bool
        Whether a file that is there is replaced.

    Raises
    ------
    FileExistsError
        If a file is there that is not to be replaced: another service stored its keys
        meanwhile.
    OSError
        If the disk is full, or the folder is missing. Nothing is left behind then.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    content = json.dumps([asdict(record) for record in records]).encode()
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.rename(path)
        else:
            os.link(draft, path)  # unlike a rename, it fails where a file is
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
