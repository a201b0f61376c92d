"""What the tests of experiments share: the replayed quarter, loaded once."""

import pytest
from labkit import replay


@pytest.fixture(scope="session")
def flights():
    """Return July to September with the rewards of both policies; do not change it."""
    return replay.load()
