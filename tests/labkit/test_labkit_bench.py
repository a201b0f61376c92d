"""The lab bench: claims, timings and figures."""

import time
from typing import Any

import matplotlib.pyplot as plt
import pytest
from labkit import claims, figures, timing


def a_claim(**changes: Any) -> claims.Claim:
    fields = {
        "statement": "Caches help <always>.",
        "source": "the design card",
        "measured": "3 ms & 1 ms",
        "verdict": claims.verdict(True),
    }
    return claims.Claim(**{**fields, **changes})


def test_verdicts_are_the_three_that_the_book_knows() -> None:
    assert claims.verdict(True) == "holds"
    assert claims.verdict(True, "n is large") == "holds when n is large"
    assert claims.verdict(False) == "does not hold here"
    assert claims.verdict(False, "n is large") == "does not hold here"


@pytest.mark.parametrize("field", ["statement", "source", "measured"])
def test_an_empty_claim_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} is empty"):
        a_claim(**{field: " "})


@pytest.mark.parametrize("words", ["", "maybe", "holds whenever", "Holds"])
def test_an_unjudged_claim_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="none of"):
        a_claim(verdict=words)


def test_show_displays_a_table_and_stores_the_claims(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(claims, "display", lambda bundle, raw: shown.append(bundle))
    claims.show([a_claim()])
    [bundle] = shown
    [stored] = bundle[claims.MEDIA_TYPE]
    assert stored["statement"] == "Caches help <always>."
    assert stored["verdict"] == "holds"
    assert "Caches help &lt;always&gt;." in bundle["text/html"]
    assert "3 ms &amp; 1 ms" in bundle["text/html"]
    assert bundle["text/plain"] == "Caches help <always>. -> holds"


def test_show_refuses_to_show_nothing() -> None:
    with pytest.raises(ValueError, match="at least one claim"):
        claims.show([])


def test_compare_runs_in_turns_and_gives_ratios() -> None:
    order: list[str] = []

    def short() -> None:
        order.append("short")
        time.sleep(0.001)

    def long() -> None:
        order.append("long")
        time.sleep(0.02)

    table = timing.compare({"short": short, "long": long}, repeats=3)
    assert order == ["short", "long"] * 4
    assert list(table.index) == ["short", "long"]
    assert table.loc["short", "ratio"] == 1
    assert table.loc["long", "ratio"] > 1
    assert (table["low_ms"] <= table["median_ms"]).all()
    assert (table["median_ms"] <= table["high_ms"]).all()


@pytest.mark.parametrize(("pieces", "repeats"), [({}, 3), ({"a": int}, 0)])
def test_compare_refuses_nothing_to_time(pieces: Any, repeats: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        timing.compare(pieces, repeats)


def test_each_call_is_timed_in_order() -> None:
    called: list[float] = []

    def nap(seconds: float) -> None:
        called.append(seconds)
        time.sleep(seconds)

    times = timing.each_ms(nap, [0.02, 0.0])
    assert called == [0.02, 0.0]
    assert len(times) == 2
    assert times[0] >= 20 > times[1]


def test_machine_is_one_line_with_the_python_version() -> None:
    assert "Python 3." in timing.machine()
    assert "\n" not in timing.machine()


def test_style_is_set_once_and_stays_the_same() -> None:
    figures.use_style()
    first = dict(plt.rcParams)
    figures.use_style()
    assert dict(plt.rcParams) == first
    assert plt.rcParams["font.size"] >= 12
    assert plt.rcParams["figure.figsize"] == [6.0, 3.7]


def test_labels_stand_at_the_last_point_and_on_the_bars() -> None:
    _, ax = plt.subplots()
    figures.label_end(ax, [1, 2, 3], [4, 5, 6], "a line", figures.BLUE)
    assert ax.texts[0].xy == (3, 6)
    ax.barh(["a", "b"], [1, 2])
    figures.label_bars(ax, ["one", "two"])
    assert [text.get_text() for text in ax.texts[1:]] == ["one", "two"]
    with pytest.raises(ValueError, match="3 labels for 2 bars"):
        figures.label_bars(ax, ["one", "two", "three"])
    plt.close("all")


def test_label_bars_needs_bars() -> None:
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="no bars"):
        figures.label_bars(ax, ["one"])
    plt.close("all")
