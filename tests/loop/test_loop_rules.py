"""The rules for Prometheus, held against promtool; the run book has every alert."""

import functools
import re
import shutil
import subprocess

import numpy as np
import pytest
from flightline.loop import rules
from flightline.loop.alerts import (
    ALERTS,
    BURNS,
    LATENCY,
    LINES,
    QUALITY,
    BurnAlert,
    burning,
    spans,
)

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)"
)


@functools.cache
def major():
    """Return the first number of promtool's version."""
    if PROMTOOL is None:
        return 0
    said = promtool("--version")[1]
    found = re.search(r"version (\d+)\.", said)
    assert found, said
    return int(found.group(1))


def needs_whole_windows():
    """Skip where a window of an hour of minutes holds 60 samples instead of 61."""
    if major() != 2:
        pytest.skip(f"promtool {major()}: windows leave out their first sample")


FAST = BurnAlert("LatencyFast", LATENCY, 60, 5, 14.4, "page", least=10)


def promtool(*args):
    """Run promtool; return whether it was content, and what it said."""
    done = subprocess.run(
        [str(PROMTOOL), *map(str, args)], capture_output=True, text=True, timeout=120
    )
    return done.returncode == 0, done.stdout + done.stderr


def fault(minutes=360):
    """Return counts of which a fifth is bad from minute 121 to 240."""
    minute = np.arange(minutes)
    bad = np.where((minute > 120) & (minute <= 240), 2, 0)
    return {LATENCY.total: np.full(minutes, 10), LATENCY.bad: bad}


def test_each_rule_is_written_with_its_labels():
    text = rules.rules()
    for alert in ALERTS:
        assert f"- alert: {alert.name}\n" in text
        assert rules.anchor(alert) in text
    assert text.count("severity: page") + text.count("severity: ticket") == len(ALERTS)


def test_an_expression_asks_both_windows():
    said = rules.expression(FAST)
    for window in ("60m", "5m"):
        assert f"increase({LATENCY.bad}[{window}])" in said
        assert f"increase({LATENCY.total}[{window}])" in said
    assert said.count("> 14.4") == 2 and said.endswith("> 9.5")
    assert rules.expression(LINES[0]) == "flightline_feed_silent > 0"


@needs_promtool
def test_promtool_takes_the_rules(tmp_path):
    (written,) = rules.write(tmp_path / "new")
    fine, said = promtool("check", "rules", written)
    assert fine, said
    assert f"{len(ALERTS)} rules found" in said


@needs_promtool
def test_promtool_and_python_fire_in_the_same_minutes(tmp_path):
    needs_whole_windows()
    counts = fault()
    assert spans(burning(FAST, counts[LATENCY.bad], counts[LATENCY.total])) == [
        (164, 241)
    ]
    rules.write(tmp_path, counts, [FAST])
    fine, said = promtool("test", "rules", tmp_path / rules.TESTS)
    assert fine, said


@needs_promtool
@pytest.mark.parametrize("seed", range(3))
def test_they_agree_on_random_traffic(tmp_path, seed):
    needs_whole_windows()
    rng = np.random.default_rng(seed)
    alerts = [
        FAST,
        BurnAlert("Quality", QUALITY, 90, 20, 1.5, "ticket", least=7),
        *LINES[:2],
    ]
    size = 300
    wave = rng.integers(0, 2, size // 20).repeat(20)
    total = rng.poisson(4, size) * (rng.random(size) < 0.8)
    judged = rng.poisson(2, size)
    series = {
        LATENCY.total: total,
        LATENCY.bad: rng.binomial(total, 0.02 + 0.3 * wave),
        QUALITY.total: judged,
        QUALITY.bad: rng.binomial(judged, 0.05 + 0.3 * wave),
        "flightline_feed_silent": wave,
        "flightline_label_silent_days": (1 - wave) * 0.5,
    }
    rules.write(tmp_path, series, alerts)
    fine, said = promtool("test", "rules", tmp_path / rules.TESTS)
    assert fine, said
    expected = (tmp_path / rules.TESTS).read_text()
    assert "exp_alerts: []" in expected and "exp_labels" in expected


@needs_promtool
def test_promtool_sees_a_wrong_minute(tmp_path):
    needs_whole_windows()
    rules.write(tmp_path, fault(), [FAST])
    path = tmp_path / rules.TESTS
    wrong = path.read_text().replace("eval_time: 241m", "eval_time: 242m")
    path.write_text(wrong)
    fine, _ = promtool("test", "rules", path)
    assert not fine


def test_tests_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"series have \[2, 3\] minutes"):
        rules.rule_tests({"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(ValueError, match=r"60 minutes of .* its window is longer"):
        rules.rule_tests(fault(60), [FAST])
    with pytest.raises(ValueError, match="no alert can be asked about"):
        rules.rule_tests({"other": [1, 2]})
    with pytest.raises(ValueError, match="no name twice"):
        rules.rules([FAST, FAST])
    with pytest.raises(ValueError, match="at least one"):
        rules.rules([])


def test_large_counters_keep_their_digits():
    counts = {name: values * 1_000_003 for name, values in fault(100).items()}
    text = rules.rule_tests(counts, [FAST])
    assert str(int(np.cumsum(counts[LATENCY.total])[-1])) in text


def entries():
    """Return the run book's entries by heading."""
    parts = re.split(r"^## (\w+)$", rules.RUNBOOK.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_run_book_has_an_entry_for_each_alert_and_no_other():
    assert sorted(entries()) == sorted(alert.name for alert in ALERTS)


@pytest.mark.parametrize("name", [alert.name for alert in ALERTS])
def test_an_entry_says_what_it_means_where_to_look_and_what_to_do(name):
    for part in ("What it means", "Where to look", "What to do"):
        found = re.search(rf"^\*\*{part}\.\*\* (.+)", entries()[name], re.MULTILINE)
        assert found and len(found.group(1)) > 40, (name, part)


def test_severities_are_those_of_the_alerts():
    assert {alert.severity for alert in ALERTS} == {"page", "ticket"}
    assert all(alert.objective in (LATENCY, QUALITY) for alert in BURNS)
