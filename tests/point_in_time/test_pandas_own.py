"""pandas' own tests of `merge_asof`, with `join` in its place.

The installed pandas brings its tests. This file runs those of `merge_asof` in another
process, with an adapter that hands each question to `join`; a question that `join` does
not answer (forward, nearest, by index, floats, refusals of unsorted tables) skips the
test that asks it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from flightline.point_in_time import join

RUN = 82
"""How many of pandas' tests ask what `join` answers, at the least."""

TIME = "a time that no column of pandas' tests is named after"


def unless(condition, why):
    """Skip the test that asks what `join` does not answer."""
    if not condition:
        pytest.skip(f"join: {why}")


def as_times(column):
    """Return times as they are, whole numbers as nanoseconds since 1970."""
    if pd.api.types.is_integer_dtype(column.dtype) and column.abs().max() < 2**40:
        return pd.to_datetime(column.astype("int64"), unit="ns")
    unless(pd.api.types.is_datetime64_any_dtype(column.dtype), "times alone")
    return column.dt.as_unit("ns")


def as_length(tolerance, strict):
    """Return a tolerance as a time to live; what is strict is one nanosecond less."""
    if tolerance is None:
        return None
    whole = isinstance(tolerance, int)
    length = pd.Timedelta(tolerance, "ns") if whole else pd.Timedelta(tolerance)
    length = length.as_unit("ns") - pd.Timedelta(int(strict), "ns")
    unless(length >= pd.Timedelta(0), "a negative time to live")
    return length


def in_the_dtypes_of_pandas(found, right):
    """Return whole numbers and booleans beside nulls as `merge_asof` returns them."""
    for name in found.columns.intersection(right.columns):
        before, after = right[name].dtype, found[name].dtype
        if before != after and found[name].isna().any():
            found[name] = found[name].astype(
                object if before.kind == "b" else "float64"
            )
    return found


def asked_of_join(
    left,
    right,
    on=None,
    left_on=None,
    right_on=None,
    left_index=False,
    right_index=False,
    by=None,
    left_by=None,
    right_by=None,
    suffixes=("_x", "_y"),
    tolerance=None,
    allow_exact_matches=True,
    direction="backward",
):
    """Answer what `pandas.merge_asof` is asked, with `join`."""
    unless(direction == "backward", "looks backward alone")
    unless(isinstance(allow_exact_matches, bool), "true or false")
    unless(not left_index and not right_index, "columns, not the index")
    left_on, right_on = (on, on) if on is not None else (left_on, right_on)
    unless(isinstance(left_on, str) and isinstance(right_on, str), "one time each")
    left_by, right_by = (by, by) if by is not None else (left_by, right_by)
    unless(left_by == right_by, "keys of one name")
    keys = [] if left_by is None else [left_by] if isinstance(left_by, str) else left_by
    for frame, name in ((left, left_on), (right, right_on)):
        unless(name in frame.columns, "columns, not the index")
        unless(frame.columns.is_unique, "columns of different names")
    times = left[left_on], right[right_on]
    unless(times[0].dtype == times[1].dtype, "pandas wants one dtype")
    unless(all(t.is_monotonic_increasing for t in times), "pandas wants an order")
    whole = pd.api.types.is_integer_dtype(times[0].dtype)
    unless(tolerance is None or isinstance(tolerance, int) == whole, "of one kind")
    strict = pd.Timedelta(int(not allow_exact_matches), "ns")
    asks = left[keys].assign(**{TIME: as_times(times[0]) - strict})
    rows = right.assign(**{f"{TIME} of a row": as_times(times[1])})
    if left_on == right_on:
        rows = rows.drop(columns=right_on)
    found = join(
        asks,
        rows,
        by=keys,
        entity_time=TIME,
        feature_time=f"{TIME} of a row",
        ttl=as_length(tolerance, not allow_exact_matches),
    )
    found = found.drop(columns=[*asks.columns, f"{TIME} of a row"])
    found = in_the_dtypes_of_pandas(found, right)
    twice = left.columns.intersection(found.columns)
    left, found = (
        side.rename(columns={name: f"{name}{end}" for name in twice})
        for side, end in zip((left, found), suffixes, strict=True)
    )
    return pd.concat([left, found], axis=1).reset_index(drop=True)


class InItsPlace:
    """A plugin of pytest: the adapter takes the place of `merge_asof`."""

    asked, passed = 0, 0

    def answer(self, *tables, **how):
        answer = asked_of_join(*tables, **how)
        self.asked += 1
        return answer

    def pytest_collection_modifyitems(self, items):
        for module in {item.module for item in items}:
            module.merge_asof = self.answer

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.passed += report.passed and self.asked > 0
            self.asked = 0

    def pytest_terminal_summary(self):
        print(f"\njoin answered in {self.passed} tests that passed")


def test_answers_are_those_of_merge_asof():
    pandas_folder = Path(pd.__file__).parent
    where = Path("tests", "reshape", "merge", "test_merge_asof.py")
    if not (pandas_folder / where).exists():
        pytest.skip("this pandas came without its tests")
    done = subprocess.run(
        [sys.executable, "-B", __file__, str(where), "--rootdir=.", "--confcutdir=.",
         "-c", os.devnull, "-q", "-p", "no:cacheprovider", "-p", "no:nbval"],
        cwd=pandas_folder,  # away from the settings of this repository
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"join answered in (\d+) tests", done.stdout)
    assert passed and int(passed[1]) >= RUN, done.stdout


if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:], plugins=[InItsPlace()]))
