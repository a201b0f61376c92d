"""Models behind a batcher or a cache, and features behind a cache."""

import asyncio

import numpy as np
import pandas as pd
import pytest
from flightline import latency, serving, training
from flightline.features import FEATURES
from labkit.data import MODELS
from random_rows import random_rows


@pytest.fixture(scope="module")
def table():
    return random_rows(600)


class Counted:
    """A predictor that counts the rows it scored."""

    name, precision = "counted", "fp32"

    def __init__(self, version="1", score=0.5):
        self.version, self.score, self.rows = version, score, 0

    def predict(self, table):
        self.rows += len(table)
        if (table["carrier"] == "??").any():
            raise ValueError("a carrier that no model knows")
        return np.full(len(table), self.score)


def test_the_same_features_are_scored_once_although_some_are_missing(table):
    model = Counted()
    cached = latency.Cached(model, latency.PredictionCache(60))
    row = table[table.isna().any(axis=1)].iloc[[0]]
    for _ in range(3):
        assert asyncio.run(cached.predict(row.copy())) == [0.5]
    assert model.rows == 1
    other = row.assign(visib=row["visib"].fillna(0) + 1e-9)
    asyncio.run(cached.predict(other))
    assert model.rows == 2


def test_a_shared_cache_never_serves_another_version(table):
    cache = latency.PredictionCache(60)
    old, new = (
        latency.Cached(Counted(v, s), cache) for v, s in (("1", 0.1), ("2", 0.9))
    )
    row = table.iloc[[0]]
    found = [asyncio.run(model.predict(row))[0] for model in (old, new, old)]
    assert found == [0.1, 0.9, 0.1]


class Source:
    """A feature source that counts reads, and fails on demand."""

    def __init__(self, table):
        self.table, self.reads, self.broken = table, 0, False

    def read(self, requests):
        self.reads += 1
        if self.broken:
            raise ConnectionError("the store is down")
        return self.table.iloc[: len(requests)]


def test_features_are_read_once_a_ttl_and_failures_are_not_kept(table):
    now, source = [0.0], Source(table)
    cache = latency.PredictionCache(60, clock=lambda: now[0])
    cached = latency.CachedFeatures(source, cache)
    ask = pd.DataFrame({"flight_id": ["2013-07-02-B6-523-JFK"]})
    source.broken = True
    with pytest.raises(ConnectionError):
        cached.read(ask)
    source.broken = False
    assert cached.read(ask).equals(table.iloc[[0]])
    source.broken = True
    assert cached.read(ask).equals(table.iloc[[0]]) and source.reads == 2
    now[0] = 61.0
    with pytest.raises(ConnectionError):
        cached.read(ask)


def test_many_flights_are_read_in_their_order(table):
    cached = latency.CachedFeatures(Source(table), latency.PredictionCache(60))
    names = pd.DataFrame({"flight_id": ["a", "b", "a"]})
    found = cached.read(names)
    assert len(found) == 3 and list(found.columns) == FEATURES


# --- models behind a batcher ----------------------------------------------------------


def test_a_batched_model_gives_the_same_scores(table):
    fp32 = training.load_model(MODELS, "delay_mlp")

    async def run():
        model = latency.Batched(fp32, most_rows=16, wait_s=0.05)
        asks = (model.predict(table.iloc[[n]]) for n in range(30))
        found = await asyncio.gather(*asks)
        sizes = list(model.batcher.sizes)
        await model.close()
        return np.concatenate(found), sizes, model

    found, sizes, model = asyncio.run(run())
    assert np.allclose(found, fp32.predict(table)[:30], atol=1e-6)
    assert sizes == [16, 14]
    assert (model.name, model.version, model.precision) == ("delay_mlp", "1", "fp32")


def test_tables_of_several_rows_share_a_batch(table):
    async def run():
        model = latency.Batched(Counted(), wait_s=0.02)
        asks = (model.predict(table.iloc[a:b]) for a, b in ((0, 3), (3, 4), (4, 9)))
        found = await asyncio.gather(*asks)
        await model.close()
        return [len(each) for each in found]

    assert asyncio.run(run()) == [3, 1, 5]


def test_limits_that_make_no_sense_are_refused_at_the_start():
    with pytest.raises(ValueError, match="most_rows=0"):
        latency.Batched(Counted(), most_rows=0)


# --- what a request's features depend on ----------------------------------------------


OTHER = {
    "carrier": "DL",
    "flight": 9,
    "origin": "LGA",
    "dest": "BOS",
    "distance": 187,
    "block_min": 61,
    "sched_dep_utc": "2013-07-04T00:49:00Z",
}


def asked(**changes):
    """Return a request, with some fields changed."""
    return serving.Flight.model_validate({**serving.EXAMPLE, **changes})


class Timetable:
    """A source that tells what a request tells, and counts how often it is read."""

    def __init__(self):
        self.reads = 0

    def read(self, requests):
        self.reads += 1
        return serving.timetable_only(requests)

    def rows(self, flights):
        self.reads += 1
        return serving.timetable_rows(flights)


@pytest.mark.parametrize("name", serving.Flight.model_fields)
@pytest.mark.parametrize("way", ["read", "rows"])
def test_requests_that_differ_in_any_field_are_read_apart(name, way):
    if name == "tailnum":  # no answer depends on it
        flights, reads = [asked(), asked(tailnum="N1")] * 2, 1
    else:
        flights, reads = [asked(), asked(**{name: OTHER[name]})] * 2, 2
    source = Timetable()
    cached = latency.CachedFeatures(source, latency.PredictionCache(60))
    for flight in flights:
        if way == "rows":
            cached.rows([flight])
        else:
            cached.read(serving.frame_of([flight]))
    assert source.reads == reads


def test_a_source_that_never_waits_needs_no_thread_behind_a_cache(table):
    cache = latency.PredictionCache(60)
    ready = serving.TableFeatures(table.assign(flight_id=range(len(table))))
    assert latency.CachedFeatures(ready, cache).blocks is False
    assert latency.CachedFeatures(Source(table), cache).blocks is True


def test_rows_behind_a_cache_are_those_of_the_source_in_order():
    flights = [asked(flight=number) for number in (1, 2, 1)]
    cached = latency.CachedFeatures(Timetable(), latency.PredictionCache(60))
    direct = serving.timetable_rows(flights).frame()
    for _ in range(2):
        pd.testing.assert_frame_equal(cached.rows(flights).frame(), direct)
    assert (cached.cache.hits, cached.cache.misses) == (4, 2)
