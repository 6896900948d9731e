"""Until when a payment helps, from the ledger itself; and changes told in Chinese."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from engine.credit import Fact
from engine.credit.nearest import AHEAD, nearest_changes
from engine.ledger import Entry, facts_at
from tests.engine.credit.samples import policy_of
from tests.engine.ledger.making import TERMS, entry, noon
from tests.engine.ledger.test_facts import bill

AS_OF = date(2026, 6, 5)
POLICY = policy_of("""
facts:
  max_dpd_12m: {type: integer, min: 0}
  overdue_now: {type: money, min: 0}
decisions:
  grade:
    hit: FIRST
    table: |
      | max_dpd_12m | overdue_now || grade |
      | >= 30       | -           || C     |
      | -           | > 37.20     || B     |
      | -           | -           || A     |
  limit: if grade = "A" then 100 else if grade = "B" then 50 else 0
outcome: {grade: grade, limit: {money: limit}}
""")


def said(days: int, owed: str, day: date = AS_OF) -> dict[str, Fact]:
    values = {"max_dpd_12m": days, "overdue_now": Decimal(owed)}
    return {name: Fact(value=value, as_of=day) for name, value in values.items()}


def told(*history: Entry, language: str = "en") -> str:
    def paid(amount: Decimal, day: date) -> dict[str, Fact]:
        money = [entry("payment", str(day), received=str(AS_OF), amount=str(amount))] if amount else []
        known = facts_at(TERMS, [*history, *money], day, noon(AS_OF, 20))
        return {name: known[name] for name in POLICY.facts}

    facts = paid(Decimal(0), AS_OF)
    return nearest_changes(POLICY, facts, AS_OF, paid=paid)[0].told(language)


OWED = bill(5, "74.40")  # due on 25 May


def test_a_payment_helps_until_the_bill_has_been_late_for_too_long() -> None:
    sentence = "by paying 37.20 by {} (overdue_now of 37.20 or less) the grade would be A"
    # what is left of the bill stays open: in the evening of 24 June it is 30 days late
    assert told(OWED) == sentence.format("2026-06-23")


def test_a_payment_helps_until_the_next_bill_is_late() -> None:
    later = entry("bill", "05-30", id="NEXT", due="06-10", amount="5.00")
    assert "by paying 37.20 by 2026-06-10 (" in told(OWED, later)


def test_a_payment_that_helps_for_long_is_told_without_a_day() -> None:
    asked: list[date] = []

    def paid(amount: Decimal, day: date) -> dict[str, Fact]:
        asked.append(day)
        return said(3, str(Decimal("74.40") - amount), day)

    found = nearest_changes(POLICY, said(3, "74.40"), AS_OF, paid=paid)[0]
    assert str(found) == "by paying 37.20 (overdue_now of 37.20 or less) the grade would be A"
    assert asked[-1] == AS_OF + timedelta(days=AHEAD)


def test_a_payment_that_does_not_lead_there_has_no_day() -> None:
    """Here the money pays something else first, so the same is overdue."""
    found = nearest_changes(POLICY, said(3, "74.40"), AS_OF, paid=lambda _, day: said(3, "74.40", day))[0]
    assert found.payment == Decimal("37.20")
    assert found.by is None


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (said(3, "74.40"), "如果支付37.20（overdue_now为37.20或更少），grade将为A"),
        (said(33, "0"), "如果max_dpd_12m为29或更少，grade将为A"),
    ],
)
def test_a_change_in_chinese(facts: dict[str, Fact], sentence: str) -> None:
    assert nearest_changes(POLICY, facts, AS_OF)[0].told("zh") == sentence


def test_the_last_day_in_chinese() -> None:
    assert told(OWED, language="zh").startswith("如果最迟于2026-06-23支付37.20（")
