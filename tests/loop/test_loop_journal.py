"""The journal: whole steps, one writer, a chain of digests, sentences for damage."""

import os
import signal
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
import small_world
from flightline import loop
from flightline.loop import journal as journals
from flightline.loop.clock import WEEK, decides
from small_steps import entry, tick

START, DAY = small_world.START, small_world.DAY


def test_a_step_comes_back_as_it_went_in(tmp_path: Path) -> None:
    with loop.Journal(tmp_path) as book:
        book.commit(tick(), entry(environment={"code": "abc"}, counts={"n": 2}))
        found = journals.read_answers(book.base)
        assert found["id"].tolist() == ["f0", "g0"]
        assert found["score"].tolist() == [0.25, 0.5]
        assert found["asked_at"].dtype == "datetime64[us, UTC]"
        assert (found["tick"] == START + DAY).all()
        shadows = journals.read_shadows(book.base, "n")
        assert shadows.to_dict("list") == {"id": ["f0"], "score": [0.125]}
        assert journals.read_shadows(book.base, "n", since=START + DAY).empty
        (at, kind, body), *_ = journals.read_decisions(book.base)
        assert (at, kind, body["value"]) == (START + DAY, "2 decide", 0.1)
        ticks = journals.read_ticks(book.base)
        assert ticks["versions"][0] == {"answers": 1} and ticks["counts"][0] == {"n": 2}
        where = ticks["environment"][0]
        assert journals.read_environment(book.base, where) == {"code": "abc"}
        assert journals.last_tick(book.base) == START + DAY


def test_the_digest_covers_answers_shadows_decisions_and_all_before(
    tmp_path: Path,
) -> None:
    def digest(name: str, *entries: journals.Entry) -> str:
        with loop.Journal(tmp_path / name) as book:
            for day, each in enumerate(entries):
                book.commit(tick(day), each)
            found = journals.digest_of(book.base)
            assert journals.verify(book.base) == found
            return found

    first = digest("a", entry(), entry(1))
    turned = entry()
    turned = journals.Entry(
        turned.answers.iloc[::-1], turned.shadows, turned.versions, turned.decisions
    )
    slower = entry(1)
    slower.answers["latency_ms"] = 900.0
    assert digest("b", turned, slower) == first
    other = entry()
    other.answers["score"] = [0.25 + 2**-54, 0.5]
    assert digest("c", other, entry(1)) != first
    heard = entry(1)
    heard.shadows["score"] = 0.2
    assert digest("d", entry(), heard) != first
    decided = journals.Entry(
        entry(1).answers, entry(1).shadows, {"answers": 1}, [("2 decide", {"after": 1})]
    )
    assert digest("e", entry(), decided) != first


def test_the_clock_does_not_go_back(tmp_path: Path) -> None:
    with loop.Journal(tmp_path) as book:
        book.commit(tick(1), entry(1))
        with pytest.raises(loop.Backwards, match=r"clock went back to .*nothing was"):
            book.commit(tick(0), entry(0))
        assert len(journals.read_ticks(book.base)) == 1


def test_a_flight_is_answered_once_and_a_half_step_leaves_nothing(
    tmp_path: Path,
) -> None:
    with loop.Journal(tmp_path) as book:
        book.commit(tick(0), entry(0))
        with pytest.raises(loop.BrokenJournal, match="last whole step is kept"):
            book.commit(tick(1), entry(0))
        assert journals.last_tick(book.base) == START + DAY
        assert len(journals.read_shadows(book.base, "n")) == 1


@pytest.mark.parametrize("point", ["journal-half", "journal-whole", "journal-kept"])
def test_a_kill_leaves_a_step_whole_or_not_at_all(tmp_path: Path, point: str) -> None:
    with loop.Journal(tmp_path) as book:
        book.commit(tick(0), entry(0))

    def work() -> None:
        with loop.Journal(tmp_path) as book:
            book.commit(tick(1), entry(1))

    status = small_world.in_child(work, FLIGHTLINE_FAILPOINT=f"{point}:SIGKILL")
    assert os.WTERMSIG(status) == signal.SIGKILL
    with loop.Journal(tmp_path) as book:  # the lock went with the process
        kept = point == "journal-kept"
        assert journals.last_tick(book.base) == START + (1 + kept) * DAY
        assert len(journals.read_answers(book.base)) == 2 + 2 * kept
        if not kept:
            book.commit(tick(1), entry(1))
        assert journals.verify(book.base) == journals.digest_of(book.base)


def test_of_two_writers_one_is_told(tmp_path: Path) -> None:
    with loop.Journal(tmp_path):
        said = f"another loop .process {os.getpid()}. runs on"
        with pytest.raises(loop.Busy, match=said):
            loop.Journal(tmp_path)
    loop.Journal(tmp_path).close()


def test_another_plan_is_refused(tmp_path: Path) -> None:
    with loop.Journal(tmp_path) as book:
        book.begin("plan A")
        book.begin("plan A")
        with pytest.raises(
            ValueError, match=r"another run.*plan A.*plan B.*new folder"
        ):
            book.begin("plan B")


def damaged(tmp_path: Path, how: str) -> None:
    with loop.Journal(tmp_path) as book:
        for day in range(60):
            book.commit(tick(day), entry(day))
    path = tmp_path / journals.NAME
    content = path.read_bytes()
    if how == "no database":
        path.write_bytes(b"nothing of the kind" * 100)
    elif how == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        page = content.index(b"f10", 4096)
        path.write_bytes(content[: page - 40] + b"\xff" * 600 + content[page + 560 :])


@pytest.mark.parametrize("how", ["no database", "cut", "overwritten"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, how: str) -> None:
    damaged(tmp_path, how)
    with pytest.raises(loop.BrokenJournal, match=r"is damaged.*Restore it from a copy"):
        loop.Journal(tmp_path)
    with pytest.raises(loop.BrokenJournal), journals.reading(tmp_path):
        pass


def test_a_changed_answer_is_found(tmp_path: Path) -> None:
    with loop.Journal(tmp_path) as book:
        for day in range(3):
            book.commit(tick(day), entry(day))
    with sqlite3.connect(tmp_path / journals.NAME) as base:
        base.execute("UPDATE answers SET score = 0.75 WHERE id = 'f1'")
    with journals.reading(tmp_path) as base:
        when = (START + 2 * DAY).strftime("%Y-%m-%d")
        with pytest.raises(loop.BrokenJournal, match=f"step of {when}.*is not what"):
            journals.verify(base)


def test_a_folder_without_a_run_is_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"holds no run.*Begin with run"),
        journals.reading(tmp_path),
    ):
        pass


def test_an_empty_file_of_a_killed_start_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / journals.NAME).touch()
    with loop.Journal(tmp_path) as book:
        book.begin("plan")
        assert journals.last_tick(book.base) is None


def test_the_clock_steps_and_decides_each_week() -> None:
    clock = loop.Clock(START, START + 2 * WEEK)
    ticks = list(clock.ticks())
    assert len(ticks) == 14 and ticks[0].since == START and ticks[-1].now == clock.end
    assert [t.now for t in ticks if decides(t, START)] == [START + WEEK, clock.end]
    assert list(clock.ticks(START + 13 * DAY)) == ticks[13:]
    assert list(loop.Clock(START, START + DAY / 2).ticks()) == []
    with pytest.raises(loop.Backwards, match="would go back"):
        list(clock.ticks(START + 15 * DAY))
    with pytest.raises(ValueError, match="no moment of a clock"):
        list(clock.ticks(START + DAY / 2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": pd.Timestamp("2013-04-01")}, "start=.* has no zone"),
        ({"end": START - DAY}, "lies before start"),
        ({"step": pd.Timedelta(0)}, "must move forward"),
    ],
)
def test_a_clock_that_cannot_run_is_refused(change: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        loop.Clock(**{"start": START, "end": START + DAY, **change})
