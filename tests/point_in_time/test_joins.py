"""flightline.point_in_time.join against plain loops, and what it does to dtypes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from flightline.point_in_time.joins import join
from hypothesis import given, settings
from hypothesis import strategies as st

START = pd.Timestamp("2013-11-03 04:00", tz="UTC")
"""Two hours before the clocks of New York go back: 01:00 to 02:00 comes twice."""

MANY = settings(max_examples=150, deadline=None)
KEYS = {
    "object": lambda k: pd.Series(
        [None if x is None else f"N{x}" for x in k], dtype=object
    ),
    "string": lambda k: KEYS["object"](k).astype("string[python]"),
    "Arrow string": lambda k: KEYS["object"](k).astype(pd.ArrowDtype(pa.string())),
    "category": lambda k: KEYS["object"](k).astype("category"),
    "Int64": lambda k: pd.Series(k, dtype="Int64"),
    "int8": lambda k: pd.Series([9 if x is None else x for x in k], dtype="int8"),
    "uint64": lambda k: pd.Series([9 if x is None else x for x in k], dtype="uint64"),
    "whole objects": lambda k: pd.Series(k, dtype=object),
}
TEXTS = ["object", "string", "Arrow string", "category"]
NUMBERS = ["Int64", "int8", "uint64", "whole objects"]
UNITS = st.sampled_from(["s", "ms", "us", "ns"])
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])
HALVES = st.integers(0, 8)


def times(halves, unit="us", zone="UTC"):
    """Turn half hours (None: null) into times of one unit and zone."""
    stamps = [
        pd.NaT if h is None else START + pd.Timedelta(minutes=30 * h) for h in halves
    ]
    index = pd.DatetimeIndex(stamps, dtype="datetime64[ns, UTC]")
    return pd.Series(index.tz_convert(zone).as_unit(unit))


def key_dtypes(draw):
    """Draw how each of two tables holds its keys, so that they can match."""
    kinds = st.sampled_from(draw(st.sampled_from([TEXTS, NUMBERS])))
    return draw(kinds), draw(kinds)


@st.composite
def questions(draw):
    """Draw entities, rows and the plain lists that they were made of."""
    left, right = key_dtypes(draw)
    key = st.sampled_from([1, 2, 3, None])
    asks = draw(st.lists(st.tuples(key, st.one_of(st.none(), HALVES)), max_size=7))
    rows = draw(
        st.lists(st.tuples(key, HALVES, st.integers(0, 3), st.booleans()), max_size=10)
    )
    entities = pd.DataFrame(
        {
            "k": KEYS[left]([k for k, _ in asks]),
            "t": times([t for _, t in asks], draw(UNITS), draw(ZONES)),
        }
    )
    features = pd.DataFrame(
        {
            "k": KEYS[right]([k for k, *_ in rows]),
            "event": times([e for _, e, *_ in rows], draw(UNITS), draw(ZONES)),
            "known": times(
                [e + late for _, e, late, _ in rows], draw(UNITS), draw(ZONES)
            ),
            "big": pd.Series([2**53 + 1 + n for n in range(len(rows))], dtype="int64"),
            "flag": pd.Series([flag for *_, flag in rows], dtype=bool),
        }
    )
    filled = left in ("int8", "uint64"), right in ("int8", "uint64")
    plain_asks = [(9 if k is None and filled[0] else k, t) for k, t in asks]
    plain_rows = [(9 if k is None and filled[1] else k, *rest) for k, *rest in rows]
    for frame in (entities, features):
        labels = st.lists(st.integers(0, 2), min_size=len(frame), max_size=len(frame))
        frame.index = pd.Index(draw(labels), dtype="int64")
    return entities, features, plain_asks, plain_rows


def newest(ask, rows, late, ttl):
    """Return the position of the row to join by looking at every one, or None."""
    key, t = ask
    best = None
    for place, (k, event, delay, _) in enumerate(rows):
        known = event + delay if late else event
        if t is None or key is None or k != key or event > t or known > t:
            continue
        if ttl is not None and event < t - ttl:
            continue
        best = max(best or (-1, -1, -1), (event, known, place))
    return None if best is None else best[2]


@MANY
@given(questions(), st.booleans(), st.sampled_from([None, 0, 1, 3]))
def test_join_equals_a_plain_loop(tables, late, ttl):
    entities, features, asks, rows = tables
    got = join(
        entities,
        features,
        by="k",
        entity_time="t",
        feature_time="event",
        available_time="known" if late else None,
        ttl=None if ttl is None else pd.Timedelta(minutes=30 * ttl),
    )
    pd.testing.assert_frame_equal(got[entities.columns], entities)
    places = [newest(ask, rows, late, ttl) for ask in asks]
    expected = [None if p is None else 2**53 + 1 + p for p in places]
    assert [None if pd.isna(v) else int(v) for v in got["big"]] == expected
    flags = [None if p is None else rows[p][3] for p in places]
    assert [None if pd.isna(v) else bool(v) for v in got["flag"]] == flags
    whole = None not in expected
    assert got["big"].dtype == ("int64" if whole else "Int64")
    assert got["flag"].dtype == ("bool" if whole else "boolean")
    for name in ("event", "known"):
        assert got[name].dtype == features[name].dtype


# --- dtypes ---------------------------------------------------------------------------


def ask_two():
    """Return entities of which the second finds nothing, in a repeated index."""
    return pd.DataFrame({"k": [1, 2], "t": times([5, 5])}).set_axis([4, 4])


def one_row(values):
    """Return one row of features, in an index that is not 0."""
    frame = pd.DataFrame({"k": [1], "event": times([1]), "v": values})
    return frame.set_axis([9])


WHAT = {"by": "k", "entity_time": "t", "feature_time": "event"}
WITH_NULL = {
    "int8": "Int8", "int16": "Int16", "int32": "Int32", "int64": "Int64",
    "uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
    "bool": "boolean", "float32": "float32", "float64": "float64", "Int16": "Int16",
    "boolean": "boolean", "object": "object", "category": "category",
    "int64[pyarrow]": "int64[pyarrow]", "datetime64[ms]": "datetime64[ms]",
    "timedelta64[s]": "timedelta64[s]", "Sparse[int64]": "Int64",
    "Sparse[float64]": "Sparse[float64]",
}  # fmt: skip


@pytest.mark.parametrize("dtype", WITH_NULL)
def test_dtypes_stay_or_become_nullable_in_their_width(dtype):
    row = one_row(pd.Series([1]).astype(dtype))
    found = join(ask_two(), row, **WHAT)["v"]
    assert found.dtype == WITH_NULL[dtype] and found.isna().tolist() == [False, True]
    assert found.iloc[0] == row["v"].iloc[0]
    for entities in (ask_two()[:1], ask_two()[:0]):
        assert join(entities, row, **WHAT)["v"].dtype == row["v"].dtype
    nothing = join(ask_two(), row[:0], **WHAT)["v"]
    assert nothing.dtype == WITH_NULL[dtype] and nothing.isna().all()


@pytest.mark.parametrize(
    "largest", [pd.Series([2**63 - 1]), pd.Series([2**64 - 1], dtype="uint64")], ids=str
)
def test_the_largest_whole_numbers_survive_a_null_beside_them(largest):
    found = join(ask_two(), one_row(largest), **WHAT)["v"]
    assert int(found.iloc[0]) == int(largest[0]) and found.isna().iloc[1]


# --- positions, clocks and refusals ---------------------------------------------------


def test_a_repeated_index_of_either_table_is_a_matter_of_position():
    entities = pd.concat([ask_two()[:1].assign(t=times([h]).array) for h in (3, 1, 0)])
    rows = pd.concat([one_row([n]).assign(event=times([n]).array) for n in (3, 1)])
    got = join(entities, rows, **WHAT)
    assert got.index.equals(entities.index) and got["v"].fillna(-1).tolist() == [
        3,
        1,
        -1,
    ]


def test_a_row_one_nanosecond_late_is_not_known_yet():
    row = one_row([7])
    late = row.assign(event=row["event"].dt.as_unit("ns") + pd.Timedelta(1, "ns"))
    for unit in ("s", "us", "ns"):
        asks = pd.DataFrame({"k": [1], "t": times([1], unit)})
        assert join(asks, row, **WHAT)["v"].tolist() == [7]
        assert join(asks, late, **WHAT)["v"].isna().all()
        assert join(asks, late, **{**WHAT, "ttl": "1h"})["v"].isna().all()


def test_the_time_to_live_is_exact_over_many_days():
    asks = pd.DataFrame({"t": np.array(["2013-10-01"], "M8[ns]")})
    age = pd.Timedelta(days=250) + pd.Timedelta(3, "ns")
    rows = pd.DataFrame({"event": asks["t"] - age, "v": [1]})
    what = {"by": [], "entity_time": "t", "feature_time": "event"}
    assert join(asks, rows, ttl=age, **what)["v"].tolist() == [1]
    short = age - pd.Timedelta(1, "ns")
    assert join(asks, rows, ttl=short, **what)["v"].isna().all()
    with pytest.raises(ValueError, match=r"ttl='250'.*no unit"):
        join(asks, rows, ttl="250", **what)


def test_a_time_to_live_longer_than_time_itself():
    asks = pd.DataFrame({"t": pd.to_datetime(["2013-07-02", None]).as_unit("ns")})
    rows = pd.DataFrame({"event": [pd.Timestamp.min], "v": [1]})
    what = {"by": [], "entity_time": "t", "feature_time": "event"}
    got = join(asks, rows, ttl=pd.Timedelta(0).to_pytimedelta().max, **what)
    assert got["v"].fillna(-1).tolist() == [1, -1]


def test_keys_that_never_match_are_refused_for_each_of_several_keys():
    entities = ask_two().assign(day=["a", "b"])
    rows = one_row([1]).assign(day=b"a")
    with pytest.raises(ValueError, match="the key 'day' holds texts"):
        join(entities, rows, **{**WHAT, "by": ["k", "day"]})
    rows["day"] = None  # all null: nothing is asked of it
    assert join(entities, rows, **{**WHAT, "by": ["k", "day"]})["v"].isna().all()


# --- what else holds keys and times, and what is whose --------------------------------

DAYS = pd.date_range("2013-07-01", periods=3).date
HOLDERS = {
    "a dictionary of Arrow": pd.array(
        ["a", "b", None], pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    ),
    "a large text": pd.array(["a", "b", None], pd.ArrowDtype(pa.large_string())),
    "decimals": pd.array([1, 2, None], pd.ArrowDtype(pa.decimal128(5, 2))),
    "dates": pd.array([*DAYS[:2], None], pd.ArrowDtype(pa.date32())),
    "tuples": pd.Series([(1, 2), (1, 3), None]),
    "narrow floats": np.array([1, 2, np.nan], "float16"),
    "infinities": np.array([np.inf, -np.inf, np.nan]),
    "intervals": pd.array(pd.IntervalIndex.from_tuples([(0, 1), (1, 2), np.nan])),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_whatever_holds_keys_they_match_as_objects_do(name):
    held = pd.Series(HOLDERS[name])
    objects = held.astype(object).where(held.notna(), None)
    row = {"event": times([1, 2, 3]), "v": [10, 20, 30]}
    for left, right in ((held, held), (held, objects), (objects, held)):
        entities = pd.DataFrame({"k": left, "t": times([5, 5, 5])})
        found = join(entities, pd.DataFrame({"k": right, **row}), **WHAT)["v"]
        assert found.fillna(-1).tolist() == [10, 20, -1], (left.dtype, right.dtype)


def test_times_of_arrow_are_joined_and_stay():
    zone = "America/New_York"
    kinds = [pd.ArrowDtype(pa.timestamp(unit, tz=zone)) for unit in ("ms", "ns")]
    entities = ask_two().astype({"t": kinds[0]})
    rows = one_row([7]).astype({"event": kinds[1]})
    found = join(entities, rows, **{**WHAT, "ttl": "2h"})
    assert found["v"].fillna(-1).tolist() == [7, -1]
    assert found["event"].dtype == kinds[1] and found["t"].dtype == kinds[0]


@pytest.mark.parametrize("keys", [[1, 1], [1, 2]], ids=["all found", "one null"])
def test_the_answer_is_not_a_view_of_the_tables(keys):
    entities, rows = ask_two().assign(k=keys), one_row([1.5])
    before = entities.copy(), rows.copy()
    found = join(entities, rows, **WHAT)
    for value, name in ((9, "k"), (times([8])[0], "t"), (times([8])[0], "event")):
        found[name].array[:] = value  # into the memory of the answer
    found["v"].array[:] = 9.0
    assert (found["k"] == 9).all() and (found["v"] == 9).all()
    pd.testing.assert_frame_equal(entities, before[0])
    pd.testing.assert_frame_equal(rows, before[1])


def test_tables_that_nobody_may_write_are_read():
    entities, rows = ask_two(), one_row([7])
    for frame in (entities, rows):
        for name in frame.columns:
            column = frame[name].to_numpy()
            column.setflags(write=False)
            if name == "k":
                frame[name] = pd.Series(column, frame.index, copy=False)
    assert join(entities, rows, **WHAT)["v"].fillna(-1).tolist() == [7, -1]


def test_two_threads_get_what_one_gets():
    rng = np.random.default_rng(8)
    n = 20_000
    names = np.array(["JFK", "EWR", "LGA", None], dtype=object)
    entities = pd.DataFrame({"k": names[rng.integers(0, 4, n)]})
    entities["t"] = times([0])[0] + pd.to_timedelta(rng.integers(0, 900, n), unit="min")
    rows = entities.rename(columns={"t": "event"}).assign(v=np.arange(n))
    alone = join(entities, rows, **WHAT)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda _: join(entities, rows, **WHAT), range(8)))
    for answer in together:
        pd.testing.assert_frame_equal(answer, alone, check_exact=True)
