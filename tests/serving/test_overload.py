"""Too much work: a limit, budgets for retries, deadlines; times beyond the store."""

import asyncio
import json
import threading

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from flightline import features, lake, serving
from flightline.serving import serve
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

KEY, RECORD = serving.new_key("tester")
OTHER, SECOND = serving.new_key("other")


def headers(key=KEY, **more):
    return {"Authorization": f"Bearer {key}", **more}


class Timetable:
    """A source that knows the timetable."""

    def read(self, requests):
        return serving.timetable_only(requests)


class Half:
    """A model of one score, which counts its calls and may take its time."""

    name, version, precision = "half", "1", "fp32"

    def __init__(self, wait_s=0.0, score=0.5):
        self.wait_s, self.score, self.calls = wait_s, score, 0

    async def predict(self, table):
        self.calls += 1
        await asyncio.sleep(self.wait_s)
        return np.full(len(table), self.score)


def ask_together(app, keys):
    """Send one request for each key, all at once; return the statuses."""

    async def go():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as web:
            asks = (
                web.post("/v1/predict", json=serving.EXAMPLE, headers=headers(key))
                for key in keys
            )
            return [answer.status_code for answer in await asyncio.gather(*asks)]

    return asyncio.run(go())


def app_of(model=None, **options):
    options = {"keys": [RECORD, SECOND], "deadline_s": 5.0, **options}
    return serving.create_app({"A": model or Half()}, Timetable(), **options)


def test_who_finds_no_room_is_told_at_once_and_the_others_are_answered():
    model = Half(wait_s=0.2)
    statuses = ask_together(app_of(model, most_inside=8), [KEY] * 20)
    assert statuses.count(200) == model.calls == 6  # three quarters of 8
    assert statuses.count(503) == 14


def test_one_caller_does_not_take_all_the_room():
    statuses = ask_together(
        app_of(Half(wait_s=0.2), most_inside=8), [KEY] * 20 + [OTHER] * 2
    )
    assert statuses[20:] == [200, 200]


def test_there_is_room_again_whatever_happened():
    app = app_of(Half(score=7.0), most_inside=2)
    assert ask_together(app, [KEY] * 9).count(503) == 9
    assert app.state.limit.inside == 0 and not app.state.limit.callers
    app.state.service.deploy(serving.Deployment({"A": Half()}, {"A": 1.0}))
    assert ask_together(app, [KEY]) == [200]


@pytest.mark.parametrize(("most", "each"), [(0, None), (2, 3), (2, 0)])
def test_a_limit_that_is_none_is_refused(most, each):
    with pytest.raises(ValueError, match="at least 1"):
        serving.Limit(most, each)


@settings(max_examples=50, deadline=None)
@given(
    share=st.floats(0, 1),
    reserve=st.floats(0, 20),
    tries=st.lists(st.booleans(), max_size=300),
)
def test_retries_never_exceed_their_share_and_the_reserve(share, reserve, tries):
    budget, first, again = serving.RetryBudget(share, reserve), 0, 0
    for retry in tries:
        if retry:
            again += budget.may_retry()
        else:
            first += 1
            budget.first_try()
    assert again <= reserve + share * first + 1e-6


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf")])
def test_a_budget_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match="zero or more"):
        serving.RetryBudget(share=bad)


# --- deadlines ------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["0", "-1", "nan", "inf", "1.5", "ten", "1" * 9, "٣"])
def test_a_deadline_that_is_no_number_is_refused(bad):
    sent = headers() | {"X-Deadline-Ms": bad.encode()}
    answer = TestClient(app_of()).post(
        "/v1/predict", json=serving.EXAMPLE, headers=sent
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_deadline")


def test_late_work_is_dropped_before_the_model():
    class Slow(Timetable):
        def read(self, requests):
            threading.Event().wait(0.3)
            return super().read(requests)

    model = Half()
    app = serving.create_app({"A": model}, Slow(), keys=[RECORD], deadline_s=5)
    client = TestClient(app)
    late = client.post(
        "/v1/predict", json=serving.EXAMPLE, headers=headers() | {"X-Deadline-Ms": "40"}
    )
    assert (late.status_code, late.json()["error"], model.calls) == (504, "too_late", 0)
    assert not app.state.service.features.breaker.count, "the source did not fail"
    known = client.post("/v1/predict", json=serving.EXAMPLE, headers=headers())
    assert known.status_code == 200
    app.state.service.features.close()


def test_a_cut_request_is_not_scored_and_not_logged(tmp_path):
    model = Half()
    app = app_of(model, log=tmp_path / "log")
    body = json.dumps(serving.EXAMPLE).encode()
    sent = []

    async def go():
        messages = iter(
            [
                {"type": "http.request", "body": body, "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive():
            return next(messages)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/predict"}
        scope |= {"headers": [(b"authorization", f"Bearer {KEY}".encode())]}
        await app(scope, receive, send)

    asyncio.run(go())
    assert (
        not sent and model.calls == 0 and len(serving.read_log(tmp_path / "log")) == 0
    )


# --- any model ------------------------------------------------------------------------


class Basket(BaseModel):
    """What another service is asked."""

    items: list[str]


class Price(BaseModel):
    """What it answers."""

    total: float


def test_another_request_model_and_handler_stand_behind_the_same_gateway():
    async def price(basket, call):
        """Add up a basket."""
        if "gold" in basket.items:
            raise serving.Refused(503, "sold_out", "There is no gold.")
        return Price(total=len(basket.items))

    asked = serving.Endpoint("/v1/price", Basket, Price, price)
    admission = serving.Admission([RECORD], 100, 100)
    client = TestClient(serving.application([asked], admission, title="Shop"))
    ask = {"items": ["a", "b"]}
    assert client.post("/v1/price", json=ask).status_code == 401
    answer = client.post("/v1/price", json=ask, headers=headers())
    assert answer.json() == {"total": 2} and answer.headers["x-request-id"]
    wrong = client.post("/v1/price", json={"items": 1}, headers=headers())
    assert (wrong.status_code, wrong.json()["error"]) == (422, "invalid_basket")
    none = client.post("/v1/price", json={"items": ["gold"]}, headers=headers())
    assert none.json()["error"] == "sold_out"
    document = client.get("/openapi.json").json()
    assert document["info"]["title"] == "Shop" and "/v1/price" in document["paths"]


def test_an_assignment_decides_before_the_weights_and_may_leave_it_to_them():
    models = {label: Half() for label in "AB"}
    for label, model in models.items():
        model.version = label

    def assign(flight):
        if flight.flight == 13:
            raise RuntimeError("no luck")
        return {1: "B", 2: "", 3: "nobody"}.get(flight.flight, "")

    app = serving.create_app(
        models,
        Timetable(),
        weights={"A": 1},
        assign=assign,
        keys=[RECORD],
        deadline_s=5,
    )
    client = TestClient(app)
    found = [
        client.post(
            "/v1/predict", json=serving.EXAMPLE | {"flight": n}, headers=headers()
        ).json()["version"]
        for n in (1, 2, 3, 13)
    ]
    assert found == ["B", "A", "A", "A"]
    assert 'where="assignment"} 1.0' in client.get("/metrics").text


def test_an_experiment_assigns_the_versions():
    from flightline import experiments

    experiment = experiments.Experiment("b_warns", {"A": 0.5, "B": 0.5})
    models = {label: Half() for label in "AB"}
    for label, model in models.items():
        model.version = label
    app = serving.create_app(
        models,
        Timetable(),
        assign=lambda flight: experiments.assign(flight.flight_id, experiment),
        keys=[RECORD],
        deadline_s=5,
    )
    client = TestClient(app)
    for n in range(1, 30):
        body = serving.EXAMPLE | {"flight": n}
        answer = client.post("/v1/predict", json=body, headers=headers()).json()
        assert answer["version"] == experiments.assign(answer["flight_id"], experiment)


# --- times beyond the store -----------------------------------------------------------


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """A store that knows what was known on the evening of 2 July."""
    airports = serve.read_wide(serve.DATA / "airports.parquet")
    times = lake.flight_times(serve.flights_of((6, 7)), airports)
    weather = lake.weather_events(serve.read_wide(serve.DATA / "weather.parquet"))
    folder = tmp_path_factory.mktemp("store")
    return serve.fill_store(folder, times, weather, serve.EVENING)


def test_a_time_that_the_store_does_not_cover_is_called_stale(evening):
    spare = Half(score=0.9)
    spare.name = "spare"
    source = serving.StoreFeatures(evening)
    app = serving.create_app(
        {"A": Half()}, source, spare=spare, keys=[RECORD], deadline_s=20
    )
    client = TestClient(app)

    def ask(**changes):
        body = serving.EXAMPLE | changes
        answer = client.post("/v1/predict", json=body, headers=headers()).json()
        return answer["source"], answer["model"]

    assert ask() == ("online", "half")
    assert ask(flight=9999) == ("online", "half"), "an unknown number, a known time"
    assert ask(sched_dep_utc="2013-11-03T00:49:00Z") == ("stale", "spare")
    assert ask(sched_dep_utc="2013-03-03T00:49:00Z") == ("stale", "spare"), "before it"
    assert app.state.service.features.breaker.count == 0
    app.state.service.features.close()


def test_the_store_is_read_once_a_request_and_says_what_the_table_says(
    evening, monkeypatch
):
    reads = []
    real = serving.features.answer

    def counted(*given, **named):
        reads.append(given)
        return real(*given, **named)

    monkeypatch.setattr(serving.features, "answer", counted)
    flight = serving.Flight.model_validate(serving.EXAMPLE)
    rows = serving.StoreFeatures(evening).rows([flight])
    assert len(reads) == 1 and not rows.stale
    table = features.OnlineSource(evening).read(serving.frame_of([flight]))
    np.testing.assert_array_equal(rows.numbers, serving.Rows.of(table).numbers)
