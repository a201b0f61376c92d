"""What lab 08 builds: property tests, and where the package uses it."""

import asyncio

import numpy as np
import pandas as pd
import pytest
from flightline import serving
from flightline.serving import core
from hypothesis import given, settings
from hypothesis import strategies as st
from labkit.serving import doors, virtual

COLUMNS = ["request_id", "model", "version", "score", "shadow"]


def log_of(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


A = ("a", "m", "1", 0.1, False)
B = ("b", "m", "1", 0.2, False)
ANSWERS = log_of(A, B).drop(columns="shadow")


def test_the_package_routes_by_the_shortest_wait():
    plan = {"A": 3, "B": 1, "C": 0}
    for n in range(200):
        wanted = core.shortest_wait(f"flight-{n}", plan, "flightline")
        assert serving.route(f"flight-{n}", plan) == wanted
    assert serving.uniform is core.uniform


@given(
    log=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.just("m"),
            st.sampled_from("12"),
            st.sampled_from([0.1, 0.2]),
            st.booleans(),
        ),
        max_size=8,
    )
)
@settings(max_examples=150, deadline=None)
def test_reconcile_agrees_with_looking_up_one_answer_after_the_other(log):
    lines = [row[:4] for row in log if not row[4]]
    missing = differ = 0
    for answer in (A[:4], B[:4]):
        of_it = [line for line in lines if line[0] == answer[0]]
        missing += not of_it
        differ += bool(of_it) and answer not in of_it
    repeated = len(lines) - len({line[0] for line in lines})
    assert serving.audit(ANSWERS, log_of(*log)) == {
        "missing": missing,
        "differ": differ,
        "repeated": repeated,
    }


@pytest.mark.parametrize("kind", ["bool", "object", "boolean", "bool[pyarrow]"])
def test_the_mark_of_a_shadow_may_have_any_boolean_type(kind):
    shadow = ("a", "m", "1", 0.1, True)
    log = log_of(A, shadow, B).astype({"shadow": kind})
    counts = serving.audit(ANSWERS, log)
    assert counts == {"missing": 0, "differ": 0, "repeated": 0}


def test_an_index_that_repeats_changes_nothing_and_inputs_stay_as_they_are():
    log = log_of(A, B, B).set_axis([7, 7, 7])
    answers = ANSWERS.set_axis([3, 3])
    before = log.copy(), answers.copy()
    assert serving.audit(answers, log)["repeated"] == 1
    pd.testing.assert_frame_equal(log, before[0])
    pd.testing.assert_frame_equal(answers, before[1])


@pytest.mark.parametrize(
    ("answers", "log", "why"),
    [
        (ANSWERS.drop(columns="score"), log_of(A), "the answers lack score"),
        (ANSWERS, log_of(A).drop(columns="shadow"), "the log lacks shadow"),
        (pd.concat([ANSWERS, ANSWERS]), log_of(A), "2 requests have more than one"),
        (ANSWERS, log_of((*A[:4], None)), "missing in 1 of 1 lines .*first: a"),
    ],
)
def test_an_audit_that_cannot_be_made_is_refused(answers, log, why):
    with pytest.raises(ValueError, match=why):
        serving.audit(answers, log)


def test_an_audit_reads_the_file_of_a_log(tmp_path):
    book = serving.PredictionLog(tmp_path / "log")
    line = dict(zip(COLUMNS, A, strict=True)) | {"time": "2013-07-02T22:49:00Z"}
    book.append(line)
    book.append(line)
    book.close()
    counts = serving.audit(ANSWERS, tmp_path / "log")
    assert counts == {"missing": 1, "differ": 0, "repeated": 1}


def test_no_answers_and_no_log_are_no_loss():
    none = {"missing": 0, "differ": 0, "repeated": 0}
    assert serving.audit(ANSWERS.head(0), log_of()) == none
    assert serving.audit(ANSWERS.head(0), log_of(A, B)) == none


async def wait(number):
    await asyncio.sleep(0.01 * (number % 3))


@given(st.lists(st.floats(0, 100), max_size=40).map(sorted))
@settings(max_examples=60, deadline=None)
def test_an_open_loop_returns_what_each_request_took(due_s):
    ms = virtual.run(serving.open_loop(wait, due_s))
    assert np.allclose(ms, [10 * (n % 3) for n in range(len(due_s))], atol=1e-3)


def test_a_closed_loop_asks_until_its_time_is_over():
    ms = virtual.run(serving.closed_loop(lambda number: asyncio.sleep(0.3), 1.0))
    assert np.allclose(ms, [300] * 4)


@pytest.mark.parametrize("error", [KeyError("x"), IndexError("x"), LookupError()])
def test_an_unknown_flight_is_no_failure(error):
    async def read(flight):
        raise error

    found = virtual.run(serving.read_in_time(read, 1, 0.1, lambda flight: flight + 1))
    assert found == serving.Read(2, "fallback", "")


def test_a_fallback_that_fails_is_an_error():
    def broken(flight):
        raise ZeroDivisionError

    async def silent(flight):
        await asyncio.sleep(9)

    with pytest.raises(ZeroDivisionError):
        virtual.run(serving.read_in_time(silent, 1, 0.1, broken))


def test_a_door_reads_no_more_than_it_may():
    key, record = serving.new_key("ann")
    door = doors.FrontDoor([record], budget=2)
    with pytest.raises(serving.Refused, match="at most 4096"):
        serving.admit(doors.request(key, b" " * 10**6, size=1), door)
    assert 4096 < door.read <= 5120
    with pytest.raises(serving.Refused, match="body: is missing"):
        serving.admit(doors.request(key, b""), door)
    with pytest.raises(serving.Refused, match="used up"):
        serving.admit(doors.request(key, b"{}"), door)
