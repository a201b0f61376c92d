"""The configuration as a JSON document: read, written, and watched while it changes.

A document is refused as a whole: a service that took the half of it would assign
units by rules that nobody wrote.
"""

import json
import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from pathlib import Path

from flightline.experiments.config import HOLDOUT, Config
from flightline.experiments.experiment import Experiment
from flightline.experiments.flags import Flag

LOGGER = logging.getLogger("flightline.experiments")


def to_json(config: Config) -> str:
    """Return a configuration as its JSON document.

    Parameters
    ----------
    config : Config

    Returns
    -------
    str
        Indented; fields that have their default are left out.
    """
    own = [
        {name: value for name, value in _stated(one).items() if name not in HOLDOUT}
        for one in config.experiments
    ]
    document = {name: getattr(config, name) for name in HOLDOUT}
    document |= {"experiments": own, "flags": [_stated(one) for one in config.flags]}
    return json.dumps(document, indent=2, default=date.isoformat, ensure_ascii=False)


def _stated(one: Experiment | Flag) -> dict[str, object]:
    """Return the fields of an experiment or flag that differ from their default."""
    found = {}
    for each in fields(one):
        value = getattr(one, each.name)
        usual = each.default
        if each.default_factory is not MISSING:
            usual = each.default_factory()
        if value != usual:
            found[each.name] = value
    return found


def from_json(text: str) -> Config:
    """Return the configuration of a JSON document.

    Parameters
    ----------
    text : str
        An object with `experiments`, `flags`, `holdout` and `holdout_salt`, each of
        which may be left out; see `Experiment` and `Flag` for theirs.

    Returns
    -------
    Config

    Raises
    ------
    ValueError
        If the text is no JSON (torn), a name stands twice in an object, a field is
        unknown or missing, or as in `Experiment`, `Flag` and `Config`.
    """
    document = _object(_parsed(text), Config, "the configuration")
    common = {name: document[name] for name in HOLDOUT if name in document}
    experiments = []
    for stated in _list(document, "experiments"):
        values = _object(stated, Experiment, "an experiment")
        if own := [name for name in HOLDOUT if name in values]:
            raise ValueError(
                f"experiment {values.get('name')!r} states {own[0]}. It stands once, "
                "beside the experiments."
            )
        experiments.append(Experiment(**values | common))  # type: ignore[arg-type]
    flags = [
        Flag(**_object(stated, Flag, "a flag"))  # type: ignore[arg-type]
        for stated in _list(document, "flags")
    ]
    return Config(tuple(experiments), tuple(flags), **common)  # type: ignore[arg-type]


def _parsed(text: str) -> object:
    """Return what a JSON text holds; no name twice, no NaN."""
    if not isinstance(text, str):
        raise ValueError(f"it is a {type(text).__name__}, no text of a document.")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no whole JSON document: {error}.") from None
    except RecursionError:
        raise ValueError("it is nested too deeply to be a configuration.") from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object of JSON; a name that stands twice is refused."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands twice in one object. Keep one of them.")
    return found


def _no_number(text: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(f"it holds {text}, which is no number of JSON.")


def _object(value: object, kind: type, what: str) -> dict[str, object]:
    """Return an object of JSON whose fields are those of a class."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {value!r:.40}. It must be an object.")
    known = [each.name for each in fields(kind)]
    who = f"{what} ({value['name']!r})" if "name" in value else what
    if unknown := [name for name in value if name not in known]:
        raise ValueError(
            f"{who} has the unknown field {unknown[0]!r}. Known are: "
            f"{', '.join(known)}."
        )
    for each in fields(kind):
        needed = each.default is MISSING and each.default_factory is MISSING
        if needed and each.name not in value:
            raise ValueError(f"{who} lacks the field {each.name!r}.")
    return value


def _list(document: Mapping[str, object], name: str) -> list[object]:
    """Return a list of the document; empty if it is not stated."""
    value = document.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} is {value!r:.40}. It must be a list of objects.")
    return value


def load_config(path: Path | str) -> Config:
    """Read a configuration from its file.

    Parameters
    ----------
    path : path
        A JSON document in UTF-8, as for `from_json`.

    Returns
    -------
    Config

    Raises
    ------
    ValueError
        If it cannot be read, or as in `from_json`; the message begins with the name
        of the file.
    """
    return _read(Path(path), _bytes(Path(path)))


def _bytes(path: Path) -> bytes:
    """Return the content of a file, or say why it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}.") from error


def _read(path: Path, content: bytes) -> Config:
    """Return the configuration in the content of a file."""
    try:
        return from_json(content.decode())
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def save_config(config: Config, path: Path | str) -> None:
    """Write a configuration, so that a reader finds the old one or the new, whole.

    Parameters
    ----------
    config : Config
    path : path
        The file. Of two writers at once the last one wins: let one program write.

    Raises
    ------
    OSError
        If the folder is not there, or the disk is full; the old file stays, and no
        draft is left behind.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.draft")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(to_json(config) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


class Watched:
    """A configuration that a service reads again while it runs.

    Call `reload` as often as a change may wait, and make the `assignment_function`
    anew when it returns True.

    Parameters
    ----------
    path : path
        The file; its document must be good at the start.

    Attributes
    ----------
    config : Config
        The last good one.
    error : str
        Why the file as it is now was not taken; "" if it was.

    Raises
    ------
    ValueError
        As `load_config`: a service does not start without a configuration.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._content: bytes | None = _bytes(self._path)
        self.config = _read(self._path, self._content)
        self.error = ""

    def reload(self) -> bool:
        """Take a new document if there is one; keep the last good one otherwise.

        Returns
        -------
        bool
            True if there is a new configuration. An error is logged once, not at
            each call, and kept in `error` until the file is good again.
        """
        try:
            content = _bytes(self._path)
            if content == self._content and not self.error:
                return False
            config = _read(self._path, content)
        except ValueError as error:
            self._tell(str(error))
            return False
        new = config != self.config
        self._content, self.config, self.error = content, config, ""
        return new

    def _tell(self, error: str) -> None:
        """Log an error, unless it was logged already."""
        if error != self.error:
            LOGGER.error("%s The last good configuration stays.", error)
        self.error = error
