"""The lab bench: claims, timings and figures."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from labkit import bench, claims, figures, timing


def a_claim(**changes: Any) -> claims.Claim:
    fields = {
        "statement": "Caches help <always>.",
        "source": "the design card",
        "measured": "3 ms & 1 ms",
        "verdict": claims.verdict(True),
    }
    return claims.Claim(**{**fields, **changes})


def test_verdicts_are_those_that_the_book_knows() -> None:
    assert claims.verdict(True) == "holds"
    assert claims.verdict(True, "n is large") == "holds when n is large"
    assert claims.verdict(False) == "does not hold here"
    assert claims.verdict(False, "n is large") == "does not hold here"
    words = "not measured here: it takes a GPU"
    assert claims.not_measured("a GPU") == words
    assert a_claim(verdict=words).verdict == words


def test_an_unmeasured_claim_says_what_it_would_take() -> None:
    with pytest.raises(ValueError, match="what a measurement would take"):
        claims.not_measured(" ")


@pytest.mark.parametrize("field", ["statement", "source", "measured"])
def test_an_empty_claim_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} is empty"):
        a_claim(**{field: " "})


@pytest.mark.parametrize(
    "words", ["", "maybe", "holds whenever", "Holds", "not measured here"]
)
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


@pytest.mark.parametrize(
    ("narrow", "most", "rounds"), [(9.0, 40, 4), (0.0, 7, 7), (0.5, 40, 13)]
)
def test_compare_goes_on_until_the_quartiles_are_narrow(
    monkeypatch: pytest.MonkeyPatch, narrow: float, most: int, rounds: int
) -> None:
    """Three rounds are slow: of thirteen, they are less than a quarter."""
    seconds = iter([1.0, 9.0, 1.0, 9.0, 1.0, 1.0, 9.0, *[1.0] * 40])
    monkeypatch.setattr(timing, "_seconds", lambda piece: next(seconds))
    table = timing.compare({"a": int}, 4, narrow=narrow, most=most)
    assert table.attrs["repeats"] == rounds
    [spread] = (table["high_ms"] - table["low_ms"]) / table["median_ms"]
    assert spread <= narrow or rounds == most


# --- the load a bench runs under ------------------------------------------------------

SPIN = (
    "import time\nend = time.perf_counter() + 0.5\nwhile time.perf_counter() < end: 0"
)


def test_a_watch_leaves_out_what_is_our_own() -> None:
    before = timing._own_s()
    subprocess.run([sys.executable, "-c", SPIN], check=True)
    assert timing._own_s() - before > 0.1
    with subprocess.Popen(
        [sys.executable, "-c", SPIN + "\ninput()"], stdin=-1
    ) as child:
        deadline = time.perf_counter() + 20
        while timing._own_s() - before < 0.25 and time.perf_counter() < deadline:
            time.sleep(0.05)  # it lives, and has not been waited for
        assert timing._own_s() - before > 0.25
        child.communicate(b"\n")


def test_a_watch_counts_what_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0])
    busy, own = iter([5.0, 20.0]), iter([1.0, 11.0])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(timing, "_busy_s", lambda: next(busy))
    monkeypatch.setattr(timing, "_own_s", lambda: next(own))
    monkeypatch.setattr(timing.os, "cpu_count", lambda: 2)
    assert timing.Watch().other_cores() == 0.5  # 15 s busy, 10 of them our own, in 10 s


class Seen(timing.Watch):
    """A watch that has seen others keep some cores busy."""

    def __init__(self, cores: float) -> None:
        self.cores = cores

    def other_cores(self) -> float:
        return self.cores


TABLE = pd.DataFrame({"engine": ["ours", "theirs"], "ms": [1.0, 2.0]})


def test_a_quiet_machine_is_recorded_with_its_load(tmp_path: Path) -> None:
    page = {"engine": "Engine"}
    bench.record(tmp_path / "new", "speed", TABLE, page, "By day.", watch=Seen(0.031))
    text = (tmp_path / "new" / "speed.txt").read_text()
    assert text.startswith(f"Recorded on: {timing.machine()}. Meanwhile other")
    assert "0.03 of" in text and text.endswith("cores busy. By day.\n")
    stored = json.loads((tmp_path / "new" / "speed.json").read_text())
    assert stored["other_cores_busy"] == 0.03 and stored["rows"][1]["ms"] == 2.0
    assert (tmp_path / "new" / "speed.csv").read_text() == "Engine\nours\ntheirs\n"


def test_a_busy_machine_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(bench.ANYWAY, raising=False)
    with pytest.raises(RuntimeError, match=r"keep 1.30 cores busy.*FLIGHTLINE_BUSY=1"):
        bench.record(tmp_path / "new", "speed", TABLE, watch=Seen(1.3))
    assert list(tmp_path.iterdir()) == []


def test_recording_on_a_busy_machine_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(bench.ANYWAY, "1")
    bench.record(tmp_path, "speed", TABLE, watch=Seen(1.3))
    text = (tmp_path / "speed.txt").read_text()
    assert "Not on a quiet machine" in text and "1.30 of" in text
    assert bench.require_quiet(Seen(0.1)) == 0.1


def test_counts_ask_for_no_quiet_machine_and_print_their_note_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(bench.ANYWAY, raising=False)
    note = "Of 300 runs."
    bench.record(tmp_path, "n", TABLE, note=note, watch=Seen(1.3), timed=False)
    assert (tmp_path / "n.txt").read_text() == "Of 300 runs.\n"
    stored = json.loads((tmp_path / "n.json").read_text())
    assert list(stored) == ["machine", "rows"]
    assert stored["rows"] == TABLE.to_dict("records")


def test_counts_without_a_note_are_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="shares: a table without times needs a note"):
        bench.record(tmp_path / "new", "shares", TABLE, note=" ", timed=False)
    assert list(tmp_path.iterdir()) == []


def test_the_next_second_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bench.ANYWAY, "1")
    start = time.perf_counter()
    assert bench.require_quiet() >= 0
    assert time.perf_counter() - start >= 1


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
