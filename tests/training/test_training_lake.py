"""The training table is the same from the raw folder and from a lake."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline import lake, training
from labkit import data

MONTHS = [2, 12]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a lake with two months of flights, delivered in halves, and weather."""
    root = tmp_path_factory.mktemp("lake")
    tables = lake.events(data.load_flights(MONTHS), data.load_airports())
    tables["weather"] = lake.weather_events(data.load_weather())
    for name, rows in tables.items():
        for half in (rows.iloc[::2], rows.iloc[1::2]):
            lake.append(root, name, half)
    return root


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return training.load_table(data.DATA_DIR, MONTHS)


def test_a_row_in_quarantine_is_missing_until_it_is_mended(
    filled: Path, raw: pd.DataFrame
) -> None:
    aside = lake.quarantine(filled, "weather")
    assert "wind_speed is outside" in aside.reason.item()
    before = training.load_table(filled, MONTHS)
    assert len(before) == len(raw)
    differs = (before.wind_speed != raw.wind_speed) & before.wind_speed.notna()
    assert 0 < differs.sum() < 50
    weather = lake.weather_events(data.load_weather())
    mended = weather[weather.wind_speed > 200].assign(wind_speed=np.nan)
    assert lake.append(filled, "weather", mended, source="mended").accepted == 1
    pd.testing.assert_frame_equal(training.load_table(filled, MONTHS), raw)


def test_the_newest_report_about_a_flight_counts(tmp_path: Path) -> None:
    flights = data.load_flights([7])
    tables = lake.events(flights[flights.day == 2], data.load_airports())
    for name, rows in tables.items():
        lake.append(tmp_path, name, rows)
    report = tables["arrivals"].dropna(subset="event_time").iloc[[5]]
    later = report.available_at + pd.Timedelta(days=30)
    mended = report.assign(arr_delay=77.0, available_at=later)
    lake.append(tmp_path, "arrivals", mended)
    known = lake.known_flights(tmp_path).set_index("flight_id")
    then = lake.known_flights(tmp_path, as_of={"arrivals": 1}).set_index("flight_id")
    name = report.flight_id.item()
    assert known.arr_delay[name] == 77.0
    assert then.arr_delay[name] == report.arr_delay.item()
    assert len(known) == len(flights[flights.day == 2])


def test_a_folder_that_is_neither(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="SHA256SUMS"):
        training.load_table(tmp_path)
    lake.append(tmp_path, "weather", lake.weather_events(data.load_weather()).head(5))
    with pytest.raises(ValueError, match="The lake has no table 'schedule'"):
        training.load_table(tmp_path)
