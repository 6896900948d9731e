"""Open cases that go over to the next text of their policy: when, and which texts are refused."""

from __future__ import annotations

import json

import pytest
from sqlmodel import select

from api.storage.errors import PolicyRefused
from api.storage.tables import OutboxRow
from api.wiring import Wiring
from tests.api.policies import COLLECTIONS
from tests.api.scenes import Driver, account, in_arrears, local

ADOPTING = COLLECTIONS.replace(b"  revive: P30D", b"  revive: P30D\n  binding: adopt")
NEXT = (
    ADOPTING.replace(b'version: "1"', b'version: "2"')
    .replace(b"from: 2026-01-01", b"from: 2026-04-01")
    .replace(b"| final     |", b"| last_call |")
    .replace(b"| final    |", b"| last_call |")
)
MAPPED = NEXT + b"maps: {final: last_call}\n"


def pokes(wiring: Wiring) -> list[tuple[str, str]]:
    with wiring.database.read() as session:
        query = select(OutboxRow).where(OutboxRow.kind == "poke").order_by(OutboxRow.id)  # type: ignore[arg-type]
        return [(row.subject, json.loads(row.body)["reason"]) for row in session.exec(query)]


def in_arrears_under(wiring: Wiring, text: bytes) -> Driver:
    wiring.publisher.publish({"policy.yaml": text}, local("2026-02-01 00:00"))
    return in_arrears(wiring)


def test_a_step_that_is_gone_and_not_mapped_keeps_the_text_off_the_shelf(wiring: Wiring) -> None:
    in_arrears_under(wiring, ADOPTING)
    with pytest.raises(PolicyRefused) as refused:
        wiring.publisher.publish({"policy.yaml": NEXT}, local("2026-03-20 00:00"))
    assert "it has no step `final`, which the text in force (version 1) has" in str(refused.value)
    assert "add `maps: {final: <its new name>}`, or `maps: {final: none}`" in str(refused.value)
    wiring.publisher.publish({"policy.yaml": MAPPED}, local("2026-03-20 00:00"))


def test_open_cases_are_told_to_look_when_the_text_comes_into_force(wiring: Wiring) -> None:
    in_arrears_under(wiring, ADOPTING)
    wiring.publisher.publish({"policy.yaml": MAPPED}, local("2026-03-20 00:00"))
    early, day = local("2026-03-31 09:00"), local("2026-04-01 08:00")
    assert wiring.cases.due_accounts(early, "", 10) == []
    assert wiring.cases.due_accounts(day, "", 10) == ["A1"]
    assert wiring.cases.open_cases(["A1"], day) == 0
    assert pokes(wiring) == [("case/A1/1", "policy")]
    assert wiring.cases.due_accounts(day, "", 10) == []
    wiring.cases.open_cases(["A1"], day)
    assert len(pokes(wiring)) == 1


def test_a_case_that_opens_later_is_told_as_well(wiring: Wiring) -> None:
    wiring.publisher.publish({"policy.yaml": ADOPTING}, local("2026-02-01 00:00"))
    wiring.publisher.publish({"policy.yaml": MAPPED}, local("2026-02-02 00:00"))
    in_arrears(wiring)
    assert account(wiring, "A1").watch_on == local("2026-04-01 00:00")
    wiring.cases.open_cases(["A1"], local("2026-04-01 00:00"))
    assert pokes(wiring) == [("case/A1/1", "policy")]


def test_pinned_cases_stay_under_their_text_whatever_the_next_one_says(wiring: Wiring) -> None:
    in_arrears(wiring)
    wiring.publisher.publish({"policy.yaml": NEXT}, local("2026-03-20 00:00"))
    day = local("2026-04-01 08:00")
    assert wiring.cases.due_accounts(day, "", 10) == []
    wiring.cases.open_cases(["A1"], day)
    assert pokes(wiring) == []


def test_what_a_case_is_about_cannot_change_under_open_cases(wiring: Wiring) -> None:
    in_arrears_under(wiring, ADOPTING)
    other = MAPPED.replace(b"  revive: P30D", b"  revive: P30D\n  grain: invoice")
    with pytest.raises(PolicyRefused) as refused:
        wiring.publisher.publish({"policy.yaml": other}, local("2026-03-20 00:00"))
    assert "open cases are about one account each, and would be about one invoice" in str(refused.value)
