"""Files, copies and the registry: drafts, lineage, what a run may leave out."""

import json
import resource
import shutil
from datetime import timedelta
from pathlib import Path

import feast
import numpy as np
import pandas as pd
import pytest
from flightline import features
from flightline.features import VIEWS
from small_store import NOON, held, race, reports, write_weather


@pytest.fixture
def opened(tmp_path):
    """Return an empty store."""
    return features.store(tmp_path / "store")


# --- files and copies ------------------------------------------------------------


def limited(action, size):
    """Call something that may write no file larger than `size` bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        action()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize("size", [0, 100, 4_000])
def test_a_full_disk_leaves_the_last_good_file(opened, size):
    folder = Path(str(opened.config.repo_path))
    times = [(f"2013-07-08T{h:02d}:00", f"2013-07-08T{h + 1:02d}:00") for h in range(9)]
    good = reports(*times)
    features.write_offline(folder, {"weather": good}, {"raw": "0" * 64})
    kept = {p.name: p.read_bytes() for p in (folder / "offline").iterdir()}
    many = pd.concat([good] * 2_000, ignore_index=True)
    many["temp"] = np.random.default_rng(0).normal(size=len(many))
    with pytest.raises(OSError):
        limited(lambda: features.write_offline(folder, {"weather": many}, {}), size)
    assert {p.name: p.read_bytes() for p in (folder / "offline").iterdir()} == kept
    assert features.registry.lineage(opened, "temp")["intact"].all()


def test_lineage_tells_a_file_that_was_not_recorded(opened):
    folder = Path(str(opened.config.repo_path))
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    with pytest.raises(ValueError, match="no rows yet"):
        features.registry.lineage(opened, "temp")
    features.write_offline(folder, {"weather": rows}, {"raw": "0" * 64})
    note = folder / "offline" / "lineage.json"
    record = json.loads(note.read_text())
    record["weather"]["sha256"] = "1" * 64
    note.write_text(json.dumps(record))
    assert not features.registry.lineage(opened, "temp")["intact"].all()


def test_a_second_run_of_an_old_period_changes_nothing(opened):
    folder = opened.config.repo_path
    rows = reports(
        ("2013-07-08T11:00", "2013-07-08T12:00"),
        ("2013-07-08T12:00", "2013-07-08T13:00"),
    )
    features.write_offline(folder, {"weather": rows}, {})
    noon, one = NOON, NOON + pd.Timedelta("1h")
    copy = {"views": ["weather"]}
    assert features.materialize(opened, noon, **copy) == {"weather": 1}
    assert features.materialize(opened, one, since=noon, **copy) == {"weather": 1}
    assert features.materialize(opened, noon, **copy) == {"weather": 0}
    assert held(opened) == 1.0


def test_a_row_that_reaches_the_file_late_is_copied(opened):
    folder = opened.config.repo_path
    early = reports(("2013-07-08T08:00", "2013-07-08T09:00"))
    late = reports(("2013-07-08T09:00", "2013-07-08T10:00"), temp=70.0)
    quarter = pd.Timestamp("2013-07-08T10:15", tz="UTC")
    copy = {"views": ["weather"]}
    features.write_offline(folder, {"weather": early}, {})
    features.materialize(opened, quarter, **copy)
    features.write_offline(folder, {"weather": pd.concat([early, late])}, {})
    hour = quarter + pd.Timedelta("1h")
    none = pd.Timedelta(0)
    missed = features.materialize(opened, hour, since=quarter, overlap=none, **copy)
    assert missed == {"weather": 0} and held(opened) == 0.0
    found = features.materialize(opened, hour, since=quarter, **copy)
    assert found == {"weather": 1} and held(opened) == 70.0


def test_times_of_a_copy_have_zones_and_run_forward(opened):
    naive = pd.Timestamp("2013-07-08T10:15")
    with pytest.raises(ValueError, match=r"now=.* has no zone"):
        features.materialize(opened, naive)
    with pytest.raises(ValueError, match=r"since=.* has no zone"):
        features.materialize(opened, NOON, since=naive)
    with pytest.raises(ValueError, match="before since"):
        features.materialize(opened, NOON, since=NOON + pd.Timedelta("1s"))
    with pytest.raises(ValueError, match=r"overlap=.* is negative"):
        features.materialize(opened, NOON, overlap=pd.Timedelta("-1h"))
    with pytest.raises(FileNotFoundError, match=r"weather\.parquet"):
        features.materialize(opened, NOON, views=["weather"])


@pytest.mark.parametrize("text", ["", "[]", '{"weather": 1}', '{"weather": {}}'])
def test_a_damaged_lineage_is_named_before_a_file_changes(opened, text):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    write_weather(opened, rows)
    folder = Path(str(opened.config.repo_path)) / "offline"
    (folder / "lineage.json").write_text(text)
    kept = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(ValueError, match=r"lineage\.json is damaged.*write_offline"):
        features.registry.lineage(opened, "temp")
    with pytest.raises(ValueError, match=r"lineage\.json is damaged"):
        write_weather(opened, rows.assign(temp=5.0))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == kept


def test_an_offline_file_that_was_damaged_is_named(opened):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    write_weather(opened, rows)
    file = Path(str(opened.config.repo_path)) / "offline" / "weather.parquet"
    later = NOON + pd.Timedelta("2h")
    cases = {
        "lack the column available_at": rows.drop(columns="available_at"),
        "lack the column temp": rows.drop(columns="temp"),
        "event_time is .*no time with a zone": rows.assign(
            event_time=rows["event_time"].dt.tz_localize(None)
        ),
    }
    for what, odd in cases.items():
        odd.to_parquet(file)
        with pytest.raises(ValueError, match=what):
            features.materialize(opened, later, views=["weather"])
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"weather\.parquet cannot be read.*Write the"):
        features.materialize(opened, later, views=["weather"])
    rows.iloc[:0].to_parquet(file)
    assert features.materialize(opened, later, views="weather") == {"weather": 0}


LINEAGE = """
import sys
import pandas as pd
from flightline import features
folder, view = sys.argv[1:]
noon = pd.Timestamp("2013-07-08T12:00", tz="UTC").as_unit("us")
row = {name: [0.0] for name in features.VIEWS[view].features}
row |= {key: ["JFK"] for key in features.VIEWS[view].keys}
row |= {"event_time": [noon], "available_at": [noon]}
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    features.write_offline(folder, {view: pd.DataFrame(row)}, {})
"""


def test_two_writers_of_files_lose_no_lineage(opened):
    race(
        [LINEAGE, str(opened.config.repo_path), view] for view in ("origin", "weather")
    )
    for name in ("origin_waiting", "temp"):
        assert features.registry.lineage(opened, name)["intact"].all()


# --- the registry ----------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"\x0a\x03torn"])
def test_a_registry_cut_short_is_finished(tmp_path, content):
    features.store(tmp_path)
    (tmp_path / "registry.db").write_bytes(content)
    assert len(features.store(tmp_path).list_feature_views()) == len(VIEWS)


OPEN = """
import sys
from flightline import features
print("ready", flush=True)
sys.stdin.readline()
assert len(features.store(sys.argv[1]).list_feature_views()) == len(features.VIEWS)
"""


def test_two_processes_make_a_store_at_once(tmp_path):
    race([OPEN, str(tmp_path / "new")] for _ in range(2))
    assert len(features.store(tmp_path / "new").list_feature_views()) == len(VIEWS)
    assert not list((tmp_path / "new").glob(".registry-*"))


def test_a_copied_folder_reads_its_own_files(opened, tmp_path):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    write_weather(opened, rows)
    shutil.copytree(opened.config.repo_path, tmp_path / "copy")
    copied = features.store(tmp_path / "copy")
    paths = {Path(view.batch_source.path) for view in copied.list_feature_views()}
    assert {path.parent for path in paths} == {tmp_path / "copy" / "offline"}


def test_a_registry_of_an_older_version_is_finished(opened):
    with features.quiet():
        opened.apply([view_without("temp", opened)])
    assert "temp" not in names_of(opened)
    assert "temp" in names_of(features.store(opened.config.repo_path))


def test_a_registry_with_an_older_ttl_or_owner_is_finished(opened):
    folder = opened.config.repo_path
    for change in ({"ttl": timedelta(hours=99)}, {"owner": "nobody"}, {"tags": {}}):
        view = opened.get_feature_view("weather")
        for name, value in change.items():
            setattr(view, name, value)
        with features.quiet():
            opened.apply([view])
        found = features.store(folder).get_feature_view("weather")
        assert found.ttl == timedelta(hours=6) and found.owner == "weather desk"
        assert found.tags["version"] == "1"


def test_a_registry_with_a_smaller_service_is_finished(opened):
    few = opened.get_feature_view("origin")[["origin_waiting"]]
    with features.quiet():
        opened.apply([feast.FeatureService(name="delay_start", features=[few])])
    again = features.store(opened.config.repo_path)
    parts = again.get_feature_service("delay_start").feature_view_projections
    held = {field.name for part in parts for field in part.features}
    assert held >= set(features.START_SET) - set(features.CATEGORICAL)


def test_a_finished_registry_is_left_alone(opened):
    file = Path(str(opened.config.repo_path)) / "registry.db"
    before = file.stat().st_ino
    features.store(opened.config.repo_path)
    assert file.stat().st_ino == before


def view_without(name, store):
    """Return the weather view as it might have been before a feature was added."""
    view = store.get_feature_view("weather")
    view.features = [field for field in view.features if field.name != name]
    return view


def names_of(store):
    """Return the features of the weather view."""
    return {field.name for field in store.get_feature_view("weather").features}


def test_lineage_says_nothing_of_what_it_did_not_look_at(opened):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"))
    write_weather(opened, rows, {"raw": "0" * 64})
    steps = features.registry.lineage(opened, "temp").set_index("step")["intact"]
    assert steps["offline rows"] and steps.drop("offline rows").isna().all()


def test_the_users_of_a_feature_are_listed(opened):
    users = features.registry.users(opened)
    waiting = users.loc["origin_waiting"]
    assert waiting["view"] == "origin" and waiting["services"] == "delay, delay_start"
    assert users.loc["flight_late_rate_v2", "services"] == ""
    assert not users.index.str.endswith(("_at", "_known")).any()


def test_permissions_take_one_role_and_refuse_a_foreign_action(opened):
    allow = features.registry.allow
    assert allow(opened, "serving", "READ_ONLINE") is opened
    with pytest.raises(PermissionError, match=r"^training may not READ_ONLINE"):
        allow(opened, "training", "READ_ONLINE")
    with pytest.raises(ValueError, match=r"no action 'DROP'; there are READ_ONLINE"):
        allow(opened, "serving", "DROP")


# --- the online file -------------------------------------------------------------


def test_an_online_file_that_was_replaced_is_not_written(opened, tmp_path):
    online = Path(opened.config.online_store.path)
    first = reports(("2013-07-08T12:00", "2013-07-08T13:00"), temp=1.0)
    later = reports(("2013-07-08T13:00", "2013-07-08T14:00"), temp=2.0)
    features.push(opened, "weather", first)
    shutil.copy(online, tmp_path / "backup")
    online.unlink()
    shutil.copy(tmp_path / "backup", online)
    with pytest.raises(features.Unavailable, match="replaced while it was open"):
        features.push(opened, "weather", later)
    again = features.store(opened.config.repo_path)
    assert features.push(again, "weather", later) == 1 and held(again) == 2.0


def test_an_online_file_that_is_lost_is_filled_again(opened):
    rows = reports(("2013-07-08T12:00", "2013-07-08T13:00"), temp=1.0)
    write_weather(opened, rows)
    folder = Path(str(opened.config.repo_path))
    Path(opened.config.online_store.path).unlink()
    copy = {"now": NOON + pd.Timedelta("2h"), "views": ["weather"]}
    with pytest.raises(features.Unavailable, match=r"remove registry\.db"):
        features.materialize(features.store(folder), **copy)
    (folder / "registry.db").unlink()
    again = features.store(folder)
    assert features.materialize(again, **copy) == {"weather": 1} and held(again) == 1.0
