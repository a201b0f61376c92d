"""The helpers of lab 09: what they measure is what they say."""

import socket
import threading
import time

import matplotlib
import numpy as np
import pandas as pd
import pytest
from flightline import latency, training
from labkit.data import MODELS
from labkit.latency import batch_lab, cache_lab, fast_service, onnx_lab, paired, plots
from random_rows import random_rows
from sklearn.metrics import roc_auc_score

matplotlib.use("agg")


@pytest.fixture(scope="module")
def fp32():
    return training.load_model(MODELS, "delay_mlp")


@pytest.fixture(scope="module")
def table():
    return random_rows(300, seed=8)


def test_runners_score_what_the_model_scores(fp32, table):
    direct = fp32.predict(table)
    assert np.allclose(onnx_lab.runner(fp32, table)(50)[0], direct[:50], atol=1e-6)
    places = [4, 4, 299, 0]
    found = onnx_lab.row_function(fp32, table)(places)
    assert np.allclose(found, direct[places], atol=1e-6)


def test_a_graph_as_stored_scores_alike(fp32, table):
    stored = onnx_lab.session(fp32.content, optimised=False)
    level = stored.get_session_options().graph_optimization_level
    assert level.name == "ORT_DISABLE_ALL"
    found = onnx_lab.runner(fp32, table, optimised=False)(50)[0]
    assert np.allclose(found, fp32.predict(table)[:50], atol=1e-6)


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


def test_the_first_layer_is_what_the_runtime_computes(fp32, table):
    int8 = latency.quantize_model(fp32, table)
    found = onnx_lab.first_layer(int8, table)
    assert found.x.shape == (300, 43) and found.y.shape == (300, 512)
    (x_scale, w_scale, y_scale), (x_zero, w_zero, y_zero) = found.scales, found.zeros
    bias = found.bias * np.asarray(x_scale) * np.asarray(w_scale)
    x = (found.x.astype(float) - x_zero) * x_scale
    y = x @ ((found.weight.astype(float) - w_zero) * w_scale) + bias
    theirs = (found.y.astype(float) - y_zero) * y_scale
    inside = np.abs(found.y.astype(int)) < 127
    assert np.abs(theirs - y)[inside].max() <= 0.51 * float(y_scale)


def test_the_operator_multiplies_what_the_steps_stand_for():
    chance = np.random.default_rng(1)
    x = chance.integers(-9, 9, (5, 3)).astype(np.int8)
    weight = chance.integers(-9, 9, (3, 2)).astype(np.int8)
    scales, zeros = (0.5, np.array([1.0, 2.0], np.float32), 1.0), (1, 2, 3)
    found = onnx_lab.qlinear_matmul(x, weight, scales, zeros)
    exact = (x.astype(int) - 1) @ (weight.astype(int) - 2) * 0.5 * [1.0, 2.0]
    assert np.array_equal(found, np.clip(np.rint(exact) + 3, -128, 127))


def test_timings_cover_every_size_and_runner(fp32, table):
    runners = {name: onnx_lab.runner(fp32, table) for name in ("one", "two")}
    in_turns = onnx_lab.by_batch(runners, (1, 4), repeats=1)
    alone = onnx_lab.alone(runners, (1, 4), seconds=0.001, rounds=2)
    for times in (in_turns, alone):
        assert list(times.index) == [1, 4] and list(times) == ["one", "two"]
        assert times.gt(0).all(axis=None)


@pytest.mark.parametrize(("size", "more"), [(128, 6), (129, 1)])
def test_wide_timings_go_on_until_there_are_the_most(size, more):
    calls = []
    runners = {"one": calls.append}
    onnx_lab.by_batch(runners, (size,), repeats=2, narrow=-1, most=3)
    assert calls == [size] * (1 + 3 * more)  # the first one warms up


def test_alone_means_that_nothing_runs_between_two_calls():
    calls = []
    runners = {name: lambda n, name=name: calls.append(name) for name in "ab"}
    onnx_lab.alone(runners, (1,), seconds=0, rounds=2)
    assert "".join(calls) == "aaaabbbb" * 2


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


def test_rows_that_come_while_the_model_is_busy_wait_for_it():
    def slow(places):
        time.sleep(0.05)
        return [0.0] * len(places)

    due_s = [0.0, 0.01, 0.02]
    one_by_one = batch_lab.through_batcher(slow, due_s, most_rows=1, wait_ms=0)
    together = batch_lab.through_batcher(slow, due_s, most_rows=8, wait_ms=0)
    assert one_by_one.shape == (3,) and (one_by_one >= 49).all()
    assert one_by_one[2] >= 129 and together[2] < one_by_one[2]


def test_a_wait_for_company_is_part_of_the_answer():
    found = batch_lab.through_batcher(list, [0.0], most_rows=8, wait_ms=60)
    assert found[0] >= 59


def test_a_batch_is_timed_whole_and_alone():
    sizes = []

    def slow(places):
        sizes.append(len(places))
        time.sleep(0.01)
        return [0.0] * len(places)

    found = batch_lab.batch_ms(slow, [1, 4], repeats=3)
    assert sizes == [1] * 3 + [4] * 3
    assert list(found.index) == [1, 4] and (found >= 9).all()


class Replies:
    """A server that answers each request with the next of some texts, in pieces."""

    def __init__(self, *texts):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, args=[texts])

    def serve(self, texts):
        connection, _ = self.listener.accept()
        with connection:
            for text in texts:
                connection.recv(4096)
                for at in range(0, len(text), 7):
                    connection.sendall(text[at : at + 7])
                    time.sleep(0.001)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.listener.close()


def reply(status, body):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class Labels:
    """A service that only notes which label goes live."""

    port, rollout = 0, {"models": {"A": "", "B": "", "C": ""}}

    def __init__(self):
        self.live = []

    def request(self, body):
        return body

    def deploy(self, weights):
        self.live += weights


def test_each_label_takes_each_place_in_the_order_once(monkeypatch):
    load = fast_service.http_load
    monkeypatch.setattr(load, "open_loop", lambda *_: pd.DataFrame({"ms": [1.0]}))
    monkeypatch.setattr(load, "answers", lambda table: table)
    served = Labels()
    found = fast_service.same_load(served, [], rounds=3)
    turns = found.groupby("turn")["label"].agg("".join)
    assert turns.tolist() == ["ABC", "BCA", "CAB"]
    assert "".join(served.live) == "ABCBCACABA"  # and the first is live at the end


def test_a_caller_reads_whole_answers_on_one_connection():
    texts = reply(b"200 OK", b"first"), reply(b"200 OK", b"second, longer")
    with Replies(*texts) as server, fast_service.Caller(server.port) as caller:
        assert caller.ask(b"a") == b"first"
        assert caller.ask(b"b") == b"second, longer"


def test_a_caller_says_what_it_was_refused_with():
    with (
        Replies(reply(b"503 No", b"full")) as server,
        fast_service.Caller(server.port) as caller,
        pytest.raises(RuntimeError, match="status 503: full"),
    ):
        caller.ask(b"a")


def test_a_caller_notices_that_the_server_is_gone():
    torn = reply(b"200 OK", b"half of it")[:-5]
    with (
        Replies(torn) as server,
        fast_service.Caller(server.port) as caller,
        pytest.raises(ConnectionError, match="before the answer was whole"),
    ):
        caller.ask(b"a")


def test_figures_show_every_line():
    ax = plots.tail([0.0, 0.5, 1.0], {"p50": [9.0, 9.0, 1.0], "p99": [9.0, 9.0, 1.0]})
    assert len(ax.lines) == 2 and [text.get_text() for text in ax.texts] == [
        "p50",
        "p99",
    ]
    columns = pd.MultiIndex.from_product([["network", "wide"], ["alone", "in turns"]])
    gains = plots.gains(pd.DataFrame([[1.0] * 4, [2.0] * 4], [1, 64], columns))
    assert len(gains.lines) == 5  # and the line of equality
    points = pd.DataFrame(
        {
            "model": ["trees", "trees", "wide INT8", "wide INT8"],
            "rows": [1, 8, 1, 8],
            "ms": [1.0, 2.0, 3.0, 4.0],
            "rows_per_s": [1000.0, 4000.0, 333.0, 2000.0],
            "auc": [0.77, 0.77, 0.78, 0.78],
            "best": [True, False, False, True],
        }
    )
    cloud = plots.cloud(points)
    shown = [text.get_text() for text in cloud.texts]
    assert shown == ["trees 0.770", "wide INT8 0.780"]
    assert "1, 8 rows" in cloud.get_xlabel()
