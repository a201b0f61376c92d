"""The lab bench of lab 09: what it measures is what it says."""

import asyncio
import json

import numpy as np
import pandas as pd
import pytest
from flightline import latency, training
from labkit.latency import batch_lab, cache_lab, fast_service, onnx_lab, paired
from labkit.latency.cache_lab import MODELS
from random_rows import random_rows
from sklearn.metrics import roc_auc_score


@pytest.fixture(scope="module")
def fp32():
    return training.load_model(MODELS, "delay_mlp")


@pytest.fixture(scope="module")
def table():
    return random_rows(300, seed=8)


def test_runners_score_what_the_model_scores(fp32, table):
    direct = fp32.predict(table)
    assert np.allclose(onnx_lab.runner(fp32, table)(50)[0], direct[:50], atol=1e-6)
    assert np.allclose(onnx_lab.torch_runner(fp32, table)(50), direct[:50], atol=1e-5)
    places = [4, 4, 299, 0]
    for make in (onnx_lab.row_function, onnx_lab.table_function):
        assert np.allclose(make(fp32, table)(places), direct[places], atol=1e-6)


def test_trees_have_a_runner_too(table):
    trees = training.load_model(MODELS, "delay_lightgbm")
    found = onnx_lab.runner(trees, table)(20)
    assert np.allclose(found, trees.predict(table)[:20])


def test_folding_the_scale_in_changes_nothing_in_fp32(fp32, table):
    raw, filled = onnx_lab.unscaled(fp32, table)
    assert not filled.isna().any().any() and table.isna().any().any()
    assert np.allclose(raw.predict(filled), fp32.predict(table), atol=2e-3)
    assert set(raw.transform.scaling["scale"]) == {1.0}


def test_weights_are_those_of_three_layers(fp32):
    shapes = [weight.shape for weight in onnx_lab.weights(fp32.content)]
    assert [shape[1] for shape in shapes] == [512, 256, 1]


def test_timings_cover_every_size_and_runner(fp32, table):
    runners = {name: onnx_lab.runner(fp32, table) for name in ("one", "two")}
    times = onnx_lab.by_batch(runners, (1, 4), repeats=1)
    assert list(times.index) == [1, 4] and list(times) == ["one", "two"]
    cloud = batch_lab.combinations({"one": runners["one"]}, {"one": 0.7})
    assert list(cloud["rows"]) == list(batch_lab.SIZES)
    assert np.allclose(cloud["rows_per_s"] * cloud["ms"], 1000 * cloud["rows"])


def test_a_model_takes_memory(fp32):
    assert 0 < onnx_lab.memory_mib(fp32.content) < 500
    assert onnx_lab.resident_mib() > 10


def test_the_paired_difference_is_that_of_the_aucs():
    chance = np.random.default_rng(0)
    late = chance.random(4000) < 0.3
    day = chance.integers(0, 31, 4000)
    good = late + chance.normal(size=4000)
    bad = np.round(late + 3 * chance.normal(size=4000), 1)
    gap = paired.auc_difference(good, bad, late, day)
    exact = roc_auc_score(late, bad) - roc_auc_score(late, good)
    assert np.isclose(gap["value"], exact) and gap["low"] < exact < gap["high"] < 0
    none = paired.auc_difference(good, 2 * good + 1, late, day)
    assert none == {"value": 0.0, "low": 0.0, "high": 0.0}


def july(flights=60, days=10):
    """Return a small timetable: each number flies once a day."""
    noon = pd.Timestamp("2013-07-01 12:00", tz="UTC")
    rows = [
        {"carrier": "B6", "flight": n, "origin": "JFK", "dest": "LAX",
         "sched_dep_utc": noon + pd.Timedelta(days=d, minutes=n)}
        for d in range(days) for n in range(flights)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_key_without_the_date_serves_the_day_before():
    table = july(3, 4).sample(frac=1, random_state=1)
    scores = np.arange(12) / 12 + 0.01
    served, rate = cache_lab.without_date(table, scores, 36, latency.PredictionCache)
    own = pd.Series(scores, table.index)
    day = table["sched_dep_utc"].dt.day
    assert list(served.index) == list(table.index) and rate == 0.5
    assert np.allclose(served["age_h"], np.where(day % 2 == 0, 24, 0))
    fresh = day % 2 == 1
    assert np.allclose(served.loc[fresh, "score"], own[fresh])
    number, old = table["flight"], (~fresh)
    before = {(n, d): s for n, d, s in zip(number, day, own, strict=True)}
    expected = [before[n, d - 1] for n, d in zip(number[old], day[old], strict=True)]
    assert np.allclose(served.loc[old, "score"], expected)


def test_the_price_of_a_stale_cache_counts_those_who_pay_it():
    table = july(50, 4)
    chance = np.random.default_rng(3)
    table["late"] = (chance.random(200) < 0.4).astype(float)
    table["flight_id"] = [f"f{n}" for n in range(200)]
    aged = pd.DataFrame({0: table["late"], 1: table["late"] / 2, 24: 0.0})
    served, _ = cache_lab.without_date(
        table, aged[0].to_numpy(), 36, latency.PredictionCache
    )
    prices = cache_lab.stale_prices(aged, served, table)
    assert prices["fresh"] == 1 and prices["features of the day before"] == 0.5
    assert 0.3 < prices["score of the day before"] < 0.7
    score, aucs = cache_lab.stale_rows(aged, served, table).items()
    row = table.set_index("flight_id").loc[score[0].split()[4].rstrip(",")]
    assert row["late"] == 0 and score[1][:3] == [1, 0, 0]
    assert aucs[1][:3] == [prices["score of the day before"], 1, 1]


def test_traffic_is_popular_and_in_order():
    asked = cache_lab.traffic(july(), 5000, seed=1)
    assert asked["at_s"].is_monotonic_increasing
    assert set(asked["lead_h"]) == {2, 3, 4, 5, 6}
    counts = (asked["row"] % 60).value_counts().to_numpy()
    assert 1.5 < counts[0] / counts[1] < 2.7 and counts[0] > 10 * counts[-1]
    assert asked.equals(cache_lab.traffic(july(), 5000, seed=1))


def test_a_replay_without_a_cache_serves_what_is_fresh():
    asked = cache_lab.traffic(july(), 3000, seed=1)
    rates = []
    for ttl_h in (0, 1, 3, 9):
        rate, lead = cache_lab.replay(asked, ttl_h, latency.PredictionCache)
        age = lead - asked["lead_h"].to_numpy()
        assert age.min() >= 0 and age.max() <= min(ttl_h + 1, 4) * (ttl_h > 0)
        rates.append(rate)
    assert rates[0] == 0 and rates == sorted(rates) and rates[-1] > 0.5


def test_features_at_the_lead_of_the_course_are_those_of_the_course():
    scene = cache_lab.Scene(months=[6, 7])
    some = scene.table[(scene.table["month"] == 7) & scene.table["late"].notna()]
    same, early = scene.at(2), scene.at(5)
    pd.testing.assert_frame_equal(same, some)
    assert list(early["flight_id"]) == list(some["flight_id"])
    timetable = ["carrier", "minute_of_day", "distance_mi", "block_min"]
    assert early[timetable].equals(some[timetable])
    assert (early["origin_dep_delay_1h"] != some["origin_dep_delay_1h"]).mean() > 0.5
    assert len(scene.ours(some)) == 1


def test_saturation_and_waits_are_positive():
    rate = batch_lab.saturated_per_s(latency.MicroBatcher, list, 0, 4, 0.1)
    ways = {"direct": lambda: batch_lab.direct(list)}
    waits = batch_lab.median_waits(ways, 0, 200, 0.1, 1)
    assert rate > 0 and waits["direct"] >= 0


def test_hits_and_misses_are_timed(fp32, table):
    hit, same, miss = batch_lab.hit_and_miss_ms(fp32, table.iloc[[0]])
    assert 0 < hit < same < 1000 and miss > hit
    assert batch_lab.p99_by_hit_rate(1.0, 9.0) == [9.0, 9.0, 1.0]


def test_the_crowd_counts_a_batcher_that_breaks_promises():
    class Careless(latency.MicroBatcher):
        async def submit(self, row):
            return self._worker.run([row])[0] if row else await asyncio.sleep(0)

    crowd = batch_lab.crowd(Careless, [0, 1, 2, 3], bad=1, leaves=2, most_waiting=9)
    assert crowd["outcome"].tolist()[:2] == ["NoneType", "ArithmeticError"]
    assert crowd["scored"].tolist() == [False, True, True, True]


def test_who_gives_up_is_not_scored_and_holds_nobody_up():
    late = batch_lab.late(latency.MicroBatcher, deadline_s=0.5)
    assert late["outcome"].tolist() == ["TimeoutError", "TimeoutError", "answered"]
    assert late["scored"].tolist() == [True, False, True]


def test_calls_are_counted_by_their_rows():
    assert batch_lab.calls_of(latency.answers_of, 4, bad=9) == [4]
    assert batch_lab.calls_of(latency.answers_of, 4, bad=0) == [4, 2, 2, 1, 1]


def test_neighbours_of_two_bad_rows_are_counted():
    assert batch_lab.harm_of(latency.answers_of, 4).to_dict() == {0: 6}
    at_once = batch_lab.harm_of(lambda run, rows: latency.answers_of(run, rows, 1), 4)
    assert at_once.to_dict() == {2: 6}
    assert batch_lab.harm_of(latency.answers_of, 32).index.max() == 2


def test_many_callers_wait_with_and_without_a_batcher():
    runs = {"list": list}
    rates = batch_lab.saturated(latency.MicroBatcher, runs, [1, 4], 1, 0.05)
    assert list(rates.index) == [1, 4] and rates["list"].gt(0).all()
    waits = batch_lab.busy_p50_ms(latency.MicroBatcher, list, 6, 0.05, 1)
    assert list(waits.index) == ["no batcher", "batches"] and waits.gt(0).all()


def test_a_record_of_an_accelerator_is_shown_or_missing(tmp_path):
    nothing = fast_service.gpu_record(tmp_path / "none.json")
    assert nothing["most"] == 0 and "no run" in nothing["text"]
    rows = [
        {"net": "small", "rows": 1, "cpu_ms": 0.1, "gpu_ms": 0.2},
        {"net": "wide", "rows": 4096, "cpu_ms": 90.0, "gpu_ms": 1.0},
    ]
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"device": "a device", "rows": rows}))
    found = fast_service.gpu_record(path)
    assert found["most"] == 90 and "0.5x (small, 1 rows)" in found["text"]
