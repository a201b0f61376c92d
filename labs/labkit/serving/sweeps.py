"""How much a real service can do: for the bench, which records it."""

import pandas as pd

from labkit.serving import http_load


def capacity(port: int, asks: list[bytes]) -> float:
    """Return how many requests a second eight clients get answered, all the time."""
    run = http_load.closed_loop(port, asks, clients=8, seconds=1.5)
    return float(len(run) / run.attrs["seconds"])


def until_it_bends(
    port: int,
    asks: list[bytes],
    capacity: float,
    *,
    seconds: float = 2.0,
    bend: float = 5.0,
) -> pd.DataFrame:
    """Offer more and more load, open loop, until the server cannot keep up.

    Parameters
    ----------
    port : int
        The server's port.
    asks : list of bytes
        The requests.
    capacity : float
        Requests a second that it answered at most; the first load is a quarter of it.
    seconds : float
        How long each load is offered.
    bend : float
        The last load's p50 is so many times the first one's, and fewer than 90% of
        the requests a second are answered that were offered.

    Returns
    -------
    DataFrame
        By the load offered, in requests a second: `answered/s`, p50, p95 and p99 in
        ms, and how many `failed`.
    """
    rows: dict[int, dict[str, float]] = {}
    for share in (0.25, 0.5, 0.75, *(1.3**step for step in range(11))):
        due = http_load.poisson(share * capacity, seconds)
        run = http_load.open_loop(port, asks, due)
        good, took = run[run["status"] == 200], run.attrs["seconds"]
        row = {"answered/s": len(good) / max(took, seconds)}
        row |= http_load.percentiles(run["ms"]) | {"failed": len(run) - len(good)}
        rows[round(len(due) / seconds)] = row
        first = next(iter(rows.values()))["p50"]
        if row["p50"] > bend * first and row["answered/s"] < 0.9 * len(due) / seconds:
            break
    return pd.DataFrame(rows).T.rename_axis("offered/s")
