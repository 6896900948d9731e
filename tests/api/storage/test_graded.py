"""A grade that a person puts in place treats the customer for its time; then the decided one comes back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from api.settings import Authority
from api.storage.accounts import get_account
from api.storage.customers import fact_rows, latest_facts, set_facts
from api.storage.overrides import add_override
from api.storage.regrading import GradeLookRow
from api.storage.tables import DecisionRow, OutboxRow
from api.wiring import Wiring
from engine.credit.decision import Fact
from tests.api.conftest import START
from tests.api.policies import COLLECTIONS
from tests.api.scenes import Driver, add_parties, bill, local
from tests.api.storage.test_decisions import AT, a_record
from tests.api.storage.test_regrading import policy, tell

ROLE = {"manager": Authority(most={"grade": "any", "credit_limit": "any"}, days=90)}
DAY = local("2026-06-20 10:00")
BY_GRADE = (
    COLLECTIONS.replace(b'version: "1"', b'version: "2"')
    .replace(
        b"  segment: {type: string, optional: true}\n",
        b"  segment: {type: string, optional: true}\n  grade: {type: string, optional: true}\n",
    )
    .replace(
        b"    | segment || ladder   |\n    | -       || standard |\n",
        b'    | grade || ladder   |\n    | "D"   || strict   |\n    | -     || standard |\n',
    )
    .replace(
        b"treatment:\n",
        b"  strict: |\n"
        b"    | step      | age   | overdue | after | wait | do                            | release when |\n"
        b"    | warn      | >= 2  | -       | -     | -    | notify(sms, reminder)         | -            |\n"
        b"    | write_off | >= 90 | -       | warn  | -    | approve(write_off), write_off | final        |\n"
        b"treatment:\n",
    )
)


def override(
    wiring: Wiring, at: datetime, until: date, ref: str = "OV-1", decision: str = "r1", **put: str
) -> None:
    said = {"id": ref, "outcome": put, "reason": "guarantee", "actor": "li.wei", "role": "manager", "at": at}
    with wiring.database.write() as work:
        row, new = add_override(work, wiring.library, ROLE, f"assessment/{decision}", said | {"until": until})
        assert new
        wiring.writer.regrading.overridden(work, work.session.get_one(DecisionRow, row.decision), at)


def grade(wiring: Wiring) -> str:
    with wiring.database.read() as session:
        return str(latest_facts(fact_rows(session, ["C1"]))["grade"].value)


def look_on(wiring: Wiring) -> datetime | None:
    with wiring.database.read() as session:
        row = session.get(GradeLookRow, "C1")
        return row.look_on if row else None


def told(wiring: Wiring) -> int:
    with wiring.database.read() as session:
        query = select(OutboxRow.body).where(OutboxRow.kind == "poke", col(OutboxRow.body).contains("grade"))
        return len(session.exec(query).all())


@pytest.fixture
def graded(wiring: Wiring) -> Wiring:
    texts = {"policy.yaml": BY_GRADE}
    texts |= {"templates/reminder.en.txt": b"{overdue}", "templates/final.en.txt": b"{overdue}"}
    wiring.publisher.publish(texts, START)
    add_parties(wiring, "A1")
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    return wiring


def test_the_ladder_follows_the_grade_in_force_and_the_case_hears_it(graded: Wiring) -> None:
    decided = grade(graded)
    assert decided != "D"
    bill(graded, "A1", local("2026-06-05 10:00"), "B1", "2026-06-10", "90.00")
    opened = local("2026-06-12 10:00")
    assert graded.cases.open_case("A1", opened)
    with graded.database.read() as session:
        text = graded.library.collections_for(session, get_account(session, "A1"), opened.date())
    assert text is not None
    driver = Driver(graded, "A1", 1, text.digest)
    driver.act(driver.look(opened))
    assert driver.taken is not None
    assert driver.taken.ladder == "standard"
    override(graded, DAY, date(2026, 6, 25), grade="D")
    assert (grade(graded), told(graded)) == ("D", 1)
    driver.act(driver.look(DAY + timedelta(minutes=1)))
    assert driver.taken.ladder == "strict"
    assert look_on(graded) == local("2026-06-26 00:00")
    assert graded.cases.regrade(local("2026-06-25 23:59"), 10) == 0
    assert grade(graded) == "D"
    graded.cases.regrade(local("2026-06-26 00:10"), 10)
    graded.cases.regrade(local("2026-06-26 00:10"), 10)
    assert (grade(graded), told(graded), look_on(graded)) == (decided, 2, None)
    driver.act(driver.look(local("2026-06-26 00:11")))
    assert driver.taken.ladder == "standard"


def test_what_is_overridden_twice_falls_back_to_the_one_that_lasts_longer(graded: Wiring) -> None:
    decided = grade(graded)
    override(graded, DAY, date(2026, 7, 20), grade="D")
    override(graded, DAY + timedelta(hours=1), date(2026, 6, 25), "OV-2", grade="C")
    assert grade(graded) == "C"
    graded.cases.regrade(local("2026-06-26 00:10"), 10)
    assert (grade(graded), look_on(graded)) == ("D", local("2026-07-21 00:00"))
    graded.cases.regrade(local("2026-07-21 00:10"), 10)
    assert grade(graded) == decided


def test_a_new_decision_and_a_grade_told_since_stay_when_its_time_is_over(graded: Wiring) -> None:
    override(graded, DAY, date(2026, 6, 25), grade="D")
    with graded.database.write() as work:
        set_facts(work, {"C1": {"grade": Fact(value="E", as_of=date(2026, 6, 22))}}, DAY + timedelta(days=2))
    graded.cases.regrade(local("2026-06-26 00:10"), 10)
    assert grade(graded) == "E"
    again = a_record(graded, "r2", 3).model_copy(update={"at": DAY + timedelta(days=7)})
    graded.decisions.record([again])
    override(graded, DAY + timedelta(days=8), date(2026, 7, 1), "OV-3", grade="D")
    assert grade(graded) == "E", "it was put in place of a decision that is not the last any more"


def test_only_a_grade_is_treatment(graded: Wiring) -> None:
    decided = grade(graded)
    override(graded, DAY, date(2026, 6, 25), credit_limit="5.00")
    assert (grade(graded), told(graded), look_on(graded)) == (decided, 0, None)


def test_it_ends_on_its_day_though_the_policy_regrades(wiring: Wiring) -> None:
    policy(wiring)  # version 2: six months of validity, three good months
    add_parties(wiring, "A1")
    tell(wiring, AT, tenure_months=24)
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    first = look_on(wiring)
    decided = grade(wiring)
    override(wiring, DAY, date(2026, 6, 25), grade="D")
    assert look_on(wiring) == local("2026-06-26 00:00")
    wiring.cases.regrade(local("2026-06-26 00:10"), 10)
    assert (grade(wiring), look_on(wiring)) == (decided, first)
