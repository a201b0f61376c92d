"""Who may put a model before the traffic: the loop itself, or somebody with a key.

A key is made once, shown once, and kept as a salted digest, as those of the service
are. Whoever has one may order a promotion, of a model that has passed or of one that
has answered before. The order lies in the folder until the next step of the clock,
which follows it and notes who gave it.
"""

import fcntl
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flightline import serving, training
from flightline.loop.journal import read_decisions, read_models, reading
from flightline.loop.policy import Model
from flightline.loop.standing import moment, plain

KEYS, ORDER = "promoters.json", "order.json"


class NotAllowed(PermissionError):
    """Who asked may not promote, or the model may not be promoted."""


@dataclass(frozen=True)
class Order:
    """A person's wish that a model shall answer.

    Attributes
    ----------
    model : Model
    by : str
        Whose key it was.
    why : str
        The reason that was given; it goes into the card.
    number : str
        Drawn at random, so that one order is followed once.
    """

    model: Model
    by: str
    why: str
    number: str


def permit(folder: Path | str, name: str) -> str:
    """Let somebody promote; return the key, which is shown this once.

    Parameters
    ----------
    folder : path
        The folder of a run.
    name : str
        Letters, digits and hyphens.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the name is none, or has a key already, or there is no such folder.
    """
    path = Path(folder) / KEYS
    with _alone(path.parent):
        records = serving.read_keys(path) if path.exists() else []
        if name in {record.name for record in records}:
            raise ValueError(f"{name} has a key already. Take another name.")
        key, record = serving.new_key(name)
        serving.keep_keys(path, [*records, record], replace=True)
    return key


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for others who write here: of two at once, one would lose its key."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder of a run. Begin with run.")
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def order(folder: Path | str, name: str, key: str, why: str) -> Order:
    """Order that a model shall answer from the end of the next step on.

    Parameters
    ----------
    folder : path
        The folder of a run.
    name : str
        A model of the run.
    key : str
        What `permit` returned.
    why : str
        The reason; not empty.

    Returns
    -------
    Order

    Raises
    ------
    NotAllowed
        If the key is not known, or the model is unknown, or was refused by the gate or
        in a trial.
    ValueError
        If there is no reason, no run, or an order that waits for the next step.
    """
    folder = Path(folder)
    known = serving.read_keys(folder / KEYS) if (folder / KEYS).is_file() else []
    by = serving.caller_of(key, {record.name: record for record in known})
    if by is None:
        raise NotAllowed(
            "this key may not promote. Ask for one: python -m flightline.loop permit."
        )
    if not why.strip():
        raise ValueError("a promotion needs a reason: it is kept in the model's card.")
    with _alone(folder), reading(folder) as base:
        found = Order(_passed(base, name), by, why.strip(), secrets.token_hex(8))
        waiting = pending(folder, base)
        if waiting is not None:
            raise ValueError(
                f"{waiting.by} has ordered {waiting.model.name}, which answers after "
                f"the next step. To take that back, remove {folder / ORDER}."
            )
        training.write_atomic(folder / ORDER, json.dumps(plain(found)).encode())
    return found


def _passed(base: sqlite3.Connection, name: str) -> Model:
    """Return a model of the run that may be promoted, or say why it may not."""
    known = read_models(base)
    if name not in known:
        raise NotAllowed(f"the run has no model {name!r}. It has: {', '.join(known)}.")
    model = Model(name, moment(known[name]["cut_off"]))
    allowed = False
    for _, _, body in read_decisions(base):
        allowed = allowed or name in _answering(body)
        if name == _named(body.get("decision"), "challenger"):
            allowed = _outcome(body.get("decision")) in ("trial", "promoted")
    if not allowed:
        raise NotAllowed(
            f"{name} has not passed the gate, and has never answered: train another."
        )
    return model


def _answering(body: dict[str, object]) -> set[str]:
    """Return who answers after a decision, and who did before."""
    return {_named(body["after"], "champion"), _named(body["after"], "former")} - {""}


def _named(body: object, part: str) -> str:
    """Return the name of a model in a part of a decision; empty if there is none."""
    found = body.get(part) if isinstance(body, dict) else None
    return str(found["name"]) if isinstance(found, dict) else ""


def _outcome(body: object) -> str:
    """Return what a decision came to."""
    return str(body.get("outcome")) if isinstance(body, dict) else ""


def pending(folder: Path, base: sqlite3.Connection) -> Order | None:
    """Return the order that waits, if it was not followed already.

    Parameters
    ----------
    folder : Path
        The folder of a run.
    base : sqlite3.Connection
        Its journal.

    Raises
    ------
    ValueError
        If the file is no order, or one for a model that the run does not have: it would
        be decided, and could never answer.
    """
    path = folder / ORDER
    if not path.is_file():
        return None
    try:
        body = json.loads(path.read_bytes())
        model = Model(body["model"]["name"], moment(body["model"]["cut_off"]))
        said = [body[name] for name in ("by", "why", "number")]
        if not all(isinstance(each, str) for each in (model.name, *said)):
            raise ValueError("a name, reason or number that is no text")
        found = Order(model, *said)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no order: {error!r}. Remove it.") from None
    if _followed(base, found):
        return None
    known = read_models(base).get(model.name, {}).get("cut_off")
    if known is None or moment(known) != model.cut_off:
        raise ValueError(
            f"{path} orders {model.name} of {model.cut_off}, which is no model of this "
            "run. Remove it."
        )
    return found


def _followed(base: sqlite3.Connection, found: Order) -> bool:
    """Tell whether a decision has followed an order already."""
    return any(body.get("order") == plain(found) for _, _, body in read_decisions(base))


def clear(folder: Path, base: sqlite3.Connection) -> None:
    """Remove an order that the journal has followed.

    Parameters
    ----------
    folder : Path
        The folder of a run.
    base : sqlite3.Connection
        Its journal.
    """
    if not (folder / ORDER).is_file():
        return
    with _alone(folder):  # an order that comes meanwhile must not go with the old one
        if pending(folder, base) is None:
            (folder / ORDER).unlink(missing_ok=True)
