"""The replay: which model answers when, what it costs, and what is kept on disk."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from flightline import training
from flightline.loop import replay as module
from flightline.loop.canary import Plan
from flightline.loop.fits import Fit, due_at, fit_at, learned_at, model_of
from flightline.loop.gate import NoWorse
from flightline.loop.labels import LabelJoin
from flightline.loop.policy import Model, Policy
from flightline.loop.replay import Replay
from flightline.loop.triggers import Calibration, Drift, Never, Performance, Schedule
from small_year import FIRST, START, small_year

DAY, WEEK = pd.Timedelta(days=1), pd.Timedelta(weeks=1)
FIT = Fit("logistic")


@pytest.fixture(scope="module")
def table():
    return small_year(turns=50)


@pytest.fixture(scope="module")
def replay(table):
    return Replay(table, fit=FIT)


def weekly(**more):
    return Policy("weekly", Schedule(1, START + WEEK), **more)


def test_a_model_learns_what_was_known_and_mature(table):
    rows = learned_at(table, START)
    assert (rows["label_time"] <= START).all()
    assert (due_at(rows) + LabelJoin().wait <= START).all()
    assert rows["late"].notna().all()
    mature = due_at(table) + DAY <= START
    assert len(rows) == (mature & table["late"].notna()).sum() < mature.sum()


def test_the_order_of_the_rows_does_not_change_a_model(table):
    mixed = table.sample(frac=1, random_state=0)
    fit = Fit("lightgbm", rounds=5)
    one, other = (fit_at(rows, START, fit) for rows in (table, mixed))
    assert one.content == other.content
    assert model_of(one, START) == model_of(other, START)
    assert model_of(one, START).name != model_of(fit_at(table, START, FIT), START).name


def test_trees_are_as_many_as_were_asked_for(table):
    import lightgbm

    model = fit_at(table, START, Fit("lightgbm", rounds=7))
    trees = lightgbm.Booster(model_str=model.content.decode())
    assert trees.num_trees() == 7
    rows = table.iloc[-50:]
    raw = trees.predict(model.transform.matrix(rows))
    np.testing.assert_array_equal(model.predict(rows), raw)


def test_a_training_without_rows_or_with_one_class_is_refused(table):
    with pytest.raises(ValueError, match=r"none of \d+ rows had a mature label"):
        fit_at(table, FIRST, FIT)
    one = table.assign(late=pd.array([True] * len(table), dtype="boolean"))
    with pytest.raises(ValueError, match="of one class"):
        fit_at(one, START, FIT)
    with pytest.raises(ValueError, match="stands twice"):
        fit_at(pd.concat([table, table.iloc[:1]]), START, FIT)
    with pytest.raises(ValueError, match="table lacks label_time"):
        fit_at(table.drop(columns="label_time"), START, FIT)
    with pytest.raises(ValueError, match="kind='forest'"):
        Fit("forest")
    with pytest.raises(ValueError, match="rounds=0"):
        Fit(rounds=0)


def test_scores_that_are_looked_up_are_the_model_s(table, replay):
    found = replay.at(START)
    model = fit_at(table, START, FIT)
    assert found.model == model_of(model, START)
    later = table[table["prediction_time"] > START].sample(200, random_state=1)
    score = found.score(pd.Index(later["flight_id"]))
    assert score.index.tolist() == later["flight_id"].tolist()
    np.testing.assert_array_equal(score, model.predict(later))
    learned = learned_at(table, START)
    assert found.learned.equals(pd.Index(learned["flight_id"]))
    newest = learned[learned["prediction_time"] > START - 4 * WEEK]
    np.testing.assert_array_equal(found.learned_scores, model.predict(newest))


def test_no_score_is_given_for_rows_before_the_cut_off(table, replay):
    early = pd.Index(table["flight_id"].iloc[:3])
    with pytest.raises(ValueError, match="3 of 3 requests are unknown or came before"):
        replay.at(START).score(early)
    with pytest.raises(ValueError, match="1 of 1 requests are unknown"):
        replay.at(START).score(pd.Index(["nobody"]))


def test_never_serves_the_first_model(table, replay):
    run = replay.run(Policy("never", Never()), START)
    assert {d.outcome for d in run.decisions} == {"keep"}
    assert len(run.decisions) == 7
    asked = table[table["prediction_time"] > START]
    assert sorted(run.served["id"]) == sorted(asked["flight_id"])
    assert run.served["model"].unique().tolist() == [replay.at(START).model.name]
    np.testing.assert_array_equal(
        run.served["score"], replay.at(START).score(pd.Index(run.served["id"]))
    )
    assert run.trainings == 0 and run.cpu_s == replay.at(START).cpu_s


def test_weekly_serves_each_week_with_the_model_of_its_monday(replay):
    run = replay.run(weekly(), START)
    assert [d.at for d in run.decisions] == [START + k * WEEK for k in range(1, 8)]
    assert {d.outcome for d in run.decisions} == {"promoted"}
    for k in range(8):
        since, until = START + k * WEEK, START + (k + 1) * WEEK
        asked = run.served["asked_at"]
        rows = run.served[(asked > since) & (asked <= until)]
        assert rows["model"].unique().tolist() == [replay.at(since).model.name]
    assert run.trainings == 7
    assert run.cpu_s == pytest.approx(
        sum(replay.at(START + k * WEEK).cpu_s for k in range(8))
    )


def test_judged_holds_what_became_known(table, replay):
    judged = replay.run(weekly(), START).judged
    truth = table.set_index("flight_id")["late"]
    assert judged["late"].dtype == bool
    assert (truth.loc[judged["id"]].to_numpy(bool) == judged["late"]).all()
    later = table[table["prediction_time"] > START]
    assert len(judged) == later["late"].notna().sum() < len(later)


@pytest.mark.parametrize(
    "trigger", [Performance("skill"), Performance("auc"), Calibration()], ids=repr
)
def test_a_relation_that_turns_is_seen_only_after_it_has(replay, trigger):
    run = replay.run(Policy("p", trigger), START)
    turned = FIRST + 50 * DAY
    fired = [d.at for d in run.decisions if d.reason]
    calm = isinstance(trigger, Calibration)  # the share late stays the same
    assert bool(fired) != calm
    assert all(at > turned for at in fired)


def test_what_a_trigger_sees_is_known_at_the_moment(table):
    """The future may be anything: decisions before it are the same."""
    until = START + 3 * WEEK
    label = table["label_time"] > until
    changed = table.assign(
        late=table["late"].mask(label, ~table["late"]),
        precip_3h=table["precip_3h"].where(table["prediction_time"] <= until, 0.0),
    )
    policy = Policy("p", Schedule(1, START), NoWorse(least_rows=50), holdout=WEEK)
    both = [
        Replay(rows, fit=FIT).run(policy, START, until).decisions
        for rows in (table, changed)
    ]
    assert both[0] == both[1]
    assert {d.outcome for d in both[0]} <= {"promoted", "refused"}
    assert len(both[0]) == 2


def test_a_gate_without_a_holdout_lets_nothing_pass(replay):
    run = replay.run(weekly(gate=NoWorse(least_rows=50)), START)
    assert {d.outcome for d in run.decisions} == {"refused"}
    assert all("Keep a holdout" in d.gate.why for d in run.decisions)


def test_a_gate_with_a_holdout_judges_what_the_challenger_has_not_learned(
    table, replay
):
    policy = weekly(gate=NoWorse(least_rows=50, margin=0.1), holdout=2 * WEEK)
    run = replay.run(policy, START + 2 * WEEK)
    assert {d.outcome for d in run.decisions} == {"promoted"}
    when = table.set_index("flight_id")["prediction_time"]
    for decision in run.decisions:
        assert decision.cut_off == decision.at - 2 * WEEK
        new = (when > decision.cut_off) & (when <= decision.at)
        assert 0 < decision.gate.rows < new.sum()


@dataclass
class Inverse:
    """A challenger that says the opposite of the model of its cut-off."""

    good: object
    learned: pd.Index = field(default_factory=lambda: pd.Index([]))

    @property
    def model(self):
        return Model("inverse", self.good.model.cut_off)

    def score(self, ids):
        return 1 - self.good.score(ids)


def test_a_trial_ends_in_promotion_of_a_model_that_is_no_worse(replay):
    plan = Plan(days=5, share=0.2, margin=0.5)
    run = replay.run(weekly(trial=True), START, START + 3 * WEEK, plan=plan)
    first = run.decisions[0]
    assert first.outcome == "trial" and first.champion_after == first.champion
    assert [r.action for r in run.reviews[:8]].count("promote") == 1
    promoted = next(r for r in run.reviews if r.action == "promote")
    asked = run.served["asked_at"]
    during = run.served[(asked > first.at) & (asked <= promoted.at)]
    assert 0.1 < (during["model"] == first.challenger.name).mean() < 0.3
    next_day = (asked > promoted.at) & (asked <= promoted.at + DAY)
    assert (run.served.loc[next_day, "model"] == first.challenger.name).all()


def test_a_bad_challenger_is_taken_back(replay):
    def train(cut_off, remedy, evidence):
        return Inverse(replay.at(cut_off))

    policy = Policy("once", Schedule(99, START + WEEK), trial=True)
    run = replay.run(policy, START, START + 3 * WEEK, train=train)
    assert run.decisions[0].outcome == "trial"
    assert run.reviews[-1].action == "roll back"
    after = run.served[run.served["asked_at"] > run.reviews[-1].at]
    assert after["model"].unique().tolist() == [replay.at(START).model.name]
    assert (run.served["model"] == "inverse").any()


def test_recalibration_learns_the_share_and_keeps_the_order():
    table = small_year()
    third = (table.index % 3 == 0) & table["late"].notna()
    moved = table.assign(late=table["late"].mask(third, True))
    rows = pd.concat([table[table["prediction_time"] <= START], moved])
    rows = rows.drop_duplicates("flight_id")
    again = Replay(rows, fit=FIT)
    policy = Policy("platt", Schedule(1, START), remedy="recalibrate")
    run = again.run(policy, START)
    platt = run.judged
    never = again.run(Policy("never", Never()), START).judged
    assert platt["model"].nunique() == 7  # the first week has too few days
    last = platt["day"] > platt["day"].unique()[28]
    gaps = [(t["late"] - t["score"])[last].mean() for t in (platt, never)]
    assert abs(gaps[0]) < 0.05 < gaps[1]
    end = run.decisions[-1]
    found = again.train(end.at, "recalibrate", again.evidence(end.at, again.at(START)))
    assert found.model == end.champion_after
    assert found.learned_scores.mean() > again.at(START).learned_scores.mean()
    for _, week in platt[last].groupby("model"):
        before = never.set_index("id").loc[week["id"], "score"]
        assert week["score"].rank().to_numpy().tolist() == before.rank().tolist()


def test_what_is_kept_is_read_again(table, tmp_path, monkeypatch):
    first = Replay(table, tmp_path, fit=FIT).at(START)
    assert len(list(tmp_path.iterdir())) == 1

    def not_again(*given, **more):
        raise AssertionError("it must not be trained again")

    monkeypatch.setattr(module, "fit_rows", not_again)
    mixed = table.sample(frac=1, random_state=0)
    again = Replay(mixed, tmp_path, fit=FIT).at(START)
    assert (again.model, again.cpu_s) == (first.model, first.cpu_s)
    ids = pd.Index(table["flight_id"].iloc[-100:])
    np.testing.assert_array_equal(first.score(ids), again.score(ids))


@pytest.mark.parametrize("harm", [b"", b"x" * 100, None])
def test_what_is_damaged_is_made_again(table, tmp_path, harm):
    first = Replay(table, tmp_path, fit=FIT).at(START)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!" if harm is None else harm)
    assert Replay(table, tmp_path, fit=FIT).at(START).model == first.model
    digest, rest = path.read_bytes()[:64], path.read_bytes()[64:]
    assert training.sha256(rest).encode() == digest


def test_other_rows_or_settings_are_kept_apart(table, tmp_path):
    Replay(table, tmp_path, fit=FIT).at(START)
    Replay(table.iloc[:-1], tmp_path, fit=FIT).at(START)
    Replay(table, tmp_path, fit=Fit("logistic", settings={"strength": 0.1})).at(START)
    Replay(table, tmp_path, fit=FIT, join=LabelJoin(2 * DAY)).at(START)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_replay_that_cannot_be_is_refused(table, replay):
    with pytest.raises(ValueError, match="nothing to replay"):
        replay.run(weekly(), START, START)
    with pytest.raises(ValueError, match=r"start=.*no time zone"):
        replay.run(weekly(), START.tz_localize(None))
    with pytest.raises(ValueError, match="stands twice"):
        Replay(pd.concat([table, table.iloc[:1]]))
    with pytest.raises(ValueError, match="has no row"):
        Replay(table.iloc[:0])
    with pytest.raises(ValueError, match="table lacks label_time"):
        Replay(table.drop(columns="label_time"))


def test_drift_of_scores_is_seen_without_labels():
    table = small_year()
    later = table["prediction_time"] > FIRST + 66 * DAY
    moved = table.assign(precip_3h=table["precip_3h"] + 3.0 * later)
    run = Replay(moved, fit=FIT).run(Policy("drift", Drift()), START)
    fired = [d.at for d in run.decisions if d.reason]
    assert fired and fired[0] > FIRST + 66 * DAY
    policy = Policy("drift", Drift(against="training"))
    trained = Replay(moved, fit=FIT).run(policy, START)
    assert [d.at for d in trained.decisions if d.reason]


def test_a_model_from_elsewhere_is_not_calibrated(replay):
    policy = Policy("platt", Schedule(1, START), remedy="recalibrate")

    def train(cut_off, remedy, evidence):
        if evidence.champion.name == "inverse":
            return replay.train(cut_off, remedy, evidence)
        return Inverse(replay.at(cut_off))

    with pytest.raises(ValueError, match="inverse was trained elsewhere"):
        replay.run(policy, START, train=train)
