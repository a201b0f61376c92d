"""What the lab says of Delta Lake, as the pinned `deltalake` behaves."""

from pathlib import Path

import pandas as pd
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError

ROWS = pd.DataFrame({"number": [1, 2]})
ONCE = CommitProperties(app_transactions=[Transaction("sender", 7)])


def test_the_number_of_a_transaction_can_be_read_back(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "table", ROWS, commit_properties=ONCE)
    table = DeltaTable(tmp_path / "table")
    assert table.transaction_version("sender") == 7
    assert table.transaction_version("another") is None


def test_who_does_not_look_it_up_writes_twice(tmp_path: Path) -> None:
    for _ in range(2):
        write_deltalake(tmp_path / "table", ROWS, mode="append", commit_properties=ONCE)
    assert len(DeltaTable(tmp_path / "table").to_pandas()) == 2 * len(ROWS)


def test_of_two_at_once_with_one_number_the_second_fails(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "table", ROWS)
    one, other = (DeltaTable(tmp_path / "table") for _ in range(2))
    write_deltalake(one, ROWS, mode="append", commit_properties=ONCE)
    with pytest.raises(CommitFailedError):
        write_deltalake(other, ROWS, mode="append", commit_properties=ONCE)
    assert len(DeltaTable(tmp_path / "table").to_pandas()) == 2 * len(ROWS)
