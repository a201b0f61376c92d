"""The lock tool: what it asks pip for, and what it writes."""

import pytest

from tools import lock

TEXT = """\
# a comment
alpha==1.0
beta[extra]==2.0  # <3 (why)
gamma
"""
VERSIONS = {"alpha": "1.5", "beta": "2.9", "gamma": "0.1", "delta-x": "7"}


def test_renewal_asks_for_the_newest_within_the_bounds() -> None:
    assert lock.wanted(TEXT, keep=False) == ["alpha", "beta[extra]<3", "gamma"]


def test_keep_asks_for_the_present_pins() -> None:
    assert lock.wanted(TEXT, keep=True) == ["alpha==1.0", "beta[extra]==2.0", "gamma"]


def test_pins_change_and_comments_stay() -> None:
    expected = "# a comment\nalpha==1.5\nbeta[extra]==2.9  # <3 (why)\ngamma==0.1\n"
    assert lock.pin(TEXT, VERSIONS) == expected


def test_constraints_hold_only_what_is_not_direct() -> None:
    lines = lock.constraints(TEXT, VERSIONS).splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["delta-x==7"]


def test_a_line_that_is_no_requirement_is_named() -> None:
    with pytest.raises(ValueError, match=r"line 2: '-r other\.txt'"):
        lock.wanted("alpha==1.0\n-r other.txt\n", keep=False)
