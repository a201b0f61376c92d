"""labkit.figures.range_bars: what it draws, and what it refuses."""

import matplotlib.pyplot as plt
import pytest
from labkit import figures


def test_bars_span_their_ranges_whichever_end_comes_first() -> None:
    ax = figures.range_bars({"up": (1, 2, 4), "down": (9, 6, 5)}, notes=["a", "b"])
    spans = [(b.get_x(), b.get_x() + b.get_width()) for b in ax.containers[0]]
    assert spans == [(1, 4), (5, 9)]
    assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 9
    assert ax.yaxis_inverted(), "the first row is on top"
    assert [text.get_text() for text in ax.texts] == ["a", "b"]
    plt.close("all")


def test_notes_must_match_the_rows() -> None:
    with pytest.raises(ValueError, match="1 notes for 2 rows"):
        figures.range_bars({"a": (1, 2, 3), "b": (1, 2, 3)}, notes=["one"])
