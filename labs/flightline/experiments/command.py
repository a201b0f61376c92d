"""A command line that says in one line why it has no answer.

The commands of experiments, decisions and drift share their exit codes: 0 and 1 are
answers, and anything that keeps a command from one is a 2, with one line on the
standard error.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

FAILED = 2
"""The exit code of a command without an answer."""


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong.

    Its `prog` is `python -m flightline.STAGE`; the line begins with the stage.
    """

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and stop."""
        stage = self.prog.partition("flightline.")[2].split(" ")[0]
        self.exit(FAILED, f"{stage}: {message} (--help shows the arguments)\n")


def answer(stage: str, run: Callable[[], int]) -> int:
    """Run a command, and turn whatever keeps it from an answer into one line.

    Parameters
    ----------
    stage : str
        What the line begins with.
    run : callable
        Gives the exit code, and prints its answer.

    Returns
    -------
    int
        What `run` returned, or 2 if it raised; warnings are not shown.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()
    except BrokenPipeError:  # nobody reads on, at exit neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"{stage}: the output was closed.", file=sys.stderr)
    except Exception as error:  # exit code 1 is an answer, and nothing else
        said = " ".join(str(error).split()) or type(error).__name__
        print(f"{stage}: {said}", file=sys.stderr)
    return FAILED
