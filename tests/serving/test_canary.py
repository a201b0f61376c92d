"""Automated canary analysis: what is rolled back, what goes on, what must wait."""

import asyncio

import numpy as np
import pytest
from flightline import serving
from flightline.serving import canary
from flightline.serving.canary import Tally


def test_an_interval_of_a_difference_is_newcombes():
    """Newcombe 1998, table II: 56/70 less 48/80 is 0.0524 to 0.3339."""
    found = canary.difference((48, 56), (80, 70), 0.05)
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(
    ("stable", "new", "action"),
    [
        (Tally(1000, 1, 1), Tally(1000, 100, 1), "roll back"),
        (Tally(1000, 1, 1), Tally(1000, 1, 100), "roll back"),
        (Tally(100_000, 100, 0), Tally(5000, 5, 0), "go on"),
        (Tally(100_000, 100, 0), Tally(100, 0, 0), "wait"),  # no failure is no proof
        (Tally(0), Tally(10), "wait"),
        (Tally(10), Tally(0), "wait"),
        (Tally(1000, 1000, 0), Tally(1000, 1, 0), "go on"),
    ],
)
def test_verdicts(stable, new, action):
    verdict = canary.judge(stable, new)
    assert verdict.action == action and verdict.reasons


def test_a_version_that_is_no_worse_is_seldom_rolled_back():
    chance = np.random.default_rng(3)
    back = 0
    for _ in range(2000):
        failed = chance.binomial([9500, 500], 0.01)
        tallies = Tally(9500, int(failed[0])), Tally(500, int(failed[1]))
        back += canary.judge(*tallies).action == "roll back"
    assert back / 2000 < 0.05


def test_a_version_beyond_the_margin_seldom_goes_on():
    chance = np.random.default_rng(4)
    went = 0
    for _ in range(1000):
        failed = chance.binomial([9500, 2000], [0.001, 0.011])
        tallies = Tally(9500, int(failed[0])), Tally(2000, int(failed[1]))
        went += canary.judge(*tallies, margin=0.01).action == "go on"
    assert went / 1000 < 0.05


@pytest.mark.parametrize(
    "plan", [{"margin": 0}, {"margin": float("nan")}, {"alpha": 1}, {"looks": 0}]
)
def test_a_plan_that_is_none_is_refused(plan):
    with pytest.raises(ValueError, match="no plan"):
        canary.judge(Tally(10), Tally(10), **plan)


def test_more_bad_answers_than_requests_are_refused():
    with pytest.raises(ValueError, match="more bad"):
        canary.judge(Tally(10), Tally(10, 11))


class Model:
    """A model that fails as often as it should."""

    precision = "fp32"

    def __init__(self, version, fails=0.0):
        self.name, self.version = "model", version
        self.fails, self.chance = fails, np.random.default_rng(5)

    def predict(self, table):
        if self.chance.random() < self.fails:
            raise RuntimeError("no luck")
        return np.full(len(table), 0.5)


class Timetable:
    """A source that knows the timetable, and never waits."""

    blocks = False

    def rows(self, flights):
        return serving.timetable_rows(flights)

    def read(self, requests):
        return serving.timetable_only(requests)


def rolled_out(fails):
    """Roll out a version that fails so often; return verdict, weights, answers."""
    models = {"A": Model("1"), "B": Model("2", fails)}
    app = serving.create_app(models, Timetable(), weights={"A": 1.0}, slow_s=60)
    service, answers = app.state.service, []

    async def ask():
        number = 0
        while True:
            number += 1
            body = serving.EXAMPLE | {"flight": number % 9998 + 1}
            flight = serving.Flight.model_validate(body)
            answer = await service.predict(flight, serving.Call(str(number)))
            answers.append(answer.version)
            await asyncio.sleep(0)

    async def go():
        asking = asyncio.create_task(ask())
        verdict = await canary.roll_out(
            service, "A", "B", every_s=0.5, looks=6, margin=0.05, shares=(0.2, 0.5)
        )
        asking.cancel()
        return verdict

    return asyncio.run(go()), service.live.weights, answers


def test_a_good_version_gets_everything():
    verdict, weights, answers = rolled_out(0.0)
    assert verdict.action == "go on", verdict
    assert weights == {"B": 1.0} and set(answers) == {"1", "2"}


def test_a_bad_version_is_taken_back_and_every_caller_was_answered():
    verdict, weights, answers = rolled_out(0.5)
    assert verdict.action == "roll back" and weights == {"A": 1.0}
    assert answers and answers.count("2") < answers.count("1")
