"""Steps of a journal, as small as can be."""

import pandas as pd
import small_world
from flightline import loop
from flightline.loop import journal as journals

START, DAY = small_world.START, small_world.DAY


def entry(day: int = 0, score: float = 0.25, **more: object) -> journals.Entry:
    asked = START + day * DAY + pd.Timedelta(hours=3)
    rows = {
        "id": [f"f{day}", f"g{day}"],
        "asked_at": [asked, asked],
        "day": "2013-03-25",
        "due_at": asked + pd.Timedelta(hours=4),
        "model": "m",
        "score": [score, 0.5],
        "source": "online",
        "latency_ms": 1.5,
    }
    shadows = pd.DataFrame({"model": ["n"], "id": [f"f{day}"], "score": [0.125]})
    said = [("2 decide", {"after": {"name": "m"}, "value": 0.1})]
    return journals.Entry(pd.DataFrame(rows), shadows, {"answers": 1}, said, **more)


def tick(day: int = 0) -> loop.Tick:
    return loop.Tick(START + day * DAY, START + (day + 1) * DAY)
