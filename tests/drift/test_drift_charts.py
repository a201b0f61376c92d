"""Charts: text that can be read aloud, no state that lasts, no host that is asked."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from flightline import drift
from flightline.drift import charts
from flightline.experiments import PAGE_STYLE

LABS = Path(__file__).resolve().parents[2] / "labs"
SPACE = "http://www.w3.org/2000/svg"


def tables():
    """Return two tables with names that markup and mathematics would misread."""
    rng = np.random.default_rng(0)
    word = rng.choice(["a & <b>", "$x$ or $y$", "c" * 80], 900)
    before = pd.DataFrame({"$fare$ < 5": rng.random(900), "word": word})
    return before, before.assign(word="<i>new</i>")


def draw():
    """Return one chart of each kind."""
    before, now = tables()
    report = drift.report(before, now)
    column = drift.profile(before)["word"]
    other = np.array([0, 30, 10, 500, 2])
    rows = pd.DataFrame({"value": [1.0, 5.0, np.nan], "found": [False, True, False]})
    return {
        "ratios": charts.plot_ratios(report),
        "shares": charts.plot_shares(column, column.counts, other),
        "track": charts.plot_track(rows),
    }


def parse(svg):
    """Parse a chart; a page needs no name space for its references."""
    return ElementTree.fromstring(svg.replace("xlink:", ""))


@pytest.mark.parametrize("name", draw())
def test_a_chart_is_one_element_that_stands_alone(name):
    svg = draw()[name]
    root = parse(svg)
    assert root.tag.endswith("svg") and root.get("role") == "img"
    assert root.get("aria-label") == root.find("{*}desc").text
    rest = svg.replace(SPACE, "")
    assert not re.search(r"http|url\(|<script|<style|<\?xml|DOCTYPE", rest)


def test_the_same_numbers_give_the_same_bytes():
    assert draw() == draw()


def test_colours_are_the_page_s_and_names_are_not_markup():
    found = draw()
    for svg in found.values():
        assert not re.search(r"#[0-9a-f]{6}\b", svg.replace('"#', "")), svg
        assert "var(--dot)" in svg or "var(--bar)" in svg
    texts = [t.text for t in parse(found["ratios"]).iter() if t.text]
    assert {"$fare$ < 5", "word", "0.01", "1000"} <= set(texts)
    assert not any("mathdefault" in text for text in texts)
    texts = [t.text for t in parse(found["shares"]).iter() if t.text]
    assert {"a & <b>", "$x$ or $y$", "word"} <= set(texts)
    assert "c" * 27 + "…" in texts and "unseen values" in texts


def test_the_page_has_every_colour_in_light_and_dark():
    light, dark = PAGE_STYLE.split("@media")
    for name, colour in charts.COLOURS.items():
        assert f"--{name}: {colour};" in light and f"--{name}: #" in dark


def test_it_says_in_words_what_it_shows():
    found = draw()
    assert "for 2 features. Drifted: word." in found["ratios"]
    assert re.search(r"a &amp; &lt;b&gt;: \d\d% before, \d+% now", found["shares"])
    assert "2 values from 1 to 5, 1 outside" in found["track"]


def test_nothing_to_draw_is_said():
    rows = pd.DataFrame({"value": [np.inf], "found": [True]})
    assert charts.plot_track(rows) == "<p>No value that could be drawn.</p>"
    empty = pd.DataFrame({"threshold": [np.nan], "psi": [np.nan], "drifted": [True]})
    assert charts.plot_ratios(empty) == "<p>No feature could be compared.</p>"


def test_no_setting_lasts_and_matplotlib_waits_for_a_chart():
    before = dict(matplotlib.rcParams)
    draw()
    assert dict(matplotlib.rcParams) == before
    code = (
        "import sys; from flightline import drift; print('matplotlib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=LABS, capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr
