"""`labkit.guesses`: the first guess stays, and nothing is lost."""

import json

import numpy as np
import pytest
from labkit import guesses

GUESS = {"(a) how many": 5, "(b) which": "rain"}


@pytest.fixture
def own_copy(tmp_path, monkeypatch):
    (tmp_path / guesses.OWN_COPY).write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_outside_a_reader_s_copy_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert guesses.keep("12_drift", GUESS) == GUESS
    assert list(tmp_path.iterdir()) == []


def test_the_first_guess_stays(own_copy):
    assert guesses.keep("12_drift", GUESS) == GUESS
    assert guesses.keep("12_drift", {"(a) how many": 99, "(b) which": "x"}) == GUESS
    stored = json.loads((own_copy / guesses.FILE).read_text())
    assert stored == {"12_drift": GUESS}


def test_labs_do_not_touch_each_other_and_a_new_question_is_added(own_copy):
    guesses.keep("04_point_in_time", {"(a) auc": 0.7})
    guesses.keep("12_drift", {"(a) how many": 5})
    assert guesses.keep("12_drift", GUESS | {"(a) how many": 7}) == GUESS
    stored = json.loads((own_copy / guesses.FILE).read_text())
    assert stored == {"04_point_in_time": {"(a) auc": 0.7}, "12_drift": GUESS}


def test_nothing_is_kept_before_every_guess_is_made(own_copy):
    for asked in (dict.fromkeys(GUESS, ...), GUESS | {"(b) which": ...}):
        with pytest.warns(UserWarning, match="Write a guess in place of each"):
            assert guesses.keep("12_drift", asked) == asked
        assert not (own_copy / guesses.FILE).exists()
    assert guesses.keep("12_drift", GUESS) == GUESS
    assert guesses.keep("12_drift", dict.fromkeys(GUESS, ...)) == GUESS
    with pytest.warns(UserWarning, match="Nothing is kept yet"):
        found = guesses.keep("12_drift", {**GUESS, "(c) new": ...})
    assert found == {**GUESS, "(c) new": ...}
    assert json.loads((own_copy / guesses.FILE).read_text()) == {"12_drift": GUESS}


def test_a_guess_that_was_not_made_is_shown_as_nothing():
    table = guesses.beside(GUESS | {"(b) which": ...}, GUESS)
    assert list(table["you guessed"]) == [5, ""]


@pytest.mark.parametrize("text", ["{", "[1]", '{"12_drift": 3}'])
def test_a_damaged_file_is_named_and_left_alone(own_copy, text):
    (own_copy / guesses.FILE).write_text(text)
    with pytest.raises(ValueError, match=r"guesses\.json"):
        guesses.keep("12_drift", GUESS)
    assert (own_copy / guesses.FILE).read_text() == text


def test_guess_and_measurement_stand_side_by_side():
    table = guesses.beside(GUESS, {"(b) which": "wind", "(a) how many": 35})
    assert table.to_dict("index") == {
        "(a) how many": {"you guessed": 5, "measured here": 35},
        "(b) which": {"you guessed": "rain", "measured here": "wind"},
    }


def test_a_question_on_one_side_only_is_refused():
    with pytest.raises(ValueError, match=r"\(b\) which"):
        guesses.beside(GUESS, {"(a) how many": 1})


def test_a_renamed_question_loses_no_guess(own_copy):
    guesses.keep("12_drift", GUESS)
    guesses.keep("12_drift", {"(b) which one": "fog"})
    stored = json.loads((own_copy / guesses.FILE).read_text())["12_drift"]
    assert stored == GUESS | {"(b) which one": "fog"}


def test_a_number_of_numpy_is_kept(own_copy):
    guesses.keep("12_drift", {"(a) how many": np.int64(3)})
    assert json.loads((own_copy / guesses.FILE).read_text())["12_drift"] == {
        "(a) how many": 3
    }
