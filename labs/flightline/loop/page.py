"""The status page of a run: who answers, what was decided, what is wrong.

One file without anything from elsewhere, light and dark. The run book is named with
each alert, and the page says at which step of the clock it was written.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from flightline import drift, training
from flightline.experiments import PAGE_COLOURS, SVG_SETTINGS, as_svg, fill_page
from flightline.loop.journal import (
    METRICS,
    digest_of,
    last_tick,
    read_alerts,
    read_decisions,
    read_models,
    reading,
)
from flightline.loop.standing import Standing, standing_of

PAGE = """
<p>As of {{ now }} on the simulated clock.</p>
{%- for alert in open %}
<p class="callout"><strong>{{ alert.name }}:</strong> {{ alert.said }}. What to do
stands in the run book, under {{ alert.name }}.</p>
{%- else %}
<p>No alert in the last step.</p>
{%- endfor %}
<h2>Who answers</h2>
{{ table("The standing", ["what", "model", "since"], standing) }}
{%- if drawing %}
<h2>How the answers came out</h2>
{{ drawing }}
{%- endif %}
<h2>What was decided</h2>
{{ table("Every decision, the newest first", ["at", "what", "model", "why"],
         decisions) }}
<h2>Models</h2>
{{ table("Every model of the run", ["model", "knows until", "rows", "late"], models) }}
<h2>Alerts</h2>
{%- if alerts %}
{{ table("The newest alerts, at most fifty", ["at", "alert", "what was seen"],
         alerts) }}
{%- else %}
<p>None was raised.</p>
{%- endif %}
<p>{{ answers }} answers; digest of all that was answered and decided: {{ digest }}.</p>
"""

MOST = 50
"""The most alerts that a page lists."""


def to_html(folder: Path | str, title: str = "Flightline's loop") -> str:
    """Return the status of a run as one page, which needs no network.

    Parameters
    ----------
    folder : path
        The folder of a run; it may be running.
    title : str
        Its heading.

    Returns
    -------
    str
        HTML. Every text is escaped.

    Raises
    ------
    ValueError
        If there is no run, or it has not begun.
    """
    with reading(folder) as base:
        now, said, models = last_tick(base), read_decisions(base), read_models(base)
        alerts, digest = read_alerts(base), digest_of(base)
        answers = base.execute("SELECT count(*) FROM answers").fetchone()[0]
    standing = standing_of(said)
    if now is None or standing is None:
        raise ValueError(f"{folder}: the run has not finished its first step yet.")
    newest = alerts.iloc[::-1].head(MOST)
    return fill_page(
        PAGE,
        title,
        now=_moment(now),
        open=alerts[alerts["at"] == now].to_dict("records"),
        standing=_standing(standing),
        drawing=Markup(_drawing(Path(folder) / METRICS)),
        decisions=[decision_row(*each) for each in reversed(said)],
        models=[
            (name, _moment(about["cut_off"]), about["rows"], about["late"])
            for name, about in models.items()
        ],
        alerts=[
            (_moment(row.at), row.name, row.said)
            for row in newest.itertuples(index=False)
        ],
        answers=f"{answers:,}",
        digest=digest[:16],
    )


def write(folder: Path | str, path: Path | None = None) -> Path:
    """Write the status page in one step.

    Parameters
    ----------
    folder : path
        The folder of a run.
    path : Path, optional
        The file; `status.html` in the folder by default.

    Returns
    -------
    Path
    """
    path = Path(folder) / "status.html" if path is None else path
    training.write_atomic(path, to_html(folder).encode())
    return path


def _moment(at: object) -> str:
    """Return a moment as a person reads it."""
    return f"{pd.Timestamp(str(at)):%Y-%m-%d %H:%M} UTC"


def _standing(standing: Standing) -> list[tuple[str, str, str]]:
    """Return who answers, who is on trial, and who answered before."""
    rows = [("answers", standing.champion.name, _moment(standing.since))]
    if standing.challenger is not None:
        rows.append(
            ("on trial", standing.challenger.name, _moment(standing.tried_since))
        )
    if standing.former is not None:
        rows.append(("answered before", standing.former.name, ""))
    return rows


def decision_row(
    at: pd.Timestamp, kind: str, body: Mapping[str, object]
) -> tuple[str, str, str, str]:
    """Return a decision of the journal as a row: when, what, which model, and why.

    Parameters
    ----------
    at, kind, body
        As `journal.read_decisions` returns them.

    Returns
    -------
    tuple of str
    """
    found = body.get("decision") or body.get("review") or body.get("order") or {}
    part = found if isinstance(found, Mapping) else {}
    what = str(part.get("outcome") or part.get("action") or kind[2:])
    if body.get("held"):
        what += ", waits for a permit"
    model = part.get("challenger") or part.get("model")
    after = body["after"]
    if kind.endswith("start") and isinstance(after, Mapping):
        model = after["champion"]
    name = str(model["name"]) if isinstance(model, Mapping) else ""
    why = [str(part.get("reason") or part.get("why") or body.get("reason") or "")]
    gate = part.get("gate")
    if isinstance(gate, Mapping):
        why.append(f"gate: {gate['why']}")
    return _moment(at), what, name, "; ".join(each for each in why if each)


def _drawing(store: Path) -> str:
    """Draw the log-loss of each mature day; nothing if there are fewer than two."""
    if not store.is_file():
        return ""
    rows = drift.read_metrics(store, "log_loss").drop_duplicates("at")
    if len(rows) < 2:
        return ""
    return _track(rows["at"].tolist(), rows["value"].tolist())


def _track(at: Sequence[pd.Timestamp], value: Sequence[float]) -> str:
    """Draw a number over time, with the first and the last day named."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SVG_SETTINGS):
        figure = Figure(figsize=(7.0, 2.2), facecolor="none")
        axes = figure.add_axes((0.09, 0.16, 0.89, 0.74), facecolor="none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.plot(range(len(value)), value, color=PAGE_COLOURS["dot"])
        axes.set_ylim(0, 1.1 * max(value))
        ends = [0, len(value) - 1]
        axes.set_xticks(ends, [f"{at[end]:%d %b}" for end in ends])
        text = (
            f"Log-loss of {len(value)} mature days, from {at[0]:%d %B} to "
            f"{at[-1]:%d %B}: lowest {min(value):.2f}, highest {max(value):.2f}"
        )
        return as_svg(figure, "Log-loss of the answers by mature day", text)
