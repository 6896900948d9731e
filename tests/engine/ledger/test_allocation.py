"""How money is spread: by what it names first, then by the account's rule, each rule by its name."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.ledger import Entry, Terms, allocation_report, deposit_at, derived_at, facts_at, position_at
from engine.ledger.allocation import AllocationRule
from tests.engine.ledger.making import LATE, TERMS, entries, entry

BILLS = [
    entry("bill", "01-01", id="LF1", amount="10", due="01-10", category="late_fee"),
    entry("bill", "01-01", id="TV1", amount="40", due="01-15", service="tv"),
    entry("bill", "01-01", id="NET1", amount="50", due="01-20", service="internet"),
    entry("bill", "01-01", id="VOICE1", amount="30", due="01-25", service="voice"),
    entry("bill", "01-01", id="VFEE", amount="5", due="01-12", service="voice", category="fee"),
]


def under(rule: Literal["principal_first", "oldest_first", "by_service"], *services: str) -> Terms:
    return TERMS.model_copy(update={"allocation": AllocationRule(rule=rule, services=services)})


def paid(terms: Terms, payment: Entry, *more: Entry) -> list[tuple[str, str]]:
    report = allocation_report(terms, [*BILLS, *more, payment], LATE)
    return [(part.debt, str(part.amount)) for one in report for part in one.paid]


@pytest.mark.parametrize(
    ("terms", "how", "expected"),
    [
        (under("principal_first"), {}, [("TV1", "40"), ("NET1", "50"), ("VOICE1", "10")]),
        (under("oldest_first"), {}, [("LF1", "10"), ("VFEE", "5"), ("TV1", "40"), ("NET1", "45")]),
        (under("by_service"), {"service": "voice"},
         [("VOICE1", "30"), ("VFEE", "5"), ("TV1", "40"), ("NET1", "25")]),
        (under("by_service", "voice", "internet"), {},
         [("VOICE1", "30"), ("VFEE", "5"), ("NET1", "50"), ("TV1", "15")]),
        (under("by_service", "voice", "internet"), {"service": "tv"},
         [("TV1", "40"), ("VOICE1", "30"), ("VFEE", "5"), ("NET1", "25")]),
        (under("by_service"), {}, [("TV1", "40"), ("NET1", "50"), ("VOICE1", "10")]),
        (under("principal_first"), {"service": "voice"}, [("TV1", "40"), ("NET1", "50"), ("VOICE1", "10")]),
        (under("oldest_first"), {"pays": [{"bill": "VOICE1", "amount": "20"}]},
         [("VOICE1", "20"), ("LF1", "10"), ("VFEE", "5"), ("TV1", "40"), ("NET1", "25")]),
    ],
)  # fmt: skip
def test_each_rule_by_its_name(terms: Terms, how: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert paid(terms, entry("payment", "02-01", id="P", amount="100", **how)) == expected


def test_what_is_disputed_is_paid_last_under_every_rule() -> None:
    dispute = entry("dispute", "01-05", id="D", bill="VOICE1", amount="30")
    found = paid(under("by_service", "voice"), entry("payment", "02-01", id="P", amount="120"), dispute)
    assert found == [("VFEE", "5"), ("TV1", "40"), ("NET1", "50"), ("LF1", "10"), ("VOICE1", "15")]


def test_a_rule_that_says_nothing_clear_is_refused() -> None:
    with pytest.raises(ValidationError, match="belong to the rule"):
        AllocationRule(rule="oldest_first", services=("tv",))
    with pytest.raises(ValidationError, match="names one service twice"):
        AllocationRule(rule="by_service", services=("tv", "tv"))


def test_the_default_is_not_written_into_what_is_recorded() -> None:
    assert "allocation" not in position_at(TERMS, BILLS, LATE).model_dump(mode="json")["terms"]
    said = position_at(under("oldest_first"), BILLS, LATE).model_dump(mode="json")["terms"]
    assert said["allocation"] == {"rule": "oldest_first", "services": []}


RULES = [under("principal_first"), under("oldest_first"), under("by_service", "tv")]


@given(st.lists(entries(), max_size=12), st.sampled_from(RULES), st.data())
def test_no_order_of_arrival_matters_and_no_money_is_lost(
    history: list[Entry], terms: Terms, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(history))
    assert position_at(terms, shuffled, LATE) == position_at(terms, history, LATE)
    for one in allocation_report(terms, history, LATE):
        if not one.returned:
            parts = sum((part.amount for part in one.paid), start=one.waiting + one.credit + one.refunded)
            assert parts == one.amount
    rule, day = terms.allocation, LATE.date()
    values = {name: fact.value for name, fact in facts_at(terms, history, day, LATE).items()}
    found = derived_at(history, day, LATE, allocation=rule)
    assert {name: fact.value for name, fact in found.items()} == values
    assert deposit_at(history, day, LATE, allocation=rule) == deposit_at(shuffled, day, LATE, allocation=rule)
