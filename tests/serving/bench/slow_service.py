"""A service whose model computes for five milliseconds: it is full before its clients.

`python slow_service.py FD KEY_RECORD INSIDE`: a socket that listens, a key as JSON, and
how many requests may be inside.
"""

import json
import socket
import sys
import time

import numpy as np
from flightline import serving

COMPUTE_S = 0.005


class Slow:
    """A model that keeps the processor busy."""

    name, version, precision, takes_rows = "slow", "1", "fp32", True

    def predict(self, rows):
        """Return one half for each row, later."""
        end = time.perf_counter() + COMPUTE_S
        while time.perf_counter() < end:
            pass
        return np.full(len(rows), 0.5)


class Timetable:
    """A source that never waits."""

    blocks = False

    def rows(self, flights):
        """Return what the requests tell."""
        return serving.timetable_rows(flights)

    def read(self, requests):
        """Return what the requests tell, as a table."""
        return serving.timetable_only(requests)


if __name__ == "__main__":
    number, record, inside = sys.argv[1:]
    app = serving.create_app(
        {"A": Slow()},
        Timetable(),
        keys=[serving.KeyRecord(**json.loads(record))],
        rate_s=1e9,
        burst=10**9,
        most_inside=int(inside),
    )
    print("ready", flush=True)
    listener = socket.socket(fileno=int(number))
    serving.server_of(app).run(sockets=serving.doors(listener))
