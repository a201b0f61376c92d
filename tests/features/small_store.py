"""What the tests of writing share: rows of reports, what is held, races."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from flightline import features
from flightline.features import VIEWS

US = "datetime64[us, UTC]"
FEATURE = {"weather": "temp", "network": "all_dep_delay_1h"}
NOON = pd.Timestamp("2013-07-08T12:00", tz="UTC")
LABS = Path(features.__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(LABS)}


def instants(*texts):
    """Return a column of times."""
    return pd.Series(pd.to_datetime(list(texts), format="ISO8601", utc=True).astype(US))


def reports(*clocks, origin="JFK", **values):
    """Return weather rows with an event time and an available time each."""
    event, known = zip(*clocks, strict=True)
    rows = pd.DataFrame({"origin": origin, "event_time": instants(*event)})
    rows["available_at"] = instants(*known)
    for place, name in enumerate(VIEWS["weather"].features):
        rows[name] = np.arange(len(rows), dtype=float) + place
    return rows.assign(**values)


def write_weather(store, rows, made_from=()):
    """Write the offline file of one view."""
    features.write_offline(store.config.repo_path, {"weather": rows}, dict(made_from))


def held(store, view="weather", **keys):
    """Return the value that the online store holds."""
    keys = keys or {"origin": "JFK"}
    name = FEATURE[view]
    asked = {key: [value] for key, value in keys.items()}
    return store.get_online_features([f"{view}:{name}"], asked).to_dict()[name][0]


def race(programs):
    """Run programs at once, each with its arguments, and see that all end well."""
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", *program],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for program in programs
    ]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 2
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    assert [racer.wait(120) for racer in racers] == [0, 0]
    for racer in racers:
        racer.stdin.close()
        racer.stdout.close()
