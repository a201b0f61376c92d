"""Labels that come late, twice, corrected, or never: which answers may be judged.

An answer is mature by its age alone. Whether its label has come says something about
the label (a flight that is very late reports late), so it must not decide who is
judged. An answer that is mature and has no label is counted, and a feed that fell
silent is told from flights that never landed.
"""

from dataclasses import dataclass

import pandas as pd

from flightline.loop.core import join_labels

WAIT = pd.Timedelta(days=1)
"""How long behind the due time a label is waited for: all of 2013 came in 22 hours."""

ANSWER = ["id", "asked_at", "day", "due_at", "score"]
"""The columns of an answer."""

LABEL = ["id", "available_at", "late"]
"""The columns of a label."""

ENOUGH = 20
"""The fewest mature answers of a day that tell whether its labels came."""


@dataclass(frozen=True)
class LabelJoin:
    """Joins labels to the answers that they judge, as they are known at a moment.

    Attributes
    ----------
    wait : Timedelta
        How long behind its `due_at` an answer becomes mature; 0 or more.
    """

    wait: pd.Timedelta = WAIT

    def __post_init__(self) -> None:
        """Refuse to judge before an answer is due."""
        if self.wait is pd.NaT or self.wait < pd.Timedelta(0):
            raise ValueError(f"wait={self.wait}: give a duration of 0 or more.")

    def __call__(
        self, answers: pd.DataFrame, labels: pd.DataFrame, now: pd.Timestamp
    ) -> pd.DataFrame:
        """Give each answer the newest label that is known now.

        Parameters
        ----------
        answers : DataFrame
            `id`, `asked_at`, `day`, `due_at` and `score`; more columns stay. Of several
            answers with one id the first counts: it is the one that was acted on.
        labels : DataFrame
            `id`, `available_at` and `late` (true, false, 1, 0 or null), in any order.
            Of several labels of one id the one that became available last counts; among
            equals, the last row.
        now : Timestamp
            With a zone. Nothing later is used.

        Returns
        -------
        DataFrame
            One row an id, in the order of the answers and with their index: `late`
            (boolean; null: not known by now) and `mature` (bool: due at least `wait`
            ago, whether or not a label has come).

        Raises
        ------
        ValueError
            If a column is missing or there twice, a time is null or has no zone, a
            label is anything else, ids are numbers in one table and texts in the other,
            or an answer was asked for later than now.
        """
        must_have(answers, ANSWER, "answers")
        must_have(labels, LABEL, "labels")
        must_be_a_moment(now)
        for table, name, columns in (
            (answers, "answers", ["asked_at", "due_at"]),
            (labels, "labels", ["available_at"]),
        ):
            _must_be_instants(table, name, columns)
            _must_be_known(table, name, "id")
        _must_match(answers["id"], labels["id"])
        _must_be_past(answers, now)
        return join_labels(answers, _as_booleans(labels), now, self.wait)


def with_labels(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the answers that are mature and have a label, `late` as bool."""
    rows = scored[scored["mature"] & scored["late"].notna()]
    return rows.assign(late=rows["late"].astype(bool))


def silent_days(joined: pd.DataFrame, most: float = 0.9) -> list[str]:
    """Return the days whose labels are missing for nearly all mature answers.

    Parameters
    ----------
    joined : DataFrame
        What `LabelJoin` returned.
    most : float
        A day is silent if more than this share of its mature answers has no label. The
        worst storm of the year cancels two thirds of a day.

    Returns
    -------
    list of str
        In order. Days with fewer than 20 mature answers are not judged.

    Raises
    ------
    ValueError
        If `most` is not between 0 and 1, or a column is missing.
    """
    if not 0 < most < 1:
        raise ValueError(f"most={most} must lie between 0 and 1.")
    must_have(joined, ["day", "late", "mature"], "joined")
    ripe = joined[joined["mature"]]
    missing = ripe["late"].isna().groupby(ripe["day"]).agg(["mean", "size"])
    silent = missing[(missing["mean"] > most) & (missing["size"] >= ENOUGH)]
    return sorted(str(day) for day in silent.index)


def silence(joined: pd.DataFrame, most: float = 0.9) -> str | None:
    """Say in a sentence that labels are missing, or return None if they are not.

    Parameters and errors as for `silent_days`.
    """
    days = silent_days(joined, most)
    if not days:
        return None
    named = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"no labels for {len(days)} day{'s' * (len(days) > 1)} ({named}), though the "
        "answers are mature: the label feed is silent. Answers are kept, and are "
        "judged when it is back."
    )


def must_have(table: pd.DataFrame, columns: list[str], name: str) -> None:
    """Refuse a table that lacks a column, or has one twice."""
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(
            f"{name} lacks {', '.join(missing)}. It has: "
            f"{', '.join(map(str, table.columns))}."
        )
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(f"{name} has two columns {twice[0]!r}. Rename one.")


def must_be_a_moment(at: pd.Timestamp, name: str = "now") -> None:
    """Refuse a moment that is missing, or could mean several."""
    if at is pd.NaT or at.tzinfo is None:
        raise ValueError(f"{name}={at} has no time zone. Give it in UTC.")


def _must_be_instants(table: pd.DataFrame, name: str, columns: list[str]) -> None:
    """Refuse times without a zone, and missing ones."""
    for column in columns:
        if not isinstance(table[column].dtype, pd.DatetimeTZDtype):
            raise ValueError(
                f"{name}[{column!r}] holds {table[column].dtype}: give times with a "
                "zone, such as datetime64[us, UTC]."
            )
        _must_be_known(table, name, column)


def _must_be_known(table: pd.DataFrame, name: str, column: str) -> None:
    """Refuse nulls, with their number and the first row."""
    lost = table[column].isna().to_numpy()
    if lost.any():
        raise ValueError(
            f"{name}[{column!r}] is missing in {int(lost.sum())} of {len(table)} rows "
            f"(first: row {int(lost.argmax())}). Drop them or restore them."
        )


def _must_match(answers: pd.Series, labels: pd.Series) -> None:
    """Refuse ids of kinds that can never be equal."""
    kinds = [pd.api.types.is_numeric_dtype(ids.dtype) for ids in (answers, labels)]
    if len(answers) and len(labels) and kinds[0] != kinds[1]:
        raise ValueError(
            f"answers['id'] holds {answers.dtype} and labels['id'] {labels.dtype}: no "
            "two of them are equal. Make both texts or both numbers."
        )


def _must_be_past(answers: pd.DataFrame, now: pd.Timestamp) -> None:
    """Refuse answers that were asked for later than now."""
    later = (answers["asked_at"] > now).to_numpy()
    if later.any():
        newest = answers["asked_at"].max()
        raise ValueError(
            f"{int(later.sum())} of {len(answers)} answers were asked for after now="
            f"{now} (newest: {newest}). Did the clock go backwards? Nothing was joined."
        )


def _as_booleans(labels: pd.DataFrame) -> pd.DataFrame:
    """Return labels whose `late` is boolean, or refuse them."""
    try:
        return labels.assign(late=labels["late"].astype("boolean"))
    except (TypeError, ValueError):
        odd = [v for v in labels["late"].dropna().unique() if v not in (0, 1)]
        raise ValueError(
            f"labels['late'] holds {odd[0] if odd else labels['late'].dtype!r}: a "
            "label is true, false, 1, 0 or null."
        ) from None
