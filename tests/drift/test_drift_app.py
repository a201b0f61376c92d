"""The command line, the pages and the watchers of `flightline.drift`."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.drift import __main__ as command
from flightline.drift import decide, watch

from tools.book import browser

LABS = Path(__file__).resolve().parents[2] / "labs"
VOID = {"meta", "link", "circle", "line", "rect", "polyline", "br"}


def table(days, seed, shift=0.0, gap=0.0):
    """Return features, a score, a label and a date; 100 rows a day."""
    rng = np.random.default_rng(seed)
    score = rng.beta(2, 4, 100 * days).round(3)
    return pd.DataFrame(
        {
            "wind_kt": rng.gamma(4, 3, 100 * days) + shift,
            "carrier": rng.choice(["AA", "B6", "UA"], 100 * days),
            "score": score,
            "late": rng.random(100 * days) < np.clip(score + gap, 0, 1),
            "date": np.repeat([f"{seed:02d}-{d:02d}" for d in range(days)], 100),
        }
    )


@pytest.fixture
def files(tmp_path):
    """Write tables as Parquet, and return a function that runs the comparison."""

    def run(before, now, *arguments):
        paths = tmp_path / "before.parquet", tmp_path / "now.parquet"
        for path, one in zip(paths, (before, now), strict=True):
            one.to_parquet(path)
        return command.main(["compare", *map(str, paths), *arguments])

    return run


def scrape(ok, failed):
    """Return what Prometheus would read from a service with so many answers."""
    name = "flightline_requests_total"
    return f'{name}{{status="200"}} {ok}\n{name}{{status="503"}} {failed}\n'


# --- decisions and exit codes ---------------------------------------------------------


def test_nothing_found_is_0(files, capsys):
    assert (
        files(table(20, 1), table(10, 2), "--blocks", "date") == command.CONTINUE == 0
    )
    assert (
        capsys.readouterr().out == f"next step: continue. {decide.STEPS['continue']}\n"
    )


def test_drift_without_labels_is_1_and_asks(files, capsys):
    sides = [t.drop(columns="late") for t in (table(20, 1), table(10, 2, shift=9))]
    assert files(*sides, "--blocks", "date") == command.ALERT == 1
    out = capsys.readouterr().out
    assert re.search(r"INVESTIGATE wind_kt: PSI \d.*threshold.*of the rows before", out)
    assert "next step: investigate" in out


def test_worse_labels_on_sound_data_say_retrain(files, capsys):
    assert (
        files(table(20, 1), table(10, 2, gap=0.2), "--blocks", "date") == command.ALERT
    )
    out = capsys.readouterr().out
    assert "RETRAIN the model's gap: changed by +0." in out
    assert "next step: retrain" in out and "rule out a broken feed" in out


def test_a_gap_that_ends_nearer_to_zero_is_no_reason_to_retrain(files, capsys):
    sides = table(20, 1, gap=0.2), table(10, 2, gap=-0.03)
    assert files(*sides, "--blocks", "date") == command.CONTINUE
    assert "next step: continue" in capsys.readouterr().out


def test_a_broken_feed_comes_before_a_worse_model(files, capsys):
    now = table(10, 2, gap=0.2).drop(columns="carrier")
    assert files(table(20, 1), now, "--blocks", "date") == command.ALERT
    out = capsys.readouterr().out
    assert "INVESTIGATE carrier: missing column" in out
    assert "next step: investigate" in out


def test_harmless_drift_is_1_and_says_who_must_act(files, capsys, tmp_path):
    sides, page = (table(20, 1), table(10, 2, shift=2)), tmp_path / "drift.html"
    assert files(*sides, "--blocks", "date", "--html", str(page)) == command.ALERT
    finding, out = decide.compare(*sides, blocks="date"), capsys.readouterr().out
    assert finding.worse is False and not finding.broken
    assert "CONTINUE wind_kt: PSI" in out
    assert f"next step: continue. {decide.HARMLESS}" in out
    assert decide.HARMLESS in page.read_text()
    assert decide.STEPS["continue"] not in page.read_text() + out


def test_no_rows_are_a_finding(files, capsys):
    assert (
        files(table(20, 1), table(10, 2).iloc[:0], "--html", os.devnull)
        == command.ALERT
    )
    assert "no rows came" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compare", "none.parquet", "none.parquet"], "none.parquet cannot be read"),
        (["compare", "a.xlsx", "b.csv"], "write a .parquet or a .csv"),
        (["dashboard", "none.sqlite", "--html", "x.html"], "no metrics store"),
    ],
)
def test_no_answer_is_2(arguments, message, capsys):
    assert command.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_bad_arguments_are_2(files, capsys):
    assert files(table(2, 1), table(2, 2), "--alpha", "2") == 2
    assert files(table(2, 1), table(2, 2), "--blocks", "day") == 2
    assert files(table(2, 1).iloc[:0], table(2, 2)) == 2
    assert "no rows" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        command.main(["compare"])
    assert stopped.value.code == 2


def test_it_runs_as_a_module_on_csv(tmp_path):
    for name, one in (("a", table(4, 1)), ("b", table(4, 2, shift=20))):
        one.to_csv(tmp_path / f"{name}.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-m", "flightline.drift", "compare", "a.csv", "b.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(LABS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    assert "INVESTIGATE wind_kt" in done.stdout


# --- pages ----------------------------------------------------------------------------


class Reader(HTMLParser):
    """Record tags, attributes and nesting of a page."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def read_page(text):
    """Parse a page and assert that it asks nobody for anything."""
    reader = Reader()
    reader.feed(text)
    assert reader.open == [] and "script" not in reader.seen
    loads = [a for a in reader.attributes if a[1] in ("src", "href", "action", "data")]
    assert loads == [("link", "href", "data:,")]
    assert "url(" not in text and "@import" not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    return reader


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return a report and a dashboard, written by the command line."""
    folder = tmp_path_factory.mktemp("pages")
    now = table(10, 2, shift=9, gap=0.2).assign(carrier="<b>&X")
    paths = [folder / "before.parquet", folder / "now.parquet"]
    for path, one in zip(paths, (table(20, 1), now), strict=True):
        one.to_parquet(path)
    store = folder / "m.sqlite"
    for day in (1, 2):
        arguments = ["--store", str(store), "--at", f"2013-07-0{day}T00:00Z"]
        arguments += ["--html", str(folder / "report.html"), "--blocks", "date"]
        arguments += ["--prometheus", str(folder / "drift.prom")]
        assert command.main(["compare", *map(str, paths), *arguments]) == 1
    command.main(["dashboard", str(store), "--html", str(folder / "dashboard.html")])
    return folder


@pytest.mark.parametrize("name", ["report", "dashboard"])
def test_pages_stand_alone_and_can_be_read(pages, name):
    text = (pages / f"{name}.html").read_text()
    reader = read_page(text)
    assert ("html", "lang", "en") in reader.attributes
    assert "prefers-color-scheme: dark" in text
    assert reader.seen.count("h1") == 1 and "main" in reader.seen
    figures = reader.seen.count("svg")
    named = [a for a in reader.attributes if a[:2] == ("svg", "aria-label") and a[2]]
    assert figures == len(named) >= 2
    if name == "report":
        assert "caption" in reader.seen and ("th", "scope", "row") in reader.attributes
        assert "<b>&X" not in text and "unseen values" in text


@pytest.mark.parametrize("scheme", browser.SCHEMES)
def test_pages_in_a_browser(pages, scheme):
    from axe_playwright_python.sync_playwright import Axe

    path = browser.find_chromium()
    if path is None:
        pytest.skip("no Chromium: install one (apt-get install chromium)")
    with browser.serve(pages) as address, browser.chromium(path) as program:
        for kind, width in browser.WIDTHS.items():
            with browser.window(program, address, width, scheme) as visit:
                for name in ("report", "dashboard"):
                    browser.open_page(visit, f"{address}/{name}.html")
                    wide = visit.page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, (name, wide)
                    if kind == "desktop":
                        found = Axe().run(visit.page).response["violations"]
                        assert found == [], json.dumps(found)[:2000]
                assert visit.complaints == []


def test_the_dashboard_shows_limits_and_history(pages):
    text = (pages / "dashboard.html").read_text()
    assert "at 2 moments" in text and "2 values from" in text
    assert "false-alarm rate" in text and "nan" not in text


# --- Prometheus -----------------------------------------------------------------------


def test_prometheus_can_read_it(pages):
    from prometheus_client.parser import text_string_to_metric_families as parse

    families = {f.name: f for f in parse((pages / "drift.prom").read_text())}
    psi = {
        s.labels["feature"]: s.value for s in families["flightline_drift_psi"].samples
    }
    assert set(psi) == {"wind_kt", "carrier", "score"} and psi["wind_kt"] > 1
    steps = families["flightline_drift_next_step"].samples
    assert {s.labels["step"]: s.value for s in steps} == {
        "continue": 0,
        "investigate": 1,
        "retrain": 0,
    }
    assert families["flightline_drift_alerts"].samples[0].value >= 2
    assert families["flightline_drift_false_alarm_rate"].samples[0].value == 0.05


# --- the watchers of the service ------------------------------------------------------


def log(answers=50, hours=30):
    """Return a prediction log with a latency that is the hour."""
    time = pd.date_range("2013-07-01", periods=hours, freq="h", tz="UTC")
    rows = pd.DataFrame({"time": np.repeat(time, answers)})
    rows["latency_ms"] = np.repeat(np.arange(1.0, hours + 1), answers)
    rows["source"] = np.where(np.arange(len(rows)) % 10 == 0, "fallback", "online")
    return rows.assign(shadow=False)


def test_operations_by_the_hour():
    shadow = log().assign(shadow=True, latency_ms=999.0)
    table = watch.operations(pd.concat([log(), shadow]))
    assert table["answers"].tolist() == [50] * 30
    assert table["p50_ms"].tolist() == table["p99_ms"].tolist() == list(range(1, 31))
    assert np.allclose(table["fallback_share"], 0.1)


def test_against_history_states_its_rate():
    table = watch.against_history(
        watch.operations(log())[["p50_ms"]], last=2, alpha=0.1
    )
    assert table["found"].all() and (table["high"] == 28).all()
    assert table["false_alarm"].iloc[0] == pytest.approx(2 / 29)
    assert list(table.columns) == drift.CHECK


def test_a_log_of_json_lines_is_read(tmp_path):
    path = tmp_path / "log.jsonl"
    record = {"time": "2013-07-01T10:00:00.5Z", "latency_ms": 1.5, "shadow": False}
    lines = [
        json.dumps(record | {"source": s, "features": {}}) for s in ("online", "x")
    ]
    path.write_text("\n".join(lines) + "\n")
    table = watch.read_log(path)
    assert str(table["time"].dtype).endswith("UTC]") and len(table) == 2


def test_errors_between_two_scrapes():
    first, good = scrape(10_000, 5), scrape(20_000, 15)
    assert not watch.errors(first, good)["found"].any()
    bad = watch.errors(first, scrape(20_000, 45))
    assert bad["found"].all() and bad["value"][0] == pytest.approx(40 / 10_040)
    anew = watch.errors(first, scrape(100, 0))
    assert anew["value"][0] == 0
    with pytest.raises(ValueError, match="no request"):
        watch.errors(first, first)


def test_errors_keep_their_rate():
    rng = np.random.default_rng(1)
    failed = rng.binomial(5_000, 0.001, 400)
    none = scrape(0, 0)
    found = [
        watch.errors(none, scrape(5_000 - int(k), int(k)), alpha=0.05)["found"][0]
        for k in failed
    ]
    assert np.mean(found) <= 0.08


def test_a_feed_that_stops_is_noticed():
    arrived = pd.Series(pd.date_range("2013-07-01", periods=200, freq="h", tz="UTC"))
    alive = watch.feed(arrived, arrived.iloc[-1], alpha=0.05)
    assert not alive["found"].any() and alive["false_alarm"].max() <= 0.05
    silent = watch.feed(arrived, arrived.iloc[-1] + pd.Timedelta("5h"), alpha=0.05)
    assert silent.set_index("metric")["found"].to_dict() == {
        "age_h": True,
        "rows": True,
    }
    burst = pd.concat([arrived, pd.Series([arrived.iloc[-1]] * 9)])
    flood = watch.feed(burst, arrived.iloc[-1], alpha=0.05)
    assert flood.set_index("metric")["found"]["rows"]
    with pytest.raises(ValueError, match="four periods"):
        watch.feed(arrived.iloc[:2], arrived.iloc[1])


def test_reports_and_changes_become_metrics():
    report = drift.report(table(10, 1), table(10, 2), blocks="date")
    rows = watch.as_metrics(report, 0.01)
    assert list(rows.columns) == drift.CHECK and (rows["metric"] == "psi").all()
    change = drift.worse(table(10, 1), table(10, 2), base_rate=0.3)
    rows = watch.as_metrics(change)
    assert rows["subject"].tolist() == drift.METRICS
