"""The metrics store: spellings of time, and files that are none."""

import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from flightline import drift

ROW = pd.DataFrame([["psi", "x", 1.0, np.nan, 0.5, 0.05, True]], columns=drift.CHECK)
MOMENTS = ["2013-07-01", "2013-07-01 00:00:00.5", "2013-07-01T00:00:01.000000001"]


@pytest.mark.parametrize("order", [MOMENTS, MOMENTS[::-1]])
def test_moments_of_any_precision_are_read_back_in_order(tmp_path, order):
    store = tmp_path / "m.sqlite"
    for moment in order:
        drift.write_metrics(store, pd.Timestamp(moment, tz="UTC"), ROW)
    read = drift.read_metrics(store)["at"].tolist()
    assert read == [pd.Timestamp(moment, tz="UTC") for moment in MOMENTS]


def test_a_store_with_mixed_spellings_is_read(tmp_path):
    store = tmp_path / "m.sqlite"
    drift.write_metrics(store, pd.Timestamp("2013-07-02", tz="UTC"), ROW)
    spelled = [
        "2013-07-01T22:00:00.25-04:00",
        "2013-07-01 12:00:00+00:00",
        "2013-07-03T00Z",
    ]
    with closing(sqlite3.connect(store)) as base, base:
        for at in spelled:
            base.execute("INSERT INTO metrics VALUES (?,'psi','x',1,0,1,.05,1)", [at])
    read = drift.read_metrics(store)["at"]
    assert len(read) == 4 and read.is_monotonic_increasing
    noon = pd.Timestamp("2013-07-01T12:00Z")
    assert drift.old_metrics(store, noon) == 0
    later = noon + pd.Timedelta("14h15min")  # 22:00 in New York lies after midnight
    assert drift.old_metrics(store, later) == 3
    assert len(drift.read_metrics(store)) == 4  # asking removes nothing
    assert drift.old_metrics(store, later, remove=True) == 3
    assert drift.read_metrics(store)["at"].min() > later
    with closing(sqlite3.connect(store)) as base, base:
        base.execute("INSERT INTO metrics VALUES ('noon','psi','x',1,0,1,.05,1)")
    for read in (drift.read_metrics, lambda path: drift.old_metrics(path, later)):
        with pytest.raises(ValueError, match="at='noon'"):
            read(store)


def test_what_is_no_store_is_refused(tmp_path):
    (tmp_path / "text").write_text("no database, but long enough to look like one" * 9)
    sqlite3.connect(tmp_path / "empty").close()
    for name in ("text", "empty"):
        with pytest.raises(ValueError, match="no metrics store"):
            drift.read_metrics(tmp_path / name)
    at = pd.Timestamp("2013", tz="UTC")
    for name in ("text", "empty", "none"):
        with pytest.raises(ValueError, match="no metrics store"):
            drift.old_metrics(tmp_path / name, at, remove=True)
    with pytest.raises(ValueError, match="has no time zone"):
        drift.old_metrics(tmp_path / "none", at.tz_localize(None))
    for place in (tmp_path / "none" / "m.sqlite", tmp_path, tmp_path / "text"):
        with pytest.raises(ValueError, match="cannot be written"):
            drift.write_metrics(place, at, ROW)


def test_nulls_and_infinities_come_back(tmp_path):
    table = pd.concat([ROW, ROW.assign(subject="y", value=np.inf, high=np.nan)])
    drift.write_metrics(tmp_path / "m", pd.Timestamp("2013", tz="UTC"), table)
    read = drift.read_metrics(tmp_path / "m").drop(columns="at")
    pd.testing.assert_frame_equal(read, table.reset_index(drop=True))
    assert "nan" not in drift.dashboard(drift.read_metrics(tmp_path / "m"))
