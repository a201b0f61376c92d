"""Hold a service against its own OpenAPI document with schemathesis.

Everything happens in this process: requests go to the ASGI application itself. The
examples are bounded in number, and the same in each run.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field

import pandas as pd
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from starlette.types import ASGIApp


@dataclass
class Findings:
    """What schemathesis asked, and what it found wrong.

    Parameters
    ----------
    answers : Counter
        Requests by operation and status.
    checks : int
        How many checks were made on the answers.
    failures : list of str
        One line a distinct failure.
    """

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    checks: int = 0
    failures: list[str] = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """Return the requests as a table: an operation a row, a status a column."""
        counts = pd.Series(dict(sorted(self.answers.items())), dtype=int)
        return counts.unstack(fill_value=0)


def fuzz(app: ASGIApp, key: str | None = None, examples: int = 25) -> Findings:
    """Generate requests from the app's document, valid and invalid, and check answers.

    Parameters
    ----------
    app : ASGI application
        It must serve /openapi.json.
    key : str, optional
        Sent as a bearer token.
    examples : int
        Random examples for each operation, beside those that cover its limits.

    Returns
    -------
    Findings
        No failures means: no crash, only documented statuses, bodies and headers,
        valid data accepted, invalid data refused, and no way around the key.
    """
    import schemathesis
    from schemathesis import engine
    from schemathesis.engine import events

    logging.getLogger("flightline.serving").setLevel(logging.CRITICAL)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    config = schemathesis.Config.from_dict(
        {
            "seed": 8,
            "workers": 1,
            "headers": headers,
            "generation": {
                "max-examples": examples,
                "deterministic": True,
                "database": "none",
            },
            "phases": {"stateful": {"enabled": False}},
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    found, seen = Findings(), set()
    for event in engine.from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise RuntimeError(f"schemathesis could not run: {event}")
        if isinstance(event, events.NonFatalError):
            seen.add(f"{event.label}: the app raised {type(event.value).__name__}")
        if not isinstance(event, events.ScenarioFinished):
            continue
        for sent in event.recorder.interactions.values():
            if sent.response is not None:
                found.answers[event.recorder.label, sent.response.status_code] += 1
        for made in event.recorder.checks.values():
            found.checks += len(made)
            for check in made:
                if check.failure_info is not None:
                    title = check.failure_info.failure.title
                    seen.add(f"{event.recorder.label}: {check.name}: {title}")
    found.failures = sorted(seen)
    return found


def naive_app() -> FastAPI:
    """Return a service as it is often written first, with the usual faults."""
    app = FastAPI()

    class Ask(BaseModel):
        distance: float
        dest: str

    @app.post("/predict", responses={400: {"description": "no JSON"}})
    def predict(ask: Ask) -> dict[str, float]:
        return {"score": 100 / ask.distance}

    @app.get("/carriers/{code}")
    def carrier(code: str) -> dict[str, str]:
        raise HTTPException(404, f"no carrier {code}")  # its schema does not say so

    return app
