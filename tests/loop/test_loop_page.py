"""The status page and what Prometheus scrapes."""

import re
import shutil
from pathlib import Path

import pytest
import small_world
from flightline import loop
from flightline.loop import alerts
from prometheus_client.parser import text_string_to_metric_families

START, DAY = small_world.START, small_world.DAY


@pytest.fixture(scope="module")
def folder(held_week: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copytree(held_week, tmp_path_factory.mktemp("page") / "run"))
    held = small_world.plan(automatic=False)
    loop.run(path, small_world.small(), held, START + 9 * DAY)
    return path


def test_the_page_says_who_answers_and_what_was_decided(folder: Path) -> None:
    text = loop.page.to_html(folder)
    with loop.journal.reading(folder) as base:
        models = loop.journal.read_models(base)
        digest = loop.journal.digest_of(base)
    assert all(name in text for name in models) and digest[:16] in text
    assert "promoted, waits for a permit" in text
    assert "<strong>PromotionHeld:</strong>" in text
    assert "Log-loss of" in text and text.count("<svg") == 1
    assert "As of 2013-04-03 04:00 UTC" in text


def test_the_page_asks_nobody_and_escapes(folder: Path) -> None:
    text = loop.page.to_html(folder, "<b>a & b</b>")
    assert "<b>a" not in text and "&lt;b&gt;a &amp; b" in text
    assert not re.search(r'(src|href)="(?!data:,|#)', text)
    for table in re.findall(r"<table>.*?</table>", text, re.DOTALL):
        assert "<caption>" in table and '<th scope="col"></th>' not in table


def test_the_page_is_written_in_one_step(folder: Path, tmp_path: Path) -> None:
    assert loop.page.write(folder).name == "status.html"
    path = loop.page.write(folder, tmp_path / "p.html")
    assert path.read_text() == loop.page.to_html(folder)


def test_a_folder_without_a_run_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no run"):
        loop.page.to_html(tmp_path)


def scraped(text: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_every_name_that_the_rules_ask_for_is_exposed(folder: Path) -> None:
    found = scraped(loop.exposition.text(folder))
    for alert in alerts.LINES:
        assert alert.gauge in found
    for burn in alerts.BURNS:
        assert {burn.objective.bad, burn.objective.total} <= set(found)
    with loop.journal.reading(folder) as base:
        answered = len(loop.journal.read_answers(base))
    assert found[alerts.LATENCY.total] == answered > 500
    assert 0 < found[alerts.QUALITY.total] < answered
    assert 0 < found[alerts.QUALITY.bad] < found[alerts.QUALITY.total]


def test_the_gauges_raise_the_alerts_that_the_loop_raised(folder: Path) -> None:
    written = (folder / loop.journal.NAME).stat().st_mtime
    fresh = scraped(loop.exposition.text(folder, now_s=written + 60))
    standing = scraped(loop.exposition.text(folder, now_s=written + 30 * 3600))
    firing = {a.name for a in alerts.LINES if fresh[a.gauge] > a.above}
    raised = small_world.alerts(folder)
    last = raised[raised["at"] == raised["at"].max()]
    assert firing == set(last["name"]) & {a.name for a in alerts.LINES}
    assert "PromotionHeld" in firing
    late = {a.name for a in alerts.LINES if standing[a.gauge] > a.above}
    assert late - firing == {"LoopStands"}
