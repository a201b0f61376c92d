"""Labels that come late, twice, corrected, or never: which answers may be judged.

An answer is mature by its age alone. Whether its label has come says something about
the label (a flight that is very late reports late), so it must not decide who is
judged. An answer that is mature and has no label is counted, and a feed that fell
silent is told from flights that never landed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from flightline.loop.core import Floats, join_labels

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
        if not isinstance(self.wait, timedelta) or not self.wait >= timedelta(0):
            raise ValueError(f"wait={self.wait}: give a duration of 0 or more.")

    def __call__(
        self, answers: pd.DataFrame, labels: pd.DataFrame, now: pd.Timestamp
    ) -> pd.DataFrame:
        """Give each answer the newest label that is known now.

        Parameters
        ----------
        answers : DataFrame
            `id`, `asked_at`, `day`, `due_at` and `score`; more columns stay. Of several
            answers with one id the first row counts: it is the one that was acted on.
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
            label is anything else, ids are of one kind (numbers, texts, bytes) in one
            table and of another in the other, or an answer was asked for later than
            now.
        """
        must_have(answers, ANSWER, "answers")
        must_have(labels, LABEL, "labels")
        must_be_a_moment(now)
        for table, name, columns in (
            (answers, "answers", ["asked_at", "due_at"]),
            (labels, "labels", ["available_at"]),
        ):
            must_be_instants(table, name, columns)
            _must_be_known(table, name, "id")
        must_match(answers["id"], labels["id"], ("answers['id']", "labels['id']"))
        _must_be_past(answers, now)
        return join_labels(answers, _as_booleans(labels, "labels"), now, self.wait)


def with_labels(scored: pd.DataFrame) -> pd.DataFrame:
    """Return the answers that are mature and have a label, `late` as bool.

    Parameters
    ----------
    scored : DataFrame
        With `late` (true, false, 1, 0 or null) and `mature` (true, false, 1 or 0).

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If a label is anything else: the text "False" would count as late.
    """
    rows = scored[mature(scored, "scored") & scored["late"].notna().to_numpy()]
    rows = _as_booleans(rows, "scored")
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
        If `most` is not between 0 and 1, a column is missing, a day is null, or `late`
        and `mature` hold anything but true, false, 1, 0 and, for `late`, null: an empty
        text is no label either, but would look like one.
    """
    if not 0 < most < 1:
        raise ValueError(f"most={most} must lie between 0 and 1.")
    must_have(joined, ["day", "late", "mature"], "joined")
    ripe = _as_booleans(joined[mature(joined, "joined")], "joined")
    _must_be_known(ripe, "the mature rows", "day")
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
    if not isinstance(at, datetime) or at is pd.NaT or at.tzinfo is None:
        raise ValueError(f"{name}={at} has no time zone. Give it in UTC.")


def must_be_instants(table: pd.DataFrame, name: str, columns: list[str]) -> None:
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


def must_match(
    left: pd.Series | pd.Index, right: pd.Series | pd.Index, names: tuple[str, str]
) -> None:
    """Refuse ids of kinds that can never be equal, such as 1 and "1"."""
    kinds = {_kind(left), _kind(right)}
    if len(kinds) == 2 and not kinds & {"empty", "mixed", "mixed-integer"}:
        raise ValueError(
            f"{names[0]} holds {_kind(left)} and {names[1]} {_kind(right)}: no two of "
            "them are equal. Make both texts or both numbers."
        )


def _kind(ids: pd.Series | pd.Index) -> str:
    """Return what ids are, whatever column holds them."""
    if isinstance(ids, pd.MultiIndex):
        return "tuples"
    if isinstance(ids.dtype, pd.CategoricalDtype):
        ids = ids.dtype.categories if len(ids) else ids[:0].astype(object)
    found = pd.api.types.infer_dtype(ids, skipna=True) if len(ids) else "empty"
    return KINDS.get(found, found)


KINDS = {
    "string": "texts",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
}


def whole(value: object, least: int) -> bool:
    """Tell whether an option is a whole number, and not below the least one.

    NaN is not below anything, and would pass a comparison.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return False
    return int(value) >= least


def mature(table: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    """Return which answers are mature; the text "False" is refused."""
    return np.asarray(truths(table["mature"], f"{name}['mature']") == 1)


def numbers(values: npt.ArrayLike, name: str) -> Floats:
    """Return one row of numbers as float64, NaN where there is none."""
    try:
        if isinstance(values, pd.Series):
            values = values.to_numpy(np.float64, na_value=np.nan)
        found = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds what is no number: {error}.") from None
    if found.ndim != 1:
        raise ValueError(f"{name} has the shape {found.shape}: give one row.")
    return found


def probabilities(values: npt.ArrayLike, name: str) -> Floats:
    """Return numbers from 0 to 1 as float64, or say what is wrong with them."""
    found = numbers(values, name)
    wrong = ~((found >= 0) & (found <= 1))
    if wrong.any():
        place = int(wrong.argmax())
        raise ValueError(
            f"{name} holds {int(wrong.sum())} of {len(found)} values that are null or "
            f"outside of 0 to 1 (first: {found[place]} at position {place})."
        )
    return found


def truths(values: npt.ArrayLike, name: str) -> Floats:
    """Return labels as 0 and 1, or refuse a null and whatever lies between."""
    found = probabilities(values, name)
    if ((found > 0) & (found < 1)).any():
        raise ValueError(
            f"{name} holds numbers between 0 and 1: a label is one of both."
        )
    return found


def _must_be_past(answers: pd.DataFrame, now: pd.Timestamp) -> None:
    """Refuse answers that were asked for later than now."""
    later = (answers["asked_at"] > now).to_numpy()
    if later.any():
        newest = answers["asked_at"].max()
        raise ValueError(
            f"{int(later.sum())} of {len(answers)} answers were asked for after now="
            f"{now} (newest: {newest}). Did the clock go backwards? Nothing was joined."
        )


def _as_booleans(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table whose `late` is boolean, or refuse it."""
    late = table["late"]
    if late.dtype == object:  # such as True, 0 and None in one column
        late = late.map(lambda v: bool(v) if v in (0, 1) else v, na_action="ignore")
    try:
        return table.assign(late=late.astype("boolean"))
    except (TypeError, ValueError):
        odd = [v for v in table["late"].dropna().unique() if v not in (0, 1)]
        raise ValueError(
            f"{name}['late'] holds {odd[0] if odd else table['late'].dtype!r}: a "
            "label is true, false, 1, 0 or null."
        ) from None
