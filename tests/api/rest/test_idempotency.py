from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from httpx import Client, Response
from sqlalchemy.exc import OperationalError

from api.rest.errors import Refusal
from api.rest.idempotent import key_of
from api.storage.idempotency import KEPT, LEASE, REFUSAL_KEPT, KeyInFlight, KeyReused, StoredAnswer
from api.storage.tables import IdempotencyRow
from api.wiring import Wiring
from tests.api.rest.conftest import Serve, a_payment, parties
from tests.api.rest.test_gate import slug
from tests.api.scenes import local

NOW = local("2026-03-01 10:00")


@pytest.fixture
def cust(shared: Client) -> str:
    """The id of a customer that only this test knows."""
    name = f"C{uuid.uuid4().hex[:12]}"
    assert shared.post("/v1/customers", json={"id": name, "segment": "consumer"}).status_code == 201
    return name


def pay(api: Client, key: str, **changes: Any) -> Response:
    return api.post("/v1/payments", json=a_payment(**changes), headers={"Idempotency-Key": key})


def test_a_repeated_request_gets_the_stored_answer(shared: Client, acct: str) -> None:
    first = pay(shared, f'"{acct}"', account=acct)
    again = pay(shared, f'"{acct}"', account=acct)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers


def test_the_key_of_another_request_is_refused(shared: Client, acct: str) -> None:
    pay(shared, acct, account=acct)
    other = pay(shared, acct, account=acct, amount="6.00")
    assert (other.status_code, slug(other.json())) == (422, "idempotency-key-reused")
    elsewhere = shared.post("/v1/bills", json=a_payment(account=acct), headers={"Idempotency-Key": acct})
    assert slug(elsewhere.json()) == "idempotency-key-reused"


def test_a_failure_is_not_stored(shared: Client, acct: str) -> None:
    stranger = f"{acct}-2"
    assert pay(shared, acct, account=stranger).status_code == 404
    account = {"id": stranger, "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
    shared.post("/v1/accounts", json=account)
    assert pay(shared, acct, account=stranger).status_code == 201


def test_what_the_ledger_refuses_is_refused_in_the_same_words_for_a_while(
    wiring: Wiring, serve: Serve
) -> None:
    api = serve(wiring)
    parties(api)
    pay(api, "first")
    refused = pay(api, "k", amount="6.00")
    assert (refused.status_code, slug(refused.json())) == (409, "conflict")
    again = pay(api, "k", amount="6.00")
    assert (again.content, again.headers["idempotency-replayed"]) == (refused.content, "true")
    assert again.headers["content-type"] == "application/problem+json"
    other = pay(api, "k", id="P2", amount="6.00")
    assert (other.status_code, slug(other.json())) == (422, "idempotency-key-reused")
    assert wiring.keys.expire(wiring.clock.now() + REFUSAL_KEPT) == 1
    assert pay(api, "k", id="P2", amount="6.00").status_code == 201


def test_what_was_malformed_leaves_its_key_free(shared: Client, acct: str) -> None:
    assert pay(shared, acct, account=acct, amount="much").status_code == 422
    assert pay(shared, acct, account=acct).status_code == 201


def test_a_failure_on_our_side_is_never_given_again(
    lite: Wiring, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = serve(lite)
    parties(client)

    def broken(*given: object, **named: object) -> NoReturn:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setattr(lite.writer, "post", broken)
        failed = [pay(client, "k"), pay(client, "k")]
    assert [(one.status_code, slug(one.json())) for one in failed] == [(500, "internal")] * 2
    assert "idempotency-replayed" not in failed[1].headers
    assert pay(client, "k").status_code == 201


def test_a_repeated_change_is_answered_as_the_first(shared: Client, cust: str) -> None:
    path, etag = f"/v1/customers/{cust}", shared.get(f"/v1/customers/{cust}").headers["etag"]

    def change(name: str) -> Response:
        headers = {"Idempotency-Key": f"patch-{cust}", "If-Match": etag}
        return shared.patch(path, json={"name": name}, headers=headers)

    first, again, other = change("Li Na"), change("Li Na"), change("Li Wei")
    assert (first.status_code, again.status_code) == (200, 200), "the old tag does not stand in its way"
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert again.headers["idempotency-replayed"] == "true"
    assert (other.status_code, slug(other.json())) == (422, "idempotency-key-reused")


def test_an_old_tag_may_be_followed_by_the_new_one_under_the_same_key(shared: Client, cust: str) -> None:
    path, key = f"/v1/customers/{cust}", {"Idempotency-Key": f"tag-{cust}"}
    old = shared.patch(path, json={"name": "Li Na"}, headers=key | {"If-Match": '"9-old"'})
    assert (old.status_code, slug(old.json())) == (412, "precondition-failed")
    now = shared.get(path).headers["etag"]
    assert shared.patch(path, json={"name": "Li Na"}, headers=key | {"If-Match": now}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "away"}])
def test_while_the_database_is_away_a_caller_is_told_to_send_again(
    lite: Wiring, serve: Serve, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    client = serve(lite)
    parties(client)

    def away() -> NoReturn:
        raise OperationalError("BEGIN", {}, Exception("the server closed the connection"))

    with monkeypatch.context() as patch:
        patch.setattr(lite.database, "write", away)
        answer = client.post("/v1/payments", json=a_payment(), headers=headers)
    assert (answer.status_code, slug(answer.json())) == (503, "database-away")
    assert int(answer.headers["retry-after"]) > 0
    assert client.post("/v1/payments", json=a_payment(), headers=headers).status_code == 201


def test_what_is_not_served_is_told_so_whatever_its_key(shared: Client) -> None:
    answer = shared.delete("/v1/payments", headers={"Idempotency-Key": "a b"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("header", ["", '""', "x" * 129, "a b", "é"])
def test_a_key_that_is_none(header: str) -> None:
    with pytest.raises(Refusal):
        key_of(header)


@pytest.mark.parametrize(("header", "key"), [('"abc"', "abc"), ("abc", "abc"), (' "a"', "a"), ('"', '"')])
def test_quoted_and_bare_keys(header: str, key: str) -> None:
    assert key_of(header) == key


def test_a_key_is_in_flight_until_it_is_answered(wiring: Wiring) -> None:
    keys = wiring.keys
    assert keys.begin("k", "f", NOW) is None
    with pytest.raises(KeyInFlight):
        keys.begin("k", "f", NOW + timedelta(seconds=1))
    with pytest.raises(KeyReused):
        keys.begin("k", "other", NOW + timedelta(seconds=1))
    keys.answer("k", StoredAnswer(201, {"location": "/x"}, b"{}"))
    found = keys.begin("k", "f", NOW + timedelta(seconds=2))
    assert found == StoredAnswer(201, {"location": "/x"}, b"{}")


def test_a_caller_that_died_gives_its_key_back(wiring: Wiring) -> None:
    assert wiring.keys.begin("k", "f", NOW) is None
    assert wiring.keys.begin("k", "f", NOW + LEASE + timedelta(seconds=1)) is None


def test_keys_expire(wiring: Wiring) -> None:
    wiring.keys.begin("k", "f", NOW)
    wiring.keys.answer("k", StoredAnswer(201, {}, b""))
    late = NOW + KEPT + timedelta(seconds=1)
    assert wiring.keys.begin("k", "another", late) is None
    assert wiring.keys.expire(late + KEPT) == 1


def test_two_at_once_are_one_in_flight_and_one_answer(api: Client) -> None:
    answers: list[Response] = []
    barrier = threading.Barrier(6)

    def call() -> None:
        barrier.wait()
        answers.append(pay(api, "race"))

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted({answer.status_code for answer in answers})
    assert codes in ([201], [201, 409])
    assert all(slug(a.json()) == "request-in-flight" for a in answers if a.status_code == 409)
    assert len(api.get("/v1/payments").json()["items"]) == 1


@pytest.mark.parametrize(("lasted", "again_in"), [(0, 1), (0.4, 1), (7, 7), (30, 30), (50, 10), (59.5, 1)])
def test_who_comes_too_early_is_told_when_to_come_again(lite: Wiring, lasted: float, again_in: int) -> None:
    assert lite.keys.begin("k", "f", NOW) is None
    with pytest.raises(KeyInFlight) as refused:
        lite.keys.begin("k", "f", NOW + timedelta(seconds=lasted))
    assert refused.value.again_in == again_in


def test_a_request_in_flight_says_when_to_ask_again(lite: Wiring, serve: Serve) -> None:
    api = serve(lite)
    parties(api)
    first = pay(api, "k")
    with lite.database.write() as work:  # as a process that was killed leaves it
        killed = {"status": None, "leased_until": lite.clock.now() + LEASE - timedelta(seconds=20)}
        work.update(IdempotencyRow, {"key": "k"}, killed)
    answer = pay(api, "k")
    assert first.status_code == 201
    assert (answer.status_code, slug(answer.json())) == (409, "request-in-flight")
    assert 20 <= int(answer.headers["retry-after"]) <= 25
    assert answer.json()["retry_after"] == int(answer.headers["retry-after"])
