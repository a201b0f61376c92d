"""The reader's guesses, kept as they were first made, and shown beside the measurement.

A lab asks before it measures. In the reader's own copy of the labs the guesses go to
`guesses.json` in that folder, and the first ones stay, whatever is run again. A reader
writes them in place of `...`, and nothing is kept before all are there.
"""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import EllipsisType

import numpy as np
import pandas as pd

FILE = "guesses.json"
OWN_COPY = ".editions.json"
"""The file that marks a folder as a reader's own copy of the labs."""

Guess = str | float
Asked = Guess | EllipsisType


def keep(stem: str, guess: Mapping[str, Asked]) -> dict[str, Asked]:
    """Keep the guesses of a lab the first time; later return those that were kept.

    Parameters
    ----------
    stem : str
        Of the lab, such as "12_drift".
    guess : mapping of str to str, float or ...
        By question, in the order of the chapter; `...` where none is made yet.

    Returns
    -------
    dict
        The first guess at each question. Outside a reader's own copy, `guess` itself.

    Raises
    ------
    ValueError
        If the file of guesses is not what this function wrote.
    """
    path = Path.cwd() / FILE
    if not (Path.cwd() / OWN_COPY).exists():
        return dict(guess)
    kept = _read(path)
    first = {**guess, **kept.get(stem, {})}
    asked = {question: first[question] for question in guess}
    made = {q: answer for q, answer in asked.items() if answer is not ...}
    if len(made) < len(asked):
        warnings.warn(
            "Nothing is kept yet. Write a guess in place of each `...`, and run again.",
            stacklevel=2,
        )
        return asked
    kept[stem] = {**kept.get(stem, {}), **made}  # questions may be renamed
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(kept, indent=1, default=_plain), encoding="utf-8")
    draft.replace(path)
    return asked


def _plain(value: object) -> Guess:
    """Turn a number of NumPy into one of Python, and anything else into text."""
    return float(value) if isinstance(value, np.number) else str(value)


def _read(path: Path) -> dict[str, dict[str, Guess]]:
    """Read the guesses of all labs; none, if there is no file."""
    if not path.exists():
        return {}
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is damaged: {error}. Mend or move it.") from None
    if not isinstance(kept, dict) or not all(
        isinstance(v, dict) for v in kept.values()
    ):
        raise ValueError(f"{path.name} holds no guesses by lab. Mend or move it.")
    return kept


def beside(guess: Mapping[str, Asked], measured: Mapping[str, Guess]) -> pd.DataFrame:
    """Show each guess beside what was measured.

    Parameters
    ----------
    guess, measured : mapping of str to str or float
        By the same questions; a guess of `...` is shown as an empty text.

    Returns
    -------
    DataFrame
        One row a question, with the columns "you guessed" and "measured here".

    Raises
    ------
    ValueError
        If a question was guessed and not measured, or the other way round.
    """
    odd = set(guess) ^ set(measured)
    if odd:
        raise ValueError(f"{sorted(odd)[0]!r} stands on one side only.")
    shown = {q: "" if answer is ... else answer for q, answer in guess.items()}
    columns = {"you guessed": pd.Series(shown, dtype=object)}
    columns["measured here"] = pd.Series(measured, dtype=object)
    return pd.DataFrame(columns).loc[list(guess)]
