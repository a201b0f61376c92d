"""The full path, once for the year: what each stage of a step costs, and what it keeps.

`make bench` runs it and writes `results/loop_path.*` and `results/loop_kept.*`. No
assertion is about a duration: a run of the year that was killed once must end on the
digest of one that was not, and the fast replay must have decided alike.
"""

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import loop, training
from flightline.loop import answering, memory, monitor, path, studio
from flightline.loop.labels import LabelJoin
from flightline.loop.standing import plain
from labkit import bench, data

RESULTS = Path(__file__).parent / "results"
UNTIL = pd.Timestamp("2013-12-23T04:00Z").as_unit("us")
PLAN = loop.Plan(loop.Policy("every 4 weeks", loop.Schedule(4, loop.START)))
STAGES = {
    "events go into the lake": (path._Run, "_arrive"),
    "features are kept up": (memory.Memory, "hear"),
    "requests are scored and logged": (answering, "answer"),
    "their log goes into the lake": (answering, "keep_answers"),
    "the monitor measures": (monitor.Watch, "measure"),
    "a model is trained": (studio.Studio, "train"),
    "the journal is written": (loop.Journal, "commit"),
}
PAGE = {"stage": "Stage", "calls": "Times", "cpu_s": "CPU, s", "share": "Share"}
KEEPS = {"what": "What", "files": "Files", "mib": "MiB"}
KEPT = {
    "answers": "prediction logs",
    "journal.sqlite": "journal",
    "lake": "lake",
    "models": "models",
    "metrics.sqlite": "metrics",
    "cards": "cards of promotions",
}


@pytest.fixture(scope="module")
def source() -> loop.Source:
    return loop.read_source(data.DATA_DIR, range(1, 13))


def timed(spent: dict[str, list[float]], patch: pytest.MonkeyPatch) -> None:
    """Note the CPU seconds of each call of each stage."""

    def around(stage: str, work: Callable) -> Callable:
        def call(*given: object, **named: object) -> object:
            began = time.process_time()
            try:
                return work(*given, **named)
            finally:
                spent[stage].append(time.process_time() - began)

        return call

    for stage, (owner, name) in STAGES.items():
        patch.setattr(owner, name, around(stage, getattr(owner, name)))


def sizes(folder: Path) -> pd.DataFrame:
    """Return how much each part of a run's folder holds, the largest first."""
    rows = []
    for name, what in KEPT.items():
        top = folder / name
        files = [p for p in (top, *top.rglob("*")) if p.is_file()]
        mib = sum(p.stat().st_size for p in files) / 2**20
        rows.append({"what": what, "files": len(files), "mib": mib})
    return pd.DataFrame(rows).sort_values("mib", ascending=False, ignore_index=True)


@pytest.fixture(scope="module")
def folder(source: loop.Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("year")
    spent: dict[str, list[float]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        timed(spent, patch)
        began, clock = time.process_time(), time.monotonic()
        loop.run(where, source, PLAN, UNTIL, say=print)
        whole, wall = time.process_time() - began, time.monotonic() - clock
    rows = [
        {"stage": stage, "calls": len(spent[stage]), "cpu_s": sum(spent[stage])}
        for stage in STAGES
    ]
    rest = whole - sum(row["cpu_s"] for row in rows)
    rows += [{"stage": "the rest", "calls": 1, "cpu_s": rest}]
    table = pd.DataFrame(rows)
    table["share"] = (table["cpu_s"] / whole).round(2)
    table["cpu_s"] = table["cpu_s"].round(1)
    note = f"{whole:.0f} s of CPU in {wall / 60:.1f} minutes for the whole year."
    bench.record(RESULTS, "loop_path", table, PAGE, note)
    kept = sizes(where).round(2)
    note = "What the folder of the run holds at the end of the year."
    bench.record(RESULTS, "loop_kept", kept, KEEPS, note, timed=False)
    return where


def test_the_year_runs_from_end_to_end(folder: Path) -> None:
    with loop.journal.reading(folder) as base:
        loop.journal.verify(base)
        answers = loop.journal.read_answers(base)
        said = loop.journal.read_decisions(base)
    assert len(answers) > 240_000 and answers["id"].is_unique
    assert sum("decision" in body for _, _, body in said) == 38


def test_the_replay_decided_alike(folder: Path) -> None:
    """Decision by decision, and score by score, over the whole year."""
    table = training.load_table(data.DATA_DIR, range(1, 13))
    replay = loop.Replay(table, fit=PLAN.fit, join=LabelJoin(PLAN.wait))
    found = replay.run(PLAN.policy, PLAN.start, UNTIL)
    with loop.journal.reading(folder) as base:
        said = loop.journal.read_decisions(base)
        answers = loop.journal.read_answers(base).set_index("id").sort_index()
    kept = [body["decision"] for _, _, body in said if "decision" in body]
    assert kept[: len(found.decisions)] == [plain(each) for each in found.decisions]
    served = found.served.set_index("id").sort_index()
    assert answers.index.equals(served.index)
    assert (answers["model"] == served["model"]).all()
    assert np.allclose(answers["score"], served["score"], rtol=1e-9, atol=0)


def test_a_year_that_was_killed_ends_on_the_same_digest(
    folder: Path, source: loop.Source, tmp_path: Path
) -> None:
    child = os.fork()
    if not child:
        loop.run(tmp_path, source, PLAN, UNTIL)
        os._exit(0)
    time.sleep(60)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    digest = loop.run(tmp_path, source, PLAN, UNTIL)
    with loop.journal.reading(folder) as base:
        assert loop.journal.verify(base) == digest
