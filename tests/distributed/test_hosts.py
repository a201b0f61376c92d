"""Two hosts in network namespaces, where the machine allows them."""

import shutil

import pytest
from labkit import processes
from labkit.distributed import hosts


def test_what_is_missing_is_named(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "tc" else name)
    assert hosts.obstacle() == "the command 'tc' is missing"
    reason, table = hosts.exchange([64], mbit=100, repeats=1)
    assert "'tc'" in reason and table.empty
    assert list(table.columns) == hosts.COLUMNS


def test_a_refusal_of_the_system_is_told(monkeypatch) -> None:
    monkeypatch.setattr(hosts, "NEEDS", ())
    told = ["sh", "-c", "echo operation not permitted >&2; exit 1", "--"]
    monkeypatch.setattr(hosts, "_apart", lambda: told)
    assert hosts.obstacle() == "the system refuses: operation not permitted"


@pytest.mark.parametrize("mbit", [100, None])
def test_two_hosts_exchange_over_their_link(mbit: int | None) -> None:
    reason = hosts.obstacle()
    if reason:
        pytest.skip(reason)
    before = set(processes.descendants(processes.os.getpid()))
    none, table = hosts.exchange([64, 4096], mbit=mbit, repeats=1)
    assert none == "" and table["bytes"].tolist() == [64, 4096]
    assert (table[["all_reduce", "ring"]] > 0).all(axis=None)
    left = set(processes.descendants(processes.os.getpid())) - before
    assert processes.survivors(list(left)) == []
