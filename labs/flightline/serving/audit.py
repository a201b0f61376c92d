"""Hold what callers got against what the service wrote."""

from pathlib import Path

import pandas as pd

from flightline.serving.core import reconcile
from flightline.serving.log import read_log

ANSWER = ["request_id", "model", "version", "score"]


def audit(answers: pd.DataFrame, log: pd.DataFrame | Path | str) -> dict[str, int]:
    """Count answers that the prediction log does not hold, or holds otherwise.

    Parameters
    ----------
    answers : DataFrame
        What callers got, one row each: `request_id`, `model`, `version` and `score`, as
        `Answer` has them.
    log : DataFrame, Path or str
        A prediction log, or its file. Its `shadow` says which lines answered nobody.

    Returns
    -------
    dict of int
        `missing`: answers for whose request the log has no line; `differ`: those for
        whose request it has lines, but none with the same model, version and score;
        `repeated`: lines beyond the first of each request. A line without an answer is
        no loss: its caller had hung up.

    Raises
    ------
    ValueError
        If a column is missing, a request has two answers, or the log does not say of
        a line whether it is a shadow's.

    Examples
    --------
    >>> got = pd.DataFrame({"request_id": ["a"], "model": "m", "version": "1"})
    >>> got["score"] = 0.5
    >>> audit(got, got.assign(shadow=False))
    {'missing': 0, 'differ': 0, 'repeated': 0}
    """
    lines = log if isinstance(log, pd.DataFrame) else read_log(log)
    for what, table, columns in (
        ("the answers lack", answers, ANSWER),
        ("the log lacks", lines, [*ANSWER, "shadow"]),
    ):
        if missing := [name for name in columns if name not in table.columns]:
            raise ValueError(f"{what} {', '.join(missing)}.")
    twice = answers["request_id"].duplicated()
    if twice.any():
        name = answers.loc[twice, "request_id"].iloc[0]
        raise ValueError(
            f"{twice.sum()} requests have more than one answer (first: {name}). Keep "
            "the one that the caller used."
        )
    unknown = lines["shadow"].isna()
    if unknown.any():
        name = lines.loc[unknown, "request_id"].iloc[0]
        raise ValueError(
            f"shadow is missing in {unknown.sum()} of {len(lines)} lines of the log "
            f"(first: {name}). Restore or drop them."
        )
    return reconcile(answers, lines)
