"""What another process answers, as the lab's check asks it."""

import random

from labkit.experiments.processes import answers_elsewhere

CALLS = [(f"unit-{number}",) for number in range(50)]


def test_a_function_of_its_arguments_answers_alike():
    answers = answers_elsewhere(lambda unit: unit.upper(), CALLS)
    assert answers == [unit.upper() for (unit,) in CALLS]


def test_the_hash_of_a_text_differs_there_and_stays_here():
    before = hash("unit-1")
    answers = answers_elsewhere(lambda unit: str(hash(unit)), CALLS)
    assert not set(answers) & {str(hash(unit)) for (unit,) in CALLS}
    assert hash("unit-1") == before


def test_a_table_of_draws_differs():
    table = {}

    def drawn(unit):
        return str(table.setdefault(unit, random.random()))

    assert answers_elsewhere(drawn, CALLS) != [drawn(*call) for call in CALLS]


def test_a_function_that_fails_there_has_no_answers():
    assert answers_elsewhere(lambda unit: str(1 / 0), CALLS) == []


def test_many_long_answers_come_back_whole():
    calls = [("x" * 1000,)] * 500
    assert answers_elsewhere(lambda text: text, calls) == [text for (text,) in calls]
