"""The command lines of three stages: an answer, or one line that says why not."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from flightline.experiments import Parser, answer

LABS = Path(__file__).resolve().parents[2] / "labs"


def failing(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize("code", [0, 1])
def test_an_answer_keeps_its_exit_code(code, capsys):
    assert answer("drift", lambda: code) == code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\nlines  and more"), "drift: two lines and more\n"),
        (KeyError(), "drift: KeyError\n"),
    ],
)
def test_what_keeps_it_from_an_answer_is_one_line_and_a_2(error, line, capsys):
    assert answer("drift", failing(error)) == 2
    assert capsys.readouterr().err == line


def test_an_interrupt_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        answer("drift", failing(KeyboardInterrupt()))


def test_a_warning_is_no_line(capsys):
    def run():
        warnings.warn("old", stacklevel=1)
        return 0

    assert answer("drift", run) == 0
    assert capsys.readouterr().err == ""


def test_wrong_arguments_name_the_stage_also_in_a_command(capsys):
    parser = Parser(prog="python -m flightline.drift")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("compare").add_argument("table")
    for arguments in (["compare"], []):
        with pytest.raises(SystemExit) as stopped:
            parser.parse_args(arguments)
        assert stopped.value.code == 2
        said = capsys.readouterr().err
        assert said.startswith("drift: ") and said.count("\n") == 1


@pytest.mark.parametrize("stage", ["experiments", "decisions", "drift"])
def test_each_stage_says_its_name(stage):
    done = subprocess.run(
        [sys.executable, "-m", f"flightline.{stage}", "--nothing"],
        env={**os.environ, "PYTHONPATH": str(LABS)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"{stage}: ") and done.stderr.count("\n") == 1
