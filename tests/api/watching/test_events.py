"""Events come in: typed by the policies in force, once by their id, late and out of order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from httpx import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from api.settings import Settings
from api.storage import watch_events
from api.wiring import Wiring, build
from tests.api.conftest import START, Build
from tests.api.rest.conftest import listening
from tests.api.watching.conftest import DAY, WATCH, alerts, event, look, takeover, tell


def problem(answer: Any) -> tuple[int, str, list[str]]:
    body = answer.json()
    return answer.status_code, body["type"], [error["pointer"] for error in body.get("errors", ())]


def test_an_event_joins_the_windows_that_look_at_it(api: Client) -> None:
    said = event("e1", "usage", 2, account="A1", amount="10.00")
    answer = api.post("/v1/events", json=said)
    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/events/e1"
    assert answer.json()["windows"] == [{"policy": "plain-watch", "per": "customer", "subject": "C1"}]
    read = api.get("/v1/events/e1").json()
    assert (read["type"], read["values"]) == ("usage", {"account": "A1", "amount": "10.00"})


def test_the_same_event_again_is_answered_as_stored(api: Client) -> None:
    said = event("e1", "usage", 2, account="A1", amount="10.00")
    api.post("/v1/events", json=said)
    again = api.post("/v1/events", json=said | {"received_at": DAY.format(9)})
    assert again.status_code == 200
    assert again.json()["received_at"] == api.get("/v1/events/e1").json()["received_at"]
    assert look(api, 2) == 1
    assert look(api, 9) == 0


def test_another_event_under_the_same_id_is_refused(api: Client) -> None:
    api.post("/v1/events", json=event("e1", "usage", 2, account="A1", amount="10.00"))
    answer = api.post("/v1/events", json=event("e1", "usage", 3, account="A1", amount="10.00"))
    assert problem(answer) == (409, "/problems/conflict", ["/at"])


@pytest.mark.parametrize(
    ("said", "pointers", "words"),
    [
        (event("x", "usge", 2), ["/type"], "`usage`"),
        (
            event("x", "usage", 2, account="A1", amuont="1.00"),
            ["/values/amuont", "/values/amount"],
            "`amount`",
        ),
        (event("x", "usage", 2, account="A1", amount="1.005"), ["/values/amount"], "decimal places"),
        (event("x", "usage", 2, account="A1", amount="ten"), ["/values/amount"], "not a number"),
        (event("x", "usage", 2, amount="1.00"), ["/values/account"], "missing"),
        (event("x", "usage", 2, account="A1", amount="1.00", usual="1.00"), ["/values/usual"], "given"),
    ],
)
def test_what_no_policy_knows_is_named(
    api: Client, said: dict[str, Any], pointers: list[str], words: str
) -> None:
    answer = api.post("/v1/events", json=said)
    assert problem(answer) == (422, "/problems/event-refused", pointers)
    assert words in answer.text
    assert api.get("/v1/events/x").status_code == 404


def test_without_a_watch_policy_nothing_is_taken(wiring: Wiring, serve: Any) -> None:
    answer = serve(wiring).post("/v1/events", json=event("e1", "usage", 2))
    assert problem(answer) == (422, "/problems/event-refused", ["/type"])
    assert "no watch policy is in force" in answer.text


def test_a_float_is_refused(api: Client) -> None:
    answer = api.post("/v1/events", json=event("e1", "usage", 2, account="A1", amount=1.5))
    assert problem(answer)[:2] == (422, "/problems/malformed-body")


def test_an_idempotency_key_gives_the_first_answer_again(api: Client) -> None:
    said, key = event("e1", "usage", 2, account="A1", amount="10.00"), {"Idempotency-Key": "k1"}
    first = api.post("/v1/events", json=said, headers=key)
    again = api.post("/v1/events", json=said, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"


def test_many_events_are_taken_line_by_line(api: Client) -> None:
    lines = [*map(json.dumps, takeover()), "nonsense", json.dumps(event("e1", "usge", 2)), ""]
    lines += [json.dumps(event("e3", "moved_out", 5, account="A1")), json.dumps(takeover()[0])]
    headers = {"Content-Type": "application/x-ndjson"}
    answer = api.post("/v1/events/bulk", content="\n".join(lines), headers=headers)
    *rows, last = map(json.loads, answer.text.splitlines())
    assert [(row["line"], row["status"]) for row in rows] == [
        (1, 201), (2, 201), (3, 201), (4, 201), (5, 400), (6, 422), (8, 409), (9, 200),
    ]  # fmt: skip
    assert last["summary"] == {"rows": 8, "stored": 4, "already": 1, "refused": 3, "kept": True}
    look(api, 6)
    assert [alert["rule"] for alert in alerts(api)] == ["changed-then-spike"]


def test_late_and_out_of_order_events_raise_the_same_alert(api: Client) -> None:
    tell(api, *(one | {"received_at": DAY.format(8)} for one in reversed(takeover())))
    look(api, 8)
    (alert,) = alerts(api)
    assert [evidence["id"] for evidence in alert["evidence"]] == ["e3", "e4"]
    assert (alert["at"], alert["as_of"]) == ("2026-03-06T02:00:00Z", "2026-03-08T02:00:00Z")


def test_a_confirmation_that_comes_before_the_look_bars_it(api: Client) -> None:
    tell(api, *takeover(), event("ok", "identity_confirmed", 5))
    look(api, 6)
    assert alerts(api) == []


def test_an_event_older_than_any_window_matters_nowhere(api: Client) -> None:
    old = event("old", "usage", 2, account="A1", amount="10.00") | {"at": "2025-01-01T00:00:00Z"}
    answer = api.post("/v1/events", json=old)
    assert (answer.status_code, answer.json()["windows"]) == (201, [])
    assert answer.json()["notes"] == ["`plain-watch` looks back 120 days, and this happened before."]


def test_an_event_that_no_rule_will_look_at_is_taken_with_a_note(api: Client) -> None:
    nobody = event("n1", "moved_out", 5, account="A1", customer="")
    del nobody["customer"]
    want = ["The rules of `plain-watch` look at `moved_out` per `customer`, which this lacks."]
    answer = api.post("/v1/events", json=nobody)
    assert (answer.status_code, answer.json()["notes"]) == (201, want)
    assert api.post("/v1/events", json=event("n2", "moved_out", 5, account="A1")).json()["notes"] == []
    headers = {"Content-Type": "application/x-ndjson"}
    answer = api.post("/v1/events/bulk", content=json.dumps(nobody | {"id": "n3"}), headers=headers)
    assert json.loads(answer.text.splitlines()[0])["notes"] == want


def test_an_event_that_has_not_happened_yet_is_taken_with_a_note(api: Client) -> None:
    ahead = event("n1", "moved_out", 9, account="A1", received_at=DAY.format(5))
    when = "2026-03-09T10:00:00+08:00: that has not come yet."
    answer = api.post("/v1/events", json=ahead)
    assert (answer.status_code, len(answer.json()["windows"])) == (201, 1)
    assert answer.json()["notes"] == [f"`plain-watch` looks at it when it happens, at {when}"]


def test_an_event_that_makes_a_window_too_full_is_taken_with_a_note(
    api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_events, "MOST_EVENTS", 4)
    tell(api, *takeover())
    one = event("e5", "usage", 6, account="A1", amount="10.00")
    want = "The window of `plain-watch` per `customer` holds {} events, more than 4:"
    want += " rules will not look at its oldest ones."
    assert api.post("/v1/events", json=one).json()["notes"] == [want.format(5)]
    assert api.post("/v1/events", json=one).json()["notes"] == []
    headers = {"Content-Type": "application/x-ndjson"}
    answer = api.post("/v1/events/bulk", content=json.dumps(one | {"id": "e6"}), headers=headers)
    assert json.loads(answer.text.splitlines()[0])["notes"] == [want.format(6)]


def test_events_are_listed_in_the_order_in_which_they_happened(api: Client) -> None:
    tell(api, *reversed(takeover()), event("z", "moved_out", 9, account="A9", customer="C9"))
    first = api.get("/v1/events", params={"limit": 2}).json()
    rest = api.get(first["next"]).json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == ["e1", "e2", "e3", "e4"]
    assert [item["id"] for item in api.get("/v1/events", params={"customer": "C9"}).json()["items"]] == ["z"]


ODD = st.none() | st.booleans() | st.integers(-(10**33), 10**33) | st.text(max_size=12)


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(
    kind=st.sampled_from(["usage", "identity_changed", "bill_due", "moved_out", "x"]),
    values=st.dictionaries(st.sampled_from(["account", "amount", "bill", "document", "at", "id", "é"]), ODD),
    at=st.sampled_from(["1900-01-01T00:00:00Z", "2999-12-31T23:59:59Z", DAY.format(2), "2026-03-02", "x"]),
    customer=st.sampled_from(["C1", "", None, "a b", "x" * 65]),
)
def test_any_event_is_taken_or_named(
    any_api: Client, kind: str, values: dict[str, Any], at: str, customer: str | None
) -> None:
    said = {"id": "e", "type": kind, "at": at, "customer": customer, "values": values}
    body = json.dumps(said | {"received_at": DAY.format(3)}).encode()
    answer = any_api.post("/v1/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 201, 409, 422), answer.text
    if answer.status_code >= 400:
        assert answer.json()["errors"]
    look(any_api, 9)


@pytest.fixture(scope="module")
def any_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One server for events of all kinds."""
    wiring = build(Settings(data=tmp_path_factory.mktemp("any") / "data"), simulated=True)
    wiring.publisher.publish({"policy.yaml": WATCH}, START)
    headers = {"Authorization": f"Bearer {wiring.directory.key}"}
    with listening(wiring) as url, Client(base_url=url, headers=headers, trust_env=False) as client:
        yield client
    wiring.close()


def test_events_that_come_together_become_known_together(builder: Build, serve: Any) -> None:
    wiring = builder(simulated=False)
    wiring.publisher.publish({"policy.yaml": WATCH}, START)
    real, now = serve(wiring), wiring.clock.now().isoformat()
    lines = [
        json.dumps({"id": f"t{n}", "type": "promise_broken", "at": now, "customer": "C1"}
                   | {"values": {"account": "A1", "promise": "P"}})
        for n in range(3)
    ]  # fmt: skip
    headers = {"Content-Type": "application/x-ndjson"}
    answer = real.post("/v1/events/bulk", content="\n".join(lines), headers=headers)
    assert json.loads(answer.text.splitlines()[-1])["summary"]["stored"] == 3, answer.text
    known = {real.get(f"/v1/events/t{n}").json()["received_at"] for n in range(3)}
    assert len(known) == 1
