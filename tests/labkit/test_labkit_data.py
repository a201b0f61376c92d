"""labkit.data: what it returns, and what it says when a file is not right."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from flightline import training
from flightline.serving import serve
from labkit import data
from labkit.data import DataError

LOADERS = {
    "flights/2013-07.parquet": lambda: data.load_flights(months=[7]),
    "weather.parquet": data.load_weather,
    "planes.parquet": data.load_planes,
    "airports.parquet": data.load_airports,
    "airlines.parquet": data.load_airlines,
}
each_loader = pytest.mark.parametrize("name, load", LOADERS.items(), ids=list(LOADERS))
Load = Callable[[], pd.DataFrame]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what these tests read, in place of the data folder."""
    copy = tmp_path / "data"
    (copy / "flights").mkdir(parents=True)
    for name in [*LOADERS, data.SUMS]:
        shutil.copy(data.DATA_DIR / name, copy / name)
    monkeypatch.setattr(data, "DATA_DIR", copy)
    return copy


# --- what it returns


def test_months_come_in_calendar_order_whatever_the_request() -> None:
    flights = data.load_flights(months=[3, 1, 3])
    assert flights["month"].drop_duplicates().tolist() == [1, 3]
    assert len(flights) == 27_004 + 28_834
    assert flights.index.equals(pd.RangeIndex(len(flights)))
    order = ["month", "day", "sched_dep_time", "origin", "carrier", "flight"]
    assert flights.equals(flights.sort_values(order))


def test_months_together_are_the_months_one_by_one() -> None:
    parts = [data.load_flights(months=[month]) for month in (6, 7)]
    both = data.load_flights(months=iter([6, 7]))
    pd.testing.assert_frame_equal(both, pd.concat(parts, ignore_index=True))


def test_columns_come_in_the_order_of_the_request() -> None:
    some = data.load_flights(months=[2], columns=["dest", "arr_delay", "day"])
    assert list(some) == ["dest", "arr_delay", "day"]
    pd.testing.assert_frame_equal(some, data.load_flights(months=[2])[list(some)])


def test_dtypes_do_not_depend_on_the_month() -> None:
    first = data.load_flights(months=[1]).dtypes
    for month in range(2, 13):
        assert data.load_flights(months=[month]).dtypes.equals(first)


@each_loader
def test_only_the_four_promised_dtypes(name: str, load: Load) -> None:
    promised = {"int64", "float64", "object", "datetime64[us, UTC]"}
    assert {str(dtype) for dtype in load().dtypes} <= promised


@each_loader
def test_text_is_str_or_none(name: str, load: Load) -> None:
    for _, column in load().select_dtypes("object").items():
        assert {type(value) for value in column} <= {str, type(None)}


def test_a_caller_may_change_what_it_got() -> None:
    mine = data.load_airlines()
    mine.loc[:, "name"] = "changed"
    assert "changed" not in set(data.load_airlines()["name"])


def test_the_recurring_flight_is_one_row_like_the_others() -> None:
    row = data.recurring_flight()
    july = data.load_flights(months=[7])
    assert len(row) == 1
    assert row.dtypes.equals(july.dtypes)
    assert row.index.tolist() == [0]
    assert row[list(data.RECURRING_FLIGHT._fields)].iloc[0].tolist() == list(
        data.RECURRING_FLIGHT
    )
    assert row["arr_delay"].iloc[0] >= 15
    assert (july == row.iloc[0]).all(axis=1).sum() == 1


def test_the_recurring_flight_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = data.RECURRING_FLIGHT._replace(flight=9999)
    monkeypatch.setattr(data, "RECURRING_FLIGHT", nobody)
    with pytest.raises(DataError, match=r"flight=9999.* matches 0 flights, not one"):
        data.recurring_flight()


# --- what it keeps back


def test_the_last_week_is_handed_out_by_one_function_alone() -> None:
    december = data.load_flights(months=[12])
    assert december["day"].max() == 23
    week = data.load_sealed_week()
    assert week["month"].eq(12).all() and set(week["day"]) == set(range(24, 31))
    whole = pd.read_parquet(data.DATA_DIR / "flights" / "2013-12.parquet")
    assert len(december) + len(week) == (whole["day"] < 31).sum()
    assert list(week) == list(december) and week.dtypes.equals(december.dtypes)


def test_the_week_stays_sealed_whatever_columns_are_asked_for() -> None:
    some = data.load_flights(months=[11, 12], columns=["carrier"])
    assert len(some) == len(data.load_flights(months=[11, 12]))
    week = data.load_sealed_week(columns=["dest"])
    assert list(week) == ["dest"] and len(week) == len(data.load_sealed_week())


def test_neither_training_nor_serving_sees_the_sealed_week() -> None:
    table = training.load_table(data.DATA_DIR, months=[12])
    assert table["sched_dep_utc"].max() < pd.Timestamp("2013-12-24 05:00", tz="UTC")
    assert serve.flights_of([12])["day"].max() == 23


# --- what it says


@pytest.mark.parametrize("months", [[0], [13], [1, 2013], [], ["July"]])
def test_an_unknown_month(months: list[int]) -> None:
    with pytest.raises(DataError, match="give numbers from 1 to 12"):
        data.load_flights(months=months)


def test_an_unknown_column_lists_those_that_exist() -> None:
    with pytest.raises(DataError) as error:
        data.load_flights(months=[7], columns=["arr_delay", "arr_dealy"])
    assert "no column 'arr_dealy'" in str(error.value)
    assert all(name in str(error.value) for name in data.load_flights([7]).columns)


@each_loader
def test_a_flipped_byte(name: str, load: Load, folder: Path) -> None:
    load()  # a file that was good a moment ago is read again, and checked again
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        load()
    assert f"data/{name} has changed" in str(error.value)
    assert f"git checkout -- data/{name} data/SHA256SUMS" in str(error.value)
    assert "python data/build.py" in str(error.value)


@each_loader
def test_a_missing_file(name: str, load: Load, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError) as error:
        load()
    assert f"data/{name} is missing" in str(error.value)
    assert f"git checkout -- data/{name}" in str(error.value)


@each_loader
def test_a_changed_digest(name: str, load: Load, folder: Path) -> None:
    sums = folder / data.SUMS
    digest = data._digests()[name]
    wrong = digest[::-1]
    sums.write_text(sums.read_text().replace(digest, wrong))
    with pytest.raises(DataError) as error:
        load()
    assert f"its sha256 is {digest[:12]}" in str(error.value)
    assert f"SHA256SUMS says {wrong[:12]}" in str(error.value)


@each_loader
def test_a_missing_digest(name: str, load: Load, folder: Path) -> None:
    sums = folder / data.SUMS
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if name not in line))
    with pytest.raises(DataError, match=f"data/SHA256SUMS has no line for {name}"):
        load()


def test_a_damaged_list_of_digests(folder: Path) -> None:
    sums = folder / data.SUMS
    sums.write_text(sums.read_text() + "not a digest\n")
    with pytest.raises(DataError, match="SHA256SUMS, line 17, is not a digest"):
        data.load_airlines()


def test_no_list_of_digests(folder: Path) -> None:
    (folder / data.SUMS).unlink()
    with pytest.raises(DataError, match=r"SHA256SUMS is missing.*git checkout"):
        data.load_airlines()
