"""The calculator in chapter 02: in a browser, with the numbers of the module."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flightline import estimate
from playwright.sync_api import Page

from tools.book import browser
from tools.labs import notebooks

CHROMIUM = browser.find_chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium: install one (apt-get install chromium), or set CHROMIUM",
)
CHAPTER = notebooks.ROOT / "book" / "02_estimate.md"
SCRIPT = notebooks.ROOT / "book" / "_static" / "estimate.js"
RAW = re.compile(r"^```\{raw\} html\n(?P<html>.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The chapter's form alone, opened from a file: no server and no network."""
    blocks = RAW.findall(CHAPTER.read_text(encoding="utf-8"))
    html = next(block for block in blocks if "estimate-calculator" in block)
    assert 'src="../_static/estimate.js"' in html
    site = tmp_path_factory.mktemp("site")
    for folder in ("book", "_static"):
        (site / folder).mkdir()
    (site / "_static" / "estimate.js").write_bytes(SCRIPT.read_bytes())
    path = site / "book" / "page.html"
    head = "<!doctype html><html lang='en'><title>t</title><meta charset='utf-8'>"
    path.write_text(f"{head}<main><h1>t</h1>{html}</main>", encoding="utf-8")
    assert CHROMIUM is not None
    with browser.chromium(CHROMIUM) as program:
        opened = program.new_page()
        failures: list[str] = []
        opened.on("pageerror", lambda error: failures.append(str(error)))
        opened.on("request", lambda r: _only_files(r.url, failures))
        opened.goto(path.as_uri())
        yield opened
        assert not failures, failures


def _only_files(url: str, failures: list[str]) -> None:
    """Note a request that leaves the disk."""
    if not url.startswith("file:"):
        failures.append(f"the page asked for {url}")


def set_values(page: Page, kind: str, **values: object) -> None:
    """Type values into the fields of a form."""
    for name, value in values.items():
        field = page.locator(f"#estimate-{kind}-{name}")
        if name == "model":
            field.select_option(str(value))
        else:
            field.fill(str(value))


def rows(page: Page, kind: str) -> dict[str, list[float]]:
    """Read the table of results: the name of a row, and its numbers."""
    found = {}
    for row in page.locator(f"#estimate-{kind} tbody tr").all():
        name = row.locator("th").inner_text()
        cells = row.locator("td").all_inner_texts()
        found[name] = [float(text.replace(",", "")) for text in cells]
    return found


@pytest.mark.parametrize("tokens", [1, 512, 4096])
@pytest.mark.parametrize("accelerators", [1, 64])
def test_training(page: Page, tokens: int, accelerators: int) -> None:
    page.reload()
    set_values(page, "training", tokens=tokens, accelerators=accelerators, goodput=90)
    given = {"params": 100e6, "examples": 100e6, "peak_tflops": 312, "goodput": 0.9}
    days = [
        estimate.training_days(
            **given, tokens_per_example=tokens, accelerators=accelerators, mfu=mfu
        )
        for mfu in (0.48, 0.38, 0.30)
    ]
    found = rows(page, "training")
    assert found["days"] == pytest.approx(days, rel=1e-3)
    dollars = [estimate.cost_usd(accelerators, 24 * d, 2) for d in days]
    assert found["US dollars"] == pytest.approx(dollars, rel=1e-3)
    state = sum(estimate.training_memory(params=100e6).values()) / 1e9
    assert found["GB of state, mixed precision"] == pytest.approx([state] * 3)


SERVING = [
    {"model": "M/D/1", "qps": 10_000, "service": 20, "target": 100},
    {"model": "M/D/1", "qps": 730, "service": 3, "target": 3.5},
    {"model": "M/D/1", "qps": 0.5, "service": 20, "target": 400},
    {"model": "M/M/1", "qps": 900, "service": 11, "target": 140},
    {"model": "M/M/c", "qps": 10_000, "service": 20, "target": 100},
    {"model": "M/M/c", "qps": 12, "service": 250, "target": 1500},
    {"model": "M/D/1", "qps": 10_000, "service": 40, "target": 150, "batch": 8},
    {"model": "M/D/1", "qps": 300, "service": 24, "target": 200, "batch": 2},
]


@pytest.mark.parametrize("peak", [1, 1.7])
@pytest.mark.parametrize("case", SERVING, ids=str)
def test_serving(page: Page, case: dict, peak: float) -> None:
    page.reload()
    case = {"batch": 1, **case}
    set_values(page, "serving", peak=peak, hitRate=25, quantile=99, spare=2, **case)
    load = {
        "qps": case["qps"],
        "service_s": case["service"] / 1000,
        "model": case["model"],
        "batch": case["batch"],
    }
    servers = estimate.fleet_size(
        **load, target_s=case["target"] / 1000, peak=peak, hit_rate=0.25, spare=2
    )
    found = rows(page, "serving")
    assert found["servers, with the spare ones"] == [servers]
    busiest = {**load, "qps": case["qps"] * peak * 0.75, "servers": servers - 2}
    p99_ms = 1000 * estimate.response_seconds(0.99, **busiest)
    assert found["response at the quantile, ms"] == pytest.approx([p99_ms], rel=1e-3)
    price = estimate.cost_per_million_usd(servers, 2, case["qps"])
    assert found["US dollars for a million requests"] == pytest.approx(
        [price], rel=1e-3
    )


def test_the_tails_are_those_of_the_module(page: Page) -> None:
    """Full precision, beyond what the table shows."""
    for model, servers, batch in [
        ("M/D/1", 1, 1),
        ("M/M/1", 3, 1),
        ("M/M/c", 16, 1),
        ("M/D/1", 2, 8),
    ]:
        for busy in (0.05, 0.5, 0.93):
            for t in (0.0, 0.5, 1.0, 2.7, 9.5, 30.0):
                given = {"service": 1, "servers": servers, "batch": batch}
                given |= {"qps": busy * servers * batch, "model": model}
                tail = page.evaluate(
                    "([t, a]) => flightlineEstimate.responseTail(t, a)", [t, given]
                )
                given["service_s"] = given.pop("service")
                expected = estimate.response_tail(t, **given)
                assert tail == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("kind", "name", "value", "says"),
    [
        ("training", "mfuLikely", 0, "MFU"),
        ("training", "mfuHigh", 120, "MFU"),
        ("training", "mfuLow", 39, "in order"),
        ("training", "accelerators", 0, "Accelerators"),
        ("training", "tokens", "", "Tokens per example"),
        ("serving", "qps", -4, "Requests a second"),
        ("serving", "batch", 1.5, "Batch"),
        ("serving", "target", 10, "Target"),
        ("serving", "hitRate", 100, "Cache hits"),
        ("serving", "peak", 0.5, "Peak"),
        ("serving", "price", -1, "Price"),
    ],
)
def test_impossible_input_is_named(
    page: Page, kind: str, name: str, value: object, says: str
) -> None:
    page.reload()
    set_values(page, kind, **{name: value})
    assert page.locator(f"#estimate-{kind} table").count() == 0
    assert says in page.locator(f"#estimate-{kind} .estimate-error").inner_text()


def test_every_field_is_labelled_and_reached_by_keyboard(page: Page) -> None:
    page.reload()
    fields = page.locator("#estimate-calculator input, #estimate-calculator select")
    expected = [field.get_attribute("id") for field in fields.all()]
    assert len(expected) == 21
    for name in expected:
        assert page.locator(f"label[for={name}]").count() == 1
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in expected:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == expected
    page.locator("#estimate-serving-qps").focus()
    before = rows(page, "serving")
    page.keyboard.press("Control+A")
    page.keyboard.type("20000")
    assert rows(page, "serving") != before, "typing alone updates the result"


def test_results_are_announced(page: Page) -> None:
    assert page.locator("#estimate-calculator [role=status]").count() == 2


def test_the_script_asks_for_nothing() -> None:
    text = Path(SCRIPT).read_text(encoding="utf-8")
    assert not re.search(r"https?:|fetch\(|import\s|XMLHttpRequest", text)
