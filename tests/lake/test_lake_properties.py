"""Properties of the lake that hold for any batch, in any order."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from flightline import lake
from flightline.lake import upkeep
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ZONES = ["America/New_York", "America/Los_Angeles", "America/Puerto_Rico", "UTC"]
FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.datetimes(pd.Timestamp("2013-01-01"), pd.Timestamp("2013-12-31")),
            st.integers(0, 23),
            st.integers(0, 59),
            st.sampled_from(ZONES),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_the_next_clock_is_the_first_instant_that_shows_it(
    rows: list[tuple[pd.Timestamp, int, int, str]],
) -> None:
    start = pd.Series(pd.to_datetime([r[0] for r in rows], utc=True).floor("min"))
    start = start.astype(lake.UTC)
    clock = pd.Series([float(r[1] * 100 + r[2]) for r in rows])
    found = lake.next_clock(start, clock, pd.Series([r[3] for r in rows]))
    wait = (found - start) / pd.Timedelta("1min")
    assert ((wait >= 0) & (wait < 1440)).all()
    for instant, first, (_, hour, minute, zone) in zip(found, start, rows, strict=True):
        same_offset = (
            instant.tz_convert(zone).utcoffset() == first.tz_convert(zone).utcoffset()
        )
        if same_offset:
            local = instant.tz_convert(zone)
            assert (local.hour, local.minute) == (hour, minute)


def batch(numbers: list[int]) -> pd.DataFrame:
    """Return departures; the number decides flight, time and delay."""
    which = np.array(numbers, dtype="int64")
    start = pd.Timestamp("2013-06-28", tz="UTC")
    time = pd.Series(start + pd.to_timedelta(which * 37, unit="min")).astype(lake.UTC)
    return pd.DataFrame(
        {
            "flight_id": [f"2013-07-01-UA-{n + 1}-EWR" for n in numbers],
            "carrier": "UA",
            "flight": which + 1,
            "tailnum": ["N1" if n % 3 else None for n in numbers],
            "origin": "EWR",
            "dest": "BOS",
            "dep_delay": which.astype(float) - 20,
            "event_time": time,
            "available_at": time,
        }
    )


deliveries = st.lists(
    st.lists(st.integers(0, 150), min_size=1, max_size=12), min_size=1, max_size=6
)


@FEW
@given(deliveries, st.sampled_from(["day", "month"]))
def test_each_row_counts_once_and_every_row_is_accounted_for(
    parts: list[list[int]], by: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        receipts = [lake.append(root, "departures", batch(p), by=by) for p in parts]
        rows = lake.read(root, "departures")
        assert sorted(rows.flight - 1) == sorted({n for part in parts for n in part})
        new = [r for r in receipts if r.new]
        for receipt, part in zip(receipts, parts, strict=True):
            assert receipt.rows_in == len(part)
            assert receipt.rows_in == receipt.accepted + receipt.quarantined
        aside = sum(r.quarantined for r in new)
        assert len(lake.quarantine(root, "departures")) == aside
        assert len(rows) == sum(r.accepted for r in new)
        assert rows.event_time.is_monotonic_increasing


@FEW
@given(deliveries, st.randoms())
def test_repeats_and_compactions_never_change_the_rows(
    parts: list[list[int]], chance: "np.random.Generator"
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for part in parts:
            lake.append(root, "departures", batch(part), by="day")
        rows, version = lake.read(root, "departures"), lake.log(root, "departures")
        for part in parts:
            chance.shuffle(part)
            assert not lake.append(root, "departures", batch(part)).new
        assert len(lake.log(root, "departures")) == len(version)
        upkeep.compact(root, "departures", by="month")
        assert lake.read(root, "departures").equals(rows)
        assert lake.read(root, "departures", as_of=len(version)).equals(rows)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 300)), min_size=1),
    st.integers(0, 120),
)
def test_a_stream_reader_counts_or_sets_aside_every_event(
    rows: list[tuple[int, int]], lateness: int
) -> None:
    start = pd.Timestamp("2013-07-02", tz="UTC")
    happened = pd.Series([start + pd.Timedelta(minutes=m) for m, _ in rows])
    wait = pd.to_timedelta(pd.Series([w for _, w in rows]), unit="min")
    events = pd.DataFrame({"event_time": happened, "available_at": happened + wait})
    events = events.astype(lake.UTC)
    windows, late = lake.tumble(events, "1h", f"{lateness}min")
    assert windows.events.sum() + len(late) == len(events)
    naive_late = 0
    newest = pd.Timestamp("1900-01-01", tz="UTC")
    order = events.sort_values(["available_at", "event_time"], kind="stable")
    for event in order.event_time:
        end = event.floor("1h") + pd.Timedelta("1h")
        naive_late += newest - pd.Timedelta(minutes=lateness) >= end
        newest = max(newest, event)
    assert naive_late == len(late)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=40), st.sampled_from([7, 60]))
def test_a_replay_hands_out_every_row_once(minutes: list[int], step: int) -> None:
    start = pd.Timestamp("2013-07-02", tz="UTC")
    times = pd.Series([start + pd.Timedelta(minutes=m) for m in minutes])
    table = pd.DataFrame({"event_time": times, "available_at": times}).astype(lake.UTC)
    got = [news["t"] for _, news in lake.replay({"t": table}, f"{step}min")]
    whole = pd.concat(got)
    assert sorted(whole.index) == sorted(table.index)
    assert whole.available_at.is_monotonic_increasing
