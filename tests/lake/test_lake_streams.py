"""Windows and replay, with any start, end, step and time zone."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from flightline import lake
from hypothesis import given, settings
from hypothesis import strategies as st

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
FALL = pd.Timestamp("2013-11-03T00:00", tz="UTC")  # a clock change in New York
UNITS = ["s", "ms", "us", "ns"]


def reports(seconds: list[int], zone: str = "UTC", unit: str = "us") -> pd.DataFrame:
    """Return events so many seconds after the night of a clock change begins."""
    index = pd.DatetimeIndex([FALL + pd.Timedelta(s, "s") for s in seconds], tz="UTC")
    known = pd.Series(index.as_unit(unit)).dt.tz_convert(zone)
    return pd.DataFrame({"event_time": known, "available_at": known})


def plainly(rows: pd.DataFrame, low: pd.Timestamp, high: pd.Timestamp) -> int:
    """Count the rows that became known in a stretch, one by one."""
    return sum(low < known <= high for known in rows.available_at)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 100_000), min_size=1, max_size=30),
    st.integers(1, 30_000),
    st.none() | st.integers(-5_000, 60_000),
    st.none() | st.integers(0, 130_000),
    st.sampled_from(ZONES),
    st.sampled_from(UNITS),
)
def test_a_replay_is_complete_from_any_start_to_any_end(
    seconds: list[int],
    step: int,
    start: int | None,
    end: int | None,
    zone: str,
    unit: str,
) -> None:
    rows = reports(seconds, zone, unit)
    low = None if start is None else FALL + pd.Timedelta(start, "s")
    high = None if end is None else FALL + pd.Timedelta(end, "s")
    if low is not None and high is not None and high < low:
        low, high = high, low
    span = {} if low is None else {"start": low.tz_convert(zone)}
    span |= {} if high is None else {"end": high.tz_convert(zone)}
    ticks = list(lake.replay({"t": rows}, f"{step}s", **span))
    first = FALL - pd.Timedelta(days=1) if low is None else low
    last = FALL + pd.Timedelta(days=9) if high is None else high
    assert sum(len(news["t"]) for _, news in ticks) == plainly(rows, first, last)
    for (now, news), (before, _) in zip(ticks[1:], ticks, strict=False):
        assert pd.Timedelta(0) < now - before <= pd.Timedelta(step, "s")
        assert plainly(news["t"], before, now) == len(news["t"])
        assert str(now.tz) == "UTC"
    if ticks and high is not None:
        assert ticks[-1][0] == high


def test_the_last_step_is_shorter() -> None:
    rows = reports([3_600, 20_000])
    span = {"start": FALL, "end": FALL + pd.Timedelta(20_000, "s")}
    clock = [now for now, _ in lake.replay({"t": rows}, "2h", **span)]
    steps = pd.Series([FALL, *clock]).diff().dropna().dt.total_seconds()
    assert steps.tolist() == [7_200, 7_200, 5_600]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("0h", "too short"),
        ("-1h", "too short"),
        ("100ns", "too short"),
        ("7", "no unit"),
        (7, "no unit"),
        ("soon", "no length of time"),
        ("NaT", "missing"),
    ],
)
def test_a_step_is_a_positive_length(step: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        lake.replay({"t": reports([1])}, step)
    with pytest.raises(ValueError, match=told):
        lake.tumble(reports([1]), step)


def test_a_replay_names_what_is_wrong() -> None:
    rows = reports([1])
    naive = rows.assign(available_at=rows.available_at.dt.tz_localize(None))
    with pytest.raises(
        ValueError, match=r"t: available_at .* no times with a time zone"
    ):
        lake.replay({"t": naive})
    later = FALL + pd.Timedelta(hours=1)
    with pytest.raises(ValueError, match="lies before"):
        lake.replay({"t": rows}, start=later, end=FALL)
    with pytest.raises(ValueError, match="start is 5, and no moment"):
        lake.replay({"t": rows}, start=5)  # type: ignore[arg-type]
    assert list(lake.replay({"t": rows.head(0)})) == []
    assert list(lake.replay({})) == []


def test_a_row_that_never_became_known_is_left_out() -> None:
    rows = reports([5, 10, 15])
    rows.loc[1, "available_at"] = pd.NaT
    news = [n["t"] for _, n in lake.replay({"t": rows}, "1min")]
    assert pd.concat(news).index.tolist() == [0, 2]


def test_far_rows_are_replayed() -> None:
    stamps = np.array(["1066-10-14T12:00", "1066-10-14T15:00", "9999-01-01"], "M8[us]")
    known = pd.Series(stamps).dt.tz_localize("UTC")
    rows = pd.DataFrame({"event_time": known, "available_at": known})
    clock = lake.replay({"t": rows}, "2h")
    assert [len(next(clock)[1]["t"]) for _ in range(3)] == [1, 0, 1]
    span = {"start": "9998-12-31T00:00Z", "end": "9999-01-01T00:00Z"}
    assert sum(len(n["t"]) for _, n in lake.replay({"t": rows}, "5h", **span)) == 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 100_000), st.integers(0, 20_000)),
        min_size=1,
        max_size=30,
    ),
    st.sampled_from(["1h", "7h", "1D", "25min", "90s"]),
    st.sampled_from(["0min", "10min", "3h", "30s"]),
    st.sampled_from(ZONES),
    st.sampled_from(UNITS),
)
def test_windows_do_not_depend_on_zone_or_unit(
    rows: list[tuple[int, int]], window: str, lateness: str, zone: str, unit: str
) -> None:
    event = reports([at for at, _ in rows])
    later = event.event_time + pd.to_timedelta([wait for _, wait in rows], unit="s")
    events = event.assign(available_at=later.astype(lake.UTC))
    local = events.apply(lambda times: times.dt.tz_convert(zone).dt.as_unit(unit))
    windows, late = lake.tumble(events, window, lateness)
    same, also_late = lake.tumble(local, window, lateness)
    assert windows.events.sum() + len(late) == len(rows)
    assert same.index.tolist() == windows.index.tolist()
    assert same.events.tolist() == windows.events.tolist()
    assert same.closed_at.astype(str).tolist() == windows.closed_at.astype(str).tolist()
    assert also_late.index.tolist() == late.index.tolist()
    width = pd.Timedelta(window)
    for start, count in windows.events.items():
        inside = (events.event_time >= start) & (events.event_time < start + width)
        assert count == inside.sum() - inside[late.index].sum()


def test_windows_by_any_index() -> None:
    events = reports([0, 4_000, 9_000, 100]).set_axis([1, 1, 0, 0])
    events["available_at"] = events.event_time + pd.to_timedelta([0, 0, 0, 9_000], "s")
    windows, late = lake.tumble(events, "1h", "0min")
    assert windows.events.tolist() == [1, 1, 1] and len(late) == 1
    assert late.event_time.item() == FALL + pd.Timedelta(100, "s")
    with pytest.raises(ValueError, match="no times with a time zone"):
        lake.tumble(events.apply(lambda times: times.dt.tz_localize(None)))
