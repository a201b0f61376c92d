"""Serving: a request becomes an answer in time, or an honest fallback.

`application` puts a gateway (keys, budgets, limits, deadlines, metrics) before any
request model and any handler; `create_app` is Flightline's own service behind it:
features within a deadline, routing by weight or by an experiment, the prediction log.
`serve` is what `python -m flightline.serving` starts. Lab 08 builds the core: the order
of a gateway, a choice by weight, a read with a deadline, a reconciliation of answers
with the log, and two load generators.
"""

from flightline.serving import canary, docs_page, serve
from flightline.serving.application import Version, application
from flightline.serving.audit import audit
from flightline.serving.budget import TokenBucket
from flightline.serving.core import (
    Door,
    Read,
    Request,
    admit,
    closed_loop,
    open_loop,
    read_in_time,
    shortest_wait,
    uniform,
)
from flightline.serving.deploy import (
    Deployment,
    Predictor,
    deployment,
    follow,
    given,
    route,
    score_one,
    scorer_of,
)
from flightline.serving.features import (
    LOGGER,
    Breaker,
    FeatureSource,
    Guard,
    GuardedFeatures,
    StoreFeatures,
    TableFeatures,
    timetable_only,
)
from flightline.serving.gateway import (
    Call,
    Cut,
    Endpoint,
    Gateway,
    Metrics,
    Observer,
    read_body,
    refuse,
)
from flightline.serving.jobs import Progress, score_batch, score_stream, score_table
from flightline.serving.keys import (
    Admission,
    KeyRecord,
    caller_of,
    keep_keys,
    new_key,
    read_keys,
)
from flightline.serving.log import LOG_FIELDS, PredictionLog, read_log
from flightline.serving.options import number
from flightline.serving.overload import Limit, RetryBudget
from flightline.serving.process import doors, server_of, write_lines
from flightline.serving.refusals import FieldProblem, Problem, Refused, read_request
from flightline.serving.requests import (
    DESTINATIONS,
    EXAMPLE,
    INSTANT,
    NEW_YORK,
    Flight,
    frame_of,
    request_of,
)
from flightline.serving.rows import Rows, Source, rows_of, timetable_rows
from flightline.serving.service import Answer, Question, Service, create_app

__all__ = [
    "DESTINATIONS",
    "EXAMPLE",
    "INSTANT",
    "LOGGER",
    "LOG_FIELDS",
    "NEW_YORK",
    "Admission",
    "Answer",
    "Breaker",
    "Call",
    "Cut",
    "Deployment",
    "Door",
    "Endpoint",
    "FeatureSource",
    "FieldProblem",
    "Flight",
    "Gateway",
    "Guard",
    "GuardedFeatures",
    "KeyRecord",
    "Limit",
    "Metrics",
    "Observer",
    "PredictionLog",
    "Predictor",
    "Problem",
    "Progress",
    "Question",
    "Read",
    "Refused",
    "Request",
    "RetryBudget",
    "Rows",
    "Service",
    "Source",
    "StoreFeatures",
    "TableFeatures",
    "TokenBucket",
    "Version",
    "admit",
    "application",
    "audit",
    "caller_of",
    "canary",
    "closed_loop",
    "create_app",
    "deployment",
    "docs_page",
    "doors",
    "follow",
    "frame_of",
    "given",
    "keep_keys",
    "new_key",
    "number",
    "open_loop",
    "read_body",
    "read_in_time",
    "read_keys",
    "read_log",
    "read_request",
    "refuse",
    "request_of",
    "route",
    "rows_of",
    "rpc",
    "score_batch",
    "score_one",
    "score_stream",
    "score_table",
    "scorer_of",
    "serve",
    "server_of",
    "shortest_wait",
    "timetable_only",
    "timetable_rows",
    "uniform",
    "write_lines",
]
