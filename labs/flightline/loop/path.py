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
from pathlib import Path

import pandas as pd

from flightline import lake, training
from flightline.features import T
from flightline.lake import failpoint
from flightline.loop import answering, cards, monitor, permits, studio
from flightline.loop.canary import Trial
from flightline.loop.clock import DAY, START, Clock, Tick, decides
from flightline.loop.fits import Fit
from flightline.loop.journal import (
    Entry,
    Journal,
    digest_of,
    last_tick,
    read_answers,
    read_decisions,
    read_shadows,
)
from flightline.loop.labels import WAIT, LabelJoin
from flightline.loop.memory import Memory, first_table, labels_known
from flightline.loop.policy import Decision, Evidence, Model, Policy, decide, gather
from flightline.loop.source import FEEDS, Source
from flightline.loop.standing import (
    Standing,
    deployed,
    plain,
    standing_of,
    to_body,
    write_rollout,
)

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
    share : float
        A challenger's part of the traffic during a trial.
    automatic : bool
        Whether the loop may put a model before the traffic by itself. If not, what
        passes waits for `permits.order`, which asks for a key.
    """

    policy: Policy
    fit: Fit = field(default_factory=Fit)
    start: pd.Timestamp = START
    wait: pd.Timedelta = WAIT
    step: pd.Timedelta = DAY
    share: float = 0.05
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
        self.journal, self.say = journal, say
        self.lake, self.models = folder / "lake", folder / "models"
        self.join = LabelJoin(plan.wait)
        self.versions = {
            name: len(lake.log(self.lake, name)) for name in lake.tables(self.lake)
        }
        self.environment = training.provenance(source.folder or folder)
        self.standing = standing_of(read_decisions(journal.base))

    def go(self, until: pd.Timestamp) -> None:
        """Do all steps that are due until a moment."""
        plan, last = self.plan, last_tick(self.journal.base)
        clock = Clock(plan.start, until, plan.step)
        ticks = list(clock.ticks(last))
        if self.standing is None or last is None:
            self._begin()
            last = plan.start
        if not ticks:
            return
        self._remember(last)
        flow = lake.replay(
            self.source.tables, step=plan.step, start=last, end=ticks[-1].now
        )
        for tick, (now, news) in zip(ticks, flow, strict=True):
            if now != tick.now:
                raise RuntimeError(f"the replay is at {now}, the clock at {tick.now}.")
            self._step(tick, news)

    # --- the first step -------------------------------------------------------------

    def _begin(self) -> None:
        """Bring the past into the lake, and train the first champion on it."""
        tick = Tick(self.plan.start - self.plan.step, self.plan.start)
        for feed in FEEDS:
            rows = self.source.tables[feed]
            past = rows[rows["available_at"] <= tick.now]
            months = past["event_time"].dt.strftime("%Y-%m")
            for _, part in past.groupby(months):
                self._append(feed, part)
        failpoint("loop-arrived")
        self.first = first_table(self.lake, tick.now)
        self.labels = labels_known(self.lake, tick.now)
        self.rows: list[pd.DataFrame] = []
        made = self._train(tick.now)
        failpoint("loop-trained")
        standing = Standing(made.model, tick.now)
        why = "the first model: there was none"
        self._write_card(standing, why, None)
        failpoint("loop-carded")
        nothing = pd.DataFrame(columns=["model", "id", "score"])
        empty = ["id", "asked_at", "day", "due_at", "model", "score", "source"]
        entry = Entry(
            pd.DataFrame(columns=empty),
            nothing,
            self.versions,
            [("start", to_body(standing, reason=why))],
            [self._note(made)],
            environment=self.environment,
        )
        self.journal.commit(tick, entry)
        self.standing = standing
        self._deploy()
        self.say(f"{tick.now:%Y-%m-%d}: {made.model.name} is the first champion")

    def _append(self, feed: str, rows: pd.DataFrame) -> lake.Commit:
        """Bring rows of a feed into the lake, once."""
        named = self.source.named(feed, rows)
        done = lake.append(self.lake, feed, rows, source=named)
        self.versions[feed] = max(done.version, self.versions.get(feed, 0))
        return done

    def _remember(self, now: pd.Timestamp) -> None:
        """Read from the folder what is known at a moment."""
        self.mind = Memory(self.lake, now)
        self.labels = labels_known(self.lake, now)
        self.first = pd.DataFrame()  # computed when it is needed
        kept = answering.kept_answers(self.lake, now)
        self.rows = [kept] if len(kept) else []
        self.served = [read_answers(self.journal.base)]
        self.watch = monitor.Watch(self.lake, self.folder / "metrics.sqlite", now)
        self._deploy()

    def _deploy(self) -> None:
        """Load who answers, and tell a service that follows the rollout."""
        if self.standing is None:
            raise RuntimeError("there is no champion yet.")
        self.live = deployed(self.standing, self.models, self.plan.share)
        write_rollout(self.folder / "rollout.json", self.standing, self.plan.share)

    # --- one step -------------------------------------------------------------------

    def _step(self, tick: Tick, news: Mapping[str, pd.DataFrame]) -> None:
        """Do one step of the clock, and note it."""
        heard = {feed: self._arrive(feed, news[feed], tick) for feed in FEEDS}
        failpoint("loop-arrived")
        asks = self.mind.hear(heard, tick)
        self.labels = pd.concat(
            [self.labels, studio.labels_of(heard["arrivals"])], ignore_index=True
        )
        log = f"answers/{tick.now:%Y-%m-%dT%H%M}.jsonl"
        answered = answering.answer(asks, self.live, self.folder / log)
        failpoint("loop-answered")
        kept = answering.keep_answers(self.lake, asks, answered, log)
        failpoint("loop-kept")
        if len(kept):
            self.rows.append(kept)
            self.versions[answering.TABLE] = len(lake.log(self.lake, answering.TABLE))
        self.served.append(answered.served.assign(tick=tick.now))
        alerts = self.watch.measure(tick, heard, answered, self._recent(tick.now))
        failpoint("loop-measured")
        decisions, models, standing = self._decide(tick)
        entry = Entry(
            answered.served,
            answered.shadows,
            self.versions,
            decisions,
            models,
            alerts,
            log,
            answered.log_sha256,
            answered.refused,
            self.environment,
        )
        self.journal.commit(tick, entry)
        permits.done(self.folder, tick.now)
        if standing != self.standing:
            self.standing = standing
            self._deploy()

    def _arrive(self, feed: str, rows: pd.DataFrame, tick: Tick) -> pd.DataFrame:
        """Bring the news of a feed into the lake; return what the lake took of it."""
        if rows.empty:
            return rows
        if not self._append(feed, rows).quarantined:
            return rows
        held = lake.read(self.lake, feed)
        inside = (held["available_at"] > tick.since) & (held["available_at"] <= tick.now)
        return held[inside].sort_values(["available_at", "event_time"], kind="stable")

    def _recent(self, now: pd.Timestamp) -> pd.DataFrame:
        """Return the answers of five weeks with the labels that are known."""
        rows = pd.concat(self.served[-40:], ignore_index=True)
        rows = rows[rows["asked_at"] > now - pd.Timedelta(days=35)]
        return self.join(rows, self.labels, now)

    # --- decisions ------------------------------------------------------------------

    def _decide(
        self, tick: Tick
    ) -> tuple[
        list[tuple[str, dict[str, object]]],
        list[tuple[str, pd.Timestamp, dict[str, object]]],
        Standing,
    ]:
        """Review a trial, ask the policy once a week, follow orders; say who is left."""
        said: list[tuple[str, dict[str, object]]] = []
        notes: list[tuple[str, pd.Timestamp, dict[str, object]]] = []
        standing = self._standing()
        if standing.challenger is not None:
            standing, body = self._review(standing, tick.now)
            said.append(("1 review", body))
        if decides(tick):
            made: list[studio.Trained] = []
            found = self._ask(standing, tick.now, made)
            held = found.outcome in ("trial", "promoted") and not self.plan.automatic
            if made:
                failpoint("loop-trained")
                notes = [self._note(made[0])]
            if not held and found.outcome == "trial" and found.challenger:
                standing = standing.tried(found.challenger, tick.now)
            if not held and found.outcome == "promoted":
                standing = standing.promoted(found.champion_after, tick.now)
                self._write_card(standing, found.reason or "", found)
                failpoint("loop-carded")
            said.append(("2 decide", to_body(standing, decision=found, held=held)))
            self.say(_line(found, held))
        order = permits.pending(self.folder, self.journal.base)
        if order is not None:
            standing = standing.promoted(order.model, tick.now)
            self._write_card(standing, order.why, None, by=order.by)
            said.append(("3 order", to_body(standing, order=order)))
            self.say(f"{tick.now:%Y-%m-%d}: {order.by} promotes {order.model.name}")
        return said, notes, standing

    def _standing(self) -> Standing:
        """Return who answers now."""
        if self.standing is None:
            raise RuntimeError("there is no champion yet.")
        return self.standing

    def _ask(
        self, standing: Standing, now: pd.Timestamp, made: list[studio.Trained]
    ) -> Decision:
        """Ask the policy, with the evidence that is known now."""

        def train(cut_off: pd.Timestamp, remedy: str, evidence: Evidence) -> studio.Trained:
            made.append(self._train(cut_off, remedy, standing.champion))
            return made[-1]

        answers = self._answers_of(standing.champion)
        evidence = gather(
            now,
            standing.champion,
            answers,
            self.labels,
            join=self.join,
            on_trial=standing.challenger,
        )
        return decide(evidence, self.plan.policy, train)

    def _answers_of(self, model: Model) -> pd.DataFrame:
        """Return a model's answers since its cut-off, given or computed afterwards."""
        rows = pd.concat(self.rows, ignore_index=True)
        rows = rows[rows[T] > model.cut_off]
        return studio.scored_by(rows, model, self.models)
