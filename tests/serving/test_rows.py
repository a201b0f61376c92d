"""Features without data frames: the same rows, and the same scores to the bit."""

import asyncio
import math

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from flightline import serving, training
from flightline.experiments.core import uniform
from flightline.features import CATEGORICAL, FEATURES, NUMERIC
from flightline.serving import serve, trees

MODELS = serve.DATA / "models"
KEY, RECORD = serving.new_key("tester")
HEADERS = {"Authorization": f"Bearer {KEY}"}


def flights(count):
    """Return requests for flights of different numbers, places and lengths."""
    dests = ("LAX", "BOS", "ORD", "SFO")
    return [
        serving.EXAMPLE
        | {"flight": n + 1, "dest": dests[n % 4], "block_min": 60 + n % 300}
        for n in range(count)
    ]


def table_of(bodies, seed=0):
    """Return made-up features for requests: a tenth missing, some places unknown."""
    chance = np.random.default_rng(seed)
    asked = [serving.Flight.model_validate(body) for body in bodies]
    numbers = chance.normal(20, 30, (len(asked), len(NUMERIC)))
    numbers[chance.random(numbers.shape) < 0.1] = np.nan
    texts = {"carrier": ["B6", "UA", None, "??"], "origin": ["JFK", "EWR", "LGA"]}
    texts["dest"] = ["LAX", "BOS", "nowhere"]
    table = pd.DataFrame(numbers, columns=NUMERIC)
    for name in CATEGORICAL:
        table[name] = [texts[name][n % len(texts[name])] for n in range(len(asked))]
    return table[FEATURES].assign(flight_id=[flight.flight_id for flight in asked])


@pytest.mark.parametrize("name", ["delay_lightgbm", "delay_mlp"])
def test_rest_and_batch_give_the_same_scores_to_the_bit(name):
    bodies = flights(150)
    table, model = table_of(bodies), training.load_model(MODELS, name)
    source = serving.TableFeatures(table)
    app = serving.create_app(
        {"A": model}, source, keys=[RECORD], rate_s=1e6, burst=10**6
    )
    client = TestClient(app)
    asked = serving.frame_of([serving.Flight.model_validate(body) for body in bodies])
    batch = serving.score_table(asked, source, model)
    alone = [
        client.post("/v1/predict", json=body, headers=HEADERS).json()["score"]
        for body in bodies
    ]
    one_by_one = [model.predict(table[FEATURES].iloc[[n]])[0] for n in range(150)]
    assert alone == one_by_one
    if name == "delay_lightgbm":  # a network adds in another order in a batch
        assert alone == batch["score"].tolist()


def test_without_the_library_the_model_itself_scores(monkeypatch):
    model = training.load_model(MODELS, "delay_lightgbm")
    rows = serving.Rows.of(table_of(flights(1)))
    quick = serving.scorer_of(model)(rows)
    monkeypatch.setattr(trees, "library", lambda: None)
    assert serving.scorer_of(model)(rows).tolist() == quick.tolist()


def test_several_rows_are_scored_together():
    model = training.load_model(MODELS, "delay_lightgbm")
    table = table_of(flights(9))
    found = serving.scorer_of(model)(serving.Rows.of(table))
    assert found.tolist() == model.predict(table[FEATURES]).tolist()


def test_rows_and_tables_hold_the_same():
    table = table_of(flights(6))
    rows = serving.Rows.of(table)
    pd.testing.assert_frame_equal(rows.frame(), table[FEATURES])
    assert list(rows["temp"]) == pytest.approx(table["temp"].tolist(), nan_ok=True)
    some = ["gust", "temp"]
    np.testing.assert_array_equal(rows[some].to_numpy(), table[some].to_numpy())
    pair = serving.Rows.together([rows, rows])
    assert len(pair) == 12 and pair["carrier"] == [*rows["carrier"], *rows["carrier"]]
    with pytest.raises(ValueError, match="temp"):
        serving.Rows.of(table.drop(columns="temp"))


def test_the_timetable_is_the_same_as_rows_and_as_a_table():
    asked = [serving.Flight.model_validate(body) for body in flights(30)]
    as_table = serving.timetable_only(serving.frame_of(asked))
    as_rows = serving.timetable_rows(asked).frame()
    pd.testing.assert_frame_equal(as_rows, as_table, check_dtype=False)


def test_a_source_of_tables_serves_as_well():
    bodies = flights(3)
    source = serving.TableFeatures(table_of(bodies))

    class Tables:
        def read(self, requests):
            return source.read(requests)[[*reversed(FEATURES)]]

    asked = [serving.Flight.model_validate(body) for body in bodies]
    found, kind = asyncio.run(serving.GuardedFeatures(Tables(), 5).rows(asked))
    assert kind == "online"
    np.testing.assert_array_equal(found.numbers, source.rows(asked).numbers)


@pytest.mark.parametrize("broken", ["twice", "column"])
def test_a_table_of_features_that_cannot_be_one_is_refused(broken):
    table = table_of(flights(3))
    table = (
        pd.concat([table, table]) if broken == "twice" else table.drop(columns="temp")
    )
    with pytest.raises(ValueError, match=r"more than once|temp"):
        serving.TableFeatures(table)


def test_routing_and_experiments_draw_with_one_hash():
    names = [f"2013-07-02-B6-{n}-JFK" for n in range(200)]
    draws = [serving.uniform(name, "salt") for name in names]
    assert draws == [uniform(name, "salt") for name in names]
    weights = {"A": 1.0, "B": 2.0}
    for name in names:
        waits = {
            label: -math.log(serving.uniform(name, f"flightline|{label}") + 2**-49) / w
            for label, w in weights.items()
        }
        assert serving.route(name, weights) == min(waits, key=waits.get)
