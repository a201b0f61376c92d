"""A Matplotlib figure as an element of a page: Matplotlib's SVG, made to stand there.

Text stays text, colours are the page's own (light and dark), the drawing says in words
what it shows, the same numbers give the same bytes, and nothing is asked of a host. The
pages of experiments and drift share it.
"""

import io
import re
import warnings
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

PAGE_COLOURS = {
    "ink": "#1d2530",
    "line": "#c3cad3",
    "dot": "#0072b2",
    "limit": "#b34a00",
}
"""The colours of a drawing, by their names in the page's style."""

SVG_SETTINGS: "dict[RcKeyType, object]" = {
    "svg.fonttype": "none",
    "svg.hashsalt": "flightline",
    "font.size": 11,
    "text.parse_math": False,
    "text.color": PAGE_COLOURS["ink"],
    "axes.edgecolor": PAGE_COLOURS["line"],
    "xtick.color": PAGE_COLOURS["line"],
    "xtick.labelcolor": PAGE_COLOURS["ink"],
}
"""What Matplotlib is told while it draws; nothing of it lasts."""


def as_svg(
    figure: "Figure", title: str, text: str, colours: Mapping[str, str] = PAGE_COLOURS
) -> str:
    """Return a figure as an element that a screen reader can tell.

    Parameters
    ----------
    figure : Figure
        Drawn with `SVG_SETTINGS`, in colours of the page.
    title, text : str
        Its name, and what it shows; both are escaped.
    colours : mapping of str to str
        The page's names of the colours, and what the figure has in their place.

    Returns
    -------
    str
        An SVG element.
    """
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context(SVG_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # the reader's fonts will draw it
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    svg = file.getvalue()
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg[svg.index("<svg") :])
    svg = re.sub(r' xmlns:xlink="[^"]*"', "", svg)  # a page knows what it means

    def named(style: re.Match[str]) -> str:
        """Return a style whose colours are those of the page."""
        words = style[0]
        for name, colour in colours.items():
            words = words.replace(colour, f"var(--{name})")
        return words

    svg = re.sub('style="[^"]*"', named, svg)
    said = f'role="img" aria-label="{escape(text)}"'
    heading = f"<title>{escape(title)}</title><desc>{escape(text)}</desc>"
    start, rest = svg.removeprefix("<svg").split(">", 1)
    return f"<svg {said}{start}>{heading}{rest}"
