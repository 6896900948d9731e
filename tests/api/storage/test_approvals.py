"""A proposal that a case has dropped is not left on anybody's list."""

from __future__ import annotations

from sqlmodel import select

from api.storage.actions import get_action
from api.storage.tables import TaskRow
from api.wiring import Wiring
from tests.api.scenes import in_arrears, local, pay


def approvals(wiring: Wiring) -> list[tuple[str, str]]:
    with wiring.database.read() as session:
        rows = session.exec(select(TaskRow).where(TaskRow.do == "approve")).all()
        return [(row.state, row.outcome) for row in rows]


def test_an_approval_is_taken_off_the_list_when_its_debt_is_paid(wiring: Wiring) -> None:
    driver = in_arrears(wiring)
    driver.run(local("2026-03-19 09:00"), local("2026-06-15 12:00"))
    asked = driver.act(driver.look(local("2026-06-16 09:00"))).requested
    assert [key.rsplit("/", 2)[1] for key in asked] == ["approve.write_off"]
    assert approvals(wiring) == [("open", "")]
    pay(wiring, "A1", local("2026-06-17 10:00"), "P1", "205.42")
    driver.run(local("2026-06-17 10:00"), local("2026-06-17 12:00"))
    assert approvals(wiring) == [("closed", "withdrawn")]
    with wiring.database.read() as session:
        assert get_action(session, asked[0]).state == "withdrawn"
