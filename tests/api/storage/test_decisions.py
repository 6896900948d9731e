from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlmodel import select

from api.storage.audit import verify
from api.storage.customers import fact_rows
from api.storage.errors import AlreadyThere
from api.storage.tables import DecisionRow, OutboxRow, RunRow
from api.wiring import Wiring
from engine.credit import decide
from engine.credit.decision import Fact, Money
from engine.credit.errors import FactsRefused
from engine.model import digest
from tests.api.scenes import add_parties, bill, in_arrears, local, pay
from workflows.messages import AssessmentRecord, ReviewChunk
from workflows.recorded import recorded_text

AT = local("2026-06-01 10:00")


def a_record(
    wiring: Wiring, request: str, tenure: int, customer: str = "C1", *, bill: str = "33.33"
) -> AssessmentRecord:  # fmt: skip
    with wiring.database.read() as session:
        chosen = wiring.library.require(session, "credit", "plain-credit", AT.date())
        policy, _ = wiring.library.credit(session, chosen.digest)
    facts = {"tenure_months": Fact(value=tenure), "avg_monthly_bill": Fact(value=bill)}
    decision = decide(policy, facts, AT.date())
    return AssessmentRecord(
        id=f"assessment/{request}", request=request, customer=customer, account="", at=AT, decision=decision,
        facts_digest=decision.facts_digest, trace_digest=digest(decision.trace),
    )  # fmt: skip


def test_a_decision_comes_back_whole(wiring: Wiring) -> None:
    add_parties(wiring)
    record = a_record(wiring, "r1", 24)
    wiring.decisions.record([record])
    found = wiring.decisions.find("r1")
    assert found is not None
    assert found.model_dump(mode="json") == record.model_dump(mode="json")
    assert digest(found.decision.trace) == record.trace_digest
    assert wiring.decisions.find("r2") is None


def test_what_was_stored_first_stays(wiring: Wiring) -> None:
    add_parties(wiring)
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    again = [a_record(wiring, "r1", 3), a_record(wiring, "r2", 3), a_record(wiring, "r2", 24)]
    wiring.decisions.record(again)
    first, second = wiring.decisions.find("r1"), wiring.decisions.find("r2")
    assert first is not None
    assert second is not None
    assert (first.decision.outcome["grade"], second.decision.outcome["grade"]) == ("A", "B")
    with wiring.database.read() as session:
        assert len(session.exec(select(DecisionRow)).all()) == 2


def test_a_new_grade_is_a_fact_and_pokes_the_open_case_once(wiring: Wiring) -> None:
    in_arrears(wiring)
    wiring.decisions.record([a_record(wiring, "r1", 24)])
    wiring.decisions.record([a_record(wiring, "r2", 24)])
    position = wiring.ledger.position("A1", AT, "", "").account
    assert position.facts["grade"] == "A"
    with wiring.database.read() as session:
        pokes = session.exec(select(OutboxRow).where(OutboxRow.kind == "poke")).all()
    assert len(pokes) == 1
    wiring.decisions.record([a_record(wiring, "r3", 3)])
    assert wiring.ledger.position("A1", AT, "", "").account.facts["grade"] == "B"


def test_a_decision_about_nobody_is_kept_too(wiring: Wiring) -> None:
    wiring.decisions.record(
        [a_record(wiring, "r1", 24, customer=""), a_record(wiring, "r2", 24, customer="gone")]
    )
    assert wiring.decisions.find("r2") is not None


def test_chunks_of_a_review_are_kept_once(wiring: Wiring) -> None:
    chunk = ReviewChunk(last="C5", done=5, counts={"decided": 5}, inputs_digest="a", decisions_digest="b")
    wiring.decisions.note_chunk("run", chunk)
    wiring.decisions.note_chunk("run", chunk)
    wiring.decisions.note_chunk("run", chunk.model_copy(update={"last": "C9"}))
    assert [c.last for c in wiring.decisions.chunks("run")] == ["C5", "C9"]


def test_facts_of_many_are_the_facts_of_each(wiring: Wiring) -> None:
    add_parties(wiring, "A1", "A2", customer="C1")
    add_parties(wiring, "A3", customer="C2")
    add_parties(wiring, customer="C3")
    for name, amount in (("A1", "30.00"), ("A2", "12.50"), ("A3", "7.00")):
        bill(wiring, name, local("2026-03-01 02:00"), "B1", "2026-03-18", amount)
    pay(wiring, "A1", local("2026-03-25 02:00"), "P1", "30.00")
    names = ["C3", "C1", "C2"]
    many = wiring.ledger.facts_of([(name, "CNY") for name in names], AT.date(), AT)
    assert many == [wiring.ledger.facts(name, "", AT.date(), AT, "CNY") for name in names]
    both = many[1]
    assert both["avg_monthly_bill"].value == Decimal("42.50")
    assert both["late_count_12m"].value == 2
    assert both["segment"].value == "consumer"
    one = wiring.ledger.facts("", "A2", AT.date(), AT, "CNY")
    assert one["avg_monthly_bill"].value == Decimal("12.50")


def test_amounts_count_the_accounts_in_the_currency_of_the_policy(wiring: Wiring) -> None:
    add_parties(wiring, "MA")
    add_parties(wiring, "MB", currency="EUR")
    bill(wiring, "MA", local("2026-03-01 02:00"), "B1", "2026-03-18", "5000.00")
    before = wiring.ledger.facts("C1", "", AT.date(), AT, "CNY")
    bill(wiring, "MB", local("2026-05-31 02:00"), "B1", "2026-06-20", "1.00")
    after = wiring.ledger.facts("C1", "", AT.date(), AT, "CNY")
    assert before["overdue_now"].value == Decimal("5000.00")
    assert {name: after[name].value for name in before} == {name: fact.value for name, fact in before.items()}
    assert after["overdue_now"].source == (
        "ledger of MA: past due and undisputed; left out, in another currency: MB (EUR)"
    )
    euro = wiring.ledger.facts("C1", "", AT.date(), AT, "EUR")
    assert (euro["overdue_now"].value, euro["max_dpd_12m"].value) == (Decimal(0), 75)


def test_an_amount_known_only_in_another_currency_says_so_and_is_refused(wiring: Wiring) -> None:
    add_parties(wiring, "MB", currency="EUR")
    bill(wiring, "MB", local("2026-03-01 02:00"), "B1", "2026-03-18", "12.50")
    facts = wiring.ledger.facts("C1", "", AT.date(), AT, "CNY")
    assert facts["avg_monthly_bill"].value == Money(unit="EUR", value=Decimal("12.50"))
    with wiring.database.read() as session:
        chosen = wiring.library.require(session, "credit", "plain-credit", AT.date())
        policy, compiled = wiring.library.credit(session, chosen.digest)
    read = {name: fact for name, fact in facts.items() if name in policy.facts}
    refused = "`avg_monthly_bill` is in EUR; the policy counts in CNY"
    with pytest.raises(FactsRefused, match=refused):
        decide(policy, read, AT.date())
    with pytest.raises(FactsRefused, match=refused):
        compiled.decide(read, AT.date())


def test_customers_are_told_in_order(wiring: Wiring) -> None:
    for name in ("C2", "C1", "C3"):
        add_parties(wiring, customer=name)
    assert wiring.ledger.customers_after("", 2) == [("C1", "consumer"), ("C2", "consumer")]
    assert wiring.ledger.customers_after("C2", 2) == [("C3", "consumer")]


def kept(wiring: Wiring, record: AssessmentRecord, run: str = "") -> AssessmentRecord:
    trace = recorded_text(record.decision.trace)
    return wiring.decisions.keep(record, trace, (record.id, run) if run else None)


def test_keeping_gives_the_decision_that_counts_and_registers_its_run(wiring: Wiring) -> None:
    add_parties(wiring)
    first, second = a_record(wiring, "r1", 24), a_record(wiring, "r1", 3)
    assert kept(wiring, first, "run-1") is first
    found = kept(wiring, second, "run-2")
    assert found.model_dump(mode="json") == first.model_dump(mode="json")
    with wiring.database.read() as session:
        assert [row.run for row in session.exec(select(RunRow).order_by(RunRow.run))] == ["run-1", "run-2"]
        assert len(session.exec(select(DecisionRow)).all()) == 1


def test_decisions_kept_at_the_same_time_are_all_kept_and_each_grade_is_told(wiring: Wiring) -> None:
    customers = [f"C{number % 6}" if number % 6 else "" for number in range(24)]
    for customer in sorted({name for name in customers if name}):
        add_parties(wiring, customer=customer)
    records = [
        a_record(wiring, f"r{number:02}", 24 if number % 4 < 2 else 3, customer)
        for number, customer in enumerate(customers)
    ]
    again = [*records, *records[:8]]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda record: kept(wiring, record, f"run-{record.request}"), again))
    assert [record.request for record in found] == [record.request for record in again]
    with wiring.database.read() as session:
        assert len(session.exec(select(DecisionRow)).all()) == len(records)
        assert len(session.exec(select(RunRow)).all()) == len(records)
        assert verify(session)[1] is None
        grades = fact_rows(session, ["C1", "C2", "C3", "C4", "C5"])
    # Whichever order they came in: a grade is told once when it differs from the one before, never twice.
    for customer in ("C1", "C2", "C3", "C4", "C5"):
        told = [fact.value for fact in grades if fact.customer == customer and fact.name == "grade"]
        assert told
        assert all(one != other for one, other in pairwise(told))


def test_a_decision_that_cannot_be_kept_fails_alone(wiring: Wiring) -> None:
    add_parties(wiring)
    records = [a_record(wiring, f"r{number}", 24, "") for number in range(6)]
    records[3] = records[3].model_copy(update={"id": records[0].id})  # taken already, by another request

    def outcome(record: AssessmentRecord) -> str:
        try:
            return kept(wiring, record).request
        except AlreadyThere:
            return "refused"

    kept(wiring, records[0])
    with ThreadPoolExecutor(5) as threads:
        assert list(threads.map(outcome, records[1:])) == ["r1", "r2", "refused", "r4", "r5"]


def test_the_decisions_kept_last_are_at_hand(wiring: Wiring) -> None:
    add_parties(wiring)
    for number in range(70):
        kept(wiring, a_record(wiring, f"r{number}", 24, ""))
    kept(wiring, a_record(wiring, "r69", 3, ""))
    assert wiring.decisions.recent("r69") == wiring.decisions.find("r69")
    assert wiring.decisions.recent("r0") is None
    assert wiring.decisions.find("r0") is not None
