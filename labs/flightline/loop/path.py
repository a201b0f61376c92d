"""The full path: a clock, a lake, features, a service, labels, a monitor, decisions.

One step of the clock does this, in this order, and the journal takes it whole or not at
all:

1. *arrive*: what became known goes into the lake;
2. *answer*: each flight whose prediction falls into the step gets its features as known
   at that moment, and its score from the service;
3. *measure*: labels that have matured judge the answers, the metrics store keeps what
   was found, and alerts are raised;
4. *decide*: a trial is reviewed; once a week the policy is asked, and may train;
5. *note*: the journal.

Everything before the journal can be done twice. So a run that was killed, wherever,
is started again with the same call, and ends with the same decisions.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pandas as pd

from flightline import drift, lake, serving, training
from flightline.features import T
from flightline.lake import failpoint
from flightline.loop import answering, canary, cards, monitor, permits
from flightline.loop.clock import DAY, START, Clock, Tick, decides
from flightline.loop.fits import Fit
from flightline.loop.journal import (
    ANSWERS,
    LAKE,
    METRICS,
    MODELS,
    SHADOWS,
    Entry,
    Journal,
    digest_of,
    last_tick,
    read_answers,
    read_decisions,
    read_models,
    read_shadows,
)
from flightline.loop.labels import WAIT, LabelJoin
from flightline.loop.memory import Memory, first_table, reports_known
from flightline.loop.policy import Decision, Evidence, Policy, Remedy, decide, gather
from flightline.loop.source import FEEDS, Source
from flightline.loop.standing import (
    Standing,
    deployed,
    plain,
    standing_of,
    to_body,
    write_rollout,
)
from flightline.loop.studio import Studio, Trained, labels_of

FAILPOINTS = (
    "loop-arrived",
    "loop-answered",
    "loop-kept",
    "loop-measured",
    "loop-trained",
    "loop-carded",
    "journal-half",
    "journal-whole",
    "journal-kept",
)
"""The steps at which a test can kill a run, in order."""


@dataclass(frozen=True)
class Plan:
    """All that decides a run, besides what happens in the world.

    Attributes
    ----------
    policy : Policy
        When to train, and what a challenger must pass.
    fit : Fit
        How a model is trained.
    start : Timestamp
        The first moment of the stream; the first champion learns what is mature then.
    wait : Timedelta
        How long behind its due time a label is waited for.
    step : Timedelta
        How far the clock moves at a time.
    trial : canary.Plan
        How a challenger is tried, if the policy asks for trials.
    automatic : bool
        Whether the loop may put a model before the traffic by itself. If not, what
        passes waits for `permits.order`, which asks for a key.
    """

    policy: Policy
    fit: Fit = field(default_factory=Fit)
    start: pd.Timestamp = START
    wait: pd.Timedelta = WAIT
    step: pd.Timedelta = DAY
    trial: canary.Plan = field(default_factory=canary.Plan)
    automatic: bool = True

    def text(self, source: Source) -> str:
        """Return all of it, and the identity of a source, as one text."""
        said = {"plan": plain(self), "source": source.identity}
        return json.dumps(said, sort_keys=True)


def run(
    folder: Path | str,
    source: Source,
    plan: Plan,
    until: pd.Timestamp,
    *,
    say: Callable[[str], None] = lambda line: None,
) -> str:
    """Run the loop until a moment, from wherever an earlier run stopped.

    Parameters
    ----------
    folder : path
        The folder of the run; it is made if it is missing.
    source : Source
        What happens in the world.
    plan : Plan
        What is done about it.
    until : Timestamp
        The end, with a zone. A step that is not over then waits.
    say : callable
        Told a line about each decision.

    Returns
    -------
    str
        The digest of all that was answered and decided.

    Raises
    ------
    journal.Busy
        If another loop runs on the folder.
    journal.BrokenJournal, lake.Damaged, training.Damaged
        If a store is damaged; the message says which, and what to do.
    clock.Backwards
        If the run is further already.
    ValueError
        If the folder holds a run of another plan or source.
    OSError
        If the disk refuses. The last whole step is kept; start again with more room.
    """
    folder = Path(folder)
    with Journal(folder) as journal:
        journal.begin(plan.text(source))
        _Run(folder, source, plan, journal, say).go(until)
        return digest_of(journal.base)


Settled = tuple[str, dict[str, object]]
Note = tuple[str, pd.Timestamp, dict[str, object]]


class _Run:
    """One process of a run: what it has in memory, all of which the folder holds."""

    def __init__(
        self,
        folder: Path,
        source: Source,
        plan: Plan,
        journal: Journal,
        say: Callable[[str], None],
    ) -> None:
        self.folder, self.source, self.plan = folder, source, plan
        self.journal, self.say, self.lake = journal, say, folder / LAKE
        self.studio = Studio(folder / MODELS, plan.fit, plan.wait)
        self.join = LabelJoin(plan.wait)
        self.versions = {
            name: len(lake.log(self.lake, name)) for name in lake.tables(self.lake)
        }
        self.environment = _environment(source.folder)
        self.first: pd.DataFrame | None = None
        self.rows: list[pd.DataFrame] = []
        self.served = pd.DataFrame(columns=ANSWERS)

    def go(self, until: pd.Timestamp) -> None:
        """Do all steps that are due until a moment."""
        plan, base = self.plan, self.journal.base
        last = last_tick(base)
        ticks = list(Clock(plan.start, until, plan.step).ticks(last))
        found = standing_of(read_decisions(base))
        self.standing = found or self._begin()
        self._deploy()
        if not ticks:
            return
        begin, end = ticks[0].since, ticks[-1].now
        self._remember(begin)
        flow = lake.replay(self.source.tables, str(plan.step), begin, end)
        for tick, (now, news) in zip(ticks, flow, strict=True):
            if now != tick.now:
                raise RuntimeError(f"the replay is at {now}, the clock at {tick.now}.")
            self._step(tick, news)

    # --- the first step -------------------------------------------------------------

    def _begin(self) -> Standing:
        """Bring the past into the lake, and train the first champion on it."""
        plan, tick = self.plan, Tick(self.plan.start - self.plan.step, self.plan.start)
        for feed in FEEDS:
            rows = self.source.tables[feed]
            past = rows[rows["available_at"] <= tick.now]
            for _, part in past.groupby(past["event_time"].dt.strftime("%Y-%m")):
                self._append(feed, part)
        failpoint("loop-arrived")
        self.labels = labels_of(reports_known(self.lake, tick.now))
        made = self._train(plan.start - plan.policy.holdout)
        failpoint("loop-trained")
        standing, why = Standing(made.model, tick.now), "there was no model before it"
        cards.write(self.folder, cards.Promotion(standing, why, about=made.about))
        failpoint("loop-carded")
        entry = Entry(
            pd.DataFrame(columns=ANSWERS),
            pd.DataFrame(columns=SHADOWS),
            self.versions,
            [("0 start", to_body(standing, reason=why))],
            [_note(made)],
            environment=self.environment,
        )
        self.journal.commit(tick, entry)
        self.say(f"{tick.now:%Y-%m-%d} start: {made.model.name} answers")
        return standing

    def _append(self, feed: str, rows: pd.DataFrame) -> lake.Commit:
        """Bring rows of a feed into the lake, once."""
        named = self.source.named(feed, rows)
        done = lake.append(self.lake, feed, rows, source=named)
        self.versions[feed] = max(done.version, self.versions.get(feed, 0))
        return done

    def _remember(self, now: pd.Timestamp) -> None:
        """Read from the folder what is known at a moment."""
        self.mind = Memory(self.lake, now)
        self.labels = labels_of(reports_known(self.lake, now))
        kept = answering.kept_answers(self.lake, now)
        self.rows = [kept] if len(kept) else []
        self.served = read_answers(self.journal.base, since=now - RECENT)
        self.watch = monitor.Watch(self.lake, self.folder / METRICS, now)

    def _deploy(self) -> None:
        """Load who answers, and tell a service that follows the rollout."""
        share = self.plan.trial.share
        self.live = deployed(self.standing, self.studio.folder)
        write_rollout(self.folder / "rollout.json", self.standing, share)

    # --- one step -------------------------------------------------------------------

    def _step(self, tick: Tick, news: Mapping[str, pd.DataFrame]) -> None:
        """Do one step of the clock, and note it."""
        heard = {feed: self._arrive(feed, news[feed], tick) for feed in FEEDS}
        failpoint("loop-arrived")
        asks = self.mind.hear(heard, tick)
        fresh = labels_of(heard["arrivals"])
        self.labels = pd.concat([self.labels, fresh], ignore_index=True)
        log = f"answers/{tick.now:%Y-%m-%dT%H%M}.jsonl"
        trial = self._trial(self.standing)
        assign = None if trial is None else _assign(trial)
        answered = answering.answer(asks, self.live, self.folder / log, assign)
        failpoint("loop-answered")
        kept, version = answering.keep_answers(self.lake, asks, answered, log)
        failpoint("loop-kept")
        if version:
            self.rows.append(kept)
            self.versions[answering.TABLE] = version
        self._note_answers(answered.served.assign(tick=tick.now), tick.now)
        decided = read_decisions(self.journal.base)
        recent = self._recent(tick.now)
        seen = self.watch.measure(tick, heard, answered, recent, decided)
        failpoint("loop-measured")
        standing, decisions, notes = self._decide(tick, answered)
        entry = Entry(
            answered.served,
            answered.shadows,
            self.versions,
            decisions,
            notes,
            seen.alerts,
            log,
            answered.log_sha256,
            answered.refused,
            seen.counts,
            self.environment,
        )
        self.journal.commit(tick, entry)
        permits.clear(self.folder, self.journal.base)
        if standing != self.standing:
            self.standing = standing
            self._deploy()

    def _arrive(self, feed: str, rows: pd.DataFrame, tick: Tick) -> pd.DataFrame:
        """Bring the news of a feed into the lake; return what the lake took of it."""
        if rows.empty or not self._append(feed, rows).quarantined:
            return rows
        held = lake.read(self.lake, feed)
        known = held["available_at"]
        inside = (known > tick.since) & (known <= tick.now)
        return held[inside].sort_values(["available_at", "event_time"], kind="stable")

    def _note_answers(self, served: pd.DataFrame, now: pd.Timestamp) -> None:
        """Keep what was answered lately, in the order of the journal."""
        both = pd.concat([self.served, served]) if len(self.served) else served
        both = both[both["asked_at"] > now - RECENT]
        self.served = both.sort_values(["asked_at", "id"], ignore_index=True)

    def _recent(self, now: pd.Timestamp) -> pd.DataFrame:
        """Return what was answered lately, with the labels that are known."""
        labels = self.labels[self.labels["available_at"] > now - RECENT]
        joined = self.join(self.served, labels, now)
        first = labels.drop_duplicates("id").set_index("id")["available_at"]
        known = joined["id"].map(first).astype(lake.UTC)
        ripe = joined["due_at"] + self.plan.wait
        return joined.assign(judged_at=ripe.where(known <= ripe, known))

    # --- decisions ------------------------------------------------------------------

    def _decide(
        self, tick: Tick, answered: answering.Answered
    ) -> tuple[Standing, list[Settled], list[Note]]:
        """Review a trial, ask the policy once a week, follow orders."""
        standing, said, notes = self.standing, list[Settled](), list[Note]()
        trial = self._trial(standing)
        if trial is not None:
            standing, body = self._review(trial, tick.now, answered)
            said.append(("1 review", body))
        if decides(tick, self.plan.start):
            standing, body, notes = self._ask(standing, tick.now)
            said.append(("2 decide", body))
        order = permits.pending(self.folder, self.journal.base)
        if order is not None:
            standing = standing.promoted(order.model, tick.now)
            self._write_card(standing, order.why, by=order.by)
            said.append(("3 order", to_body(standing, order=order)))
            self.say(f"{tick.now:%Y-%m-%d} {order.by} promotes {order.model.name}")
        return standing, said, notes

    def _trial(self, standing: Standing) -> canary.Trial | None:
        """Return the trial that is under way."""
        new, since = standing.challenger, standing.tried_since
        if new is None or since is None:
            return None
        return canary.Trial(standing.champion, new, since, self.plan.trial)

    def _review(
        self, trial: canary.Trial, now: pd.Timestamp, answered: answering.Answered
    ) -> tuple[Standing, dict[str, object]]:
        """Look at a trial; end it if it is over."""
        served = self.served[self.served["asked_at"] > trial.since]
        new = [answered.shadows[WHO_SAID]]
        for model in (trial.champion, trial.challenger):
            old = read_shadows(self.journal.base, model.name, since=trial.since)
            new.append(old.assign(model=model.name))
        said = pd.concat([each for each in (served[WHO_SAID], *new) if len(each)])
        scores = said.pivot(index="id", columns="model", values="score")
        asked = served.set_index("id")[["asked_at", "day", "due_at"]]
        both = {
            "champion": scores.reindex(columns=[trial.champion.name]).iloc[:, 0],
            "challenger": scores.reindex(columns=[trial.challenger.name]).iloc[:, 0],
        }
        table = asked.assign(**both).reset_index()
        lost = table[["champion", "challenger"]].isna()
        tallies = tuple(
            serving.canary.Tally(len(table), int(lost[name].sum())) for name in both
        )
        whole = table[~lost.any(axis=1)]
        known = self.labels[self.labels["available_at"] > trial.since]
        paired = canary.pair(whole, known, now, self.join)
        found = canary.review(trial, paired, now, (tallies[0], tallies[1]))
        standing = self.standing
        if found.action == "roll back":
            standing = standing.without_trial()
        if found.action == "promote":
            standing = standing.promoted(trial.challenger, now)
            self._write_card(standing, found.why)
        self.say(f"{now:%Y-%m-%d} trial of {trial.challenger.name}: {found.action}")
        return standing, to_body(standing, review=found)

    def _ask(
        self, standing: Standing, now: pd.Timestamp
    ) -> tuple[Standing, dict[str, object], list[Note]]:
        """Ask the policy, with the evidence that is known now, and do what it says."""
        made: list[Trained] = []

        def train(cut_off: pd.Timestamp, remedy: Remedy, evidence: Evidence) -> Trained:
            if remedy != "retrain":
                raise ValueError("the full path trains models; it calibrates none.")
            made.append(self._train(cut_off))
            failpoint("loop-trained")
            return made[-1]

        rows = pd.concat(self.rows, ignore_index=True)
        champion = standing.champion
        evidence = gather(
            now,
            champion,
            self.studio.answers_of(champion, rows[rows[T] > champion.cut_off]),
            self.labels,
            join=self.join,
            on_trial=standing.challenger,
            learned_scores=self.studio.learned_scores(champion),
        )
        self._note_four_weeks(evidence)
        found = decide(evidence, self.plan.policy, train)
        notes = [_note(each) for each in made]
        held = found.outcome in ("trial", "promoted") and not self.plan.automatic
        if not held and found.outcome == "trial" and found.challenger is not None:
            standing = standing.tried(found.challenger, now)
        if not held and found.outcome == "promoted":
            standing = standing.promoted(found.champion_after, now)
            self._write_card(standing, found.reason or "", found, made[0].about)
        self.say(_line(found, held))
        return standing, to_body(standing, decision=found, held=held), notes

    def _note_four_weeks(self, evidence: Evidence) -> None:
        """Write to the metrics store how the champion did in the last four weeks."""
        about = read_models(self.journal.base)[evidence.champion.name]
        base_rate = float(str(about["late"])) / float(str(about["rows"]))
        found = monitor.of_four_weeks(evidence, base_rate)
        if len(found):
            drift.write_metrics(self.watch.store, evidence.now, found)

    def _train(self, cut_off: pd.Timestamp) -> Trained:
        """Train a model on all that was mature at a cut-off."""
        if self.first is None:
            self.first = first_table(self.lake, self.plan.start)
        rows = pd.concat([self.first, *self.rows], ignore_index=True)
        said = {"versions": dict(self.versions), "environment": self.environment}
        return self.studio.train(rows, self.labels, cut_off, said)

    def _write_card(
        self,
        standing: Standing,
        why: str,
        decision: Decision | None = None,
        about: Mapping[str, object] | None = None,
        by: str = "loop",
    ) -> None:
        """Write the card of the model that takes over."""
        known = read_models(self.journal.base).get(standing.champion.name, {})
        promotion = cards.Promotion(standing, why, by, about or known, decision)
        cards.write(self.folder, promotion)
        failpoint("loop-carded")


RECENT = 40 * DAY
"""How much of what was answered is still looked at: every trial, every window."""

WHO_SAID = ["id", "model", "score"]


def _assign(trial: canary.Trial) -> Callable[[str], str]:
    """Return what decides who answers a flight during a trial."""

    def label(flight_id: str) -> str:
        asked = trial.answers(flight_id)
        return "challenger" if asked == trial.challenger else "champion"

    return label


@cache
def _environment(data: Path | None) -> dict[str, str]:
    """Return what this process runs on; it does not change while it runs."""
    return training.provenance(Path() if data is None else data)


def _note(made: Trained) -> Note:
    """Return what the journal keeps of a model."""
    return made.model.name, made.model.cut_off, dict(made.about)


def _line(found: Decision, held: bool) -> str:
    """Return a decision as a line for a person."""
    what = f"{found.at:%Y-%m-%d} {found.outcome}"
    if found.reason is None:
        return f"{what}: no reason to train"
    name = "" if found.challenger is None else f" {found.challenger.name}"
    waits = ", waits for a permit" if held else ""
    return f"{what}{name}{waits}: {found.reason}"
