"""A card at each promotion, and who may promote."""

import fcntl
import json
import os
import shutil
import stat
from pathlib import Path

import pytest
import small_world
from flightline import loop
from flightline.loop import cards, permits

START, DAY = small_world.START, small_world.DAY
ASK = small_world.plan(automatic=False)


@pytest.fixture(scope="module")
def automatic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cards")
    policy = loop.Policy(
        "gated", small_world.WEEKLY, loop.NoWorse(margin=0.5), holdout=7 * DAY
    )
    plan = small_world.plan(policy=policy)
    loop.run(path, small_world.small(), plan, START + 8 * DAY)
    return path


@pytest.fixture
def asking(held_week: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(held_week, tmp_path / "run"))


def champion(folder: Path) -> str:
    with loop.journal.reading(folder) as base:
        found = loop.standing_of(loop.journal.read_decisions(base))
    assert found is not None
    return found.champion.name


def challenger(folder: Path) -> str:
    said = small_world.decisions(folder)[-1][2]["decision"]
    return str(said["challenger"]["name"])


def test_each_promotion_writes_a_card(automatic: Path) -> None:
    written = sorted(path.name for path in (automatic / "cards").iterdir())
    promoted = small_world.outcomes(automatic).count("promoted")
    assert promoted >= 1 and len(written) == 1 + promoted
    text = (automatic / "cards" / written[-1]).read_text()
    assert text.startswith(f"# Model {champion(automatic)}\n")
    assert "let in by | loop" in text and "The gate: log-loss" in text
    assert "schedule of every 1 weeks" in text
    with loop.journal.reading(automatic) as base:
        about = loop.journal.read_models(base)[champion(automatic)]
    for part in ("rows_sha256", "manifest_sha256", "cut_off"):
        assert str(about[part])[:10] in text
    assert cards.MISSING not in text


def test_a_reason_cannot_break_the_table() -> None:
    standing = loop.Standing(loop.Model("m", START), START)
    text = cards.text_of(cards.Promotion(standing, "a | b\n# no heading"))
    assert "| why | a / b # no heading |" in text and cards.MISSING in text


def test_without_a_permit_nothing_is_promoted(asking: Path) -> None:
    first = champion(asking)
    assert small_world.outcomes(asking) == ["promoted"]
    assert small_world.decisions(asking)[-1][2]["held"] is True
    loop.run(asking, small_world.small(), ASK, START + 9 * DAY)
    assert champion(asking) == first
    raised = small_world.alerts(asking)
    assert (raised["name"] == "PromotionHeld").sum() == 2
    assert len(list((asking / "cards").iterdir())) == 1


def test_somebody_with_a_key_promotes_once(asking: Path) -> None:
    name = challenger(asking)
    key = permits.permit(asking, "maya")
    permits.order(asking, name, key, "looked at the week | and found it good")
    loop.run(asking, small_world.small(), ASK, START + 8 * DAY)
    assert champion(asking) == name and not (asking / permits.ORDER).exists()
    body = small_world.decisions(asking)[-1][2]
    assert body["order"]["by"] == "maya"
    text = sorted((asking / "cards").iterdir())[-1].read_text()
    assert "let in by | maya" in text and "found it good" in text
    loop.run(asking, small_world.small(), ASK, START + 10 * DAY)
    assert len(small_world.decisions(asking)) == 3
    raised = small_world.alerts(asking)
    assert not (raised["at"] > START + 8 * DAY).any()


def test_a_killed_step_follows_an_order_once(asking: Path) -> None:
    key = permits.permit(asking, "maya")
    permits.order(asking, challenger(asking), key, "good")
    wish = {"FLIGHTLINE_FAILPOINT": "journal-kept:SIGKILL"}
    source = small_world.small()
    small_world.in_child(lambda: loop.run(asking, source, ASK, START + 9 * DAY), **wish)
    assert (asking / permits.ORDER).exists()
    loop.run(asking, source, ASK, START + 9 * DAY)
    orders = [k for _, k, _ in small_world.decisions(asking) if k.endswith("order")]
    assert len(orders) == 1 and not (asking / permits.ORDER).exists()


def test_a_second_order_does_not_replace_one_that_waits(asking: Path) -> None:
    maya, noor = (permits.permit(asking, name) for name in ("maya", "noor"))
    first = permits.order(asking, challenger(asking), maya, "good")
    with pytest.raises(
        ValueError, match=rf"maya has ordered {first.model.name}.*remov"
    ):
        permits.order(asking, champion(asking), noor, "keep the old one")
    (asking / permits.ORDER).unlink()
    permits.order(asking, champion(asking), noor, "keep the old one")
    loop.run(asking, small_world.small(), ASK, START + 8 * DAY)
    assert small_world.decisions(asking)[-1][2]["order"]["by"] == "noor"


def test_a_followed_order_is_cleared_with_the_folder_locked(
    asking: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that comes while the old one is looked up must not go with it."""
    key = permits.permit(asking, "maya")
    permits.order(asking, challenger(asking), key, "good")
    locked = []

    def pending(folder: Path, base: object) -> None:
        handle = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        locked.append(folder)

    monkeypatch.setattr(permits, "pending", pending)
    with loop.journal.reading(asking) as base:
        permits.clear(asking, base)
    assert locked == [asking] and not (asking / permits.ORDER).exists()


@pytest.mark.parametrize("key", ["", "maya.guess", "nobody.guess"])
def test_an_unknown_key_may_not_promote(asking: Path, key: str) -> None:
    permits.permit(asking, "maya")
    with pytest.raises(permits.NotAllowed, match="may not promote"):
        permits.order(asking, challenger(asking), key, "why not")
    assert not (asking / permits.ORDER).exists()


def test_who_may_not_be_promoted(asking: Path) -> None:
    key = permits.permit(asking, "maya")
    with pytest.raises(permits.NotAllowed, match="has no model 'x'"):
        permits.order(asking, "x", key, "good")
    with pytest.raises(ValueError, match="needs a reason"):
        permits.order(asking, challenger(asking), key, " ")
    with pytest.raises(ValueError, match="maya has a key already"):
        permits.permit(asking, "maya")
    assert b"maya." not in (asking / permits.KEYS).read_bytes()
    assert stat.S_IMODE((asking / permits.KEYS).stat().st_mode) == 0o600
    (asking / permits.ORDER).write_text(json.dumps({"model": 1}))
    with pytest.raises(ValueError, match=r"is no order.*Remove it"):
        loop.run(asking, small_world.small(), ASK, START + 8 * DAY)
