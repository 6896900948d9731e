"""Rule 5 live: the receiver hears of the level in force when somebody else's demand comes or goes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import col, select
from temporalio.testing import ActivityEnvironment

from api.storage.actions import get_action
from api.storage.audit import verify
from api.storage.bulk import AT_ONCE, Batch, Item, NewEntry
from api.storage.errors import AlreadyThere
from api.storage.tables import ActionRow, OutboxRow, TaskRow
from api.wiring import Wiring
from engine.ledger import Entry, EntryAdapter
from tests.api.conftest import Build
from tests.api.policies import COLLECTIONS
from tests.api.relay.listening import confirms
from tests.api.relay.test_courier import reminded, to_barring, with_receiver
from tests.api.scenes import Driver, account, add_parties, in_arrears, local, pay, post
from tests.api.storage.test_contention import at_once
from workflows.activities.open_due import OpenDue
from workflows.messages import PageRequest

CUT = "demand/A1/account/fraud_desk/1/service.suspended/do"
BACK = "demand/A1/account/fraud_desk/2/service.open/do"


def demand(wiring: Wiring, at: datetime, level: str, source: str = "fraud_desk", name: str = "A1") -> None:
    ref = f"{source}/{at.isoformat()}"
    post(wiring, name, at, kind="demand", id=ref, source=source, level=level, reason="sim swap")


def told(wiring: Wiring, name: str = "A1") -> list[tuple[str, str]]:
    """The messages about a level of service, in the order in which they go out: the step and the level."""
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.account == name, OutboxRow.channel == "webhook")
        rows = session.exec(query.order_by(col(OutboxRow.id))).all()
        found = [(row.state, json.loads(row.body)["data"]) for row in rows]
    return [(data["step"], data["level"]) for state, data in found if data["level"] and state != "withdrawn"]


def refuses(event: dict[str, Any]) -> tuple[int, Any]:
    return 503, {}


def hear(wiring: Wiring) -> None:
    """Take it that the receiver was told of everything."""
    with wiring.database.write() as work:
        for row in work.session.exec(select(OutboxRow).where(OutboxRow.channel == "webhook")).all():
            row.state = "delivered"
            work.session.add(row)


def sweep(wiring: Wiring, at: str) -> None:
    request = PageRequest(at=local(at), after="", limit=50, chain="")
    ActivityEnvironment().run(OpenDue(wiring.cases, wiring.evidence).open_due, request)


def tasks(wiring: Wiring) -> list[str]:
    with wiring.database.read() as session:
        return [row.key for row in session.exec(select(TaskRow).order_by(col(TaskRow.seq)))]


def barred(wiring: Wiring) -> Driver:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-04-19 00:00"))
    assert driver.taken is not None
    assert driver.taken.level == "outgoing_barred"
    return driver


def test_fraud_alone_is_told_without_a_case(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    demand(wiring, local("2026-03-05 23:00"), "suspended")  # quiet hours are the ladder's
    assert told(wiring) == [("fraud_desk", "suspended")]
    demand(wiring, local("2026-03-07 23:00"), "open")
    assert told(wiring) == [("fraud_desk", "suspended"), ("fraud_desk", "open")]
    with wiring.database.read() as session:
        cut, back = get_action(session, CUT), get_action(session, BACK)
        assert (cut.severe, back.severe, cut.number) == (True, False, 0)
        assert verify(session)[1] is None


def test_after_the_payment_the_release_of_fraud_opens_service(wiring: Wiring) -> None:
    driver = barred(wiring)
    demand(wiring, local("2026-04-20 10:00"), "suspended")
    pay(wiring, "A1", local("2026-04-21 10:00"), "P1", "205.42")
    driver.run(local("2026-04-21 10:01"), local("2026-04-21 12:00"))
    demand(wiring, local("2026-04-22 10:00"), "open")
    assert told(wiring)[1:] == [("fraud_desk", "suspended"), ("bar", "suspended"), ("fraud_desk", "open")]


def test_while_the_bar_stands_the_release_of_fraud_is_told_as_the_bar(wiring: Wiring) -> None:
    barred(wiring)
    demand(wiring, local("2026-04-20 10:00"), "suspended")
    demand(wiring, local("2026-04-22 10:00"), "open")
    assert told(wiring) == [
        ("bar", "outgoing_barred"), ("fraud_desk", "suspended"), ("fraud_desk", "outgoing_barred"),
    ]  # fmt: skip


def test_a_demand_that_another_covers_is_not_told(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    for day, source, level in (
        (5, "fraud_desk", "suspended"), (6, "limit", "outgoing_barred"), (7, "limit", "suspended"),
        (8, "fraud_desk", "open"), (9, "limit", "open"),
    ):  # fmt: skip
        demand(wiring, local(f"2026-03-0{day} 10:00"), level, source)
    assert told(wiring) == [("fraud_desk", "suspended"), ("limit", "open")]


def test_the_same_entry_twice_is_told_once(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    at = local("2026-03-05 10:00")
    demand(wiring, at, "suspended")
    demand(wiring, at, "suspended")
    assert told(wiring) == [("fraud_desk", "suspended")]
    with pytest.raises(AlreadyThere):
        demand(wiring, at, "outgoing_barred")
    assert told(wiring) == [("fraud_desk", "suspended")]


def test_what_was_told_to_be_at_an_end_is_never_restored(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    demand(wiring, local("2026-03-05 10:00"), "terminated", "customer")
    hear(wiring)
    demand(wiring, local("2026-03-06 10:00"), "open", "customer")
    demand(wiring, local("2026-03-07 10:00"), "suspended")
    demand(wiring, local("2026-03-08 10:00"), "open")
    assert told(wiring) == [("customer", "terminated")]


def test_a_termination_that_nobody_was_told_of_is_withdrawn(builder: Build, database_url: str) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        add_parties(wiring, "A1")
        demand(wiring, local("2026-03-05 10:00"), "terminated", "customer")
        demand(wiring, local("2026-03-05 10:01"), "open", "customer")
        wiring.courier.deliver("A1", local("2026-03-05 10:02"))
    assert heard.keys == ["demand/A1/account/customer/2/service.open/do"]


def test_a_demand_of_a_later_day_is_told_when_it_begins_and_once(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    at = local("2026-03-05 10:00")
    entry = {"kind": "demand", "id": "D1", "source": "fraud_desk", "level": "suspended"}
    later = EntryAdapter.validate_python(entry | {"value_date": "2026-03-10", "received_at": at})
    with wiring.database.write() as work:
        wiring.writer.post(work, "A1", later, clamp=False)
    assert (told(wiring), account(wiring, "A1").level_on) == ([], local("2026-03-10 00:00"))
    sweep(wiring, "2026-03-09 23:59")
    assert told(wiring) == []
    for hour in ("00:00", "00:01", "05:00"):
        sweep(wiring, f"2026-03-10 {hour}")
    assert told(wiring) == [("fraud_desk", "suspended")]
    assert account(wiring, "A1").level_on == local("2026-03-12 00:00")  # when it is to be confirmed


def test_an_unconfirmed_release_is_put_before_a_person_before_its_time_is_over(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    demand(wiring, local("2026-03-05 10:00"), "suspended")
    demand(wiring, local("2026-03-05 12:00"), "open")
    sweep(wiring, "2026-03-06 23:59")
    assert tasks(wiring) == []
    for at in ("2026-03-07 00:00", "2026-03-07 10:00", "2026-03-09 10:00"):  # 36 hours
        sweep(wiring, at)
    head = BACK.rsplit("/", 2)[0]
    assert tasks(wiring) == [
        f"{head}/task.missing_receipt.open/do"
    ]  # of the cut before it nobody has to hear
    assert account(wiring, "A1").level_on is None


def test_what_is_confirmed_is_not_asked_of_anybody(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    demand(wiring, local("2026-03-05 10:00"), "suspended")
    at = local("2026-03-05 11:00")
    post(wiring, "A1", at, kind="receipt", id="R1", key=CUT, status="done", at=at)
    assert account(wiring, "A1").level == "suspended"
    sweep(wiring, "2026-03-08 00:00")
    assert (tasks(wiring), account(wiring, "A1").level_on) == ([], None)


def test_a_receiver_that_cannot_is_put_before_a_person_at_once(wiring: Wiring) -> None:
    add_parties(wiring, "A1")
    demand(wiring, local("2026-03-05 10:00"), "suspended")
    at = local("2026-03-05 11:00")
    post(wiring, "A1", at, kind="receipt", id="R1", key=CUT, status="failed", at=at)
    assert tasks(wiring) == [f"{CUT.rsplit('/', 2)[0]}/task.undone.suspended/do"]
    sweep(wiring, "2026-03-08 00:00")
    assert tasks(wiring) == [f"{CUT.rsplit('/', 2)[0]}/task.undone.suspended/do"]


def test_a_bar_that_waits_to_be_sent_says_the_level_of_then(builder: Build, database_url: str) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        _, at, bar = to_barring(wiring)
        demand(wiring, at, "suspended")
        demand(wiring, at + timedelta(minutes=1), "open")
        demand(wiring, at + timedelta(minutes=2), "suspended", "limit")
        wiring.courier.deliver("A1", at + timedelta(minutes=3))
    said = [(event["id"], event["data"]["level"]) for event in heard.events if event["data"]["level"]]
    assert said == [
        (bar, "suspended"),
        (CUT, "suspended"),  # in force again, by another's demand
        ("demand/A1/account/limit/1/service.suspended/do", "suspended"),
    ]
    with wiring.database.read() as session:
        assert verify(session)[1] is None


def test_a_bar_that_went_out_late_leaves_nobody_with_the_level_of_then(
    builder: Build, database_url: str
) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        _, at, bar = to_barring(wiring)
        demand(wiring, at, "suspended")
        heard.reply = refuses
        wiring.courier.deliver("A1", at + timedelta(minutes=1))  # from now on it is perhaps known by its id
        demand(wiring, at + timedelta(minutes=2), "open")
        heard.events.clear()
        heard.reply = confirms
        for minute in (10, 20):
            wiring.courier.deliver("A1", at + timedelta(minutes=minute))
    said = [(event["id"], event["data"]["level"]) for event in heard.events if event["data"]["level"]]
    back = "demand/A1/account/fraud_desk/2/service.outgoing_barred/do"
    assert said == [(bar, "suspended"), (back, "outgoing_barred")]
    assert account(wiring, "A1").level == "outgoing_barred"


def test_a_cut_that_fails_after_the_release_of_fraud_leaves_nobody_cut(
    builder: Build, database_url: str
) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        _, at, bar = to_barring(wiring)
        wiring.courier.deliver("A1", at)
        for minute, level in enumerate(("suspended", "open"), start=1):
            demand(wiring, at + timedelta(minutes=minute), level)
            wiring.courier.deliver("A1", at + timedelta(minutes=minute))
        at += timedelta(minutes=10)
        post(wiring, "A1", at, kind="receipt", id="R1", key=bar, status="failed", at=at)
        wiring.courier.deliver("A1", at)
    said = [event["data"]["level"] for event in heard.events if event["data"]["level"]]
    assert said == ["outgoing_barred", "suspended", "outgoing_barred", "open"]


def test_a_receiver_hears_each_message_once_and_last_what_is_in_force(
    builder: Build, database_url: str
) -> None:
    with with_receiver(builder, database_url) as (wiring, heard):
        heard.reply = confirms
        _, at, bar = to_barring(wiring)
        wiring.courier.deliver("A1", at)
        for minute, level in enumerate(("suspended", "open"), start=1):
            demand(wiring, at + timedelta(minutes=minute), level)
            wiring.courier.deliver("A1", at + timedelta(minutes=minute))
            wiring.courier.deliver("A1", at + timedelta(minutes=minute))
    said = [(event["id"], event["data"]["level"]) for event in heard.events]
    assert said == [
        (bar, "outgoing_barred"),
        (CUT, "suspended"),
        ("demand/A1/account/fraud_desk/2/service.outgoing_barred/do", "outgoing_barred"),
    ]
    assert account(wiring, "A1").level == "outgoing_barred"


def test_a_policy_that_is_missing_keeps_no_demand_from_being_told(builder: Build, database_url: str) -> None:
    wiring = builder(database=database_url, publish=False)
    add_parties(wiring, "A1")
    demand(wiring, local("2026-03-05 10:00"), "suspended")
    assert told(wiring) == [("fraud_desk", "suspended")]
    with wiring.database.read() as session:
        assert get_action(session, CUT).policy == ""


def test_a_release_leaves_alone_the_service_that_a_case_has_cut(wiring: Wiring) -> None:
    wiring.publisher.publish(
        {"policy.yaml": COLLECTIONS.replace(b"  revive: P30D", b"  revive: P30D\n  scope: service")},
        local("2026-02-01 00:00"),
    )
    add_parties(wiring, "A1")
    post(
        wiring, "A1", local("2026-03-01 02:00"), kind="bill", id="B1", due_date="2026-03-18",
        amount="205.42", service="tv",
    )  # fmt: skip
    assert wiring.cases.open_cases(["A1"], local("2026-03-19 09:00")) == 1
    with wiring.database.read() as session:
        policy = wiring.library.collections_for(
            session, account(wiring, "A1"), local("2026-03-19 09:00").date()
        )
    assert policy is not None
    driver = Driver(wiring, "A1", 1, policy.digest, item="tv")
    driver.run(local("2026-03-19 09:00"), local("2026-04-19 00:00"))
    demand(wiring, local("2026-04-20 10:00"), "suspended")
    demand(wiring, local("2026-04-22 10:00"), "open")
    with wiring.database.read() as session:
        rows = session.exec(select(OutboxRow).where(OutboxRow.kind == "action").order_by(col(OutboxRow.id)))
        found = [json.loads(row.body)["data"] for row in rows]
    assert [(one["step"], one.get("service", ""), one["level"]) for one in found if one["level"]] == [
        ("bar", "tv", "outgoing_barred"),
        ("fraud_desk", "", "suspended"),
        ("fraud_desk", "tv", "suspended"),
        ("fraud_desk", "", "open"),
        ("fraud_desk", "tv", "outgoing_barred"),
    ]
    assert [one["figures"] for one in found if one["step"] == "fraud_desk"][2] == {"except": "tv"}


def batch(wiring: Wiring, items: list[Item]) -> None:
    with wiring.database.write() as work:
        load = Batch(work, wiring.writer, items, clamp=True)
        for item in items:
            load.add(item)
        load.finish()


def word(ref: str, day: int, level: str) -> Entry:
    return EntryAdapter.validate_python(
        {"kind": "demand", "id": ref, "source": "fraud_desk", "level": level}
        | {"value_date": f"2026-03-{day:02}", "received_at": local(f"2026-03-{day:02} 10:00")}
    )


def test_a_load_tells_what_it_ends_in(wiring: Wiring) -> None:
    add_parties(wiring, "A1", "A2")
    first, second = word("D1", 5, "suspended"), word("D2", 6, "open")
    batch(wiring, [NewEntry("A1", first), NewEntry("A1", second), NewEntry("A2", first)])
    assert (told(wiring), told(wiring, "A2")) == ([], [("fraud_desk", "suspended")])


def test_a_load_of_many_accounts_leaves_its_demands_to_the_sweep(wiring: Wiring) -> None:
    names = [f"A{n}" for n in range(AT_ONCE + 1)]
    add_parties(wiring, *names)
    batch(wiring, [NewEntry(name, word("D1", 5, "suspended")) for name in names])
    assert told(wiring) == []
    for _ in range(2):
        wiring.cases.review_levels(names, local("2026-03-06 10:00"))
    assert {tuple(told(wiring, name)) for name in names} == {(("fraud_desk", "suspended"),)}


def test_demands_and_payments_at_once_end_in_what_is_in_force(wiring: Wiring) -> None:
    driver = barred(wiring)
    hear(wiring)
    at = local("2026-04-20 10:00")

    def demands(source: str) -> None:
        for turn in range(6):
            level = "suspended" if turn % 2 == 0 else "open"
            post(
                wiring, "A1", at, clamp=True, kind="demand", id=f"{source}{turn}", source=source, level=level
            )

    def payments() -> None:
        for turn in range(6):
            post(wiring, "A1", at, clamp=True, kind="payment", id=f"P{turn}", amount="40.00")

    failed = at_once([partial(demands, "fraud_desk"), partial(demands, "limit"), payments])
    assert failed == []
    now = local("2026-04-20 11:00")
    driver.run(now, now + timedelta(minutes=5))
    levels = [level for _, level in told(wiring)]
    assert levels[-1] == "open"
    with wiring.database.read() as session:
        keys = [row.key for row in session.exec(select(ActionRow))]
        assert len(keys) == len(set(keys))
        assert verify(session)[1] is None


def test_a_notice_that_is_tried_again_holds_up_no_message_about_service(builder: Build) -> None:
    at = local("2026-03-21 09:00")
    with with_receiver(builder) as (wiring, heard):
        heard.reply = lambda event: (503, None) if "notify" in event["id"] else confirms(event)
        reminded(wiring)
        again = wiring.courier.deliver("A1", at)
        assert again is not None
        assert again > at + timedelta(seconds=2)
        demand(wiring, at, "suspended")
        assert wiring.courier.deliver("A1", at + timedelta(seconds=1)) == again
        demand(wiring, at + timedelta(seconds=1), "open")
        assert wiring.courier.deliver("A1", at + timedelta(seconds=2)) == again
        assert heard.keys[1:] == [CUT, BACK]
        wiring.courier.deliver("A1", again)
        assert heard.keys[3:] == heard.keys[:1]
