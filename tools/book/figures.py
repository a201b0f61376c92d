"""Measure the text of the drawings, in fonts that are wide and fonts that are narrow.

A drawing names a family of fonts, and which one a reader has is not known. So its text
has to stay in its box, and in its canvas, in all of them.
"""

from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Page

FONTS = (
    "DejaVu Sans",
    "Liberation Sans",
    "Liberation Sans Narrow",
    "DejaVu Sans Condensed",
)
"""The widest of the common fonts, one like Arial, and two that are condensed."""

STYLE = """
  html { --pst-font-family-base: "FONT" !important;
         --pst-font-family-heading: "FONT" !important; }
  svg.fig, svg.fig * { font-family: "FONT" !important; }
"""

INSTALLED = """font => {
  const pen = document.createElement('canvas').getContext('2d');
  const widths = ['monospace', 'serif'].map(other => {
    pen.font = `40px "${font}", ${other}`;
    return pen.measureText('Two clocks, wide and ill').width;
  });
  return widths[0] === widths[1];
}"""

SET_FONT = """css => {
  document.getElementById('the-font')?.remove();
  const style = document.createElement('style');
  style.id = 'the-font';
  style.textContent = css;
  document.head.append(style);
}"""

MEASURE = """() => [...document.querySelectorAll('svg.fig')].flatMap(figure => {
  const canvas = figure.getBoundingClientRect();
  const unit = figure.getScreenCTM().a;
  const boxOf = element => {
    const box = element.getBoundingClientRect();
    return {
      left: (box.left - canvas.left) / unit, right: (box.right - canvas.left) / unit,
      top: (box.top - canvas.top) / unit, bottom: (box.bottom - canvas.top) / unit,
    };
  };
  const whole = boxOf(figure);
  const rects = [...figure.querySelectorAll('rect')].map(boxOf);
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5;
  const texts = [...figure.querySelectorAll('text')].map(text => {
    const box = boxOf(text);
    const anchor = getComputedStyle(text).textAnchor;
    const x = { start: box.left + 1, end: box.right - 1 }[anchor]
      ?? (box.left + box.right) / 2;
    const y = (box.top + box.bottom) / 2;
    const holds = r => r.left <= x && x <= r.right && r.top <= y && y <= r.bottom;
    const area = r => (r.right - r.left) * (r.bottom - r.top);
    const home = rects.filter(holds).sort((a, b) => area(a) - area(b))[0];
    return { words: text.textContent.trim(), box, home };
  });
  return texts.flatMap(({ words, box, home }, index) => {
    const found = [];
    const past = (outer, margin) => Math.max(
      outer.left + margin - box.left, box.right + margin - outer.right);
    const note = what => found.push([figure.getAttribute('aria-label'), words, what]);
    const [out, tight] = [past(whole, 0), home ? past(home, 2) : 0];
    if (out > 0.5) note(`leaves the canvas by ${out.toFixed(1)}`);
    if (tight > 0) note(`leaves its box by ${tight.toFixed(1)}`);
    if (!home && rects.some(r => overlap(r, box))) note('runs into a box');
    for (const other of texts.slice(index + 1)) {
      if (overlap(other.box, box)) note(`runs into "${other.words}"`);
    }
    return found;
  });
})"""


def installed(page: Page, font: str) -> bool:
    """Return whether the browser of a page has a font."""
    return bool(page.evaluate(INSTALLED, font))


def set_font(page: Page, font: str) -> None:
    """Show an open page, its drawings included, in a font."""
    page.evaluate(SET_FONT, STYLE.replace("FONT", font))


def gallery(drawings: Iterable[Path]) -> str:
    """Return a page that shows each drawing, labelled by the name of its file."""
    shown = [
        path.read_text(encoding="utf-8").replace(
            "<svg ", f'<svg aria-label="{path.name}" ', 1
        )
        for path in drawings
    ]
    return "<!DOCTYPE html><html><body>" + "\n".join(shown) + "</body></html>"


def text_complaints(page: Page) -> list[str]:
    """Say which text of the drawings on an open page leaves its box or its canvas.

    Returns
    -------
    list of str
        One sentence for each: the drawing, the words, and by how many units of the
        drawing they leave. Text has a margin of two units in a box, and runs neither
        into a box that is not its own nor into other text.
    """
    return [
        f"{figure}: {words!r} {what}" for figure, words, what in page.evaluate(MEASURE)
    ]
