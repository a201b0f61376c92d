"""The watchers: several series, ids as text, answers without a shadow."""

import json

import pandas as pd
import pytest
from flightline.drift import watch

NAME = "flightline_requests_total"


def scrape(**counts):
    """Return a scrape with one series for each model and status."""
    lines = [
        f'{NAME}{{model="{key[:1]}",status="{key[1:]}"}} {value}'
        for key, value in counts.items()
    ]
    return "\n".join([f"# TYPE {NAME} counter", *lines]) + "\n"


def test_series_of_one_status_are_summed():
    before = scrape(a200=100, b200=1000, a503=0, b503=0)
    after = scrape(a200=1100, b200=2000, a503=40, b503=0)
    found = watch.errors(before, after)
    assert found["found"].all() and found["value"][0] == pytest.approx(40 / 2040)


def test_a_process_that_starts_anew_leaves_the_others():
    before = scrape(a200=5000, a503=50, b200=1000, b503=90)
    after = scrape(a200=6000, a503=50, b200=10, b503=0)
    assert watch.errors(before, after)["value"][0] == 0


def test_other_spellings_of_a_scrape_are_read():
    after = f'{NAME}{{status="503",path="/v1}}"}} 2 1372636800000\n'
    after += f'{NAME}{{status="200"}} 8\n'
    assert watch.errors("", after)["value"][0] == pytest.approx(0.2)


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_ids_of_digits_stay_texts(tmp_path):
    row = {"time": "2013-07-01T10:00:00Z", "latency_ms": 1.5, "source": "online"}
    ids = ["0012", "12345678901234567890", "1e5"]
    path = write(
        tmp_path / "log", *[row | {"request_id": i, "version": "1"} for i in ids]
    )
    table = watch.read_log(path)
    assert (
        table["request_id"].tolist() == ids and table["version"].tolist() == ["1"] * 3
    )


def test_an_answer_that_does_not_say_shadow_is_live(tmp_path):
    row = {"time": "2013-07-01T10:00:00Z", "latency_ms": 1.5, "source": "online"}
    path = write(tmp_path / "log", row, row | {"shadow": None}, row | {"shadow": True})
    assert watch.operations(watch.read_log(path))["answers"].tolist() == [2]
    path = write(tmp_path / "log", row, row)
    assert watch.operations(watch.read_log(path))["answers"].tolist() == [2]


def test_shadow_may_be_of_any_type():
    log = pd.DataFrame({"time": pd.to_datetime(["2013-07-01T10:00Z"] * 3, utc=True)})
    log = log.assign(latency_ms=1.0, source="online")
    for kind in ("boolean", object):
        shadow = pd.Series([True, None, False], dtype=kind)
        assert watch.operations(log.assign(shadow=shadow))["answers"].tolist() == [2]


def test_a_torn_last_line_waits_and_another_is_refused(tmp_path):
    row = {"time": "2013-07-01T10:00:00Z", "latency_ms": 1.5}
    path = write(tmp_path / "log", row)
    path.write_text(path.read_text() + '{"time": "20')
    assert len(watch.read_log(path)) == 1
    path.write_text('{"time": "20\n' + json.dumps(row) + "\n")
    with pytest.raises(ValueError, match="line 1"):
        watch.read_log(path)
    path.write_text("")
    with pytest.raises(ValueError, match="no answer"):
        watch.read_log(path)
