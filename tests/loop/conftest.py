"""Runs of the small world that several files look at; who changes one copies it."""

from pathlib import Path

import pytest
import small_world
from flightline import loop
from labkit import data


@pytest.fixture(scope="session")
def eight_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a promotion, which knows the raw files that its rows come from."""
    path = tmp_path_factory.mktemp("eight")
    sums = (data.DATA_DIR / "SHA256SUMS").read_text().splitlines()
    files = dict(line.split("  ")[::-1] for line in sums)
    source = loop.Source(small_world.small().tables, files, data.DATA_DIR)
    until = small_world.START + 8 * small_world.DAY
    loop.run(path, source, small_world.plan(), until)
    return path


@pytest.fixture(scope="session")
def held_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose first challenger has passed, and waits for a person."""
    path = tmp_path_factory.mktemp("held")
    plan = small_world.plan(automatic=False)
    loop.run(path, small_world.small(), plan, small_world.START + small_world.WEEK)
    return path
