"""The full path: what a run does in three weeks, and that the replay decides alike."""

import asyncio
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_world
from flightline import drift, features, lake, loop, serving, training
from flightline.loop import memory
from flightline.loop.labels import LabelJoin
from flightline.loop.standing import plain
from labkit import data

START, DAY = small_world.START, small_world.DAY
UNTIL = START + 8 * DAY


@pytest.fixture(scope="module")
def folder(eight_days: Path) -> Path:
    return eight_days


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The training table of the small world, computed at once, as a replay has it."""
    flights = data.load_flights(months=[3, 4])
    few = flights[(flights.origin == "LGA") & flights.carrier.isin(["DL", "MQ"])]
    weather = lake.weather_events(data.load_weather())
    weather = weather[weather["origin"] == "LGA"]
    times = lake.flight_times(few, data.load_airports())
    return features.training_table(times, weather)


def answers(folder: Path) -> pd.DataFrame:
    with loop.journal.reading(folder) as base:
        return loop.journal.read_answers(base)


def test_every_flight_is_answered_once_by_the_champion_of_its_time(
    folder: Path, table: pd.DataFrame
) -> None:
    found = answers(folder)
    asked = table["prediction_time"]
    due = table[(asked > START) & (asked <= UNTIL)]
    assert set(found["id"]) == set(due["flight_id"]) and found["id"].is_unique
    assert (found["source"] == "online").all()
    said = small_world.decisions(folder)
    for (at, _, body), after in zip(
        said, [*[d[0] for d in said[1:]], UNTIL], strict=True
    ):
        mine = found[(found["asked_at"] > at) & (found["asked_at"] <= after)]
        assert (mine["model"] == body["after"]["champion"]["name"]).all()
    assert small_world.outcomes(folder) == ["promoted"]


def test_features_are_those_that_were_known_at_the_prediction_time(
    folder: Path, table: pd.DataFrame
) -> None:
    kept = lake.read(folder / "lake", "answers").set_index("flight_id")
    whole = table.set_index("flight_id").loc[kept.index, features.FEATURES]
    for name in features.CATEGORICAL:
        assert (kept[name] == whole[name]).all()
    numbers = kept[features.NUMERIC].to_numpy(float)
    assert np.array_equal(
        numbers, whole[features.NUMERIC].to_numpy(float), equal_nan=True
    )


def test_the_replay_decides_alike_to_the_bit(folder: Path, table: pd.DataFrame) -> None:
    plan = small_world.plan()
    replay = loop.Replay(table, fit=plan.fit, join=LabelJoin(plan.wait))
    found = replay.run(plan.policy, START, UNTIL)
    kept = [
        b["decision"] for _, _, b in small_world.decisions(folder) if "decision" in b
    ]
    assert len(kept) == 1
    # the decision at the end has no day left to serve, and the replay does not take it
    assert kept[: len(found.decisions)] == [plain(each) for each in found.decisions]
    mine = answers(folder).set_index("id").sort_index()
    other = found.served.set_index("id").sort_index()
    assert mine.index.equals(other.index)
    assert (mine["model"] == other["model"]).all()
    assert np.array_equal(mine["score"], other["score"])


def test_a_trial_goes_the_same_way_on_both_paths(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    until = START + 13 * DAY
    moved = loop.Drift(0.001, "training")
    policy = loop.Policy("tried", moved, trial=True)
    trial = loop.canary.Plan(days=3, share=0.3, margin=0.05)
    plan = small_world.plan(policy=policy, trial=trial)
    loop.run(tmp_path, small_world.small(), plan, until)
    replay = loop.Replay(table, fit=plan.fit, join=LabelJoin(plan.wait))
    found = replay.run(policy, START, until, plan=trial)
    said = small_world.decisions(tmp_path)
    kept = [b["decision"] for _, _, b in said if "decision" in b]
    assert kept[: len(found.decisions)] == [plain(each) for each in found.decisions]
    reviews = [b["review"] for _, _, b in said if "review" in b]
    assert reviews[: len(found.reviews)] == [plain(each) for each in found.reviews]
    assert {each["action"] for each in reviews} >= {"go on", "promote"}
    mine, other = answers(tmp_path), found.served.set_index("id")
    assert (mine["model"].to_numpy() == other["model"].loc[mine["id"]]).all()
    began = next(at for at, _, b in said if b["after"]["challenger"])
    inside = mine[(mine["asked_at"] > began) & (mine["asked_at"] <= began + DAY)]
    assert 0.1 < (inside["model"] != inside["model"].mode()[0]).mean() < 0.5
    with loop.journal.reading(tmp_path) as base:
        name = next(
            b["after"]["challenger"]["name"]
            for _, _, b in said
            if b["after"]["challenger"]
        )
        heard = loop.journal.read_shadows(base, name)
    served = inside.loc[inside["model"] == name, "id"]
    assert set(served) | set(heard["id"]) >= set(inside["id"])
    assert not set(served) & set(heard["id"])


def test_short_steps_answer_as_long_ones_do(tmp_path: Path) -> None:
    until, found = START + DAY / 2, []
    for hours in (2, 12):
        step = small_world.plan(step=pd.Timedelta(hours=hours))
        loop.run(tmp_path / f"{hours}", small_world.small(), step, until)
        found.append(answers(tmp_path / f"{hours}"))
    columns = ["id", "asked_at", "day", "due_at", "model", "score", "source"]
    assert len(found[0]) > 50 and found[0][columns].equals(found[1][columns])


def test_it_runs_where_an_event_loop_is_at_work(tmp_path: Path) -> None:
    """As in a notebook."""

    async def cell() -> str:
        until = START + DAY
        return loop.run(tmp_path, small_world.small(), small_world.plan(), until)

    assert len(asyncio.run(cell())) == 64
    assert len(answers(tmp_path)) > 80


def test_stopping_and_going_on_changes_nothing(folder: Path, tmp_path: Path) -> None:
    source, plan = small_world.small(), small_world.plan()
    for days in (0, 5, 5, 7, 8):
        digest = loop.run(tmp_path, source, plan, START + days * DAY)
    with loop.journal.reading(folder) as base:
        assert digest == loop.journal.verify(base)


def test_a_run_that_would_go_back_is_refused(folder: Path) -> None:
    with pytest.raises(loop.Backwards, match=r"the run is at .*Take a later end"):
        loop.run(folder, small_world.small(), small_world.plan(), START + 5 * DAY)


def test_another_plan_or_world_is_refused(folder: Path) -> None:
    other = small_world.plan(fit=loop.Fit("logistic", seed=1))
    with pytest.raises(ValueError, match="holds another run"):
        loop.run(folder, small_world.small(), other, UNTIL)
    fewer = small_world.changed("arrivals", lambda rows: rows.iloc[1:])
    with pytest.raises(ValueError, match="holds another run"):
        loop.run(folder, fewer, small_world.plan(), UNTIL)


def test_the_rollout_serves_the_champion(folder: Path) -> None:
    rollout = json.loads((folder / "rollout.json").read_bytes())
    live = serving.deployment(rollout, folder / "models")
    after = small_world.decisions(folder)[-1][2]["after"]
    assert live.models["champion"].version == after["champion"]["name"]
    assert live.weights == {"champion": 1.0}


def test_the_logs_are_those_of_the_service(folder: Path) -> None:
    with loop.journal.reading(folder) as base:
        ticks = loop.journal.read_ticks(base)
    row = ticks.iloc[5]
    log = serving.read_log(folder / row["log"])
    assert training.sha256((folder / row["log"]).read_bytes()) == row["log_sha256"]
    mine = answers(folder)
    mine = mine[mine["tick"] == row["now"]].set_index("id")
    assert (log.set_index("flight_id")["score"] == mine["score"]).all()
    assert (log["time"] == mine["asked_at"].loc[log["flight_id"]].to_numpy()).all()


def test_the_monitor_writes_to_the_metrics_store(folder: Path) -> None:
    rows = drift.read_metrics(folder / "metrics.sqlite")
    assert rows["at"].nunique() == 8
    assert {"answers", "log_loss", "gap", "age_h", "p99_ms"} <= set(rows["metric"])
    answered = rows[rows["metric"] == "answers"]["value"].sum()
    assert answered == len(answers(folder))
    page = drift.dashboard(rows)
    assert "log_loss" in page


def test_late_news_is_not_used_for_moments_before_it_came() -> None:
    tables = small_world.small().tables
    tick = loop.Tick(START, START + DAY)
    news = {
        name: rows[(rows.available_at > tick.since) & (rows.available_at <= tick.now)]
        for name, rows in tables.items()
    }
    noon = START + pd.Timedelta(hours=12)
    left = news["departures"]
    held = left["event_time"] < noon
    tardy = left.assign(available_at=left["available_at"].mask(held, tick.now))

    def asked(departures: pd.DataFrame, folder: Path) -> pd.DataFrame:
        for name, rows in tables.items():
            lake.append(folder, name, rows[rows["available_at"] <= START])
        mind = memory.Memory(folder, START)
        return mind.hear({**news, "departures": departures}, tick)

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        prompt, late = asked(left, Path(one)), asked(tardy, Path(two))
    lost = asked_without(tables, news, left[~held], tick)
    name = "origin_waiting"
    assert not late[name].equals(prompt[name])
    assert late[name].equals(lost[name])


def asked_without(
    tables: dict, news: dict, departures: pd.DataFrame, tick: loop.Tick
) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in tables.items():
            lake.append(folder, name, rows[rows["available_at"] <= tick.since])
        mind = memory.Memory(folder, tick.since)
        return mind.hear({**news, "departures": departures}, tick)


def test_a_month_with_every_flight_is_that_of_the_replay(tmp_path: Path) -> None:
    """April as a whole: a month to learn from, a retraining each fortnight."""
    flights, airports = data.load_flights(months=[3, 4]), data.load_airports()
    weather = data.load_weather()
    source = loop.source_of(flights, airports, weather)
    policy = loop.Policy("every 2 weeks", loop.Schedule(2, loop.START))
    fit, until = loop.Fit(rounds=20), pd.Timestamp("2013-05-01T04:00Z")
    loop.run(tmp_path, source, loop.Plan(policy, fit), until.as_unit("us"))
    times = lake.flight_times(flights, airports)
    whole = features.training_table(times, lake.weather_events(weather))
    found = loop.Replay(whole, fit=fit).run(policy, loop.START, until)
    kept = [
        b["decision"] for _, _, b in small_world.decisions(tmp_path) if "decision" in b
    ]
    assert kept == [plain(each) for each in found.decisions] and len(kept) == 4
    assert [each["outcome"] for each in kept] == ["keep", "promoted"] * 2
    rows = drift.read_metrics(tmp_path / "metrics.sqlite", "performance")
    assert rows["at"].dt.strftime("%m-%d").unique().tolist() == ["04-15", "04-29"]
    one = rows.set_index("subject").loc["log_loss"]
    assert ((one["low"] < one["value"]) & (one["value"] < one["high"])).all()
    mine = answers(tmp_path).set_index("id").sort_index()
    other = found.served.set_index("id").sort_index()
    assert len(mine) > 27_000 and mine.index.equals(other.index)
    assert np.array_equal(mine["score"], other["score"])


def test_a_world_without_a_feed_or_a_zone_is_refused() -> None:
    tables = dict(small_world.small().tables)
    naive = tables["weather"].assign(
        available_at=tables["weather"]["available_at"].dt.tz_localize(None)
    )
    with pytest.raises(
        ValueError, match=r"weather: available_at holds datetime64.us., no"
    ):
        loop.Source({**tables, "weather": naive})
    with pytest.raises(ValueError, match="arrivals lacks event_time"):
        loop.Source({**tables, "arrivals": tables["arrivals"][["available_at"]]})
    del tables["arrivals"]
    with pytest.raises(ValueError, match="the source lacks arrivals"):
        loop.Source(tables)


def test_raw_files_are_read_if_their_digests_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no SHA256SUMS"):
        loop.read_source(tmp_path, [3])
    for name in ("airports.parquet", "weather.parquet"):
        (tmp_path / name).write_bytes((data.DATA_DIR / name).read_bytes())
    sums = (data.DATA_DIR / "SHA256SUMS").read_text()
    (tmp_path / "SHA256SUMS").write_text(sums)
    with pytest.raises(training.Damaged, match=r"2013-03\.parquet: missing"):
        loop.read_source(tmp_path, [3])
    whole = loop.read_source(data.DATA_DIR, [3])
    rows = whole.tables["arrivals"]
    assert whole.named("arrivals", rows) == "flights/2013-03.parquet"
    assert whole.named("weather", whole.tables["weather"]) == "weather.parquet"
    assert loop.Source(whole.tables).named("arrivals", rows) == "arrivals"
    assert not (whole.tables["weather"]["wind_speed"] > 200).any()


def test_a_remedy_that_the_path_has_not_is_a_sentence(tmp_path: Path) -> None:
    policy = loop.Policy("calibrated", small_world.WEEKLY, remedy="recalibrate")
    with pytest.raises(ValueError, match="calibrates none"):
        loop.run(
            tmp_path,
            small_world.small(),
            small_world.plan(policy=policy),
            START + 7 * DAY,
        )
