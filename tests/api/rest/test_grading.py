"""Grading over a whole running product: API, worker, and Temporal from the wheel."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest
from httpx import Client, Response

from api.serving import Serving, serving
from api.settings import Settings
from tests.api.conftest import publish_plain
from tests.api.rest.conftest import a_bill
from tests.api.rest.test_gate import slug

AT = "2026-06-01T10:00:00+08:00"


@contextmanager
def running(settings: Settings, *, simulated: bool = True) -> Iterator[Serving]:
    """Run everything in a thread of its own until the block ends."""
    ready: Future[Serving] = Future()
    done = threading.Event()

    async def whole() -> None:
        async with serving(settings, simulated=simulated, ui=False) as served:
            ready.set_result(served)
            await asyncio.to_thread(done.wait)
        await asyncio.sleep(0.1)  # Temporal's client needs a moment of life (sdk-python 300)

    def run() -> None:
        try:
            asyncio.run(whole())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(60)
    finally:
        done.set()
        thread.join()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    settings = Settings(data=tmp_path_factory.mktemp("grading") / "data", port=0, temporal_port=0)
    with running(settings) as served:
        publish_plain(served.wiring)
        headers = {"Authorization": f"Bearer {served.wiring.directory.key}"}
        with Client(base_url=served.url, headers=headers, trust_env=False, timeout=60) as client:
            customer = {"id": "C1", "segment": "consumer", "since": "2020-01-01"}
            assert client.post("/v1/customers", json=customer).status_code == 201
            account = {"id": "A1", "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
            assert client.post("/v1/accounts", json=account).status_code == 201
            assert client.post("/v1/bills", json=a_bill()).status_code == 201
            yield client


def assess(api: Client, key: str | None, **body: Any) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/v1/assessments", json={"received_at": AT} | body, headers=headers)


def test_a_customer_is_graded_durably(api: Client) -> None:
    answer = assess(api, "grade-1", customer="C1")
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert said["outcome"] == {"grade": "A", "credit_limit": {"unit": "CNY", "value": "616.26"}}
    assert (said["status"], said["as_of"], said["request"]) == ("decided", "2026-06-01", "grade-1")
    assert said["facts"]["tenure_months"] == {
        "value": 77, "as_of": "2026-06-01", "source": "customer since 2020-01-01", "verified_by": "",
        "verified_at": None,
    }  # fmt: skip
    read = api.get(answer.headers["location"]).json()
    assert read["trace"]
    assert read | {"trace": None} == said
    assert api.get("/v1/decisions?customer=C1").json()["items"][0]["id"] == said["id"]


def test_the_first_answer_has_every_row_that_was_considered_if_asked_for(api: Client) -> None:
    answer = api.post(
        "/v1/assessments", params={"trace": "true"}, json={"received_at": AT, "customer": "C1"},
        headers={"Idempotency-Key": "grade-traced"},
    )  # fmt: skip
    said = answer.json()
    assert said == api.get(answer.headers["location"]).json()
    assert not all(row["matched"] for part in said["trace"] for row in part["rows"])


def test_the_same_request_gets_the_same_answer(api: Client) -> None:
    first, again = assess(api, "grade-2", customer="C1"), assess(api, "grade-2", customer="C1")
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"


def test_the_answer_outlives_the_key(api: Client, request: pytest.FixtureRequest) -> None:
    first = assess(api, "grade-3", customer="C1")
    # Written another way, the key is the same one; the stored answer of the first spelling is not found,
    # the decision of the request is.
    again = api.post(
        "/v1/assessments", json={"received_at": AT, "customer": "C1", "as_of": "2026-06-01"},
        headers={"Idempotency-Key": "grade-3"},
    )  # fmt: skip
    assert (again.status_code, slug(again.json())) == (422, "idempotency-key-reused")
    assert first.status_code == 201


def test_the_grade_becomes_a_fact_that_treatment_reads(api: Client) -> None:
    assess(api, "grade-4", customer="C1")
    assert api.get("/v1/customers/C1").json()["facts"]["grade"]["value"] == "A"


def test_given_facts_win(api: Client) -> None:
    said = assess(api, "grade-5", customer="C1", facts={"tenure_months": 3}).json()
    assert said["outcome"]["grade"] == "B"
    assert [r["code"] for r in said["reasons"]] == ["SHORT_TENURE"]
    assert said["reasons"][0]["text"] == {"en": "customer for less than a year"}


def test_an_assessment_needs_a_key(api: Client) -> None:
    answer = assess(api, None, customer="C1")
    assert (answer.status_code, slug(answer.json())) == (400, "idempotency-key-missing")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 422, "malformed-body"),
        ({"customer": "C9"}, 404, "customer-not-found"),
        ({"account": "A9"}, 404, "account-not-found"),
        ({"account": "A1", "customer": "C9"}, 422, "malformed-body"),
        ({"customer": "C1", "policy": "nobodys"}, 404, "policy-not-found"),
        ({"customer": "C1", "as_of": "2025-06-01"}, 404, "policy-not-found"),
        ({"customer": "C1", "policy": "sha256:00"}, 404, "policy-not-found"),
        ({"customer": "C1", "as_of": "2026-06-02"}, 422, "malformed-body"),
        ({"account": "A1", "as_of": "2027-01-01"}, 422, "malformed-body"),
        (
            {"policy": "plain-credit", "facts": {"tenure_months": 1}, "as_of": "2026-06-02"},
            422,
            "malformed-body",
        ),
        ({"customer": "C1", "facts": {"tenure_months": "many"}}, 422, "facts-refused"),
        ({"customer": "C1", "facts": {"tenure_months": 1.5}}, 422, "malformed-body"),
    ],
)
def test_assessments_that_are_refused(
    api: Client, body: dict[str, Any], status: int, kind: str, request: pytest.FixtureRequest
) -> None:
    answer = assess(api, request.node.name.replace(" ", "_")[:100], **body)
    assert (answer.status_code, slug(answer.json())) == (status, kind)


def test_today_is_the_customers_day(api: Client) -> None:
    evening = {"received_at": "2026-06-01T20:00:00+00:00"}  # tomorrow morning in Shanghai
    said = assess(api, "evening", customer="C1", **evening).json()
    assert said["as_of"] == "2026-06-02"
    given = assess(api, "evening-2", customer="C1", as_of="2026-06-02", **evening)
    assert given.status_code == 201
    late = assess(api, "evening-3", customer="C1", as_of="2026-06-03", **evening)
    assert [one["pointer"] for one in late.json()["errors"]] == ["/as_of"]


def test_a_review_is_of_a_day_that_has_come(api: Client) -> None:
    body = {"run": "ahead", "as_of": "2026-06-02", "received_at": AT}
    answer = api.post("/v1/reviews", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/as_of")


def test_facts_that_were_refused_can_be_mended_under_the_same_key(api: Client) -> None:
    refused = assess(api, "mend", policy="plain-credit", facts={"tenure_months": "x"})
    assert (refused.status_code, slug(refused.json())) == (422, "facts-refused")
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("/facts/tenure_months", "wrong-type")
    ]
    said = assess(api, "mend", policy="plain-credit", facts={"tenure_months": 24})
    assert (said.status_code, said.json()["outcome"]["grade"]) == (201, "A")


def test_a_preview_keeps_nothing(api: Client) -> None:
    before = len(api.get("/v1/decisions").json()["items"])
    facts = {"tenure_months": 3, "avg_monthly_bill": "80.10"}
    body = {"policy": "plain-credit", "as_of": "2026-06-01", "facts": facts}
    said = api.post("/v1/previews", json=body).json()
    assert said["outcome"] == {"grade": "B", "credit_limit": {"unit": "CNY", "value": "240.30"}}
    assert said["trace"] is None
    traced = api.post("/v1/previews", params={"trace": "true"}, json=body).json()
    assert traced["trace"][0]["decision"] == "grade"
    assert traced | {"trace": None} == said
    assert len(api.get("/v1/decisions").json()["items"]) == before


@pytest.mark.parametrize(
    ("policy", "facts", "status", "kind", "pointer"),
    [
        ("nobodys", {}, 404, "policy-not-found", None),
        ("plain-credit", {}, 422, "facts-refused", "/facts/tenure_months"),
        ("plain-credit", {"tenure_months": -1}, 422, "facts-refused", "/facts/tenure_months"),
        ("plain-credit", {"x": 1, "tenure_months": 1}, 422, "facts-refused", "/facts/x"),
    ],
)
def test_previews_that_are_refused(
    api: Client, policy: str, facts: dict[str, Any], status: int, kind: str, pointer: str | None
) -> None:
    answer = api.post("/v1/previews", json={"as_of": "2026-06-01", "policy": policy, "facts": facts})
    assert (answer.status_code, slug(answer.json())) == (status, kind)
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_write_waits_until_its_case_was_told(api: Client) -> None:
    prefer = {"Prefer": "respond-async, wait=30"}
    due = {"account": "A1", "at": "2026-03-20T09:00:00+08:00"}
    opened = api.post("/v1/simulation/open", json=due, headers=prefer)
    assert (opened.json()["opened"], opened.headers["preference-applied"]) == (True, "wait=30")
    payment = {
        "account": "A1", "id": "P1", "value_date": "2026-03-20", "amount": "1.00",
        "received_at": "2026-03-20T09:30:00+08:00",
    }  # fmt: skip
    paid = api.post("/v1/payments", json=payment, headers=prefer)
    assert paid.headers["preference-applied"] == "wait=30"
    ready = api.get("/ready").json()
    assert (ready["ready"], ready["temporal"], ready["outbox"]["case"]) == (True, True, 0)
    bad = api.post("/v1/payments", json=payment, headers={"Prefer": "wait=soon"})
    assert (bad.status_code, slug(bad.json())) == (400, "bad-preference")
