"""P-values that no float holds, and a registration that meets a full disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import decisions

SMALLEST = np.finfo(np.float64).tiny


def steady(days=90):
    """Return differences of days of about 1 that hardly vary."""
    return 1 + 1e-6 * np.random.default_rng(0).normal(size=days)


def test_a_pvalue_too_small_for_a_float_is_the_smallest_one_and_never_0():
    plan = decisions.Registration("m", "pt", 90, [90], "2013-09-30", rule="fixed")
    days = pd.DataFrame({"day": range(90), "m": steady()})
    assert decisions.analyse(plan, days).primary.pvalue == SMALLEST
    both = pd.DataFrame({"a": steady(), "b": -steady()[::-1]})
    found = decisions.segments(both)
    assert (found["pvalue"] == SMALLEST).all() and (found["adjusted"] > 0).all()
    trend = decisions.exposure_trend(np.arange(90) + steady(), np.arange(90))
    assert trend.pvalue == SMALLEST


def test_a_registration_that_could_not_be_written_is_tried_again(tmp_path, monkeypatch):
    plan = decisions.Registration("m", "pt", 14, [7, 14], "2013-07-14")
    path, opened = tmp_path / "plan.json", Path.open

    class Full:
        """A file that takes half of a text, as on a full disk."""

        def __init__(self, file):
            self._file, self.name = file, file.name

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, text):
            self._file.write(text[: len(text) // 2])
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *a, **k: Full(opened(*a, **k)))
        with pytest.raises(OSError, match="No space left"):
            plan.write(path)
    assert not path.exists()
    plan.write(path)
    assert decisions.read_registration(path).digest == plan.digest
