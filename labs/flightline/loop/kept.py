"""Scores of models, kept on disk under what they depend on."""

import io
import json
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from flightline import training
from flightline.loop.core import Floats
from flightline.loop.fits import Fit
from flightline.loop.policy import Model

DIGEST = 64
"""The length of a digest in hex, which stands before the content of a file."""


class Kept(NamedTuple):
    """A model of a cut-off: its name, its scores of later rows, what it cost.

    `learned` holds its scores of the newest rows that it has learned.
    """

    model: Model
    scores: Floats
    learned: Floats
    cpu_s: float


class Shelf:
    """A folder of scores; without one, nothing is kept.

    An entry of other rows, settings or libraries has another name. A damaged one counts
    as missing: it can be made again.

    Parameters
    ----------
    folder : path or None
    rows : str
        The digest of the table.
    fit : Fit
    wait, window : Timedelta
    """

    def __init__(
        self,
        folder: Path | str | None,
        rows: str,
        fit: Fit,
        wait: pd.Timedelta,
        window: pd.Timedelta,
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self._said = {
            "rows": rows,
            "wait": str(wait),
            "window": str(window),
            "fit": repr(fit),
            "lightgbm": version("lightgbm"),
            "scikit-learn": version("scikit-learn"),
        }

    def read(self, cut_off: pd.Timestamp) -> Kept | None:
        """Return what was kept of a cut-off; None if it is not there, or damaged."""
        path = self._path(cut_off)
        if path is None or not path.is_file():
            return None
        stored = path.read_bytes()
        digest, content = stored[:DIGEST], stored[DIGEST:]
        if training.sha256(content).encode() != digest:
            return None
        found = np.load(io.BytesIO(content), allow_pickle=False)
        model = Model(str(found["name"]), cut_off)
        scores, learned = found["scores"], found["learned"]
        return Kept(model, scores, learned, float(found["cpu_s"]))

    def write(self, kept: Kept) -> None:
        """Keep the scores of a cut-off, whole or not at all."""
        path = self._path(kept.model.cut_off)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = io.BytesIO()
        np.savez(
            stream,
            name=kept.model.name,
            scores=kept.scores,
            learned=kept.learned,
            cpu_s=kept.cpu_s,
        )
        content = stream.getvalue()
        training.write_atomic(path, training.sha256(content).encode() + content)

    def _path(self, cut_off: pd.Timestamp) -> Path | None:
        """Return the file of a cut-off, if there is a folder."""
        if self._folder is None:
            return None
        said = {**self._said, "cut_off": cut_off.tz_convert("UTC").isoformat()}
        name = training.sha256(json.dumps(said).encode())[:24]
        return self._folder / f"{name}.scores"
