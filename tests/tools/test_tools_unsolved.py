"""What an unsolved lab leans on, told from its names."""

import pytest
from small_notebooks import check, code, markdown, notebook, solution, template

from tools.labs import unsolved

TITLE = markdown("(02-two)=\n# Two")
SOLVED = solution(
    "half",
    "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION",
)
CHECK = check("half", "_four = 4\nassert half(_four) == 2, 'Half of four is two.'")
BROUGHT = code("from flightline.two.core import half", tags=["reference"])


def needs(*cells):
    return unsolved.needy(notebook(TITLE, *cells))


def test_the_template_needs_nothing():
    assert not unsolved.needy(template())


def test_a_piece_may_be_used_once_it_is_brought():
    assert not needs(SOLVED, CHECK, BROUGHT, code("half(4)"))


@pytest.mark.parametrize(
    "cells",
    [
        (SOLVED, CHECK, code("half(4)"), BROUGHT),
        (SOLVED, CHECK, code("def quarter(x):\n    return half(half(x))"), BROUGHT),
        (SOLVED, CHECK, code("half(4)")),
        (SOLVED, CHECK, code("half += 1"), BROUGHT),
        (code("def quarter(x):\n    return half(half(x))"), SOLVED, CHECK),
    ],
    ids=["before", "inside a function", "never brought", "added to", "defined earlier"],
)
def test_a_cell_that_needs_the_solution_is_named(cells):
    (found,) = needs(*cells)
    assert "uses 'half', which is an exercise" in found


def test_what_a_check_sets_is_not_there_for_others():
    (found,) = needs(SOLVED, CHECK, BROUGHT, code("_four + 1"))
    assert "uses '_four', which a failed check has not set" in found
    assert not needs(SOLVED, CHECK, BROUGHT, code("_four = 1\n_four + 1"))
