"""Claims that a lab measures, each with its verdict on the reader's machine.

A lab ends with `show([Claim(...), ...])`. The table appears below the cell. The same
content is stored in the output under a media type of its own, from which the book's
page *Claims, measured* is collected: nothing measured is ever typed by hand.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape

from IPython.display import display

MEDIA_TYPE = "application/vnd.flightline.claims+json"
HOLDS, FAILS, UNMEASURED = "holds", "does not hold here", "not measured here"


@dataclass(frozen=True)
class Claim:
    """One claim of the field, and what came of it here.

    Parameters
    ----------
    statement : str
        What is claimed, in one sentence.
    source : str
        Who says it.
    measured : str
        What was measured here, with unit and sample size; where nothing was, what is
        known without.
    verdict : str
        What `verdict` or `not_measured` returns: "holds", "holds when ...", "does not
        hold here", or "not measured here: ...".
    note : str
        What to make of it, in one sentence; may be empty.

    Raises
    ------
    ValueError
        If a text is empty, or the verdict is none of the four.
    """

    statement: str
    source: str
    measured: str
    verdict: str
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a claim that says nothing, or that is not judged."""
        for field in ("statement", "source", "measured"):
            if not getattr(self, field).strip():
                raise ValueError(f"Claim: {field} is empty. Say it in one sentence.")
        opens = self.verdict.startswith((f"{HOLDS} when ", f"{UNMEASURED}: it takes "))
        if self.verdict not in (HOLDS, FAILS) and not opens:
            raise ValueError(
                f"Claim: the verdict {self.verdict!r} is none of {HOLDS!r}, "
                f"'{HOLDS} when ...', {FAILS!r}, '{UNMEASURED}: it takes ...'. "
                "Make it with verdict() or not_measured()."
            )


def verdict(holds: bool, when: str = "") -> str:
    """Turn the result of a measurement into the words of a verdict.

    Parameters
    ----------
    holds : bool
        Whether the claim held in this run.
    when : str
        The condition under which it holds, if it does not hold in general.

    Returns
    -------
    str
        "holds", "holds when <when>", or "does not hold here".
    """
    if not holds:
        return FAILS
    return f"{HOLDS} when {when}" if when else HOLDS


def not_measured(takes: str) -> str:
    """Return the verdict on a claim that this run could not measure.

    Parameters
    ----------
    takes : str
        What a measurement would take, such as "eight GPUs in one server".

    Returns
    -------
    str
        "not measured here: it takes <takes>".

    Raises
    ------
    ValueError
        If nothing is said to be missing.
    """
    if not takes.strip():
        raise ValueError("not_measured: say what a measurement would take.")
    return f"{UNMEASURED}: it takes {takes}"


def show(claims: Sequence[Claim]) -> None:
    """Display the claims as a table, and store them for the page of all claims.

    Parameters
    ----------
    claims : sequence of Claim
        At least one, in the order in which they are to appear.

    Raises
    ------
    ValueError
        If there is no claim.
    """
    if not claims:
        raise ValueError("show needs at least one claim.")
    bundle = {
        MEDIA_TYPE: [asdict(claim) for claim in claims],
        "text/html": _html(claims),
        "text/plain": "\n".join(f"{c.statement} -> {c.verdict}" for c in claims),
    }
    display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _html(claims: Sequence[Claim]) -> str:
    """Return the claims as an HTML table."""
    columns = ("statement", "source", "measured", "verdict", "note")
    names = ("Claim", "Who says it", "Measured here", "Verdict", "What to make of it")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(asdict(c)[k])}</td>" for k in columns) + "</tr>"
        for c in claims
    )
    return f'<table class="claims"><thead><tr>{head}</tr></thead>{rows}</table>'
