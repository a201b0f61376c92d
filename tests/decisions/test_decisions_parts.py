"""Segments of the lab: they cut the day, and add up to it."""

import numpy as np
import pandas as pd
import pytest
from labkit.decisions import segments


@pytest.fixture
def replay():
    """Return a day of five flights at two airports."""
    return pd.DataFrame(
        {
            "day": ["07-01"] * 5,
            "origin": ["JFK", "JFK", "EWR", "EWR", "EWR"],
            "hour": [8, 9, 13, 17, 23],
            "reward_a": [1.0, -0.4, 0.0, 1.0, 0.0],
            "reward_b": [0.0, 1.0, 1.0, 0.0, 1.0],
        }
    )


def test_a_part_ends_before_its_hour(replay):
    assert segments.names(replay).tolist() == [
        "JFK early",
        "JFK midday",
        "EWR midday",
        "EWR afternoon",
        "EWR evening",
    ]


def test_segments_add_up_to_the_day(replay):
    segment = segments.names(replay)
    earned, _ = segments.changes(replay, segment, "JFK")
    old = earned.filter(like=", old").sum(axis=1)
    new = earned.filter(like=", new").sum(axis=1)
    assert old.tolist() == [1.0, -0.4, 0.0, 1.0, 0.0]
    assert new.tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
    assert earned.index.unique().tolist() == ["07-01"]


def test_useless_changes_come_first(replay):
    segment = segments.names(replay)
    earned, asked = segments.changes(replay, segment, "JFK")
    useless, acting = asked[:5], asked[5:]
    assert all(pair.control == pair.treated for pair in useless)
    gains = [earned[p.treated].sum() - earned[p.control].sum() for p in acting]
    names = [pair.control.partition(",")[0] for pair in acting]
    assert dict(zip(names, np.round(gains, 6), strict=True)) == {
        "EWR afternoon": 0.0,
        "EWR evening": 0.0,
        "EWR midday": 0.0,
        "JFK early": -1.0,
        "JFK midday": 1.4,
    }
