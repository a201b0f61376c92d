"""Checkpoints under fire: kills, a full disk, torn and hostile files, lost pieces."""

import errno
import io
import os

import numpy as np
import pandas as pd
import pytest
import torch
import write_watching
from flightline import training
from flightline.features import CATEGORICAL, NUMERIC
from labkit.training import crashes

POINTS = ("checkpoint-half", "checkpoint-draft", "checkpoint-named")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Make 4,000 random rows: what they mean does not matter here."""
    chance, rows = np.random.default_rng(0), 4_000
    table = pd.DataFrame(chance.normal(size=(rows, len(NUMERIC))), columns=NUMERIC)
    for name in CATEGORICAL:
        table[name] = chance.choice(["a", "b", "c"], rows)
    table["late"] = table["temp"] + chance.normal(size=rows) > 1
    transform = training.Transform.fit(table)
    path = tmp_path_factory.mktemp("rows") / "rows"
    return crashes.prepare(path, table, transform)


@pytest.fixture(scope="module")
def whole(small):
    run = small.start()
    training.train(run, small.data)
    return run


# this task has 16 steps an epoch, 32 in all; checkpoints of the lab come every 40


def test_the_task_reads_back_as_it_was_written(small):
    again = crashes.read(small.path)
    assert again.sizes == small.sizes and again.rows == small.rows == 4_000
    assert all(map(torch.equal, again.data, small.data))


@pytest.mark.parametrize("epoch", [0, 3])
def test_each_epoch_visits_every_row_once_in_an_order_of_its_own(epoch):
    steps = range(epoch * 4, epoch * 4 + 4)
    rows = torch.cat([training.batch_rows(5, step, 1_000, 256) for step in steps])
    assert sorted(rows.tolist()) == list(range(1_000))
    other = training.batch_rows(5, (epoch + 1) * 4, 1_000, 256)
    assert not torch.equal(rows[:256], other)
    assert not torch.equal(rows[:256], training.batch_rows(6, epoch * 4, 1_000, 256))


@pytest.mark.parametrize("at", [1, 7, 16, 17, 31])
def test_resumed_weights_are_bitwise_equal(at, small, whole, tmp_path):
    run = small.start()
    training.train(run, small.data, until=at)
    path = training.save_checkpoint(tmp_path, run)
    assert path.name.startswith(f"step-{at:08d}-")
    resumed = small.start()
    training.train(resumed, small.data, until=3)  # weights of its own
    assert training.load_checkpoint(tmp_path, resumed) == (at, [])
    training.train(resumed, small.data)
    assert crashes.same(resumed, whole) and not crashes.same(run, whole)
    assert resumed.step == whole.step == whole.steps == 32


def test_without_a_checkpoint_a_run_starts_at_the_beginning(small, tmp_path):
    run = small.start()
    assert training.load_checkpoint(tmp_path / "none", run) == (0, [])
    assert run.step == 0


def test_two_checkpoints_are_kept_and_drafts_go(small, tmp_path):
    run = small.start()
    left = tmp_path / f".step-00000001-{'a' * 32}.pt.draft"
    left.write_text("left by a kill")
    for step in (1, 2, 3):
        training.train(run, small.data, until=step)
        training.save_checkpoint(tmp_path, run)
    names = sorted(path.name[:13] for path in tmp_path.iterdir())
    assert names == ["step-00000002", "step-00000003"]


@pytest.mark.parametrize("point", POINTS)
def test_a_full_disk_leaves_the_older_checkpoint(point, small, whole, tmp_path):
    run = small.start()
    training.train(run, small.data, until=5)
    training.save_checkpoint(tmp_path, run)
    training.train(run, small.data, until=9)
    with crashes.full_disk(point), pytest.raises(OSError, match="No space left"):
        training.save_checkpoint(tmp_path, run)
    assert not list(tmp_path.glob(".*"))
    resumed = small.start()
    step, skipped = training.load_checkpoint(tmp_path, resumed)
    assert (step, skipped) == (9 if point == "checkpoint-named" else 5, [])
    training.train(resumed, small.data)
    assert crashes.same(resumed, whole)


def test_torn_files_are_skipped_until_one_is_whole(small, tmp_path):
    run = small.start()
    paths = []
    for step in (2, 4):
        training.train(run, small.data, until=step)
        paths.append(training.save_checkpoint(tmp_path, run))
    crashes.tear(paths[1])
    resumed = small.start()
    found = training.load_checkpoint(tmp_path, resumed)
    assert found == (2, [paths[1].name]) and resumed.step == 2
    paths[0].write_bytes(b"")
    fresh = small.start()
    assert training.load_checkpoint(tmp_path, fresh)[0] == 0 == fresh.step


def test_a_torn_newer_file_never_costs_the_checkpoint_just_written(small, tmp_path):
    """Both kept files are torn; the run starts anew, and saves an earlier step."""
    run = small.start()
    for step in (8, 12):
        training.train(run, small.data, until=step)
        training.save_checkpoint(tmp_path, run)
    for path in tmp_path.iterdir():
        crashes.tear(path)
    again = small.start()
    assert training.load_checkpoint(tmp_path, again)[0] == 0
    training.train(again, small.data, until=4)
    path = training.save_checkpoint(tmp_path, again)
    assert list(tmp_path.iterdir()) == [path]
    assert training.load_checkpoint(tmp_path, small.start()) == (4, [])


@pytest.mark.parametrize("keep", [1, 2, 3])
def test_whole_files_alone_count_towards_those_kept(keep, small, tmp_path):
    run, paths = small.start(), []
    for step in (1, 2, 3, 4):
        training.train(run, small.data, until=step)
        paths.append(training.save_checkpoint(tmp_path, run, keep=9))
    crashes.tear(paths[3])
    training.train(run, small.data, until=5)
    paths.append(training.save_checkpoint(tmp_path, run, keep=keep))
    left = [paths[4], paths[2], paths[1]][:keep]
    assert set(tmp_path.iterdir()) == set(left)


def test_an_older_step_is_kept_beside_newer_whole_files(small, tmp_path):
    run, other = small.start(), small.start()
    training.train(run, small.data, until=9)
    newer = training.save_checkpoint(tmp_path, run, keep=1)
    training.train(other, small.data, until=3)
    older = training.save_checkpoint(tmp_path, other, keep=2)
    assert set(tmp_path.iterdir()) == {newer, older}
    training.train(other, small.data, until=4)
    last = training.save_checkpoint(tmp_path, other, keep=1)
    assert list(tmp_path.iterdir()) == [last]


@pytest.mark.parametrize(
    "change",
    [{"batch": 128}, {"epochs": 5}, {"dropout": 0.5}, {"rate": 1e-3}, {"rows": 3_000}],
)
def test_a_checkpoint_of_other_settings_is_refused(change, small, tmp_path):
    run = small.start()
    training.save_checkpoint(tmp_path, run)
    settings = {"rows": small.rows, "epochs": 2, "batch": small.batch}
    settings |= {"hidden": (64, 32), "dropout": 0.2}
    same = training.start_training(small.sizes, **settings)
    assert training.load_checkpoint(tmp_path, same) == (0, [])
    other = training.start_training(small.sizes, **settings | change)
    with pytest.raises(ValueError, match="other settings"):
        training.load_checkpoint(tmp_path, other)


def test_a_refused_checkpoint_leaves_the_run_as_it_was(small, tmp_path):
    """`restore` alone would put another seed back; who resumes must be told."""
    run = small.start()
    training.train(run, small.data, until=3)
    training.save_checkpoint(tmp_path, run)
    other = small.start(seed=1)
    before = crashes.digest(other)
    with pytest.raises(ValueError, match="another seed"):
        training.load_checkpoint(tmp_path, other)
    assert (other.step, other.seed, crashes.digest(other)) == (0, 1, before)
    training.restore(other, training.snapshot(run))
    assert other.seed == 0 and crashes.same(other, run)


class Hostile:
    """Pickles as a call that makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_checkpoint_cannot_run_code(small, tmp_path):
    buffer = io.BytesIO()
    torch.save({"network": Hostile(tmp_path / "owned")}, buffer)
    content = buffer.getvalue()
    name = f"step-00000001-{training.sha256(content)[:32]}.pt"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Exception, match=r"weights_only|Weights only|Unsupported"):
        training.load_checkpoint(tmp_path, small.start())
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("piece", training.PIECES)
def test_a_snapshot_without_a_piece_is_refused(piece, small):
    run = small.start()
    saved = training.snapshot(run)
    del saved[piece]
    with pytest.raises(ValueError, match=f"lacks {piece}"):
        training.restore(run, saved)


@pytest.mark.parametrize("piece", ["nothing", *training.PIECES])
def test_every_piece_is_needed(piece, small, whole):
    part = small.start()
    training.train(part, small.data, until=10)
    saved = training.snapshot(part)
    run = small.start(seed=1)  # a fresh process makes up what is missing
    made_up = {n: v for n, v in training.snapshot(run).items() if n == piece}
    training.restore(run, saved | made_up)
    training.train(run, small.data)
    assert crashes.same(run, whole) == (piece == "nothing")


def test_write_atomic_in_order(tmp_path):
    seen = write_watching.rehearse(training.write_atomic)
    assert seen["order"] == ["fsync file", "replace", "fsync folder"]
    assert seen["failpoints"] == list(POINTS)
    assert seen["new"] == "new content" and not seen["opened in place"]
    assert seen["full disk"] == "OSError" and seen["left behind"] == []


def test_write_atomic_at_every_point():
    states, order = write_watching.watch(training.write_atomic)
    assert order == [POINTS[0], 10, *POINTS[1:], "the folder"]
    assert states[POINTS[0]][".checkpoint.pt.draft"] == b"01234"
    for point in (*POINTS[:2], "replace"):
        left = {"checkpoint": b"old content"}
        assert write_watching.refused(training.write_atomic, point) == (
            "OSError",
            left,
            0,
        )
    left = {"checkpoint": b"new content"}
    assert write_watching.refused(training.write_atomic, "folder") == (
        "OSError",
        left,
        0,
    )
    assert write_watching.write_again(training.write_atomic) == (
        None,
        b"new content",
        0,
    )


def test_write_atomic_lets_other_errors_through(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        training.write_atomic(tmp_path / "none" / "file", b"x")
    assert caught.value.errno == errno.ENOENT


# --- real kills


def test_kill_9_at_every_step_of_a_checkpoint_and_in_mid_epoch(
    small, tmp_path, monkeypatch
):
    """Kill four children; one of them is resumed in a child, too."""
    whole, folder = small.start(), tmp_path / "base"
    training.train(whole, small.data)
    base = small.start()  # only now: both runs draw from one random generator
    training.train(base, small.data, until=8)
    training.save_checkpoint(folder, base)
    monkeypatch.setenv("FLIGHTLINE_EVERY", "10")
    kills = crashes.kill_at(["step-25", *POINTS], small, folder, whole)
    assert kills["signal"].eq("SIGKILL").all() and kills["bitwise equal"].all()
    assert kills["resumed from step"].tolist() == [20, 8, 8, 10]
    assert kills["drafts left"].tolist() == [0, 1, 1, 0]
    code, log = crashes.child(small.path, folder.with_name("kill-checkpoint-half"))
    assert code == 0 and "from step 8" in log
    assert f"weights {crashes.digest(whole)}" in log
