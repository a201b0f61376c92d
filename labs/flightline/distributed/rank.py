"""Who a rank is among the others: how it joins them, and how it ends with them."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple, TypedDict

import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
ENV = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1}


class Rank(NamedTuple):
    """Who this process is among the others, and what it computes on."""

    rank: int
    ranks: int
    device: torch.device
    backend: str


def choose_backend(gpus: int, local_ranks: int) -> str:
    """Return "nccl" if each rank of this machine has a GPU of its own, else "gloo".

    Parameters
    ----------
    gpus, local_ranks : int
        Of this machine.

    Returns
    -------
    str
    """
    return "nccl" if gpus >= local_ranks else "gloo"


def choose_device(backend: str, local_rank: int) -> torch.device:
    """Return the GPU of a rank, or the CPU.

    Parameters
    ----------
    backend : str
        What `choose_backend` returns.
    local_rank : int
        The rank's number on its machine.

    Returns
    -------
    torch.device
    """
    if backend == "nccl":
        return torch.device("cuda", local_rank)
    return torch.device("cpu")


class Meeting(TypedDict):
    """Where ranks meet, and as whom one comes, as `init_process_group` takes it."""

    store: dist.Store  # type: ignore[name-defined]
    rank: int
    world_size: int


def end_with_parent(poll_s: float = 0.5) -> None:
    """End this process when its parent ends, even if the parent gets kill -9.

    Linux sends the signal by itself. Everywhere a thread watches the parent's id, too.

    Parameters
    ----------
    poll_s : float
        How often the thread looks.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(poll_s)
        os.kill(os.getpid(), signal.SIGKILL)

    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    threading.Thread(target=watch, daemon=True).start()


def require_launcher(wait_s: float = 5.0) -> None:
    """Refuse to start if the launcher died while this rank was being made.

    The launcher holds the store in which ranks find each other.

    Parameters
    ----------
    wait_s : float
        How long to wait for an answer.

    Raises
    ------
    ConnectionError
        If nobody answers where the store should be.
    """
    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        return
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    try:
        socket.create_connection(place, timeout=wait_s).close()
    except OSError as error:
        raise ConnectionError(f"no launcher answers at {place}: {error}") from error


def meeting_place(timeout: timedelta) -> Meeting:
    """Return where the ranks meet, and as whom this one comes.

    The launcher keeps its store when it starts all ranks again, with the addresses of
    the dead in it. So every attempt gets a part of the store of its own.

    Parameters
    ----------
    timeout : timedelta

    Returns
    -------
    Meeting
    """
    if "RANK" not in os.environ:
        alone = dist.HashStore()  # type: ignore[attr-defined]
        return {"store": alone, "rank": 0, "world_size": 1}
    store, rank, ranks = next(rendezvous("env://", timeout=timeout))
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    own = dist.PrefixStore(f"attempt-{attempt}", store)  # type: ignore[attr-defined]
    return {"store": own, "rank": rank, "world_size": ranks}


@contextlib.contextmanager
def world(timeout_s: float = 30.0, gpus: int | None = None) -> Iterator[Rank]:
    """Join the ranks that torchrun started, or be the only one; leave at the end.

    Parameters
    ----------
    timeout_s : float
        How long a rank waits for the others before it gives up.
    gpus : int, optional
        GPUs to choose from; those of this machine by default, 0 for none.

    Yields
    ------
    Rank
    """
    env = {name: int(os.environ.get(name, alone)) for name, alone in ENV.items()}
    if "RANK" in os.environ:
        end_with_parent()
        require_launcher()
    gpus = torch.cuda.device_count() if gpus is None else gpus
    backend = choose_backend(gpus, env["LOCAL_WORLD_SIZE"])
    device = choose_device(backend, env["LOCAL_RANK"])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    elif env["WORLD_SIZE"] == env["LOCAL_WORLD_SIZE"]:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    timeout = timedelta(seconds=timeout_s)
    dist.init_process_group(
        backend,
        timeout=timeout,
        device_id=device if device.type == "cuda" else None,
        **meeting_place(timeout),
    )
    try:
        yield Rank(env["RANK"], env["WORLD_SIZE"], device, backend)
    except BaseException as error:
        # A model of DDP that outlives its group, in a traceback, can hang as it goes.
        traceback.clear_frames(error.__traceback__)
        raise
    finally:
        dist.destroy_process_group()
