"""Model files: written under their digests, the manifest last; opened if unchanged."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flightline.lake import failpoint
from flightline.training.digests import Damaged, sha256, verified
from flightline.training.predictors import KINDS, Predictor, open_model
from flightline.training.transform import Transform

MANIFEST = "models.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that it is there completely, or not at all.

    Parameters
    ----------
    path : Path
        The file; an older one is replaced. Its folder exists.
    content : bytes
        What it will hold.

    Raises
    ------
    OSError
        If the disk refuses. Before the rename the older file is untouched, and no draft
        is left; after it, the new file is there and the error still comes through.

    Notes
    -----
    Failpoints: `checkpoint-half` after half of the bytes (flushed), `checkpoint-draft`
    when the draft is on disk, `checkpoint-named` after the rename. The lake's own
    `draft` has a random name; here the name follows from that of the file, so that the
    next checkpoint can remove what a kill left behind.
    """
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as stream:
            stream.write(content[: len(content) // 2])
            stream.flush()
            failpoint("checkpoint-half")
            stream.write(content[len(content) // 2 :])
            stream.flush()
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        os.replace(draft, path)  # noqa: PTH105
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_names(models: Sequence[Predictor]) -> None:
    """Refuse a name that is no plain file name, and twins."""
    if not models:
        raise ValueError("there is no model to save.")
    seen: set[str] = set()
    for model in models:
        if not NAME.fullmatch(model.name):
            raise ValueError(
                f"the name {model.name!r} cannot name a file. Use up to 100 letters, "
                "digits, and _ . - behind the first."
            )
        if model.name.lower() in seen:
            raise ValueError(
                f"two models are called {model.name!r}, but for upper and lower case. "
                "Rename one: some file systems take them for the same."
            )
        seen.add(model.name.lower())
        if model.transform != models[0].transform:
            raise ValueError(
                f"{model.name} has another transform. Use a folder of its own."
            )


def save_models(
    folder: Path | str,
    models: Sequence[Predictor],
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Write models that share a transform, and a manifest with their digests.

    Each file is called by its name and digest, and an older version stays beside it.
    The manifest comes last, in one step: whatever happens before, the folder serves
    what it served.

    Parameters
    ----------
    folder : path
        It is made if it is missing.
    models : sequence of Predictor
        At least one. Names are of letters, digits and `_ . -`, and no two are equal.
    about : mapping of mappings, optional
        More entries for the manifest, by the name of a model, or "" for the whole.

    Returns
    -------
    str
        The digest of the manifest. Keep it elsewhere: who can change the files can
        change the manifest too.

    Raises
    ------
    ValueError
        For no model, a name that cannot name a file, twins, or a second transform.
    OSError
        If the disk refuses; then the folder holds what it held.
    """
    _check_names(models)
    folder, about = Path(folder), about or {}
    folder.mkdir(parents=True, exist_ok=True)

    def written(name: str, suffix: str, content: bytes) -> dict[str, str]:
        digest = sha256(content)
        path = folder / f"{name}.{digest[:16]}{suffix}"
        if not path.is_file() or path.read_bytes() != content:
            write_atomic(path, content)
        return {"file": path.name, "sha256": digest}

    text = models[0].transform.to_json().encode()
    pinned = written("transform", ".json", text)
    entries = []
    for model in models:
        said = {k: getattr(model, k) for k in ("name", "version", "kind", "precision")}
        stored = written(model.name, KINDS[model.kind][1], model.content)
        entries.append({**dict(about.get(model.name, {})), **said, **stored})
    manifest = {**about.get("", {}), "transform": pinned, "models": entries}
    content = (json.dumps(manifest, indent=1) + "\n").encode()
    write_atomic(folder / MANIFEST, content)
    return sha256(content)


def _opened(folder: Path, stored: Mapping[str, str]) -> bytes:
    """Return the bytes of a file of the manifest; the file lies in its folder."""
    if Path(stored["file"]).name != stored["file"]:
        raise Damaged(f"{MANIFEST} names {stored['file']!r}, outside its folder.")
    return verified(folder / stored["file"], stored["sha256"])


def load_model(folder: Path | str, name: str, manifest_sha256: str = "") -> Predictor:
    """Open a stored model, from the very bytes whose digest was checked.

    Parameters
    ----------
    folder : path
        What `save_models` wrote.
    name : str
        The name of a model.
    manifest_sha256 : str, optional
        The digest of the manifest, from a place that the folder's owner cannot change.

    Returns
    -------
    Predictor

    Raises
    ------
    Damaged
        If a file is missing or changed, or the manifest is none; the message names it.
    ValueError
        If the folder has no model of this name.
    """
    folder, path = Path(folder), Path(folder) / MANIFEST
    text = verified(path, manifest_sha256) if manifest_sha256 else path.read_bytes()
    try:
        manifest = json.loads(text)
        entries = {entry["name"]: entry for entry in manifest["models"]}
        pinned = manifest["transform"]
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{path} is no manifest: {error!r}. Restore it.") from None
    if name not in entries:
        raise ValueError(f"no model {name!r}. There is: {', '.join(entries)}.")
    entry = entries[name]
    content = _opened(folder, entry)
    return open_model(
        content,
        entry["kind"],
        Transform.from_json(_opened(folder, pinned)),
        name=name,
        version=entry["version"],
        precision=entry["precision"],
    )
