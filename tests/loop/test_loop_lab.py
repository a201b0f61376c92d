"""What the lab of the loop has to itself: small models, and two go-betweens."""

import shutil

import numpy as np
import pandas as pd
import pytest
from flightline import loop
from flightline.features import CATEGORICAL, NUMERIC
from labkit.loop import packaged, promtool, trees

MONDAYS = pd.date_range("2013-04-01 04:00", periods=8, freq="7D", tz="UTC")


def features(rows, seed=0):
    """Make a table of features, and labels that depend on one of them."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(rows, len(NUMERIC))), columns=NUMERIC)
    for name in CATEGORICAL:
        table[name] = rng.choice(["B6", "AA", "UA"], rows)
    return table, rng.random(rows) < 1 / (1 + np.exp(-2 * table[NUMERIC[0]]))


def test_categories_are_numbers_in_the_order_of_the_alphabet():
    table, _ = features(50)
    table.loc[3, NUMERIC[2]] = np.nan
    found = trees.inputs(table)
    assert found.shape == (50, 28)
    codes = {"AA": 0, "B6": 1, "UA": 2}
    assert found[:, 0].tolist() == [codes[c] for c in table[CATEGORICAL[0]]]
    assert np.isnan(found[3, len(CATEGORICAL) + 2])


def test_the_same_rows_give_the_same_trees_and_another_seed_others():
    table, late = features(2_000)
    rows = trees.inputs(table)
    first, again = (trees.score(trees.fit(rows, late), rows) for _ in range(2))
    other = trees.score(trees.fit(rows, late, seed=1), rows)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_what_learns_by_heart_knows_its_rows_and_no_others():
    table, late = features(2_000)
    unseen, truth = features(2_000, seed=1)
    model = trees.fit(trees.inputs(table), late, **trees.BY_HEART)
    known, new = (trees.score(model, trees.inputs(t)) for t in (table, unseen))
    assert ((known > 0.5) == late).mean() > 0.99
    assert ((new > 0.5) == truth).mean() < 0.9


def requests():
    """Make an answer every hour of eight weeks, due at once, its label a day later."""
    asked = pd.date_range(MONDAYS[0], MONDAYS[-1], freq="h", inclusive="right")
    ids = [f"request {k}" for k in range(len(asked))]
    rows = pd.DataFrame({"id": ids, "asked_at": asked, "due_at": asked})
    labels = pd.DataFrame({"id": ids, "available_at": asked, "late": True})
    return rows.assign(day=asked.strftime("%Y-%m-%d")), labels


def test_the_package_decides_on_scores_that_were_made_before():
    rows, labels = requests()
    scores = np.full((8, len(rows)), 0.9)
    scores[0] = np.where(np.arange(len(rows)) % 2, 0.1, 0.3)  # the first is far off
    made = packaged.decisions(loop.Gap(0.5), rows, labels, scores, MONDAYS)
    assert len(made) == 7
    assert [d.reason is not None for d in made] == [True] + [False] * 6
    assert made[-1].champion_after.cut_off == MONDAYS[1]


BAD = np.where(np.arange(400) > 120, 20, 0)
ALL = np.full(400, 100)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_agrees_and_notices_another_factor(monkeypatch):
    alert = loop.alerts.BURNS[0]
    assert promtool.agrees(alert, BAD, ALL) is True
    written = loop.rules.rules
    text = written([alert]).replace("14.4", "18")
    monkeypatch.setattr(loop.rules, "rules", lambda alerts: text)
    assert promtool.agrees(alert, BAD, ALL) is False


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_refuses_what_is_no_rule(monkeypatch):
    monkeypatch.setattr(loop.rules, "rules", lambda alerts: "groups: nonsense\n")
    with pytest.raises(RuntimeError, match="promtool refuses the rules"):
        promtool.agrees(loop.alerts.BURNS[0], BAD, ALL)


def test_without_promtool_nobody_says_anything(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert promtool.agrees(loop.alerts.BURNS[0], BAD, ALL) is None
