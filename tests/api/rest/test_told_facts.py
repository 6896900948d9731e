"""What is told at the door: a fact that nobody told or verified is refused; what no policy knows is noted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpx import Client

from api.wiring import Wiring
from tests.api.conftest import START
from tests.api.rest.conftest import a_bill
from tests.api.rest.test_principles import GOOD, STRICT

AT = "2026-06-01T10:00:00+08:00"
LATER = "2026-06-02T10:00:00+08:00"
OWN = {"source": "forbear:when_missing"}


@pytest.fixture
def wiring(lite: Wiring) -> Wiring:
    """SQLite alone: what differs between databases is tested below this layer."""
    lite.publisher.publish({"policy.yaml": STRICT}, START)
    return lite


def asked(api: Client, how: str, said: dict[str, Any]) -> Any:
    """Tell or ask with one fact, in each of the ways that there are."""
    facts = {"income": GOOD | said}
    if how == "facts":
        return api.post("/v1/customers/C1/facts", json={"facts": facts, "received_at": AT})
    if how == "customer":
        return api.post("/v1/customers", json={"id": "C9", "facts": facts, "received_at": AT})
    if how == "preview":
        return api.post(
            "/v1/previews", json={"policy": "strict-credit", "as_of": "2026-06-01", "facts": facts}
        )
    body = {"policy": "strict-credit", "as_of": "2026-06-01", "facts": facts, "received_at": AT}
    return api.post("/v1/assessments", json=body, headers={"Idempotency-Key": "k"})


@pytest.mark.parametrize("how", ["facts", "customer", "assessment", "preview"])
@pytest.mark.parametrize("said", [OWN, {"verified_at": LATER}, {"verified_at": "2999-01-01T00:00:00Z"}])
def test_what_nobody_told_or_can_have_verified_yet_is_refused(
    api: Client, how: str, said: dict[str, Any]
) -> None:
    if how == "preview" and said == {"verified_at": LATER}:
        said = {"verified_at": "2998-01-01T00:00:00Z"}  # the server's own day counts there as well
    answer = asked(api, how, said)
    assert answer.status_code == 422, answer.text
    (name,) = said
    assert name in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"].startswith("/facts/income")


@pytest.mark.parametrize("how", ["facts", "customer"])
def test_what_was_verified_a_moment_ago_by_another_clock_is_taken(api: Client, how: str) -> None:
    assert asked(api, how, {"verified_at": "2026-06-01T10:04:00+08:00"}).status_code in (200, 201)


def test_a_row_of_a_load_is_refused_likewise(api: Client) -> None:
    row = {
        "kind": "customer",
        "id": "C9",
        "received_at": AT,
        "facts": {"income": GOOD | {"verified_at": LATER}},
    }
    (line, _) = api.post("/v1/ledger/bulk", content=_line(row), headers=NDJSON).text.splitlines()
    assert '"status":422' in line
    assert "has not come yet" in line


def test_a_preview_that_looks_ahead_may_take_it_that_somebody_verifies_until_then(api: Client) -> None:
    facts = {"income": GOOD | {"as_of": "2998-01-01", "verified_at": "2998-01-02T00:00:00Z"}}
    body = {"policy": "strict-credit", "as_of": "2998-01-02", "facts": facts}
    assert api.post("/v1/previews", json=body).json()["status"] == "decided"


NDJSON = {"Content-Type": "application/x-ndjson"}


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode()


HOLD = {"account": "A1", "value_date": "2026-03-02", "received_at": "2026-03-02T10:00:00+08:00"}


def test_a_hold_that_the_policy_does_not_know_is_kept_with_a_note(api: Client) -> None:
    body = HOLD | {"id": "H1", "hold": "disputt"}
    (note,) = api.post("/v1/holds", json=body).json()["notes"]
    assert note.startswith(
        "The policy `plain-collections` knows no hold `disputt`: it stops further steps, and "
    )
    line = api.post("/v1/ledger/bulk", content=_line(body | {"kind": "hold"}), headers=NDJSON).text
    assert note in json.loads(line.splitlines()[0])["notes"]


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("vulnerble", True, "reads no fact `vulnerble`"), ("segment", 5, "would refuse `segment`")],
)
def test_a_fact_of_an_account_that_the_policy_does_not_read_is_kept_with_a_note(
    api: Client, name: str, value: Any, word: str
) -> None:
    body = HOLD | {"id": "F1", "name": name, "value": value}
    notes = api.post("/v1/facts", json=body).json()["notes"]
    assert any(word in note for note in notes)


def test_a_policy_that_is_misspelt_is_answered_with_the_one_that_was_meant(api: Client) -> None:
    body = {"policy": "strict-credt", "as_of": "2026-06-01", "facts": {}}
    answer = api.post("/v1/previews", json=body)
    assert (answer.status_code, "Did you mean `strict-credit`?" in answer.text) == (404, True)
    early = api.post("/v1/previews", json=body | {"policy": "strict-credit", "as_of": "2025-01-01"})
    assert "Publish it first" in early.json()["detail"]


def test_a_list_that_is_cut_short_says_so(api: Client) -> None:
    assert api.post("/v1/bills", json=a_bill()).status_code == 201
    answer = api.get("/v1/bills", params={"fields": "nope"}).json()
    assert answer["errors"][0]["detail"].endswith(" ...")


def test_an_address_for_e_mail_needs_no_policy_that_reads_it(api: Client) -> None:
    body = {"facts": {"email": "li@customer.example"}, "received_at": AT}
    assert api.post("/v1/customers/C1/facts", json=body).json()["notes"] == []
