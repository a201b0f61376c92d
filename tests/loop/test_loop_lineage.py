"""From an answer back to model, features, data, code and raw files."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import small_world
from flightline import loop, training

START, DAY = small_world.START, small_world.DAY


@pytest.fixture(scope="module")
def folder(eight_days: Path) -> Path:
    return eight_days


@pytest.fixture(scope="module")
def flight(folder: Path) -> str:
    with loop.journal.reading(folder) as base:
        rows = loop.journal.read_answers(base, since=START + 7 * DAY)
    return str(rows["id"].iloc[3])


def test_a_trace_leads_to_all_that_an_answer_rests_on(
    folder: Path, flight: str
) -> None:
    found = loop.trace(folder, flight)
    assert found.answer["id"] == flight and 0 <= found.answer["score"] <= 1
    assert found.log_state == "unchanged" and found.model_state == "unchanged"
    assert found.model["rows"] > 1_000 and len(found.features) == 28
    assert found.environment["code_sha256"] == found.model["environment"]["code_sha256"]
    assert found.environment["data_sha256"] != "unknown"
    assert {feed.table for feed in found.feeds} == set(small_world.small().tables)
    assert "answers" in {feed.table for feed in found.learned}
    assert found.raw[-1] == "weather.parquet"
    assert "flights/2013-03.parquet" in found.raw
    assert len(found.reports) == 1
    assert found.decided == f"champion since {START + 7 * DAY:%Y-%m-%d} (decide)"
    text = "\n".join(found.lines())
    assert flight in text and str(found.answer["model"]) in text


def test_the_score_follows_from_what_the_trace_names(folder: Path, flight: str) -> None:
    found = loop.trace(folder, flight)
    model = training.load_model(
        folder / "models" / str(found.answer["model"]),
        "delay",
        str(found.model["manifest_sha256"]),
    )
    row = pd.DataFrame([found.features])
    assert model.predict(row)[0] == pytest.approx(found.answer["score"], rel=1e-12)


def test_a_trace_says_what_was_changed_or_given_up(
    folder: Path, tmp_path: Path, flight: str
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "run"))
    found = loop.trace(copy, flight)
    log = copy / found.log
    log.write_bytes(log.read_bytes() + b"\n")
    assert "changed" in loop.trace(copy, flight).log_state
    log.unlink()
    assert loop.trace(copy, flight).log_state == "given up"
    model = next((copy / "models" / str(found.answer["model"])).glob("delay*.txt"))
    model.write_bytes(b"{}")
    assert "not to be opened" in loop.trace(copy, flight).model_state


def test_an_unknown_flight_is_a_sentence(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"'X' has no answer.*such as 2013-03-2"):
        loop.trace(folder, "X")
    with pytest.raises(ValueError, match="holds no run"):
        loop.trace(folder / "nowhere", "X")
