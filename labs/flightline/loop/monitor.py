"""What a step leaves in the metrics store, and the alerts that it raises.

The numbers are those of lab 12: how many answers, how fast, from which features; how
old the newest row of each feed is; how the answers that have matured came out. Which
alerts there are, `alerts` says; what they mean, and what to do, the run book.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from flightline import drift, lake
from flightline.loop.alerts import (
    BURNS,
    LATENCY,
    LINES,
    QUALITY,
    burning,
    is_wrong,
    spans,
)
from flightline.loop.answering import Answered
from flightline.loop.clock import DAY, Tick
from flightline.loop.core import losses
from flightline.loop.labels import silence, silent_days, with_labels
from flightline.loop.policy import Evidence
from flightline.loop.standing import Said
from flightline.loop.triggers import few_days

WATCHED = ("departures", "arrivals", "weather")
"""Feeds that never rest for long."""

HISTORY = 14 * DAY
"""How much of a feed's past says what is usual."""

RATE = 0.005
"""The rate of false alarms of each look at a feed: its history holds 336 hours."""

SLOW_MS = 100.0
"""From when on an answer is slow, for the objective of latency."""

MINUTE = pd.Timedelta(minutes=1)

FEED_SILENT = "flightline_feed_silent"
LABELS_SILENT = "flightline_label_silent_days"
REFUSED = "flightline_requests_refused"
HELD = "flightline_promotions_held"
GATED = "flightline_refused_in_a_row"
TAKEN_BACK = "flightline_rolled_back_in_a_row"

Raised = tuple[pd.Timestamp, str, str]
"""When an alert was raised, its name, and what it said."""


@dataclass(frozen=True)
class Seen:
    """What a look at a step found.

    Attributes
    ----------
    alerts : list of (at, name, said)
    counts : dict of int
        What the counters of the objectives grew by.
    """

    alerts: list[Raised]
    counts: dict[str, int]


class Watch:
    """Looks at each step, and writes to the metrics store.

    Parameters
    ----------
    lake_dir : path
        The lake, for the past of the feeds.
    store : path
        The metrics store.
    now : Timestamp
        The end of the last step.
    """

    def __init__(
        self, lake_dir: Path | str, store: Path | str, now: pd.Timestamp
    ) -> None:
        self.store = store
        self.known: dict[str, pd.Series] = {}
        for feed in WATCHED:
            wanted, start = ["available_at"], now - HISTORY
            rows = lake.read(lake_dir, feed, columns=wanted, start=start)
            known = rows["available_at"]
            self.known[feed] = known[known <= now]

    def measure(
        self,
        tick: Tick,
        news: Mapping[str, pd.DataFrame],
        answered: Answered,
        recent: pd.DataFrame,
        decisions: Sequence[Said],
    ) -> Seen:
        """Write what a step shows, and return the alerts.

        Parameters
        ----------
        tick : Tick
        news : mapping of DataFrame
            What the lake took of each feed.
        answered : Answered
            What the service answered.
        recent : DataFrame
            The answers of the last weeks, those of the step included: as `LabelJoin`
            returns them, with `latency_ms`, and `judged_at`, when an answer was mature
            and its label known.
        decisions : sequence of (at, kind, body)
            What was decided before.

        Returns
        -------
        Seen
        """
        feeds = self._feeds(tick, news)
        rows = [operations(answered), quality_by_day(recent), feeds]
        drift.write_metrics(self.store, tick.now, *(each for each in rows if len(each)))
        silent = feeds[feeds["found"] & (feeds["metric"] == "age_h")]
        said = {FEED_SILENT: "; ".join(_aged(row) for row in silent.to_dict("records"))}
        said[LABELS_SILENT] = silence(recent) or ""
        said[REFUSED] = f"{answered.refused} flights got no answer"
        gauges: dict[str, float] = {
            FEED_SILENT: len(silent),
            LABELS_SILENT: len(silent_days(recent)),
            REFUSED: answered.refused,
            **decided(decisions),
        }
        found = [
            (tick.now, alert.name, said.get(alert.gauge) or alert.meaning)
            for alert in LINES
            if gauges.get(alert.gauge, np.nan) > alert.above
        ]
        counts = by_minute(recent, tick)
        step = int((tick.now - tick.since) / MINUTE)
        grown = {name: int(each[-step:].sum()) for name, each in counts.items()}
        return Seen([*found, *budget_alerts(counts, tick)], grown)

    def _feeds(self, tick: Tick, news: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
        """Check that each feed keeps coming."""
        parts = []
        for feed in WATCHED:
            both = pd.concat([self.known[feed], news[feed]["available_at"]])
            self.known[feed] = both[both > tick.now - HISTORY]
            if len(self.known[feed]) < 2:
                row = ["age_h", feed, np.nan, np.nan, 0.0, 0.0, True]
                parts.append(pd.DataFrame([row], columns=drift.CHECK))
            elif tick.now - self.known[feed].min() >= DAY:
                found = drift.watch.feed(self.known[feed], tick.now, alpha=RATE)
                parts.append(found.assign(subject=feed))
        if not parts:
            return pd.DataFrame(columns=drift.CHECK).astype({"found": bool})
        return pd.concat(parts, ignore_index=True).astype({"found": bool})


def _aged(row: Mapping[object, object]) -> str:
    """Say how old the newest row of a feed is."""
    if pd.isna(row["value"]):
        return f"{row['subject']}: no row in two weeks"
    age, most = float(str(row["value"])), float(str(row["high"]))
    return (
        f"{row['subject']}: the newest row is {age:.0f} h old, at most {most:.0f} h in "
        "the two weeks before"
    )


def decided(decisions: Sequence[Said]) -> dict[str, float]:
    """Return the gauges that earlier decisions set.

    Parameters
    ----------
    decisions : sequence of (at, kind, body)

    Returns
    -------
    dict of float
        Whether a promotion waits for a person, how many challengers in a row the gate
        has refused, and how many trials in a row were rolled back.
    """
    refused = taken_back = held = 0
    for _, kind, body in decisions:
        found = body.get("decision")
        outcome = found.get("outcome") if isinstance(found, Mapping) else None
        if outcome == "refused":
            refused += 1
        elif outcome in ("trial", "promoted"):
            refused = 0
        if outcome is not None:
            held = int(bool(body.get("held")) or (held and outcome == "keep"))
        review = body.get("review")
        action = review.get("action") if isinstance(review, Mapping) else None
        if action in ("roll back", "promote"):
            taken_back = taken_back + 1 if action == "roll back" else 0
        if kind.endswith("order"):
            held = 0
    return {HELD: held, GATED: refused, TAKEN_BACK: taken_back}


def by_minute(recent: pd.DataFrame, tick: Tick) -> dict[str, np.ndarray]:
    """Count answers and bad ones by minute, for the objectives.

    Parameters
    ----------
    recent : DataFrame
        As for `Watch.measure`.
    tick : Tick
        The minutes end with it.

    Returns
    -------
    dict of array of int64
        By counter: of the step, and of the longest window before it.
    """
    longest = max(alert.long_min for alert in BURNS)
    minutes = longest + int((tick.now - tick.since) / MINUTE)
    judged = with_labels(recent)
    wrong = is_wrong(judged["score"], judged["late"])
    slow = recent["latency_ms"] > SLOW_MS
    return {
        LATENCY.total: _counted(recent["asked_at"], tick.now, minutes),
        LATENCY.bad: _counted(recent.loc[slow, "asked_at"], tick.now, minutes),
        QUALITY.total: _counted(judged["judged_at"], tick.now, minutes),
        QUALITY.bad: _counted(judged.loc[wrong, "judged_at"], tick.now, minutes),
    }


def _counted(times: pd.Series, now: pd.Timestamp, minutes: int) -> np.ndarray:
    """Count moments by minute; the last minute ends now."""
    back = ((now - times) // MINUTE).to_numpy(np.int64)
    inside = (back >= 0) & (back < minutes)
    place = minutes - 1 - back[inside]
    return np.bincount(place, minlength=minutes)


def budget_alerts(counts: Mapping[str, np.ndarray], tick: Tick) -> list[Raised]:
    """Return when the budgets of the objectives burned too fast in a step.

    Parameters
    ----------
    counts : mapping of array
        What `by_minute` returned.
    tick : Tick

    Returns
    -------
    list of (at, name, said)
        One for each time that an alert fired; `at` is the first minute of it.
    """
    step = int((tick.now - tick.since) / MINUTE)
    found = []
    for alert in BURNS:
        objective = alert.objective
        fired = burning(alert, counts[objective.bad], counts[objective.total])[-step:]
        for first, last in spans(fired):
            at = tick.since + (first + 1) * MINUTE
            until = tick.since + (last + 1) * MINUTE
            said = (
                f"the {objective.name} budget burned {alert.factor:g} times too fast "
            )
            found.append((at, alert.name, f"{said}until {until:%Y-%m-%d %H:%M} UTC"))
    return found


def of_four_weeks(evidence: Evidence, base_rate: float) -> pd.DataFrame:
    """Return how the champion did in the last four weeks, and how its scores moved.

    Parameters
    ----------
    evidence : Evidence
        What the policy is asked with.
    base_rate : float
        The share of late flights that the champion has learned from.

    Returns
    -------
    DataFrame
        The columns CHECK: `performance` by metric, with the ends of its interval as
        `low` and `high`, and the `psi` of the scores; without rows as long as fewer
        than seven days are mature, or the reference is not complete.
    """
    parts = []
    if not few_days(evidence.judged):
        scored = evidence.judged
        found = drift.performance(scored, base_rate=base_rate, blocks="day")
        rows = found.assign(metric="performance", subject=found.index)
        parts.append(rows.assign(false_alarm=np.nan, found=False)[drift.CHECK])
    before, now = evidence.reference["score"], evidence.scored["score"]
    if len(before) and len(now):
        moved = [_row("psi", "score", float(drift.psi(before, now)))]
        parts.append(pd.DataFrame(moved, columns=drift.CHECK))
    if not parts:
        return pd.DataFrame(columns=drift.CHECK)
    return pd.concat(parts, ignore_index=True)


def _row(metric: str, subject: str, value: float) -> list[object]:
    """Return a number without limits, as the metrics store keeps it."""
    return [metric, subject, float(value), np.nan, np.nan, np.nan, False]


def operations(answered: Answered) -> pd.DataFrame:
    """Return how a step was answered: how many, how fast, from which features.

    Parameters
    ----------
    answered : Answered

    Returns
    -------
    DataFrame
        The columns CHECK.
    """
    served = answered.served
    rows = [
        _row("answers", "service", len(served)),
        _row("refused", "service", answered.refused),
    ]
    if len(served):
        rows += [
            _row("p50_ms", "service", served["latency_ms"].median()),
            _row("p99_ms", "service", served["latency_ms"].quantile(0.99)),
            _row("fallback_share", "service", (served["source"] != "online").mean()),
            _row("mean_score", "service", served["score"].mean()),
        ]
    return pd.DataFrame(rows, columns=drift.CHECK)


def quality_by_day(recent: pd.DataFrame) -> pd.DataFrame:
    """Return how the newest day came out of which all answers are mature.

    Parameters
    ----------
    recent : DataFrame
        As `LabelJoin` returns it.

    Returns
    -------
    DataFrame
        `log_loss`, `gap` (mean score less the share of late flights) and
        `labelled_share` of that day, with the columns CHECK; without rows if no day is
        mature.
    """
    whole = recent.groupby("day")["mature"].all()
    days = whole.index[whole]
    if not len(days):
        return pd.DataFrame(columns=drift.CHECK)
    rows = recent[recent["day"] == days.max()]
    judged = with_labels(rows)
    found = [_row("labelled_share", "labels", len(judged) / len(rows))]
    if len(judged):
        late = judged["late"].to_numpy(np.float64)
        score = judged["score"].to_numpy(np.float64)
        found += [
            _row("log_loss", "champion", losses(score, late).mean()),
            _row("gap", "champion", score.mean() - late.mean()),
        ]
    return pd.DataFrame(found, columns=drift.CHECK)
