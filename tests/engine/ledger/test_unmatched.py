"""What names something that has not come waits for it, is told, and counts nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry
from engine.ledger.position import position_at
from engine.ledger.unmatched import unmatched
from tests.engine.ledger.making import LATE, TERMS, entries, entry

BILL = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
IN_PARTS = entry(
    "bill", "01-05", id="B2", due="02-25", amount="9",
    instalments=[{"due_date": "2026-01-25", "amount": "4"}, {"due_date": "2026-02-25", "amount": "5"}],
)  # fmt: skip
PAID = entry("payment", "01-20", id="P1", amount="100.00")


@pytest.mark.parametrize(
    ("new", "said", "cause"),
    [
        (entry("dispute", "01-10", id="D", bill="NOPE", amount="1"), ("bill", "bill", "NOPE"), None),
        (entry("dispute", "01-10", id="D", bill="B1", amount="1"), ("bill", "bill", "B1"), BILL),
        (entry("write_off_mark", "01-10", bill="B2/2"), ("bill", "bill", "B2/2"), IN_PARTS),
        (entry("payment_returned", "02-01", payment="P1"), ("payment", "payment", "P1"), PAID),
        (entry("dispute_resolved", "02-01", dispute="D9", outcome="upheld"), ("dispute", "dispute", "D9"),
         entry("dispute", "01-10", id="D9", bill="B1", amount="1")),
        (entry("payment", "01-20", amount="2", pays=[{"bill": "B1", "amount": "1"}]),
         ("pays/0/bill", "bill", "B1"), BILL),
        (entry("hold_released", "02-01", hold="H"), ("hold", "hold", "H"),
         entry("hold", "01-02", id="H", hold="disaster")),
        (entry("return_reversed", "02-03", returned="R"), ("returned", "payment_returned", "R"),
         entry("payment_returned", "02-01", id="R", payment="P1")),
    ],
)  # fmt: skip
def test_it_waits_until_its_cause_is_known(new: Entry, said: tuple[str, ...], cause: Entry | None) -> None:
    (wait,) = unmatched([new])
    assert (wait.kind, wait.id, wait.since) == (new.kind, new.id, new.received_at)
    assert (wait.field, wait.names, wait.wanted) == said
    if cause:
        assert new.id not in [wait.id for wait in unmatched([new, cause])]


@pytest.mark.parametrize("name", ["B1/1", "B2/0", "B2/3", "B2/02", "B2/"])
def test_an_instalment_that_a_bill_does_not_have_is_waited_for(name: str) -> None:
    new = entry("payment", "01-20", amount="2", pays=[{"bill": name, "amount": "1"}])
    assert [wait.wanted for wait in unmatched([new, BILL, IN_PARTS])] == [name]


def test_what_names_nothing_waits_for_nothing() -> None:
    assert unmatched([entry("credit_note", "02-01", amount="1")]) == ()


MONEY = {
    "dispute", "dispute_resolved", "payment_returned", "return_reversed", "credit_note", "adjustment",
    "fee_waived", "write_down", "plan_ended", "write_off_mark",
}  # fmt: skip


@given(st.lists(entries(), max_size=12))
def test_what_waits_changes_no_debt(history: list[Entry]) -> None:
    once = list({(e.kind, e.id): e for e in history}.values())
    waiting = {(w.kind, w.id) for w in unmatched(once) if w.kind in MONEY}
    without = [e for e in once if (e.kind, e.id) not in waiting]
    whole, part = position_at(TERMS, once, LATE), position_at(TERMS, without, LATE)
    assert (whole.debts, whole.credit, whole.disputes) == (part.debts, part.credit, part.disputes)
