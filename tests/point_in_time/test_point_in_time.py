"""The front of `point_in_time` against a brute-force oracle, and against bad input."""

import doctest
import importlib
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from flightline import point_in_time as pit
from hypothesis import given, settings
from hypothesis import strategies as st

EPOCH = pd.Timestamp("2013-07-01", tz="UTC")
MOMENTS = st.integers(0, 12)
KEYS = st.sampled_from(["EWR", "JFK", "LGA", None])
VALUES = st.one_of(st.none(), st.integers(-9, 9))
SETTINGS = settings(max_examples=150, deadline=None)


def times(hours, zone="UTC", unit="us"):
    """Turn whole hours (None: null) into times of one unit and zone."""
    stamps = [pd.NaT if h is None else EPOCH + pd.Timedelta(hours=h) for h in hours]
    index = pd.DatetimeIndex(stamps, dtype="datetime64[us, UTC]")
    return index.tz_convert(zone).as_unit(unit)


@st.composite
def entity_tables(draw):
    rows = draw(
        st.lists(st.tuples(KEYS, KEYS, st.one_of(st.none(), MOMENTS)), max_size=8)
    )
    frame = pd.DataFrame(rows, columns=["origin", "dest", "hour"])
    index = draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    zone = draw(st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]))
    return frame.assign(
        t=times(frame.pop("hour").replace({np.nan: None}), zone)
    ).set_axis(index)


@st.composite
def feature_tables(draw):
    rows = draw(st.lists(st.tuples(KEYS, KEYS, MOMENTS, MOMENTS, VALUES), max_size=12))
    frame = pd.DataFrame(rows, columns=["origin", "dest", "hour", "seen_hour", "value"])
    return frame.assign(
        at=times(frame.pop("hour")),
        seen=times(frame.pop("seen_hour")),
        value=frame["value"].astype(float),
        row=np.arange(len(rows)),
    )


BY = st.sampled_from([[], ["origin"], ["origin", "dest"]])


def same_key(entity, feature, by):
    """Return whether all key columns are there and equal."""
    return all(
        pd.notna(entity[k]) and pd.notna(feature[k]) and entity[k] == feature[k]
        for k in by
    )


def oracle_row(entity, features, by, available, ttl_hours):
    """Return the position of the row to join by trying every one, or None."""
    found = None
    for position, row in enumerate(features.to_dict("records")):
        if pd.isna(entity["t"]) or not same_key(entity, row, by):
            continue
        if row["at"] > entity["t"] or (available and row[available] > entity["t"]):
            continue
        if ttl_hours is not None and row["at"] < entity["t"] - timedelta(
            hours=ttl_hours
        ):
            continue
        rank = (row["at"], row[available] if available else row["at"], position)
        found = rank if found is None else max(found, rank)
    return None if found is None else found[2]


@SETTINGS
@given(
    entity_tables(),
    feature_tables(),
    BY,
    st.sampled_from([None, "seen"]),
    st.sampled_from([None, 0, 1, 5]),
)
def test_join_equals_the_oracle(entities, features, by, available, ttl_hours):
    before = entities.copy(), features.copy()
    slim = features.drop(columns=[c for c in ("origin", "dest") if c not in by])
    got = pit.join(
        entities,
        slim,
        by=by,
        entity_time="t",
        feature_time="at",
        available_time=available,
        ttl=None if ttl_hours is None else timedelta(hours=ttl_hours),
    )
    expected = [
        oracle_row(entity, features, by, available, ttl_hours)
        for entity in entities.to_dict("records")
    ]
    pd.testing.assert_frame_equal(got[entities.columns], entities)
    rows = [None if pd.isna(r) else int(r) for r in got["row"]]
    assert rows == expected
    for position, row in enumerate(rows):
        for name in ("value", "at", "seen"):
            cell = got[name].iloc[position]
            if row is None:
                assert pd.isna(cell)
            else:
                assert cell == features[name].iloc[row] or pd.isna(cell)
    pd.testing.assert_frame_equal(entities, before[0])
    pd.testing.assert_frame_equal(features, before[1])


def oracle_window(entity, events, by, length, agg, available):
    """Return the aggregate by trying every event."""
    if pd.isna(entity["t"]):
        return np.nan
    values = [
        row["value"]
        for row in events.to_dict("records")
        if same_key(entity, row, by)
        and entity["t"] - timedelta(hours=length) < row["at"] <= entity["t"]
        and (available is None or row[available] <= entity["t"])
        and pd.notna(row["value"])
    ]
    if agg == "count":
        return float(len(values))
    reduce = {"sum": sum, "mean": np.mean, "min": min, "max": max}[agg]
    return float(reduce(values)) if values else np.nan


@SETTINGS
@given(
    entity_tables(),
    feature_tables(),
    BY,
    st.sampled_from([0, 1, 4, 100]),
    st.sampled_from(pit.AGGREGATES),
    st.sampled_from([None, "seen"]),
)
def test_window_equals_the_oracle(entities, events, by, length, agg, available):
    if available and agg in ("min", "max"):
        available = None
    got = pit.window(
        entities,
        events,
        by=by,
        entity_time="t",
        event_time="at",
        value="value",
        window=timedelta(hours=length),
        agg=agg,
        available_time=available,
    )
    expected = [
        oracle_window(entity, events, by, length, agg, available)
        for entity in entities.to_dict("records")
    ]
    assert got.index.equals(entities.index) and got.dtype == np.float64
    assert np.array_equal(got.to_numpy(), np.array(expected, float), equal_nan=True)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_rows_may_come_in_any_order(seed):
    rng = np.random.default_rng(seed)
    n = 200
    features = pd.DataFrame(
        {
            "origin": rng.choice(["EWR", "JFK"], n),
            "at": times(rng.integers(0, 500, n)),
            "value": rng.integers(0, 99, n).astype(float),
        }
    ).drop_duplicates(["origin", "at"])
    entities = pd.DataFrame(
        {
            "origin": rng.choice(["EWR", "JFK", "LGA"], n),
            "t": times(rng.integers(0, 500, n)),
        }
    )
    ask = {"by": "origin", "entity_time": "t"}
    straight = pit.join(entities, features, feature_time="at", **ask)
    shuffled = pit.join(
        entities.sample(frac=1, random_state=seed),
        features.sample(frac=1, random_state=seed),
        feature_time="at",
        **ask,
    )
    pd.testing.assert_frame_equal(straight, shuffled.sort_index())


def test_keys_and_times_too_wide_for_one_integer_are_ranked():
    n = 3_000
    spread = pd.DatetimeIndex(
        np.linspace(-9e18, 9e18, n).astype("int64").view("datetime64[ns]"), tz="UTC"
    )
    frame = pd.DataFrame(
        {"key": np.arange(n), "t": spread, "value": np.arange(n) * 1.0}
    )
    got = pit.join(
        frame.rename(columns={"value": "own"}),
        frame.rename(columns={"t": "at"}),
        by="key",
        entity_time="t",
        feature_time="at",
    )
    assert (got["value"] == got["own"]).all()
    count = pit.window(
        frame, frame, by="key", entity_time="t", event_time="t", value="value",
        window="1h", agg="count",
    )  # fmt: skip
    assert (count == 1).all()


def test_the_ends_of_time_do_not_wrap_around():
    ends = pd.DatetimeIndex([pd.Timestamp.min, pd.Timestamp.max], tz="UTC")
    entities = pd.DataFrame({"k": 1, "t": ends})
    features = pd.DataFrame({"k": 1, "at": ends[:1], "v": 7})
    long = {"by": "k", "entity_time": "t"}
    got = pit.join(entities, features, feature_time="at", ttl="90000D", **long)
    assert got["v"].fillna(-1).tolist() == [7, -1]
    sums = pit.window(
        entities,
        features,
        event_time="at",
        value="v",
        window="90000D",
        agg="sum",
        **long,
    )
    assert sums.fillna(-1).tolist() == [7, -1]


def test_many_keys_keep_their_pairs_apart():
    rng = np.random.default_rng(4)
    n, keys = 3_000, list("abcdefg")  # 2,000 ** 7 pairs do not fit into 64 bits
    features = pd.DataFrame({key: rng.integers(0, 2_000, n) for key in keys})
    features = pd.concat([features, features[:500]], ignore_index=True)
    features = features.assign(at=times(np.zeros(n + 500, int)), row=np.arange(n + 500))
    asked = features[keys].assign(t=times(np.ones(n + 500, int)))
    got = pit.join(asked, features, by=keys, entity_time="t", feature_time="at")
    expected = features.groupby(keys)["row"].transform("max")
    assert (got["row"] == expected).all()


def test_empty_tables_are_answered():
    entities = pd.DataFrame({"k": [1], "t": times([5])})
    features = pd.DataFrame({"k": [1], "at": times([1]), "v": [1.0]})
    ask = {"by": "k", "entity_time": "t"}
    assert pit.join(entities, features[:0], feature_time="at", **ask)["v"].isna().all()
    assert len(pit.join(entities[:0], features, feature_time="at", **ask)) == 0
    what = {"event_time": "at", "value": "v", "window": "1h", **ask}
    assert pit.window(entities, features[:0], agg="count", **what).tolist() == [0]
    assert pit.window(entities, features[:0], agg="max", **what).isna().all()
    assert len(pit.window(entities[:0], features, agg="mean", **what)) == 0


def good():
    """Return two tables and the arguments of a join that works."""
    entities = pd.DataFrame({"origin": ["JFK", "EWR"], "t": times([5, 6])})
    features = pd.DataFrame(
        {"origin": ["JFK", "EWR"], "at": times([1, 2]), "seen": times([2, 3]),
         "value": [1.0, 2.0], "text": ["a", "b"]},
        index=["first", "second"],
    )  # fmt: skip
    return entities, features


JOIN = {
    "by": "origin",
    "entity_time": "t",
    "feature_time": "at",
    "available_time": "seen",
}
WINDOW = {"by": "origin", "entity_time": "t", "event_time": "at", "value": "value",
          "window": "3h", "agg": "mean", "available_time": "seen"}  # fmt: skip
OPEN = {"by": "origin", "entity_time": "t", "start_time": "at", "end_time": "seen",
        "window": "3h"}  # fmt: skip
CALLS = {
    "join": (pit.join, JOIN),
    "window": (pit.window, WINDOW),
    "open_at": (pit.open_at, OPEN),
}
EVERY = pytest.mark.parametrize("name", CALLS)


def refuse(name, words, entities=None, features=None, **changes):
    """Call with one thing wrong; the error must say all the words."""
    call, arguments = CALLS[name]
    tables = good()
    entities = tables[0] if entities is None else entities
    features = tables[1] if features is None else features
    with pytest.raises(ValueError) as error:
        call(entities, features, **{**arguments, **changes})
    for word in words:
        assert word in str(error.value), str(error.value)


@EVERY
def test_good_input_is_accepted(name):
    call, arguments = CALLS[name]
    assert len(call(*good(), **arguments)) == 2


@EVERY
def test_a_missing_column_is_named(name):
    entities, features = good()
    refuse(name, ["entities", "'origin'"], entities=entities.drop(columns="origin"))
    refuse(name, ["entities", "'t'"], entities=entities.drop(columns="t"))
    for column in ("origin", "at", "seen"):
        refuse(name, [repr(column)], features=features.drop(columns=column))
    refuse(name, ["'nokey'"], by=["origin", "nokey"])


def test_a_missing_value_column_is_named():
    refuse("window", ["events", "'nothing'"], value="nothing")


@EVERY
def test_a_doubled_column_is_named(name):
    _, features = good()
    doubled = pd.concat([features, features[["text"]]], axis=1)
    refuse(name, ["two columns", "'text'"], features=doubled)


@EVERY
def test_a_null_time_of_a_feature_is_counted_and_located(name):
    _, features = good()
    features.loc["second", "at"] = pd.NaT
    refuse(name, ["'at'", "1 of 2", "'second'"], features=features)


@pytest.mark.parametrize("name", ["join", "window"])
def test_a_null_available_time_is_located(name):
    _, features = good()
    features.loc["second", "seen"] = pd.NaT
    refuse(name, ["'seen'", "1 of 2", "'second'"], features=features)


@EVERY
def test_clocks_must_agree(name):
    entities, features = good()
    naive = features.assign(at=features["at"].dt.tz_localize(None))
    refuse(name, ["'t'", "'at'", "time zone"], features=naive)
    refuse(name, ["'at'", "to_datetime"], features=features.assign(at=[1, 2]))
    refuse(name, ["'t'", "to_datetime"], entities=entities.assign(t=["5", "6"]))


@EVERY
def test_keys_of_another_kind_are_refused(name):
    entities, _ = good()
    refuse(name, ["'origin'", "int64"], entities=entities.assign(origin=[1, 2]))


def test_a_clash_of_names_is_refused():
    entities, features = good()
    refuse("join", ["'value'"], entities=entities.assign(value=1))
    refuse(
        "join", ["'t'"], features=features.rename(columns={"at": "t"}), feature_time="t"
    )


@pytest.mark.parametrize("length", [3, 2.5, "soon", "-1h", pd.NaT, "1ns", None])
def test_a_length_that_is_none_is_refused(length):
    for name in ("window", "open_at"):
        refuse(name, ["window="], window=length)
    if length is not None:
        refuse("join", ["ttl="], ttl=length)


def test_bad_aggregates_and_values_are_refused():
    _, features = good()
    refuse("window", ["'median'"], agg="median")
    refuse("window", ["available_time", "max"], agg="max")
    refuse("window", ["'text'", "needs numbers"], value="text")
    wrong = features.assign(value=[1.0, np.inf])
    refuse("window", ["'value'", "infinite", "'second'"], features=wrong)


def test_any_column_can_be_counted():
    entities, features = good()
    got = pit.window(entities, features, **{**WINDOW, "value": "text", "agg": "count"})
    assert got.tolist() == [0.0, 0.0]
    got = pit.window(
        entities,
        features,
        **{**WINDOW, "window": "1D", "value": "text", "agg": "count"},
    )
    assert got.tolist() == [1.0, 1.0]


def test_smoothed_rate():
    entities, events = good()
    what = {
        k: v
        for k, v in WINDOW.items()
        if k in ("by", "entity_time", "event_time", "value")
    }
    got = pit.smoothed_rate(entities, events, days=1, prior=0.5, strength=2, **what)
    assert got.tolist() == [(1 + 1) / 3, (2 + 1) / 3]
    with pytest.raises(ValueError, match="strength=-1"):
        pit.smoothed_rate(entities, events, days=1, prior=0.5, strength=-1, **what)
    with pytest.raises(ValueError, match="'value'"):
        pit.smoothed_rate(
            entities,
            events.drop(columns="value"),
            days=1,
            prior=0.5,
            strength=2,
            **what,
        )
    entities.loc[0, "t"] = pd.NaT
    got = pit.smoothed_rate(entities, events, days=1, prior=0.5, strength=2, **what)
    assert pd.isna(got[0])


def test_leaking_columns_names_what_is_missing():
    entities, events = good()

    def build(asked, known):
        return pd.DataFrame({"total": known["value"].sum()}, index=asked.index)

    cut = {
        "entity_time": "t",
        "available_time": "seen",
        "cutoff": EPOCH + timedelta(hours=5),
    }
    assert pit.leaking_columns(build, entities, events, **cut) == []
    cut["cutoff"] = EPOCH + timedelta(hours=2)
    assert pit.leaking_columns(
        build, entities.assign(t=times([1, 6])), events, **cut
    ) == ["total"]
    with pytest.raises(ValueError, match="'t'"):
        pit.leaking_columns(build, entities.drop(columns="t"), events, **cut)
    with pytest.raises(ValueError, match="'seen'"):
        pit.leaking_columns(build, entities, events.drop(columns="seen"), **cut)


@pytest.mark.parametrize(
    "name", ["audit", "inputs", "joins", "keys", "lines", "sums", "windows"]
)
def test_the_examples_in_the_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(f"{pit.__name__}.{name}"))
    assert result.attempted and not result.failed
