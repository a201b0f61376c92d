"""Prometheus' own test of alert rules, where it is installed."""

import shutil
import subprocess

import numpy.typing as npt
from flightline.loop import alerts, rules

from labkit.folders import Folder


def agrees(
    alert: alerts.BurnAlert, bad: npt.ArrayLike, total: npt.ArrayLike
) -> bool | None:
    """Ask promtool whether an alert fires in the minutes that Python says.

    Parameters
    ----------
    alert : BurnAlert
    bad, total : array_like of int, shape (minutes,)
        Bad answers and all answers of each minute, more minutes than the long window.

    Returns
    -------
    bool or None
        None where promtool is not installed. Each minute is asked, from the first on
        whose window is full.

    Raises
    ------
    RuntimeError
        If promtool cannot read the rules.
    """
    program = shutil.which("promtool")
    if program is None:
        return None
    series = {alert.objective.bad: bad, alert.objective.total: total}
    with Folder("promtool-") as folder:
        rules.write(folder, series, [alert])
        checked, tested = (
            subprocess.run(
                [program, *command], cwd=folder, capture_output=True, text=True
            )
            for command in (
                ("check", "rules", rules.RULES),
                ("test", "rules", rules.TESTS),
            )
        )
    if checked.returncode:
        raise RuntimeError(f"promtool refuses the rules: {checked.stderr}")
    return tested.returncode == 0
