"""The configuration: what is refused between experiments, torn files, two writers."""

import json
import logging
import multiprocessing
import os
import resource
from datetime import date

import numpy as np
import pandas as pd
import pytest
from flightline import experiments
from flightline.experiments import Config, Experiment, Flag, Watched, is_on
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

HALVES = {"control": 0.5, "treatment": 0.5}
REQUEST = {"origin": "JFK", "carrier": "B6", "dest": "LAX", "flight": 523}
REQUEST |= {"distance": 2475.0, "block_min": 375}


def made(name="b_warns", weights=HALVES, **fields):
    """Return an experiment of two halves, unless told otherwise."""
    return Experiment(name=name, weights=weights, **fields)


@pytest.fixture
def config():
    """Return a configuration that uses every field."""
    held = {"holdout": 0.02, "holdout_salt": "2013"}
    first = made(
        "b_warns",
        salt="b_warns-2",
        traffic=0.4,
        control="control",
        layer="page",
        slots=(0, 600),
        segments={"origin": ["JFK", "LGA"], "distance": (500, 3000.5)},
        primary="reward",
        guardrails={"latency_ms": 5.0},
        units_per_arm=1_750,
        start="2013-07-01",
        end="2013-07-28",
        **held,
    )
    second = made("threshold", {"a": 0.1, "b": 0.9}, layer="page", slots=(600, 1000))
    second = made(second.name, second.weights, layer="page", slots=second.slots, **held)
    days = made("days", unit="day", **held)
    flags = (Flag("new_page", 0.3, segments={"carrier": ["B6"]}), Flag("é"))
    return Config((first, second, days), flags, **held)


# --- the document ---------------------------------------------------------------------


def test_a_document_is_read_back_as_it_was_written(config, tmp_path):
    path = tmp_path / "experiments.json"
    experiments.save_config(config, path)
    again = experiments.load_config(path)
    assert again == config
    assert again.experiment("b_warns").start == date(2013, 7, 1)
    assert [one.name for one in tmp_path.iterdir()] == ["experiments.json"]
    assert experiments.to_json(again) == experiments.to_json(config)
    assert experiments.from_json("{}") == Config()


def test_a_document_whose_names_were_sorted_assigns_as_before(config):
    resorted = json.dumps(json.loads(experiments.to_json(config)), sort_keys=True)
    again = experiments.from_json(resorted)
    units = pd.Series([f"u{n}" for n in range(500)])
    for before, after in zip(config.experiments, again.experiments, strict=True):
        found = experiments.assign_many(units, after)
        assert found.equals(experiments.assign_many(units, before))


def document(**changes):
    """Return a document of two experiments, with changes to the second."""
    second = {"name": "second", "weights": HALVES} | changes
    return {"experiments": [{"name": "first", "weights": HALVES}, second]}


BAD = [
    (document(name="first"), "'first' has the name 'first' of 'first'"),
    (document(salt="first"), "'second' has the salt 'first' of 'first'.*of its own"),
    (document(traffic=2), "experiment 'second': traffic is 2"),
    (document(share=0.5), r"\('second'\) has the unknown field 'share'"),
    (document(weights={"a": 0.5, "b": 0.6}), "'second': the weights add up to 1.1"),
    (document(segments={"airport": ["JFK"]}), "'second': no segment by 'airport'"),
    (document(segments={"origin": ["LHR"]}), "'second': no origin is 'LHR'"),
    (document(control="c"), "'second': control is 'c', an unknown arm"),
    (document(holdout=0.1), "'second' states holdout. It stands once"),
    (document(salt=None), "'second': salt is None"),
    (document(slots=None), "'second': slots is None"),
    (document(start=20130701), "'second': start is 20130701"),
    ({"experiments": [{"weights": HALVES}]}, "an experiment lacks the field 'name'"),
    ({"experiments": [{"name": "x"}]}, r"\('x'\) lacks the field 'weights'"),
    ({"experiments": {}}, "experiments is {}. It must be a list"),
    ({"experiments": ["b_warns"]}, "an experiment is 'b_warns'. It must be an object"),
    ({"flags": [{"name": "x", "on": True}]}, r"a flag \('x'\) has the unknown field"),
    ({"flags": [{"name": "x"}, {"name": "x"}]}, "has the name 'x'"),
    ({"flags": [{"name": "x", "share": 2}]}, "flag 'x': share is 2"),
    ({"flags": [{"name": "x", "salt": "a|b"}]}, "flag 'x': salt"),
    ({"experiment": []}, "the configuration has the unknown field 'experiment'"),
    ({"holdout": -1}, "holdout is -1"),
    ({"holdout": 0.1, "holdout_salt": ""}, "holdout_salt is ''"),
    ([], r"the configuration is \[\]. It must be an object"),
    (None, "the configuration is None"),
]


@pytest.mark.parametrize(("wrong", "message"), BAD, ids=[text for _, text in BAD])
def test_a_document_that_is_wrong_is_refused_by_name(tmp_path, wrong, message):
    path = tmp_path / "experiments.json"
    path.write_text(json.dumps(wrong))
    with pytest.raises(ValueError, match=message) as caught:
        experiments.load_config(path)
    assert str(caught.value).startswith("experiments.json: ")


def test_a_flag_and_an_experiment_do_not_share_a_salt_either():
    with pytest.raises(ValueError, match="'page' has the salt 'b_warns'"):
        Config((made(),), (Flag("page", salt="b_warns"),))


def test_slots_of_a_layer_that_overlap_are_refused():
    first = made("first", layer="page", slots=(0, 501))
    second = made("second", layer="page", slots=(500, 1000))
    with pytest.raises(ValueError, match="'first' and 'second' overlap"):
        Config((first, second))
    elsewhere = made("second", layer="model", slots=(500, 1000))
    assert len(Config((first, elsewhere)).experiments) == 2


def test_an_experiment_that_holds_out_others_is_refused():
    with pytest.raises(ValueError, match=r"holdout is 0.1, and in the config.* 0.0"):
        Config((made(holdout=0.1),))


TORN = [
    (b"", "no whole JSON document"),
    (b'{"experiments": [', "no whole JSON document"),
    (b"\xff\xfe{}", "experiments.json: 'utf-8' codec"),
    ("\ufeff{}".encode(), "no whole JSON document"),
    (b'{"holdout": NaN}', "it holds NaN"),
    (b'{"holdout": 1e999}', "holdout is inf"),
    (b'{"holdout": 0.1, "holdout": 0.2}', "'holdout' stands twice"),
    (b"[" * 200_000, "nested too deeply"),
    (b'{"holdout": ' + b"9" * 5_000 + b"}", "experiments.json: "),
]


@pytest.mark.parametrize(("content", "message"), TORN, ids=[t for _, t in TORN])
def test_a_torn_document_is_refused(tmp_path, content, message):
    path = tmp_path / "experiments.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        experiments.load_config(path)


@given(st.data())
def test_a_document_that_is_cut_anywhere_is_refused(data):
    whole = experiments.to_json(Config((made(),), (Flag("x", 0.5),)))
    at = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError):
        experiments.from_json(whole[:at])


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"missing\.json cannot be read: No such file"):
        experiments.load_config(tmp_path / "missing.json")
    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        experiments.load_config(str(tmp_path))


def test_a_name_that_is_not_there_is_refused(config):
    with pytest.raises(ValueError, match="no flag 'old_page', only: new_page, é"):
        config.flag("old_page")
    with pytest.raises(ValueError, match="no experiment 'x', only: none"):
        Config().experiment("x")


# --- writers and readers --------------------------------------------------------------


def write_often(path, name, times):
    """Save a configuration of one long-named experiment many times."""
    for _ in range(times):
        one = made(name * 2_000)
        experiments.save_config(Config((one,)), path)


def test_two_writers_at_once_leave_one_whole_document_and_readers_see_no_other(
    tmp_path,
):
    path = tmp_path / "experiments.json"
    experiments.save_config(Config((made("a" * 2_000),)), path)
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=write_often, args=(path, name, 60)) for name in "ab"
    ]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(experiments.load_config(path).experiments[0].name)
    assert [writer.exitcode for writer in writers] == [0, 0]
    seen.add(experiments.load_config(path).experiments[0].name)
    assert seen <= {"a" * 2_000, "b" * 2_000}
    assert [one.name for one in tmp_path.iterdir()] == ["experiments.json"]


def save_on_a_full_disk(config, path):
    """Save with a limit on the size of a file; exit with 7 if that is told."""
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
    try:
        experiments.save_config(config, path)
    except OSError:
        os._exit(7)


def test_a_full_disk_leaves_the_old_document_and_no_draft(config, tmp_path):
    path = tmp_path / "experiments.json"
    experiments.save_config(Config(), path)
    before = path.read_bytes()
    context = multiprocessing.get_context("fork")
    writer = context.Process(target=save_on_a_full_disk, args=(config, path))
    writer.start()
    writer.join()
    assert writer.exitcode == 7
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["experiments.json"]


def test_a_service_keeps_the_last_good_document_and_tells_an_error_once(
    config, tmp_path, caplog
):
    path = tmp_path / "experiments.json"
    experiments.save_config(config, path)
    watched = Watched(path)
    assert watched.config == config and watched.reload() is False
    path.write_bytes(path.read_bytes()[:300])
    with caplog.at_level(logging.ERROR, "flightline.experiments"):
        assert [watched.reload() for _ in range(5)] == [False] * 5
    assert watched.config == config and "no whole JSON document" in watched.error
    assert len(caplog.records) == 1
    assert "The last good configuration stays." in caplog.text
    path.unlink()
    with caplog.at_level(logging.ERROR, "flightline.experiments"):
        assert [watched.reload() for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 2 and "No such file" in watched.error
    experiments.save_config(Config((made(traffic=0.5),)), path)
    assert watched.reload() is True and watched.error == ""
    assert watched.config.experiments[0].traffic == 0.5


def test_a_service_takes_the_old_document_again_without_a_change(config, tmp_path):
    path = tmp_path / "experiments.json"
    experiments.save_config(config, path)
    watched, whole = Watched(path), path.read_bytes()
    path.write_bytes(whole[:-20])
    assert watched.reload() is False and watched.error
    path.write_bytes(whole)
    assert watched.reload() is False and watched.error == ""


def test_a_service_does_not_start_without_a_good_document(tmp_path):
    path = tmp_path / "experiments.json"
    with pytest.raises(ValueError, match="cannot be read"):
        Watched(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="no whole JSON"):
        Watched(path)


def test_weights_that_change_under_a_salt_move_units_and_are_named():
    units = pd.Series([f"u{n}" for n in range(2_000)])
    before = made(weights={"control": 0.9, "treatment": 0.1})
    after = made(weights=HALVES)
    arms = [experiments.assign_many(units, one) for one in (before, after)]
    assert (arms[0] != arms[1]).mean() > 0.3
    [told] = experiments.moved(Config((before,)), Config((after,)))
    assert told.startswith("'b_warns' changes its weights") and "0.9" in told
    fresh = made(weights=HALVES, salt="b_warns-2")
    wider = made(weights=before.weights, traffic=0.5)
    for other in (before, fresh, wider):
        assert experiments.moved(Config((before,)), Config((other,))) == []


# --- flags ----------------------------------------------------------------------------

UNITS = pd.Series([f"2013-07-04-UA-{n}-EWR" for n in range(10_000)])


def test_a_flag_is_on_for_its_share_and_more_of_it_takes_it_from_nobody():
    on = {
        share: np.array([is_on(Flag("page", share), one) for one in UNITS])
        for share in (0.0, 0.2, 0.7, 1.0)
    }
    assert on[0.0].sum() == 0 and on[1.0].all()
    assert (on[0.2] <= on[0.7]).all()
    assert stats.binomtest(int(on[0.2].sum()), len(UNITS), 0.2).pvalue > 0.001
    other = np.array([is_on(Flag("other", 0.5), one) for one in UNITS])
    table = pd.crosstab(on[0.7], other).to_numpy()
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_a_flag_with_segments_is_off_elsewhere():
    flag = Flag("page", 1.0, segments={"origin": ["EWR"]})
    assert not is_on(flag, "u1", REQUEST)
    assert is_on(flag, "u1", REQUEST | {"origin": "EWR"})
    with pytest.raises(ValueError, match="flag 'page' has a segment by origin"):
        is_on(flag, "u1")
    with pytest.raises(ValueError, match="without an id"):
        is_on(flag, "", REQUEST)


# --- what a service asks --------------------------------------------------------------


def test_a_service_gets_the_arms_of_the_experiments_that_a_request_is_in(config):
    arms_of = experiments.assignment_function(config)
    days_of = experiments.assignment_function(config, unit="day")
    far = REQUEST | {"distance": 9_999.0}
    seen = set()
    for unit in UNITS[:3_000]:
        arms, elsewhere = arms_of(unit, REQUEST), arms_of(unit, far)
        assert not {"b_warns", "threshold"} <= set(arms)
        assert "days" not in arms and "b_warns" not in elsewhere
        assert all(
            arms[e] == experiments.assign(unit, config.experiment(e)) for e in arms
        )
        assert elsewhere.get("threshold") == arms.get("threshold")
        seen |= set(arms.items())
    assert seen == {
        ("b_warns", "control"),
        ("b_warns", "treatment"),
        ("threshold", "a"),
        ("threshold", "b"),
    }
    days = {days_of(f"2013-07-{day:02d}", {}).get("days") for day in range(1, 32)}
    assert days >= set(HALVES)


def test_an_experiment_is_asked_on_its_days_alone():
    config = Config((made(start="2013-07-01", end="2013-07-28"), made("always")))
    asked = {
        day: experiments.assignment_function(config, today=lambda day=day: day)
        for day in (date(2013, 6, 30), date(2013, 7, 28), date(2013, 7, 29))
    }
    found = {day.isoformat(): set(ask("u1", {})) for day, ask in asked.items()}
    assert found == {
        "2013-06-30": {"always"},
        "2013-07-28": {"always", "b_warns"},
        "2013-07-29": {"always"},
    }


def test_a_service_without_experiments_still_refuses_a_unit_without_an_id():
    arms_of = experiments.assignment_function(Config())
    assert arms_of("u1", {}) == {}
    with pytest.raises(ValueError, match="no text"):
        arms_of(None, {})
