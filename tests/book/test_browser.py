"""The built book in a real browser: two widths, light and dark, four fonts.

Playwright drives an installed Chromium; where there is none, every test here is skipped
and says how to install it.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tools.book import browser, figures, site

CHROMIUM = browser.find_chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium: install one (apt-get install chromium), or set CHROMIUM",
)

ACCEPTED = {
    ("region", ".navbar-brand"): "the theme keeps the logo outside any landmark",
    ("aria-allowed-role", ".citation"): "Sphinx's role for an entry of a bibliography",
    ("aria-deprecated-role", ".citation"): "Sphinx's role for such an entry",
    ("aria-required-children", ".citation-list"): "that role is none for a list",
    ("empty-table-header", "table.dataframe"): "pandas: no name above an index",
}
"""axe's findings that may stay: the rule, the part of the page, and whose it is."""

MARK_REPEATED_CODE = """known => {
  const seen = new Set(known);
  for (const block of document.querySelectorAll('.highlight pre')) {
    const place = block.closest('.cell_input, .cell_output, .admonition')?.className;
    const kinds = [...block.querySelectorAll('*')].map(piece => piece.className);
    const keys = ['', ...kinds].map(kind => `${place}|${kind}`);
    block.toggleAttribute('data-repeated', keys.every(key => seen.has(key)));
    keys.forEach(key => seen.add(key));
  }
  return [...seen];
}"""
"""Marks blocks of code that hold no new kind of piece, and returns the kinds seen."""

MODES = [(kind, scheme) for kind in browser.WIDTHS for scheme in browser.SCHEMES]
SMALLEST_PX = 12


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The built book, served on loopback."""
    built = site.fresh_build()
    assert built.ok, built.problems
    with browser.serve(built.html) as url:
        yield url


@pytest.fixture(scope="module")
def program() -> Iterator[Browser]:
    """One browser for all tests."""
    assert CHROMIUM is not None
    with browser.chromium(CHROMIUM) as started:
        yield started


@pytest.mark.parametrize(("kind", "scheme"), MODES)
def test_pages(address: str, program: Browser, kind: str, scheme: str) -> None:
    """No page of the book overflows, breaks a script, or asks another host."""
    pages = site.read_site(site.fresh_build().html)
    names = [name for name in pages if name != "index.html"]  # it only redirects
    assert len(names) > 5
    found, kinds = [], list[str]()
    with browser.window(program, address, browser.WIDTHS[kind], scheme) as visit:
        for name in names:
            problems = inspect(visit, f"{address}/{name}", scheme)
            if kind == "desktop":
                problems += accessibility(visit, kinds)
            if scheme == "light":
                problems += [p for f in fonts(visit.page) for p in widths(visit, f)]
            found += [f"{name}: {problem}" for problem in problems]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("font", figures.FONTS)
def test_text_of_the_drawings_stays_in_its_box(program: Browser, font: str) -> None:
    """Each drawing in `book/figures`, with a wide font and with narrow ones."""
    page = program.new_page()
    page.set_content(figures.gallery(sorted(site.ROOT.glob("book/figures/*.svg"))))
    if not figures.installed(page, font):
        pytest.skip(f"{font} is not installed here")
    figures.set_font(page, font)
    found = figures.text_complaints(page)
    page.close()
    assert not found, "\n".join(found)


def test_root_leads_to_the_title_page(address: str, program: Browser) -> None:
    with browser.window(program, address, 1280, "light") as visit:
        visit.page.goto(f"{address}/")
        visit.page.wait_for_url("**/book/index.html")
        assert visit.page.locator("article h1").count() == 1


@pytest.mark.parametrize("kind", browser.WIDTHS)
def test_menu_search_and_colours_work(
    address: str, program: Browser, kind: str
) -> None:
    """The mends of the theme leave its buttons working, on a phone as well."""
    with browser.window(program, address, browser.WIDTHS[kind], "light") as visit:
        browser.open_page(visit, f"{address}/book/claims.html")
        page = visit.page
        # On a phone the theme moves the menu into a dialog.
        sidebar = page.locator("[id^=pst-primary-sidebar] a", has_text="Glossary")
        shown = sidebar.is_visible()
        assert shown == (kind == "desktop")
        page.locator(".primary-toggle:visible").click()
        sidebar.wait_for(state="hidden" if shown else "visible")
        if not shown:
            sidebar.click()
            page.wait_for_url("**/book/glossary.html")
        page.keyboard.press("Control+k")
        page.locator("#pst-search-dialog input").wait_for(state="visible")
        page.locator("#pst-search-dialog input").fill("glossary")
        page.keyboard.press("Enter")
        page.locator("#search-results li a").first.wait_for()
        before = page.evaluate("document.documentElement.dataset.mode")
        page.locator(".theme-switch-button:visible").first.click()
        assert page.evaluate("document.documentElement.dataset.mode") != before
        assert visit.complaints == []


def inspect(visit: browser.Visit, url: str, scheme: str) -> list[str]:
    """Open a page, and say what is wrong with it as it is drawn."""
    visit.complaints.clear()
    browser.open_page(visit, url)
    state = visit.page.evaluate(
        """() => ({
          width: document.documentElement.scrollWidth,
          window: window.innerWidth,
          theme: document.documentElement.dataset.theme,
          formulas: document.querySelectorAll('.math').length,
          drawn: document.querySelectorAll('mjx-container').length,
          broken: [...document.images].filter(i => !i.naturalWidth).map(i => i.src),
          bent: [...document.querySelectorAll('article img')].filter(image => {
            const style = getComputedStyle(image);
            const width = image.clientWidth - 2 * parseFloat(style.paddingLeft);
            const height = image.clientHeight - 2 * parseFloat(style.paddingTop);
            const bend = width / height * image.naturalHeight / image.naturalWidth;
            return width && Math.abs(bend - 1) > 0.02;
          }).map(image => image.alt),
          figures: [...document.querySelectorAll('article svg.fig')].map(figure => [
            figure.getAttribute('aria-label'),
            Math.min(...[...figure.querySelectorAll('text')].map(text =>
              parseFloat(getComputedStyle(text).fontSize) * figure.getScreenCTM().a)),
          ]),
        })"""
    )
    found = list(visit.complaints)
    if state["width"] > state["window"]:
        found.append(f"{state['width']} px wide in a window of {state['window']} px")
    if state["theme"] != scheme:
        found.append(f"the theme is {state['theme']}, not {scheme}")
    if state["formulas"] != state["drawn"]:
        found.append(f"{state['drawn']} of {state['formulas']} formulas are drawn")
    found += [f"the image {image} is not drawn" for image in state["broken"]]
    found += [f"the image {image!r} is out of shape" for image in state["bent"]]
    found += [
        f"text of {px:.2f} px, under {SMALLEST_PX}, in the figure {label!r}"
        for label, px in state["figures"]
        if px < SMALLEST_PX
    ]
    return found


def fonts(page: Page) -> list[str]:
    """Return the fonts to try that are installed, and say which are not."""
    there = [font for font in figures.FONTS if figures.installed(page, font)]
    for font in figures.FONTS:
        if font not in there:
            warnings.warn(f"{font} is not installed, and so not tried", stacklevel=2)
    return there


def widths(visit: browser.Visit, font: str) -> list[str]:
    """Show the open page in a font, and say what is wider than its place."""
    figures.set_font(visit.page, font)
    places = visit.page.evaluate(
        """() => [['the page', document.documentElement],
                  ['the text', document.querySelector('article') ?? document.body]]
          .map(([name, e]) => [name, e.scrollWidth, e.clientWidth])"""
    )
    return [
        f"in {font}, {name} is {wide} px wide in {place} px"
        for name, wide, place in places
        if wide > place
    ]


def accessibility(visit: browser.Visit, kinds: list[str]) -> list[str]:
    """Run axe on the open page, and say what is neither right nor accepted.

    The contrast of colours takes nine tenths of the time, nearly all of it on pieces of
    highlighted code. A block whose `kinds` of pieces all stood in blocks before it, on
    this page or an earlier one in the same colours, is left out of that rule, and of no
    other. `kinds` grows by what this page adds.
    """
    kinds[:] = visit.page.evaluate(MARK_REPEATED_CODE, kinds)
    contrast = {"include": ["html"], "exclude": [["[data-repeated]"]]}
    violations = [
        *axe(visit, None, {"rules": {"color-contrast": {"enabled": False}}}),
        *axe(visit, contrast, {"runOnly": ["color-contrast"]}),
    ]
    return [
        f"axe: {violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in violations
        for node in violation["nodes"]
        if not accepted(visit, violation["id"], node["target"][0])
    ]


def axe(
    visit: browser.Visit, context: dict[str, Any] | None, options: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the violations that axe finds in a part of the page."""
    options = {"resultTypes": ["violations"], "preload": False, **options}
    found: list[dict[str, Any]] = (
        Axe().run(visit.page, context, options).response["violations"]
    )
    return found


def accepted(visit: browser.Visit, rule: str, target: str) -> bool:
    """Return whether a finding stands in a part of the page where it may stay."""
    return any(
        visit.page.evaluate(
            "([target, part]) => document.querySelector(target).closest(part) !== null",
            [target, part],
        )
        for known, part in ACCEPTED
        if known == rule
    )


BROKEN = """<!DOCTYPE html><html lang="en"><head><title>Broken</title></head>
<body><main><article><h1>Broken</h1><div style="width: 2000px">wide</div>
<img src="missing.png" alt="nothing">
<img src="bent.svg" alt="bent" width="99" height="9">
<img src="https://example.org/a.png" alt="far">
<svg class="fig" viewBox="0 0 800 40" width="400" role="img" aria-label="tiny"><text
font-size="14" y="20">tiny</text></svg><button></button>
<div class="highlight"><pre><span style="color: #eee; background: #fff">pale</span>
</pre></div>
<span class="math">x</span><script>undefined.x</script></article></main></body></html>
"""


CROWDED = """<svg class="fig" viewBox="0 0 400 90" width="400">
<rect x="10" y="10" width="60" height="30"/><text x="15" y="30">a long text here</text>
<rect x="200" y="10" width="90" height="30"/><text x="245" y="30"
text-anchor="middle">fits</text><text x="180" y="30">outside</text>
<text x="350" y="70">beyond the canvas</text><text x="10" y="70">one</text>
<text x="20" y="70">two</text></svg>"""


def test_text_that_leaves_its_place_is_found(tmp_path: Path, program: Browser) -> None:
    (tmp_path / "one.svg").write_text(CROWDED)
    page = program.new_page()
    page.set_content(figures.gallery([tmp_path / "one.svg"]))
    found = figures.text_complaints(page)
    assert not figures.installed(page, "No Such Font")
    page.close()
    for words, what in [
        ("a long text here", "leaves its box by"),
        ("outside", "runs into a box"),
        ("beyond the canvas", "leaves the canvas by"),
        ("one", 'runs into "two"'),
    ]:
        assert any(f"one.svg: {words!r} {what}" in line for line in found), found
    assert not [line for line in found if line.startswith("one.svg: 'fits'")]


def test_the_inspection_finds_what_is_broken(tmp_path: Path, program: Browser) -> None:
    """Everything that the tests above look for is found on a page that has it all."""
    (tmp_path / "page.html").write_text(BROKEN, encoding="utf-8")
    square = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
    (tmp_path / "bent.svg").write_text(square, encoding="utf-8")
    with (
        browser.serve(tmp_path) as url,
        browser.window(program, url, 390, "dark") as visit,
    ):
        found = "\n".join(inspect(visit, f"{url}/page.html", "dark"))
        found += "\n".join(accessibility(visit, []))
    for part in [
        "px wide in a window of 390 px",
        "the theme is None, not dark",
        "0 of 1 formulas are drawn",
        "missing.png is not drawn",
        "missing.png answers 404",
        "the image 'bent' is out of shape",
        "asks another host for https://example.org/a.png",
        "script error: Cannot read properties of undefined",
        "text of 7.00 px, under 12, in the figure 'tiny'",
        "axe: button-name",
        "axe: color-contrast",
    ]:
        assert part in found, f"{part!r} is not among:\n{found}"
