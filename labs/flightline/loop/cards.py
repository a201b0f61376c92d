"""A card for each model that takes over: what it is, what it learned, who let it in.

It is written before the journal notes the promotion, and a step that is done again
writes the same card again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flightline import training
from flightline.loop.policy import Decision
from flightline.loop.standing import Standing

FOLDER = "cards"

CARD = """# Model {name}

{name} answers whether a flight out of New York will arrive 15 minutes late or more, two
hours before its scheduled departure.

| | |
|---|---|
| answers since | {since} |
| let in by | {by} |
| why | {why} |
| answered before | {former} |

## What it learned

| | |
|---|---|
| kind and settings | {fit} |
| knows nothing after | {cut_off} |
| rows | {rows}, {late} of them late |
| asked from, until | {first}, {last} |
| digest of the rows | {rows_sha256} |
| versions of the lake | {versions} |
| code | {code} |
| installed versions | {installed} |
| digest of its manifest | {manifest_sha256} |

## How it was judged

{judged}

## What it is for, and what not

It is meant to warn of delays in the timetable of 2013 that it learned from. It has no
say about other airports, and it knows nothing about a passenger. Where features are
missing it answers from the timetable alone, and says so. It was not judged on whether
its warnings change what people do; a warning that is acted on would change the labels
that the next model learns from.
"""

MISSING = "not recorded"


@dataclass(frozen=True)
class Promotion:
    """A model that takes over.

    Attributes
    ----------
    standing : Standing
        Who answers after it.
    why : str
        The reason.
    by : str
        Who let it in: the loop, or the name of a key.
    about : mapping
        What the model comes from, as the journal keeps it.
    decision : Decision, optional
        What the policy said, with what the gate measured.
    """

    standing: Standing
    why: str
    by: str = "loop"
    about: Mapping[str, object] = field(default_factory=dict)
    decision: Decision | None = None


def write(folder: Path, promotion: Promotion) -> Path:
    """Write the card of a model that takes over, in one step.

    Parameters
    ----------
    folder : Path
        The folder of a run.
    promotion : Promotion

    Returns
    -------
    Path
        `cards/SINCE-NAME.md`: a model that takes over twice has two.

    Raises
    ------
    OSError
        If the disk refuses: then the model does not take over.
    """
    standing = promotion.standing
    name = f"{standing.since:%Y-%m-%d}-{standing.champion.name}.md"
    path = folder / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    training.write_atomic(path, text_of(promotion).encode())
    return path


def text_of(promotion: Promotion) -> str:
    """Return the card of a promotion as Markdown.

    Parameters
    ----------
    promotion : Promotion

    Returns
    -------
    str
        What is not known is called not recorded.
    """
    standing, about = promotion.standing, promotion.about
    environment = _mapping(about.get("environment"))
    names = ("rows", "late", "first", "last", "rows_sha256", "manifest_sha256")
    former = standing.former
    return CARD.format(
        name=standing.champion.name,
        since=standing.since.isoformat(),
        by=promotion.by,
        why=_cell(promotion.why),
        former="nobody" if former is None else former.name,
        fit=_pairs(about.get("fit")),
        cut_off=standing.champion.cut_off.isoformat(),
        versions=_pairs(about.get("versions")),
        code=f"{environment.get('code_sha256', MISSING)}, commit "
        f"{environment.get('git_commit', MISSING)}",
        installed=environment.get("installed_sha256", MISSING),
        judged=_judged(promotion.decision),
        **{each: about.get(each, MISSING) for each in names},
    )


def _mapping(value: object) -> Mapping[str, object]:
    """Return a mapping, empty if it is none."""
    return value if isinstance(value, Mapping) else {}


def _pairs(value: object) -> str:
    """Return a mapping as "name value" pairs."""
    pairs = [f"{name} {each}" for name, each in _mapping(value).items() if name != "is"]
    return _cell(", ".join(pairs)) or MISSING


def _cell(text: str) -> str:
    """Return a text that fits into a cell of a table."""
    return " ".join(text.replace("|", "/").split())


def _judged(decision: Decision | None) -> str:
    """Say what the gate found."""
    if decision is None or decision.gate is None:
        return "No gate was asked about it in this step."
    gate = decision.gate
    return f"The gate: {gate.why} ({gate.rows} rows of {gate.days} days)."
