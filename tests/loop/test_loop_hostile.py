"""What others hand in: odd columns, options, files. A sentence, or the right answer."""

import json
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_evidence
from flightline import loop
from flightline.loop import alerts, canary, permits, retention
from flightline.loop import journal as journals
from flightline.loop.__main__ import main
from small_steps import entry, tick

NOW = small_evidence.NOW
WEEK = pd.Timedelta(weeks=1)
NOT_WHOLE = [np.nan, 1.5, "3", True, 0]


def asked(ids: object) -> pd.DataFrame:
    due = NOW - 2 * pd.Timedelta(days=1)
    return pd.DataFrame(
        {"id": ids, "asked_at": due, "day": "2013-06-01", "due_at": due, "score": 0.5}
    )


def labelled(ids: object, late: object) -> pd.DataFrame:
    return pd.DataFrame({"id": ids, "available_at": NOW, "late": late})


# --- labels and evidence --------------------------------------------------------------


@pytest.mark.parametrize("left", ["object", "category"])
def test_numbers_and_texts_as_ids_are_told_apart_in_any_column(left):
    ids = pd.Series([1, 2]).astype(left)
    with pytest.raises(ValueError, match=r"holds numbers and labels\['id'\] texts"):
        loop.LabelJoin()(asked(ids), labelled(["1", "2"], True), NOW)
    found = loop.LabelJoin()(asked(ids), labelled([1, 2], [True, False]), NOW)
    assert found["late"].tolist() == [True, False]


def test_bytes_are_no_texts():
    with pytest.raises(ValueError, match="holds bytes and"):
        loop.LabelJoin()(asked([b"a"]), labelled(["a"], True), NOW)


def test_labels_of_several_kinds_in_one_column_are_labels():
    late = pd.Series([True, 0, None, np.nan, 1.0, pd.NA], dtype=object)
    ids = list("abcdef")
    found = loop.LabelJoin()(asked(ids), labelled(ids, late), NOW)["late"]
    assert found.tolist() == [True, False, pd.NA, pd.NA, True, pd.NA]


@pytest.mark.parametrize("now", ["2013-06-03", None, 5, pd.NaT])
def test_a_moment_that_is_none_is_refused(now):
    with pytest.raises(ValueError, match="has no time zone"):
        loop.LabelJoin()(asked(["a"]), labelled(["a"], True), now)


@pytest.mark.parametrize("wait", [1, np.nan, "1 day", None])
def test_a_wait_that_is_no_duration_is_refused(wait):
    with pytest.raises(ValueError, match="give a duration"):
        loop.LabelJoin(wait)


def test_the_text_false_is_not_late():
    scored = small_evidence.answers(days=8)
    with pytest.raises(ValueError, match=r"scored\['late'\] holds '(True|False)'"):
        loop.with_labels(scored.assign(late=scored["late"].astype(str)))


@pytest.mark.parametrize("kind", ["int8", "float64", "category", "bool[pyarrow]"])
def test_maturity_is_the_same_in_other_columns(kind):
    scored = small_evidence.answers(days=8)
    scored["mature"] = np.arange(len(scored)) % 2 == 0
    odd = scored.assign(mature=scored["mature"].astype(kind))
    assert loop.with_labels(odd)["id"].tolist() == scored["id"][::2].tolist()
    unknown = odd.assign(late=pd.NA)
    assert loop.silent_days(unknown) == sorted(scored["day"].unique())


@pytest.mark.parametrize("mature", ["False", None, 0.5])
def test_maturity_that_is_neither_is_refused(mature):
    scored = small_evidence.answers(days=8).assign(mature=mature)
    trial, rows = tried()
    for work in (
        lambda: loop.with_labels(scored),
        lambda: loop.silent_days(scored),
        lambda: canary.review(trial, rows.assign(mature=mature), NOW),
    ):
        with pytest.raises(ValueError, match=r"\['mature'\] holds"):
            work()


def test_a_feed_of_empty_texts_or_without_days_is_not_called_fine():
    scored = small_evidence.answers(days=8)
    with pytest.raises(ValueError, match=r"joined\['late'\] holds ''"):
        loop.silent_days(scored.assign(late=""))
    with pytest.raises(ValueError, match=r"\['day'\] is missing in 800 of 800"):
        loop.silent_days(scored.assign(late=pd.NA, day=None))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.mask(s.index < 100), "100 of 2800 values that are null"),
        (lambda s: s.astype("Float64").mask(s.index < 100), "100 of 2800 values"),
        (lambda s: s * 100, "outside of 0 to 1"),
        (lambda s: s.astype(str), "give probabilities as float64"),
    ],
)
def test_scores_that_a_trigger_would_overlook_are_refused(change, said):
    scored = small_evidence.answers(shift=1.5)
    odd = scored.assign(score=change(scored["score"]))
    with pytest.raises(ValueError, match=said):
        small_evidence.evidence(odd)
    with pytest.raises(ValueError, match=said):
        small_evidence.evidence(scored, odd)
    with pytest.raises(ValueError, match=said):
        small_evidence.evidence(scored, learned_scores=odd["score"])


@pytest.mark.parametrize("kind", ["Float64", "float64[pyarrow]", "float32"])
def test_scores_of_other_kinds_of_numbers_raise_the_same_alarm(kind):
    scored = small_evidence.answers(shift=1.5)
    odd = scored.assign(score=scored["score"].astype(kind))
    assert loop.Calibration()(small_evidence.evidence(odd))
    assert loop.Gap()(small_evidence.evidence(odd))


def test_categories_without_rows_do_not_silence_the_calibration():
    scored = small_evidence.answers(shift=1.5)
    days = ["2013-01-01", *sorted(scored["day"].unique())]
    odd = scored.assign(day=pd.Categorical(scored["day"], categories=days))
    said = loop.Calibration()(small_evidence.evidence(odd))
    assert said == loop.Calibration()(small_evidence.evidence(scored))
    assert said is not None


@pytest.mark.parametrize("window", [np.nan, 4, pd.NaT, None])
def test_a_window_that_is_no_duration_is_refused(window):
    none = asked(["a"]), labelled(["a"], True)
    with pytest.raises(ValueError, match="longer than nothing"):
        loop.gather(
            NOW, small_evidence.CHAMPION, *none, join=loop.LabelJoin(), window=window
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.dt.tz_localize(None),
        lambda t: t.astype(str),
        lambda t: t.mask([True]),
    ],
)
def test_answers_that_were_asked_at_no_moment_are_refused(change):
    odd = asked(["a"])
    odd["asked_at"] = change(odd["asked_at"].astype("datetime64[us, UTC]"))
    with pytest.raises(ValueError, match=r"answers\['asked_at'\]"):
        loop.gather(
            NOW,
            small_evidence.CHAMPION,
            odd,
            labelled(["a"], True),
            join=loop.LabelJoin(),
        )


# --- options --------------------------------------------------------------------------


@pytest.mark.parametrize("value", NOT_WHOLE)
@pytest.mark.parametrize(
    "make",
    [
        lambda v: loop.Schedule(v, NOW),
        lambda v: loop.NoWorse(least_days=v),
        lambda v: loop.NoWorse(least_rows=v),
        lambda v: canary.Plan(days=v),
        lambda v: canary.Plan(patience=v),
        lambda v: retention.Rules(log_days=v),
        lambda v: retention.Rules(model_days=v),
        lambda v: loop.Fit(rounds=v),
        lambda v: loop.units_of(pd.Series(["2013-04-01"]), v),
        lambda v: alerts.BurnAlert("x", alerts.LATENCY, 60, 5, 2.0, "page", least=v),
        lambda v: alerts.BurnAlert("x", alerts.LATENCY, 60, v, 2.0, "page"),
    ],
)
def test_counts_that_are_no_whole_numbers_are_refused(make, value):
    with pytest.raises(ValueError, match=r"=|must"):
        make(value)


def test_limits_that_everything_passes_are_refused():
    with pytest.raises(ValueError, match="margin=inf"):
        loop.NoWorse(margin=np.inf)
    with pytest.raises(ValueError, match="margin=inf"):
        canary.Plan(margin=np.inf)
    with pytest.raises(ValueError, match="holdout=NaT"):
        loop.Policy("x", loop.Never(), holdout=pd.NaT)
    with pytest.raises(ValueError, match="36,500 at most"):
        retention.Rules(metrics_days=10**9)


def test_an_alert_that_calls_nobody_is_refused():
    with pytest.raises(ValueError, match="'pager' is neither page nor ticket"):
        alerts.LineAlert("x", "g", 0, 1, "pager", "m")
    with pytest.raises(ValueError, match="for_min=nan"):
        alerts.LineAlert("x", "g", 0, np.nan, "page", "m")


# --- alerts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "late", "said"),
    [
        ([0.1, 0.9], [np.nan, 0], "late holds 1 of 2"),
        ([0.1, 0.9], ["False", "False"], "no number"),
        ([np.nan, 0.9], [1, 0], "score holds 1 of 2"),
        ([10, 90], [1, 0], "outside of 0 to 1"),
        ([0.1, 0.1], [1], "2 scores and 1 labels"),
    ],
)
def test_answers_that_nobody_can_judge_are_not_counted_as_good_or_bad(
    score, late, said
):
    with pytest.raises(ValueError, match=said):
        alerts.is_wrong(score, late)


def test_gauges_of_other_kinds_fire_and_what_is_no_number_is_refused():
    line = alerts.LineAlert("x", "g", 0, 0, "page", "m")
    assert alerts.above(line, ["1", None]).tolist() == [True, False]
    held = pd.Series([1, pd.NA, 1], dtype=object)
    assert alerts.above(line, held).tolist() == [True, False, True]
    with pytest.raises(ValueError, match="holds what is no number"):
        alerts.above(line, ["much"])


# --- comparisons ----------------------------------------------------------------------


def served(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    day = pd.date_range("2013-04-01", periods=40).strftime("%Y-%m-%d")
    good = pd.DataFrame(
        {
            "id": [f"i{k}" for k in range(400)],
            "day": np.repeat(day, 10),
            "score": rng.uniform(0.1, 0.9, 400),
        }
    )
    good["late"] = rng.random(400) < good["score"]
    return good, good.assign(score=0.5)


ODD = [
    (lambda t: t.assign(late=~t["late"]), "differ in 'late' of 400"),
    (lambda t: t.assign(day=pd.to_datetime(t["day"])), "differ in 'day' of 400"),
    (lambda t: t.assign(day=t["day"].mask(t.index < 3)), "differ in 'day' of 3"),
    (lambda t: t.assign(score=t["score"] * 100), "outside of 0 to 1"),
    (lambda t: t.assign(score=t["score"].mask(t.index < 9)), "9 of 400 values"),
    (lambda t: t.assign(late=0.5), "a label is one of both"),
    (lambda t: t.assign(late=t["late"].astype("boolean").mask(t.index < 9)), "9 of"),
    (lambda t: t.assign(late=t["late"].astype(str)), "no number"),
]


@pytest.mark.parametrize(("change", "said"), ODD)
def test_policies_that_cannot_be_compared_are_refused(change, said):
    good, flat = served()
    both = {"good": good, "flat": change(flat)}
    with pytest.raises(ValueError, match=said):
        loop.policies(both, "good")
    with pytest.raises(ValueError, match=said):
        loop.over_starts({"a": both}, "good")


@pytest.mark.parametrize("kind", ["category", "string", "string[pyarrow]"])
def test_days_of_other_kinds_of_text_give_the_same_table(kind):
    good, flat = served()
    plain = loop.policies({"good": good, "flat": flat}, "good")
    both = {
        name: rows.assign(day=rows["day"].astype(kind)).sample(frac=1, random_state=1)
        for name, rows in (("good", good), ("flat", flat))
    }
    pd.testing.assert_frame_equal(loop.policies(both, "good"), plain)


@pytest.mark.parametrize("alpha", [5, np.nan, 0, -1])
def test_over_starts_refuses_what_is_no_rate(alpha):
    good, flat = served()
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        loop.over_starts({"a": {"good": good, "flat": flat}}, "good", alpha=alpha)


def test_a_baseline_alone_and_a_negative_margin_are_refused():
    good, flat = served()
    with pytest.raises(ValueError, match="nothing to compare"):
        loop.over_starts({"a": {"good": good}}, "good")
    for margin in (-1, np.nan):
        with pytest.raises(ValueError, match="margin="):
            loop.policies({"good": good, "flat": flat}, "good", margin=margin)


def test_units_count_dates_across_the_change_of_clocks_and_at_any_hour():
    spring = pd.Series(pd.date_range("2013-03-08", periods=6, tz="America/New_York"))
    assert loop.units_of(spring, 1).tolist() == [0, 1, 2, 3, 4, 5]
    hours = pd.Series(pd.to_datetime(["2013-04-01T13:00", "2013-04-02T05:00"]))
    assert loop.units_of(hours, 1).tolist() == [0, 1]
    with pytest.raises(ValueError, match="holds int64"):
        loop.units_of(pd.Series([20130401, 20130402]), 1)


# --- gate and trial -------------------------------------------------------------------


class Same:
    """A challenger that gives the champion's scores, in an order of its own."""

    model = loop.Model("same", NOW - 6 * WEEK)

    def __init__(self, learned: object, order: int = 1) -> None:
        self.learned, self.order = learned, order
        self.known = small_evidence.answers().set_index("id")["score"]

    def score(self, ids: pd.Index) -> pd.Series:
        return self.known.loc[ids[:: self.order]]


def test_a_challenger_that_names_places_instead_of_ids_does_not_pass():
    evidence = small_evidence.evidence()
    assert loop.NoWorse()(Same(pd.Index([])), evidence).passed
    ids = evidence.scored["id"]
    pairs = pd.MultiIndex.from_arrays([ids, ids])
    for learned in (pd.RangeIndex(2800), pairs, pd.Index([1.5])):
        with pytest.raises(ValueError, match="no two of them are equal"):
            loop.NoWorse()(Same(learned), evidence)
    for learned in (list(ids), set(ids), pd.CategoricalIndex(ids), ids):
        assert not loop.NoWorse()(Same(learned), evidence).passed


def test_scores_in_another_order_are_not_judged():
    with pytest.raises(ValueError, match="in another order"):
        loop.NoWorse()(Same(pd.Index([]), -1), small_evidence.evidence())


def tried() -> tuple[canary.Trial, pd.DataFrame]:
    rows = small_evidence.answers(days=8)
    model = loop.Model("new", NOW - 3 * WEEK)
    trial = canary.Trial(small_evidence.CHAMPION, model, NOW - pd.Timedelta(days=9))
    return trial, rows.rename(columns={"score": "champion"}).assign(
        challenger=rows["score"]
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda day: day.dt.date,
        lambda day: day,
        lambda day: pd.Categorical(
            day.dt.strftime("%Y-%m-%d"),
            ["2013-01-01", *sorted(day.dt.strftime("%Y-%m-%d").unique())],
        ),
    ],
)
def test_a_trial_knows_its_days_however_they_are_held(change):
    trial, rows = tried()
    odd = rows.assign(day=change(pd.to_datetime(rows["day"])))
    found = canary.review(trial, odd, NOW)
    assert found == canary.review(trial, rows, NOW)
    assert found.action == "promote" and found.days == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda day: pd.to_datetime(day).dt.strftime("%d.%m.%Y"),
        lambda day: day.str.replace("-", "").astype(int),
        lambda day: day.mask(day.index < 5),
    ],
)
def test_days_that_do_not_sort_as_days_are_refused(change):
    trial, rows = tried()
    with pytest.raises(ValueError, match="give texts such as '2013-04-01'"):
        canary.review(trial, rows.assign(day=change(rows["day"])), NOW)


def test_pairing_keeps_a_score_that_was_there():
    rows = asked(["a"]).assign(champion=0.1, challenger=0.2)
    found = canary.pair(rows, labelled(["a"], True), NOW, loop.LabelJoin())
    assert found["score"].tolist() == [0.5]


# --- journal --------------------------------------------------------------------------


def written(folder: Path, *queries: str) -> Path:
    with loop.Journal(folder) as book:
        book.commit(tick(), entry())
        book.commit(tick(1), entry(1))
    with sqlite3.connect(folder / journals.NAME) as base:
        for query in queries:
            base.execute(query)
    base.close()
    return folder


@pytest.mark.parametrize("score", [[0, 1], ["0.5", "0.25"], np.float32([0.5, 0.25])])
def test_scores_of_other_kinds_come_back_as_their_digest_says(tmp_path, score):
    odd = entry()
    answers = odd.answers.assign(score=pd.Series(score).astype(object))
    with loop.Journal(tmp_path) as book:
        digest = book.commit(
            tick(), journals.Entry(answers, odd.shadows, odd.versions, odd.decisions)
        )
        assert journals.verify(book.base) == digest
        found = journals.read_answers(book.base)["score"]
    assert found.tolist() == [float(each) for each in score]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("score", np.nan, "null or outside"),
        ("id", [1, 2], "holds 1, no text"),
        ("day", None, "holds None, no text"),
        ("due_at", pd.NaT, "no time zone"),
        ("asked_at", pd.Timestamp("2013-03-25"), "no time zone"),
    ],
)
def test_what_would_come_back_otherwise_is_not_written(tmp_path, column, value, said):
    odd = entry()
    answers = odd.answers.assign(**{column: value})
    with loop.Journal(tmp_path) as book:
        with pytest.raises(ValueError, match=said):
            book.commit(tick(), journals.Entry(answers, odd.shadows, odd.versions))
        assert journals.last_tick(book.base) is None


LATER = "'2030-01-01T00:00:00+00:00'"


@pytest.mark.parametrize(
    "query",
    [
        f"INSERT INTO decisions VALUES ({LATER}, '2 decide', '{{}}')",
        f"INSERT INTO shadows VALUES ('m', 'f9', {LATER}, 0.5)",
        f"INSERT INTO answers VALUES ('f9', {LATER}, {LATER}, 'd', {LATER}, 'm', 0.5,"
        " 's', 1)",
        "UPDATE answers SET score = 9e999 WHERE id = 'f0'",
        "UPDATE answers SET score = x'00ff' WHERE id = 'f0'",
    ],
)
def test_rows_that_no_step_has_written_are_found(tmp_path, query):
    folder = written(tmp_path, query)
    with (
        journals.reading(folder) as base,
        pytest.raises(journals.BrokenJournal, match="from a copy"),
    ):
        journals.verify(base)


def test_a_step_without_a_digest_is_found(tmp_path):
    """Even if its rows cannot be read, and so give none to compare with."""
    folder = written(tmp_path, "UPDATE ticks SET digest = ''")
    with sqlite3.connect(folder / journals.NAME) as base:
        base.execute("UPDATE answers SET score = x'00ff'")
    with (
        journals.reading(folder) as base,
        pytest.raises(journals.BrokenJournal, match="is not what its digest says"),
    ):
        journals.verify(base)


@pytest.mark.parametrize(
    ("query", "command"),
    [
        ("UPDATE decisions SET body = '{torn'", "page"),
        ("UPDATE ticks SET versions = '{'", "metrics"),
        ("UPDATE ticks SET versions = '{'", "trace"),
        (f"INSERT INTO models VALUES ('m', {LATER}, '2013', '[1]')", "page"),
    ],
)
def test_torn_texts_in_the_journal_are_called_damage(tmp_path, query, command, capsys):
    flight = ["f0"] if command == "trace" else []
    assert main([command, str(written(tmp_path, query)), *flight]) == 2
    assert "the journal is damaged" in capsys.readouterr().err


def test_a_decision_that_names_no_champion_is_a_sentence(tmp_path, capsys):
    assert main(["page", str(written(tmp_path))]) == 2
    assert "does not say who answers after it" in capsys.readouterr().err


def test_a_journal_that_was_killed_in_its_first_start_holds_no_run(tmp_path, capsys):
    (tmp_path / journals.NAME).touch()
    assert main(["status", str(tmp_path)]) == 2
    assert "holds no run" in capsys.readouterr().err


# --- files and the command line -------------------------------------------------------


def test_a_mistyped_folder_stays_unmade(tmp_path, capsys):
    typo = tmp_path / "typo"
    with pytest.raises(ValueError, match="holds no run"):
        retention.forget(typo, "tailnum", "N1")
    with pytest.raises(ValueError, match="holds no run"):
        retention.apply(typo)
    assert main(["permit", str(typo), "anna"]) == 2
    assert "no folder of a run" in capsys.readouterr().err
    assert not typo.exists()


def test_damage_of_the_metrics_is_not_laid_on_the_journal(tmp_path, capsys):
    after = json.dumps(
        {
            "champion": {"name": "m", "cut_off": LATER.strip("'")},
            "since": LATER.strip("'"),
            "challenger": None,
            "tried_since": None,
            "former": None,
        }
    )
    query = f"UPDATE decisions SET body = '{{\"after\": {after}}}'"
    folder = written(tmp_path, query)
    (folder / "metrics.sqlite").write_bytes(b"junk" * 100)
    assert main(["retain", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "metrics.sqlite is no metrics store" in said
    assert "run again from the start" not in said


def test_two_permits_at_once_are_both_kept(tmp_path):
    names = [f"name-{k}" for k in range(8)]
    threads = [
        threading.Thread(target=permits.permit, args=(tmp_path, name)) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = json.loads((tmp_path / permits.KEYS).read_bytes())
    assert sorted(each["name"] for each in kept) == names


@pytest.mark.parametrize(
    "change",
    [{"by": 5}, {"why": None}, {"number": []}, {"model": {"name": "ghost"}}],
)
def test_an_order_for_what_is_no_model_of_the_run_is_not_followed(tmp_path, change):
    made = f"INSERT INTO models VALUES ('m', {LATER}, {LATER}, '{{\"cut_off\": 1}}')"
    made = made.replace("1}", LATER.replace("'", '"') + "}")
    folder = written(tmp_path, made)
    model = {"name": "m", "cut_off": LATER.strip("'")}
    body = {"model": model, "by": "anna", "why": "x", "number": "1"}
    with journals.reading(folder) as base:
        (folder / permits.ORDER).write_text(json.dumps(body))
        assert permits.pending(folder, base) is not None
        changed = body | change
        changed["model"] = model | changed["model"]
        (folder / permits.ORDER).write_text(json.dumps(changed))
        with pytest.raises(ValueError, match="Remove it"):
            permits.pending(folder, base)


@pytest.mark.parametrize("until", ["01-05-2013", "05/06/2013", "now", "NaT", "", "5"])
def test_a_day_that_could_be_another_is_refused(tmp_path, until, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["run", str(tmp_path / "run"), "--until", until])
    assert "is no day such as 2013-05-01" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
