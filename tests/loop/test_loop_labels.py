"""The label joiner: late, repeated, corrected and missing labels; a silent feed."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline.loop import labels
from flightline.loop.labels import LabelJoin

NOW = pd.Timestamp("2013-07-03T04:00", tz="UTC")
DAY, HOUR = pd.Timedelta(days=1), pd.Timedelta(hours=1)


def asked(ids, due, score=0.5):
    due = pd.Series(pd.to_datetime(due, utc=True)).astype("datetime64[us, UTC]")
    return pd.DataFrame(
        {
            "id": ids,
            "asked_at": due - 4 * HOUR,
            "day": due.dt.strftime("%Y-%m-%d"),
            "due_at": due,
            "score": score,
        }
    )


def known(*rows):
    table = pd.DataFrame(rows, columns=["id", "available_at", "late"])
    at = pd.to_datetime(table["available_at"], utc=True)
    return table.assign(available_at=at.astype("datetime64[us, UTC]"))


def test_each_answer_gets_the_newest_label_that_is_known():
    answers = asked(["a", "b", "c", "d"], ["2013-07-01T12:00"] * 4)
    found = LabelJoin()(
        answers,
        known(
            ("a", "2013-07-01T13:00", True),  # corrected later
            ("a", "2013-07-02T09:00", False),
            ("b", "2013-07-03T05:00", True),  # not known yet
            ("c", "2013-07-01T12:00", True),  # twice
            ("c", "2013-07-01T12:00", True),
            ("x", "2013-07-01T12:00", True),  # of nobody
        ),
        NOW,
    )
    assert found["late"].tolist() == [False, pd.NA, True, pd.NA]
    assert found["mature"].all()


def test_a_correction_that_comes_first_in_the_table_still_wins():
    answers = asked(["a"], ["2013-07-01T12:00"])
    rows = ("a", "2013-07-02T09:00", False), ("a", "2013-07-01T13:00", True)
    assert LabelJoin()(answers, known(*rows), NOW)["late"].tolist() == [False]


def test_age_alone_makes_mature():
    answers = asked(
        ["old", "edge", "young"],
        ["2013-07-01T04:00", "2013-07-02T04:00", "2013-07-02T04:01"],
    )
    early = known(("young", "2013-07-02T05:00", False))
    found = LabelJoin()(answers, early, NOW)
    assert found["mature"].tolist() == [True, True, False]
    assert found["late"].isna().tolist() == [True, True, False]
    assert not len(labels.with_labels(found))


def test_the_first_of_two_answers_counts_and_order_and_index_stay():
    answers = asked(["b", "a", "b"], ["2013-07-01T12:00"] * 3, [0.1, 0.2, 0.9])
    answers.index = [7, 3, 5]
    found = LabelJoin()(answers, known(("b", "2013-07-01T12:00", True)), NOW)
    assert found["id"].tolist() == ["b", "a"]
    assert found.index.tolist() == [7, 3]
    assert found["score"].tolist() == [0.1, 0.2]


def test_nothing_given_is_changed():
    answers = asked(["b", "a"], ["2013-07-01T12:00"] * 2)
    given = known(("b", "2013-07-01T12:00", 1.0), ("a", "2013-07-01T12:00", None))
    before = answers.copy(), given.copy()
    LabelJoin()(answers, given, NOW)
    pd.testing.assert_frame_equal(answers, before[0])
    pd.testing.assert_frame_equal(given, before[1])


@pytest.mark.parametrize("dtype", ["boolean", "bool", "float64", "Int8", "object"])
def test_labels_of_any_type_are_booleans(dtype):
    given = known(("a", "2013-07-01T12:00", 1), ("b", "2013-07-01T12:00", 0))
    given["late"] = given["late"].astype(dtype)
    found = LabelJoin()(asked(["a", "b"], ["2013-07-01T12:00"] * 2), given, NOW)
    assert found["late"].dtype == "boolean"
    assert found["late"].tolist() == [True, False]


TEXTS = ["category", "string", pd.ArrowDtype(pa.string())]


@pytest.mark.parametrize("sides", [("id", None), (None, "id"), ("id", "id")])
@pytest.mark.parametrize("dtype", TEXTS, ids=str)
def test_ids_of_any_type_of_text_are_found(dtype, sides):
    tables = (
        asked(["b", "a", "c"], ["2013-07-01T12:00"] * 3),
        known(("a", "2013-07-01T13:00", True), ("b", "2013-07-01T13:00", False)),
    )
    for table, column in zip(tables, sides, strict=True):
        if column:
            table[column] = table[column].astype(dtype)
    assert LabelJoin()(*tables, NOW)["late"].tolist() == [False, True, pd.NA]


def test_an_index_may_repeat():
    answers = asked(["b", "a"], ["2013-07-01T12:00"] * 2).set_axis([5, 5])
    rows = ("a", "2013-07-01T13:00", True), ("b", "2013-07-01T13:00", False)
    found = LabelJoin()(answers, known(*rows).set_axis([0, 0]), NOW)
    assert found["late"].tolist() == [False, True]
    assert found.index.tolist() == [5, 5]


def test_ids_that_can_never_be_equal_are_refused():
    answers = asked([1, 2], ["2013-07-01T12:00"] * 2)
    with pytest.raises(ValueError, match=r"answers\['id'\] holds numbers and labels"):
        LabelJoin()(answers, known(("1", "2013-07-01T13:00", True)), NOW)
    numbers = known((2, "2013-07-01T13:00", True)).astype({"id": "Int16"})
    assert LabelJoin()(answers, numbers, NOW)["late"].tolist() == [pd.NA, True]


def test_a_column_that_is_there_twice_is_refused():
    answers = asked(["a"], ["2013-07-01T12:00"])
    twice = pd.concat([answers, answers[["id"]]], axis=1)
    with pytest.raises(ValueError, match="answers has two columns 'id'"):
        LabelJoin()(twice, known(("a", "2013-07-01T13:00", True)), NOW)


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_times_of_another_unit_join_alike(unit):
    answers = asked(["a"], ["2013-07-02T04:00"])
    given = known(("a", "2013-07-02T04:30", True))
    for table, columns in (
        (answers, ["asked_at", "due_at"]),
        (given, ["available_at"]),
    ):
        for column in columns:
            table[column] = table[column].dt.as_unit(unit)
    found = LabelJoin()(answers, given, NOW)
    assert found[["late", "mature"]].values.tolist() == [[True, True]]


def test_no_answers_and_no_labels():
    none = known(("a", "2013-07-01T12:00", True)).iloc[:0]
    found = LabelJoin()(asked(["a"], ["2013-07-01T12:00"]).iloc[:0], none, NOW)
    assert found.empty and {"late", "mature"} <= set(found)
    assert (
        LabelJoin()(asked(["a"], ["2013-07-01T12:00"]), none, NOW)["late"].isna().all()
    )


def drop(table, column):
    return table.drop(columns=column)


def naive(table, column):
    return table.assign(**{column: table[column].dt.tz_localize(None)})


def lost(table, column):
    return table.assign(**{column: table[column].where(table.index != 0)})


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        (drop, "due_at", "answers lacks due_at"),
        (drop, "id", "answers lacks id"),
        (naive, "due_at", r"answers\['due_at'\] holds datetime64.*zone"),
        (
            lost,
            "due_at",
            r"answers\['due_at'\] is missing in 1 of 2 .*row 0",
        ),
        (lost, "id", r"answers\['id'\] is missing in 1 of 2"),
    ],
)
def test_answers_that_cannot_be_joined_are_refused(change, column, said):
    answers = change(asked(["a", "b"], ["2013-07-01T12:00"] * 2), column)
    with pytest.raises(ValueError, match=said):
        LabelJoin()(answers, known(("a", "2013-07-01T12:00", True)), NOW)


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        (drop, "late", "labels lacks late"),
        (naive, "available_at", r"labels\['available_at'\] holds"),
        (lost, "available_at", r"labels\['available_at'\] is missing in 1 of 1"),
    ],
)
def test_labels_that_cannot_be_joined_are_refused(change, column, said):
    given = change(known(("a", "2013-07-01T12:00", True)), column)
    with pytest.raises(ValueError, match=said):
        LabelJoin()(asked(["a"], ["2013-07-01T12:00"]), given, NOW)


@pytest.mark.parametrize("odd", [2, "late", 0.5])
def test_a_label_that_is_none_is_refused(odd):
    given = known(("a", "2013-07-01T12:00", odd))
    with pytest.raises(ValueError, match=r"labels\['late'\] holds"):
        LabelJoin()(asked(["a"], ["2013-07-01T12:00"]), given, NOW)


def test_a_clock_that_went_backwards_is_refused():
    answers = asked(["a", "b"], ["2013-07-01T12:00", "2013-07-03T12:00"])
    with pytest.raises(ValueError, match="1 of 2 answers were asked for after now"):
        LabelJoin()(answers, known(("a", "2013-07-01T12:00", True)), NOW)


def test_a_moment_without_zone_and_a_negative_wait_are_refused():
    with pytest.raises(ValueError, match="no time zone"):
        LabelJoin()(
            asked(["a"], ["2013-07-01T12:00"]),
            known(("a", "2013-07-01T12:00", True)),
            pd.Timestamp("2013-07-03"),
        )
    for wait in (-DAY, pd.NaT):
        with pytest.raises(ValueError, match="wait="):
            LabelJoin(wait)


def joined(days, labelled, rows=30):
    """Return mature answers of some days, of which a share has a label."""
    day = np.repeat([f"2013-07-{d:02d}" for d in days], rows)
    share = np.repeat(labelled, rows)
    has = np.tile(np.arange(rows) / rows, len(days)) < share
    late = pd.Series(has).astype("boolean").where(pd.Series(has))
    return pd.DataFrame({"day": day, "late": late, "mature": True})


def test_silent_days_are_those_without_nearly_all_labels():
    table = joined([1, 2, 3, 4], [1.0, 0.05, 0.3, 0.0])
    assert labels.silent_days(table) == ["2013-07-02", "2013-07-04"]
    assert "2 days (2013-07-02 to 2013-07-04)" in labels.silence(table)


def test_days_that_are_young_or_few_are_not_silent():
    young = joined([1], [0.0]).assign(mature=False)
    assert labels.silent_days(young) == []
    assert labels.silent_days(joined([1], [0.0], rows=19)) == []
    assert labels.silence(joined([1, 2], [1.0, 0.5])) is None
    assert "1 day (2013-07-01)" in labels.silence(joined([1], [0.0]))


def test_silence_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="most=1"):
        labels.silent_days(joined([1], [0.0]), most=1)
