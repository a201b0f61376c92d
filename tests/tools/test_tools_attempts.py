"""Attempts at exercises: the runner by itself, then whole nbval runs that must fail."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_notebooks import TEMPLATE, check, code, markdown, save, solution

from tools.labs import attempt_runner, attempts, notebooks
from tools.labs.notebooks import NotebookError

TITLE = markdown("(02-two)=\n# Two")
HALF = solution(
    "half",
    'def half(x):\n    """Halve."""\n    ### BEGIN SOLUTION\n'
    "    return x / 2\n    ### END SOLUTION",
)
CHECK = check("half", "assert half(2) == 1, 'Half of two is one: divide by 2.'")
WRONG = '"""Half of two is one: divide by 2."""\n\n\ndef half(x):\n    return x'
WRONG_TOO = WRONG.replace("return x", "return x * 2")


def attempt(answer, test="pass", deadline_s=5.0, **namespace):
    """Run one attempt in a namespace and return outcome and namespace."""
    space = {"__name__": "__main__", **namespace}
    return json.loads(attempt_runner.attempt(space, answer, test, deadline_s)), space


def test_runner_tells_where_and_how_an_attempt_failed():
    assert attempt("f = 1")[0]["stage"] == "passed"
    assert attempt("f = ")[0] == {
        "stage": "answer",
        "error": "SyntaxError",
        "text": "invalid syntax (<answer>, line 1)",
    }
    outcome, _ = attempt("def f(): pass", "assert f(), 'a hint'")
    assert outcome == {"stage": "check", "error": "AssertionError", "text": "a hint"}
    assert attempt("raise SystemExit")[0]["error"] == "SystemExit"


def test_runner_stops_at_the_deadline():
    started = time.monotonic()
    outcome, _ = attempt("while True: pass", deadline_s=0.2)
    assert outcome["error"] == "Overdue" and "still running after 0.2 s" in str(outcome)
    assert time.monotonic() - started < 5


def test_runner_protects_what_an_answer_changes():
    data = {
        "frame": pd.DataFrame({"a": [1.0]}),
        "array": np.zeros(2),
        "items": [1],
        "table": {"k": [1]},
        "rng": np.random.default_rng(0),
    }
    state = data["rng"].bit_generator.state
    answer = (
        "frame.loc[0, 'a'] = 9\narray[0] = 9\nitems.append(9)\ntable['k'].append(9)\n"
        "rng.random()\nframe = items = None\nnew = 1\ndel array"
    )
    outcome, space = attempt(answer, **data)
    assert outcome["stage"] == "passed"
    assert set(space) == {"__name__", "__builtins__", *data} - {"__builtins__"}
    assert all(space[name] is value for name, value in data.items())
    assert data["frame"].loc[0, "a"] == 1 and data["array"][0] == 0
    assert data["items"] == [1] and data["table"] == {"k": [1]}
    assert data["rng"].bit_generator.state == state


def test_runner_copies_what_functions_and_classes_reach():
    space = {"__name__": "__main__", "log": [], "seen": []}
    exec(
        "def note(): (lambda: log.append(1))()\n"
        "class Box:\n    def put(self): seen.append(1)\nbox = Box()",
        space,
    )
    outcome = attempt_runner.attempt(space, "note()\nbox.put()", "", 5.0)
    assert json.loads(outcome)["stage"] == "passed"
    assert space["log"] == [] and space["seen"] == []


def test_runner_keeps_aliases_together():
    items = [1]
    outcome, _ = attempt(
        "a.append(2)", "assert b == [1, 2], 'two lists'", a=items, b=items
    )
    assert outcome["stage"] == "passed" and items == [1]


def test_runner_shares_what_cannot_be_copied():
    items = [iter("x").__class__, (number for number in [1])]
    assert attempt("items.append(2)", items=items)[0]["stage"] == "passed"
    assert len(items) == 3


def test_runner_restores_seeds_folder_environment_and_figures(tmp_path, capsys):
    from matplotlib import pyplot

    folder, environment = Path.cwd(), dict(os.environ)
    states = random.getstate(), str(np.random.get_state())
    figures = pyplot.get_fignums()
    answer = (
        "import os, random, numpy, matplotlib.pyplot as p\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "os.environ['FLIGHT'] = '1'\nos.environ.pop('PATH')\nrandom.seed(3)\n"
        "numpy.random.seed(3)\np.figure()\nprint('noise')\nraise KeyError('x')"
    )
    assert attempt(answer)[0]["error"] == "KeyError"
    assert Path.cwd() == folder and dict(os.environ) == environment
    assert (random.getstate(), str(np.random.get_state())) == states
    assert pyplot.get_fignums() == figures
    assert capsys.readouterr().out == ""


def course(root, **answers):
    """Make a course of one lab with wrong answers to exercises, and return the lab."""
    path = save(root / "labs", "02_two", TITLE, HALF, CHECK)
    for grade_id, sources in answers.items():
        attempts.write(path, grade_id, sources)
    return path


def test_wrong_answers_are_cells_of_one_file(tmp_path):
    path = course(tmp_path, half={"same": WRONG, "double": WRONG_TOO})
    file = tmp_path / "tests" / "two" / "wrong_answers" / "half.py"
    assert file.read_text() == (
        '"""Wrong answers to `half` (lab 02).\n\n'
        'Each cell is one mistake; its text is the hint it must meet.\n"""\n'
        f"\n\n# %% same\n{WRONG}\n\n\n# %% double\n{WRONG_TOO}\n"
    )
    hint = "Half of two is one: divide by 2."
    same, double = attempts.wrong_answers(path)
    assert same == attempts.WrongAnswer(file, "same", WRONG + "\n", hint)
    assert double == attempts.WrongAnswer(file, "double", WRONG_TOO + "\n", hint)
    assert same.grade_id == double.grade_id == "half"


def test_a_file_needs_no_opening(tmp_path):
    path = course(tmp_path)
    file = attempts.folder(path) / "half.py"
    notebooks.write_text(file, f"# A comment.\n# %% same\n\n{WRONG}")
    (answer,) = attempts.wrong_answers(path)
    assert (answer.name, answer.source) == ("same", WRONG + "\n")


def test_two_wrong_answers_are_enough(tmp_path):
    path = course(tmp_path, half={"same": WRONG, "double": WRONG_TOO})
    assert attempts.plain_complaints(path) == []


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"half": {"same": WRONG}}, "the exercise 'half' has 1 wrong answers"),
        (
            {"half": {"a": WRONG, "b": WRONG_TOO}, "third": {"a": WRONG, "b": WRONG}},
            "has no exercise 'third'; it has half",
        ),
        (
            {"half": {"a": WRONG, "b": WRONG.replace("def half", "def other")}},
            "half.py, b: the last definition is other. Redefine half",
        ),
    ],
)
def test_wrong_answers_in_the_wrong_place(tmp_path, answers, message):
    (found,) = attempts.plain_complaints(course(tmp_path, **answers))
    assert message in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "half.py: no wrong answer. Start each"),
        (WRONG, "half.py: no wrong answer. Start each"),
        (
            '"""Text."""\nx = 1\n# %% a\n' + WRONG,
            "half.py: code before the first '# %%",
        ),
        ("x = 1\n# %% a\n" + WRONG, "half.py: code before the first '# %%"),
        ("def f(\n# %% a\n" + WRONG, "half.py: code before the first '# %%"),
        (f"# %% a\n{WRONG}\n# %% b c\n{WRONG}", "half.py: '# %% b c' is not '# %%"),
        (f"# %%\n{WRONG}", "half.py: '# %%' is not '# %% name'"),
        (f"#%% a\n{WRONG}", "half.py: '#%% a' is not '# %% name'"),
        ("# %% a\n" + WRONG + "\n\n# %% b\nx = 1\ndef half(", "half.py, b: '(' was"),
        ("# %% a\nx = 1\ny = = 2", "half.py, a: invalid syntax in line 2 of the cell."),
        ("# %% a\ndef half(x): pass", "half.py, a: the docstring is the part"),
        ('# %% a\n"""Short."""', "this answer; 'Short.' is too short"),
        (f"# %% a\n{WRONG}\n# %% a\n{WRONG_TOO}", "half.py, a: two cells have"),
    ],
)
def test_files_that_are_no_wrong_answers(tmp_path, text, message):
    path = course(tmp_path)
    notebooks.write_text(attempts.folder(path) / "half.py", text)
    with pytest.raises(NotebookError, match=re.escape(message)):
        attempts.wrong_answers(path)


# One run of pytest over labs that are broken on purpose, each in its own way.

STATE = code(
    "import os, random\nrandom.seed(1)\ndata = [1]\n"
    "folder, before = os.getcwd(), len(In)"
)
SAME_STATE = code(
    "assert data == [1] and os.getcwd() == folder and before == len(In)\n"
    "assert half(2) == 1\n"
    "round(random.random(), 6)",
    result=repr(round(random.Random(1).random(), 6)),
)
HINT = "Half of two is one: divide by 2."
ANSWER = f'"""{HINT}"""\n\n\ndef half(x):\n    '
TOUCHES_ALL = (
    ANSWER + "return x\n\n\nimport os, random\n\ndata.append(2)\nrandom.seed(9)\n"
    "open('tried', 'a').write('x')\nos.chdir('/')\nprint('noise')"
)
SWALLOWS_ALL = (
    ANSWER + "import time\n    while True:\n        try:\n"
    "            time.sleep(60)\n        except BaseException:\n            pass"
)
STUBBORN = (
    ANSWER + "import time\n    try:\n        time.sleep(60)\n"
    "    except BaseException:\n        time.sleep(60)"
)
PUZZLES = (
    "try:\n    _x = half(2)\nexcept Exception:\n    _x = None\n"
    f"assert _x + 1 == 2, '{HINT}'"
)
WRONG_SOLUTION = solution("half", HALF.source.replace("/ 2", "/ 3"))
AFTER = code("1 + 1", result="2")
RUNS = {
    "01_good": (
        [STATE, HALF, CHECK, SAME_STATE],
        {"same": TOUCHES_ALL, "double": TOUCHES_ALL},
    ),
    "02_changed": ([HALF, CHECK, code("1 + 1", result="3")], {}),
    "03_attempts": (
        [HALF, CHECK, AFTER],
        {
            "passes": ANSWER + "return x / 2.0",
            "key_error": ANSWER + "return {}[x]",
            "other_hint": ANSWER.replace(HINT, "Something else.") + "return x",
            "slow": ANSWER + "while True:\n        pass",
            "stubborn": STUBBORN,
            "undefined": ANSWER + "return x\nhalf(unknown)",
        },
    ),
    "04_stub_passes": ([HALF, check("half", "assert half, 'Never called.'")], {}),
    "05_stub_puzzles": ([HALF, check("half", PUZZLES)], {}),
    "06_stuck": ([HALF, CHECK, AFTER], {"stuck": SWALLOWS_ALL}),
    "07_dead": ([code("import os\nos._exit(1)"), AFTER], {}),
    "08_wrong_solution": ([WRONG_SOLUTION, CHECK], {}),
}
SETTINGS = (
    "[pytest]\ntestpaths = labs\nattempt_deadline = 2\naddopts = -p no:cacheprovider"
    f" -p nbval.plugin --nbval --nbval-current-env"
    f" --nbval-sanitize-with={notebooks.ROOT / 'nbval_sanitize.cfg'}\n"
)


def run_pytest(root, *arguments):
    """Run pytest in a folder with the project's conftest.py; return the process."""
    shutil.copy(notebooks.ROOT / "conftest.py", root)
    (root / "pytest.ini").write_text(SETTINGS)
    search = [root / "labs", notebooks.ROOT, notebooks.LABS]
    own = {
        "PYTHONPATH": os.pathsep.join(map(str, search)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--color=no", "-q", *arguments],
        cwd=root,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """The outcome of each cell of each lab: '' where it passed, else its message."""
    root = tmp_path_factory.mktemp("broken")
    shutil.copytree(TEMPLATE.parents[1], root, dirs_exist_ok=True)
    for name, (cells, wrong) in RUNS.items():
        path = save(root / "labs", name, TITLE, *cells)
        if wrong:
            attempts.write(path, "half", wrong)
    report = root / "report.xml"
    run_pytest(root, f"--junitxml={report}")
    found = {"tried": (root / "labs" / "tried").read_text()}
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.attrib["classname"].split(".")[-2]
        message = "".join(child.text or child.attrib["message"] for child in case)
        found.setdefault(name, []).append(message)
    return found


def test_template_passes(outcomes):
    assert len(outcomes["00_template"]) > 10 and set(outcomes["00_template"]) == {""}


def test_good_lab_passes_and_attempts_leave_no_trace(outcomes):
    assert outcomes["01_good"] == ["", "", "", ""]
    assert outcomes["tried"] == "xx"


def test_changed_output_fails(outcomes):
    *before, last = outcomes["02_changed"]
    assert before == ["", ""] and "Cell outputs differ" in last


@pytest.mark.parametrize(
    "message",
    [
        "half.py, passes passes the check. Add an assert that it fails.",
        "half.py, key_error fails with KeyError (2) in the check, not with a hint.",
        "expects 'Something else.'. Order the asserts, or correct the docstring.",
        "half.py, slow: still running after 2 s, and was stopped.",
        "half.py, stubborn: still running after 4 s, and was stopped.",
        "half.py, undefined fails with NameError (name 'unknown' is not defined) in",
    ],
)
def test_each_bad_wrong_answer_is_named(outcomes, message):
    solved, checked, after = outcomes["03_attempts"]
    assert solved == after == ""
    assert message in checked and "do not fail as they should" in checked


def test_stub_must_not_pass(outcomes):
    assert "the stub passes the check" in outcomes["04_stub_passes"][1]


def test_stub_must_fail_plainly(outcomes):
    assert "the stub raises TypeError" in outcomes["05_stub_puzzles"][1]


def test_stuck_attempt_is_killed_and_named(outcomes):
    _, checked, after = outcomes["06_stuck"]
    assert "half.py, stuck: interrupted, and no answer" in checked
    assert "the kernel is gone" in checked
    assert after != ""  # expected to fail: it did not run


def test_dead_kernel_is_noticed(outcomes):
    died, after = outcomes["07_dead"]
    assert "the kernel died while it ran this cell" in died and after != ""


def test_wrong_solution_fails_its_own_check(outcomes):
    assert "divide by 2" in outcomes["08_wrong_solution"][1]


def test_a_run_without_notebooks_is_refused(tmp_path):
    text = "def test_x():\n    pass\n"
    notebooks.write_text(tmp_path / "labs" / "test_x.py", text)
    done = run_pytest(tmp_path)
    assert done.returncode == 4, done.stdout
    assert "no notebook cell was collected" in done.stdout + done.stderr


def test_a_lab_that_is_not_collected_is_named(tmp_path):
    save(tmp_path / "labs", "01_good", TITLE, AFTER)
    save(tmp_path / "labs", "02_empty", TITLE)
    done = run_pytest(tmp_path)
    assert done.returncode == 4, done.stdout
    shown = done.stdout + done.stderr
    assert "labs without a collected cell: 02_empty.ipynb" in shown
