"""Two hosts on one machine: network namespaces, joined by a link of a limited rate.

`exchange` times `all_reduce` between them. A namespace has interfaces of its own, so
two ranks in two namespaces see each other as two machines do. The namespaces have no
name: they vanish with their processes. Linux alone has them; elsewhere, and where the
system forbids them, the reason is returned and nothing is measured.

`python -m labkit.distributed.hosts FOLDER MBIT` is what runs inside: it builds the link
and starts one rank of `labkit.distributed.rank_tasks` on each side.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from labkit.folders import Folder
from labkit.processes import Child, module

ADDRESSES, PORT = ("10.77.0.1", "10.77.0.2"), "29500"
COLUMNS = ["bytes", "all_reduce", "ring"]
NEEDS = ("unshare", "nsenter", "ip", "tc")
ENTER_S = 5.0


def obstacle() -> str:
    """Say why this machine cannot be two hosts; empty if it can."""
    missing = [name for name in NEEDS if shutil.which(name) is None]
    if missing:
        return f"the command {missing[0]!r} is missing"
    tried = "ip link add va type veth peer name vb && " + _limit("va", 100)
    done = subprocess.run(
        [*_apart(), "sh", "-c", tried], capture_output=True, text=True, timeout=30
    )
    told = done.stderr.strip().splitlines() or [f"code {done.returncode}"]
    return f"the system refuses: {told[-1]}" if done.returncode else ""


def exchange(
    sizes: Sequence[int],
    mbit: int | None,
    repeats: int,
    deadline_s: float = 120.0,
) -> tuple[str, pd.DataFrame]:
    """Time the exchange of two ranks on two hosts.

    Parameters
    ----------
    sizes : sequence of int
        Bytes of the tensors.
    mbit : int or None
        Rate of the link in each direction, in Mbit/s; None leaves it unlimited.
    repeats : int
        Rounds; the medians count.
    deadline_s : float

    Returns
    -------
    tuple
        Why nothing was measured, or an empty text; and one row a size: `bytes`, and
        the seconds of `all_reduce` and of our `ring`.
    """
    reason = obstacle()
    if reason:
        return reason, pd.DataFrame(columns=COLUMNS, dtype=float)
    task = {"task": "exchange", "sizes": list(sizes), "repeats": repeats}
    with Folder("hosts-") as folder:
        (folder / "tasks.json").write_text(json.dumps([task]))
        limit = "none" if mbit is None else mbit
        command = [*_apart(), *module("labkit.distributed.hosts", folder, limit)]
        with Child(command, deadline_s=deadline_s) as child:
            if child.wait() != 0:
                raise RuntimeError(f"the two hosts failed:\n{child.log()[-2000:]}")
        [by_rank] = json.loads((folder / "results.json").read_text())
    return "", pd.DataFrame(by_rank[0])[COLUMNS]


def _apart() -> list[str]:
    """Return the command that gives a process a network of its own."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--"]


def _limit(side: str, mbit: int) -> str:
    """Return the command that limits what leaves by an interface."""
    return f"tc qdisc add dev {side} root tbf rate {mbit}mbit burst 64kb latency 50ms"


def _limits(side: str, mbit: int | None) -> list[str]:
    """Return the command as a list; an unlimited link needs none."""
    return [] if mbit is None else [_limit(side, mbit)]


@contextlib.contextmanager
def _neighbour(mbit: int | None) -> Iterator[list[str]]:
    """Build a second namespace and the link to it; yield how to run a command there."""
    other = subprocess.Popen(["unshare", "--net", "--", "sleep", "300"])
    try:
        there = ["nsenter", "--target", str(other.pid), "--net", "--"]
        _wait_until_apart(other.pid)
        first, second = ADDRESSES
        here = [
            "ip link set lo up",
            "ip link add va type veth peer name vb",
            f"ip link set vb netns {other.pid}",
            f"ip addr add {first}/24 dev va",
            "ip link set va up",
            *_limits("va", mbit),
        ]
        beyond = [
            "ip link set lo up",
            f"ip addr add {second}/24 dev vb",
            "ip link set vb up",
            *_limits("vb", mbit),
        ]
        for line in here:
            subprocess.run(line.split(), check=True)
        for line in beyond:
            subprocess.run([*there, *line.split()], check=True)
        yield there
    finally:
        other.kill()
        other.wait()


def _wait_until_apart(pid: int) -> None:
    """Wait until a process has entered its own namespace."""
    own = Path("/proc/self/ns/net").readlink()
    end = time.monotonic() + ENTER_S
    while Path(f"/proc/{pid}/ns/net").readlink() == own:
        if time.monotonic() > end:
            raise TimeoutError(f"process {pid} has no network of its own")
        time.sleep(0.01)


def main(folder: str, mbit: str) -> int:
    """Run one rank on each side of the link; return the worse exit code."""
    meet = {"MASTER_ADDR": ADDRESSES[0], "MASTER_PORT": PORT}
    alone = {"WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    command = module("labkit.distributed.rank_tasks", folder)
    with _neighbour(None if mbit == "none" else int(mbit)) as there:
        ranks = [
            subprocess.Popen(
                [*prefix, *command],
                env={
                    **os.environ,
                    **meet,
                    **alone,
                    "RANK": str(rank),
                    "GLOO_SOCKET_IFNAME": side,
                    "TORCH_CPP_LOG_LEVEL": "ERROR",
                },
            )
            for rank, (prefix, side) in enumerate((([], "va"), (there, "vb")))
        ]
        return max(abs(rank.wait()) for rank in ranks)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
