"""Several cases of one account at a time: each about its bill, all told of news, service joined."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from api.storage.tables import CaseRow, OutboxRow
from api.wiring import Wiring
from tests.api.policies import COLLECTIONS
from tests.api.scenes import Driver, account, add_parties, bill, local, pay, post

BY_INVOICE = COLLECTIONS.replace(b"  revive: P30D", b"  revive: P30D\n  grain: invoice")


@pytest.fixture
def divided(wiring: Wiring) -> Wiring:
    """Two bills past due, each with its own open case."""
    wiring.publisher.publish({"policy.yaml": BY_INVOICE}, local("2026-02-01 00:00"))
    add_parties(wiring, "A1")
    bill(wiring, "A1", local("2026-03-01 02:00"), "B1", "2026-03-18", "200.00")
    bill(wiring, "A1", local("2026-03-01 02:00"), "B2", "2026-03-25", "100.00")
    assert account(wiring, "A1").watch_on == local("2026-03-19 09:00")
    assert wiring.cases.open_cases(["A1"], local("2026-03-19 09:00")) == 1
    assert account(wiring, "A1").watch_on == local("2026-03-26 09:00")
    assert wiring.cases.open_cases(["A1"], local("2026-03-26 09:00")) == 1
    return wiring


def cases(wiring: Wiring) -> list[tuple[int, str, str]]:
    with wiring.database.read() as session:
        rows = session.exec(select(CaseRow).order_by(col(CaseRow.number))).all()
        return [(row.number, row.item, row.state) for row in rows]


def outbox(wiring: Wiring, kind: str) -> list[dict[str, Any]]:
    with wiring.database.read() as session:
        rows = session.exec(select(OutboxRow).where(OutboxRow.kind == kind).order_by(col(OutboxRow.id))).all()
        return [{"subject": row.subject, **json.loads(row.body)} for row in rows]


def driver(wiring: Wiring, number: int, item: str) -> Driver:
    with wiring.database.read() as session:
        row = session.get(CaseRow, ("A1", number))
    assert row is not None
    return Driver(wiring, "A1", number, row.policy, item=item)


def together(until: datetime, *drivers: Driver) -> None:
    """Let several cases go on side by side, each when it wakes, with everything confirmed at once."""
    due = dict.fromkeys(range(len(drivers)), local("2026-03-26 09:00"))
    while due:
        number, at = min(due.items(), key=lambda one: one[1])
        one = drivers[number]
        record = one.look(at)
        if record.actions:
            one.confirm(one.act(record).requested, at)
            due[number] = at + timedelta(seconds=1)
            continue
        one.taken = record.taken
        if record.wake_at is None or record.wake_at > until:
            del due[number]
        else:
            due[number] = max(record.wake_at, at + timedelta(seconds=1))


def deliver(wiring: Wiring, key: str) -> None:
    """Take it that the receiver was told of an action, and has not confirmed it."""
    with wiring.database.write() as work:
        row = work.session.exec(select(OutboxRow).where(OutboxRow.subject == key)).one()
        row.state = "delivered"
        work.session.add(row)


def test_each_bill_has_a_case_of_its_own(divided: Wiring) -> None:
    assert cases(divided) == [(1, "B1", "open"), (2, "B2", "open")]
    starts = [(one["subject"], one["item"]) for one in outbox(divided, "start")]
    assert starts == [("case/A1/1", "B1"), ("case/A1/2", "B2")]
    assert (account(divided, "A1").open_case, account(divided, "A1").watch_on) == (2, None)


def test_all_open_cases_hear_of_news(divided: Wiring) -> None:
    pay(divided, "A1", local("2026-03-27 08:00"), "P1", "10.00")
    assert [one["subject"] for one in outbox(divided, "poke")] == ["case/A1/1", "case/A1/2"]


def test_another_bill_opens_another_case_beside_them(divided: Wiring) -> None:
    bill(divided, "A1", local("2026-03-28 02:00"), "B3", "2026-04-10", "50.00")
    assert account(divided, "A1").watch_on == local("2026-04-11 09:00")
    assert divided.cases.due_accounts(local("2026-04-11 09:00"), "", 10) == ["A1"]
    assert divided.cases.open_cases(["A1"], local("2026-04-11 09:00")) == 1
    assert cases(divided)[-1] == (3, "B3", "open")


def test_a_case_that_ends_leaves_the_other_open(divided: Wiring) -> None:
    pay(divided, "A1", local("2026-03-27 08:00"), "P1", "100.00")
    first = driver(divided, 2, "B2")
    first.taken = first.look(local("2026-03-27 08:01")).taken
    assert first.taken.ended == ""
    pay(divided, "A1", local("2026-03-27 08:02"), "P2", "200.00")
    first.taken = first.look(local("2026-03-27 08:03")).taken
    assert first.taken.ended == "cured"
    first.close(local("2026-03-27 08:03"))
    assert cases(divided) == [(1, "B1", "open"), (2, "B2", "ended")]
    assert account(divided, "A1").open_case == 1


def test_a_release_is_told_as_what_the_other_case_still_demands(divided: Wiring) -> None:
    one, two = driver(divided, 1, "B1"), driver(divided, 2, "B2")
    together(local("2026-04-29 00:00"), one, two)
    assert one.taken is not None
    assert two.taken is not None
    assert (one.taken.level, two.taken.level) == ("outgoing_barred", "outgoing_barred")
    at = local("2026-05-02 09:00")
    record = one.look(at)
    assert [(a.key, a.level) for a in record.actions if a.do == "service"] == [
        ("case/A1/1/B1/suspend/1/service.suspended/do", "suspended")
    ]
    one.confirm(one.act(record).requested, at)
    one.taken = one.look(at).taken
    pay(divided, "A1", local("2026-05-03 08:00"), "P1", "200.00")
    (undone,) = one.look(local("2026-05-03 08:00")).actions
    assert (undone.do, undone.args, undone.item) == ("service", ("open",), "B1")
    assert undone.level == "outgoing_barred"


def test_what_was_never_told_demands_nothing(divided: Wiring) -> None:
    one, two = driver(divided, 1, "B1"), driver(divided, 2, "B2")
    together(local("2026-04-17 00:00"), one, two)
    at = local("2026-04-18 09:00")
    record = one.look(at)
    (key,) = one.act(record).requested
    assert two.look(at).position.demands == ()
    deliver(divided, key)
    assert [d.level for d in two.look(at).position.demands] == ["outgoing_barred"]


SET_OFF = BY_INVOICE.replace(
    b"    | final     |",
    b"    | set_off   | >= 5  | -        | reminder | -    | apply(deposit) | -              |\n"
    b"    | final     |",
    1,
)


def test_two_cases_get_one_deposit_one_after_the_other(wiring: Wiring) -> None:
    wiring.publisher.publish({"policy.yaml": SET_OFF}, local("2026-02-01 00:00"))
    add_parties(wiring, "A1")
    at = local("2026-03-01 02:00")
    post(wiring, "A1", at, kind="deposit", id="D1", amount="120.00", move="held")
    for name, amount in (("B1", "100.00"), ("B2", "80.00")):
        bill(wiring, "A1", at, name, "2026-03-18", amount)
    assert wiring.cases.open_cases(["A1"], local("2026-03-19 09:00")) == 2
    one, two = driver(wiring, 1, "B1"), driver(wiring, 2, "B2")
    for case in (one, two):
        case.run(local("2026-03-19 09:00"), local("2026-03-22 00:00"))
    at = local("2026-03-23 09:00")
    records = [case.look(at) for case in (one, two)]
    assert [[str(a.amount) for a in record.actions] for record in records] == [["100.00"], []]
    assert "`case/A1/1` has asked for the deposit" in str(records[1].trace)
    (asked,) = one.act(records[0]).requested
    one.confirm([asked], at + timedelta(minutes=1))
    assert two.look(at + timedelta(minutes=2)).actions == ()
    post(wiring, "A1", local("2026-03-24 08:00"), kind="deposit", id="D2", amount="100.00", move="applied")
    one.taken = one.look(local("2026-03-24 08:01")).taken
    one.close(local("2026-03-24 08:01"))
    (left,) = two.look(local("2026-03-24 09:00")).actions
    assert (left.do, str(left.amount)) == ("apply", "20.00")
