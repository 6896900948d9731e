"""Caps over everything that a customer is told: other accounts, calls that were recorded, alerts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.storage.accounts import add_account, get_account
from api.storage.customers import add_customer
from api.storage.errors import EntryRefused
from api.storage.watch_tables import WatchActionRow, WatchAlertRow
from api.wiring import Wiring
from engine.ledger.account import AccountPosition
from tests.api.policies import COLLECTIONS
from tests.api.scenes import Driver, bill, local, post

CAPPED = COLLECTIONS.replace(b"plain-collections", b"capped-collections").replace(
    b"quiet_hours: 21:00-08:00,", b"quiet_hours: 21:00-08:00, caps: {message: 1 per P1D, call: 2 per P7D},"
)
RUN = local("2026-03-21 09:00")


def arrears(wiring: Wiring, *names: str, text: bytes = CAPPED) -> dict[str, Driver]:
    """Accounts of one customer, each with the same bill and an open case on its third day past due."""
    made = wiring.publisher.publish({"policy.yaml": text}, local("2026-01-01 00:00")).manifest
    at = local("2026-01-01 00:00")
    with wiring.database.write() as work:
        add_customer(work, {"id": "C1", "name": "", "segment": "consumer", "since": None}, at)
        for name in names:
            terms = {"id": name, "customer": "C1", "currency": "CNY", "timezone": "Asia/Shanghai"}
            add_account(work, terms | {"policy": made.policy}, at)
    for name in names:
        bill(wiring, name, local("2026-03-01 02:00"), "B1", "2026-03-18", "205.42")
    return {name: Driver(wiring, name, 1, made.digest) for name in names}


def open_all(wiring: Wiring, drivers: dict[str, Driver]) -> None:
    for name, driver in drivers.items():
        assert wiring.cases.open_case(name, local("2026-03-19 09:00"))
        driver.run(local("2026-03-19 09:00"), local("2026-03-20 00:00"))


def position(wiring: Wiring, account: str, at: datetime) -> AccountPosition:
    return wiring.ledger.position(account, at, "plain-law", "").account


def told(wiring: Wiring, account: str, at: datetime) -> list[str]:
    return [f"{one.account} {one.channel} {one.outcome}" for one in position(wiring, account, at).contacts]


def contact(wiring: Wiring, account: str, at: datetime, ref: str, **fields: Any) -> None:
    values: dict[str, Any] = {"channel": "call", "outcome": "attempted", "at": at} | fields
    post(wiring, account, at, kind="contact", id=ref, **values)


def test_a_message_about_one_account_holds_back_that_about_another_for_the_day(wiring: Wiring) -> None:
    drivers = arrears(wiring, "A1", "A2")
    open_all(wiring, drivers)
    first = drivers["A1"].look(RUN)
    assert [action.do for action in first.actions] == ["notify"]
    drivers["A1"].act(first)
    assert told(wiring, "A2", RUN + timedelta(seconds=1)) == ["A1 sms sent"]
    later = drivers["A2"].look(RUN + timedelta(seconds=1))
    assert later.actions == ()
    assert "contact cap: 1 by message per P1D, 1 were made" in [row.note for row in later.trace.rows]
    assert later.wake_at == local("2026-03-22 09:00")


def test_two_cases_that_look_at_once_do_not_both_get_through(wiring: Wiring) -> None:
    drivers = arrears(wiring, "A1", "A2")
    open_all(wiring, drivers)
    looks = {name: driver.look(RUN) for name, driver in drivers.items()}
    assert all(look.actions for look in looks.values())
    assert len(drivers["A1"].act(looks["A1"]).requested) == 1
    second = drivers["A2"].act(looks["A2"])
    assert second.requested == ()
    ((_, why),) = second.withdrawn
    assert "contact cap" in why


def test_a_notice_never_stands_in_its_own_way(wiring: Wiring) -> None:
    drivers = arrears(wiring, "A1")
    open_all(wiring, drivers)
    record = drivers["A1"].look(RUN)
    again = drivers["A1"].request(record)
    assert wiring.cases.act(again) == wiring.cases.act(again)
    assert told(wiring, "A1", RUN) == [" sms sent"]
    assert len(drivers["A1"].look(RUN + timedelta(minutes=1)).actions) == 1, "the same look, derived again"


def test_a_notice_that_failed_or_is_known_later_does_not_count(wiring: Wiring) -> None:
    drivers = arrears(wiring, "A1", "A2")
    open_all(wiring, drivers)
    record = drivers["A1"].look(RUN)
    drivers["A1"].act(record)
    failed = RUN + timedelta(hours=1)
    key = record.actions[0].key
    post(wiring, "A1", failed, kind="receipt", id="r1", key=key, status="failed", at=failed)
    assert told(wiring, "A2", failed) == []
    assert told(wiring, "A2", RUN) == ["A1 sms sent"], "as it was known then"
    assert told(wiring, "A2", RUN - timedelta(seconds=1)) == []


def test_calls_that_were_recorded_count_in_each_account_of_the_customer(wiring: Wiring) -> None:
    arrears(wiring, "A1", "A2")
    made = local("2026-03-20 10:00")
    contact(wiring, "A1", made, "CT1", outcome="conversation", direction="in", actor="agent 17")
    contact(wiring, "A1", made + timedelta(hours=1), "CT2", outcome="not_connected")
    assert told(wiring, "A2", RUN) == ["A1 call conversation", "A1 call not_connected"]
    assert told(wiring, "A1", RUN) == [" call conversation", " call not_connected"]
    assert told(wiring, "A2", made - timedelta(seconds=1)) == []


def test_a_message_that_an_alert_asked_for_counts(wiring: Wiring) -> None:
    drivers = arrears(wiring, "A1")
    open_all(wiring, drivers)
    at = local("2026-03-21 08:30")
    alert = {
        "id": "AL1", "policy": "p", "name": "watch", "rule": "r", "per": "customer", "subject": "C1",
        "customer": "C1", "alert": "fraud", "severity": "high", "at": at, "as_of": at, "state": "open",
        "body": "{}", "seen": b"",
    }  # fmt: skip
    action = {
        "key": "alert/AL1/notify.sms.fraud/do", "alert": "AL1", "do": "notify", "undo": False,
        "args": json.dumps(["sms", "fraud"]), "accounts": "[]", "request": "", "state": "requested",
        "requested_at": at, "settled_at": None, "detail": "",
    }  # fmt: skip
    with wiring.database.write() as work:
        work.insert(WatchAlertRow, alert)
        work.insert(WatchActionRow, action)
    assert told(wiring, "A1", RUN) == ["* sms sent"]
    assert drivers["A1"].look(RUN).actions == ()


@pytest.mark.parametrize("names", [("A1",), ("A1", "A2")])
def test_what_nobody_was_told_leaves_no_trace_in_the_position(wiring: Wiring, names: tuple[str, ...]) -> None:
    arrears(wiring, *names)
    assert "contacts" not in position(wiring, "A1", RUN).model_dump(mode="json")
    with wiring.database.read() as session:
        assert get_account(session, "A1").customer == "C1"


def test_what_a_contact_was_about_and_agreed_to_is_known_to_every_account(wiring: Wiring) -> None:
    arrears(wiring, "A1", "A2")
    contact(wiring, "A1", RUN, "CT-1", outcome="conversation", bills=("B1",), consent="given")
    contact(wiring, "A2", RUN, "CT-2", bills=("B1", "B2"))
    found = {one.account: one for one in position(wiring, "A1", RUN + timedelta(seconds=1)).contacts}
    assert (found[""].bills, found[""].consent) == (("B1",), "given")
    assert (found["A2"].bills, found["A2"].consent) == (("B1", "B2"), "")


def test_nobody_agrees_to_be_called_who_was_not_reached(wiring: Wiring) -> None:
    arrears(wiring, "A1")
    with pytest.raises(EntryRefused, match="nobody was spoken to"):
        contact(wiring, "A1", RUN, "CT-1", outcome="not_connected", consent="given")
    contact(wiring, "A1", RUN, "CT-2", channel="email", outcome="sent", direction="in", consent="given")
