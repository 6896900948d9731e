"""What a ledger refuses: a stable code and a sentence each; news in any order is taken."""

from __future__ import annotations

import pytest

from engine.ledger import Entry, entry_problems
from tests.engine.ledger.making import TERMS, entry

BILL = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
PAID = entry("payment", "01-20", id="P1", amount="100.00")
BACK = entry("payment_returned", "02-01", id="R1", payment="P1")
AGAIN = entry("return_reversed", "02-03", id="V1", returned="R1")
DISPUTE = entry("dispute", "01-10", id="D1", bill="B1", amount="60.00")
HOLD = entry("hold", "02-01", id="H1", hold="disaster", until="2026-02-20")


@pytest.mark.parametrize(
    ("known", "new", "code"),
    [
        ([], BILL, None),
        ([BILL], BILL.model_copy(update={"received_at": PAID.received_at}), None),
        ([BILL], entry("bill", "01-05", id="B1", due="01-25", amount="101.00"), "entry-conflict"),
        ([], entry("bill", "01-05", id="B1", due="01-04", amount="1.00"), "due-before-bill"),
        ([], entry("bill", "01-05", id="B1", due="01-25", amount="1.00", category="plan"),
         "plan-without-instalments"),
        ([], entry("bill", "01-05", id="B1", due="01-25", amount="9.00",
                   instalments=[{"due_date": "2026-01-25", "amount": "8.99"}]), "instalments-differ"),
        ([BILL], entry("bill", "01-05", id="B1/1", due="01-25", amount="9.00"), None),
        ([entry("bill", "01-05", id="B1/1", due="01-25", amount="9.00")],
         entry("bill", "01-05", id="B1", due="01-25", amount="9.00",
               instalments=[{"due_date": "2026-01-25", "amount": "9.00"}]), "debt-name-taken"),
        ([BILL], entry("bill_issued", "01-06", bill="B1"), "not-a-draft"),
        ([], entry("bill", "2026-01-05", id="B1", due="9999-12-31", amount="1.00"), "day-out-of-range"),
        ([], entry("hold", "2026-01-05", hold="disaster", until="2200-01-01"), "day-out-of-range"),
        ([], entry("payment", "1066-10-14", amount="1.00"), "day-out-of-range"),
        # payments: of unknown bills are taken and wait
        ([], entry("payment", "01-20", amount="10.00", pays=[{"bill": "B7", "amount": "10.00"}]), None),
        ([], entry("payment", "01-20", amount="10.00", pays=[{"bill": "B7", "amount": "10.01"}]),
         "shares-exceed-payment"),
        ([], entry("payment", "01-20", amount="10.00",
                   pays=[{"bill": "B7", "amount": "1.00"}, {"bill": "B7", "amount": "2.00"}]), "share-twice"),
        ([], entry("payment", "01-30", received="01-20", amount="10.00"), None),
        ([], entry("payment", "01-31", received="01-20", amount="10.00"), "money-not-there-yet"),
        ([], entry("recovery", "02-20", received="01-20", amount="10.00"), "money-not-there-yet"),
        ([], entry("bill", "02-20", received="01-20", due="03-20", amount="10.00"), None),
        # returns
        ([], BACK, None),
        ([PAID, BACK], entry("payment_returned", "02-05", id="R2", payment="P1"), "already-returned"),
        ([PAID, BACK, AGAIN], entry("payment_returned", "02-05", id="R2", payment="P1"), None),
        ([PAID], entry("payment_returned", "01-19", payment="P1"), "before-its-cause"),
        ([PAID, BACK, AGAIN], entry("return_reversed", "02-05", id="V2", returned="R1"), "already-reversed"),
        # refunds
        ([PAID], entry("refund", "02-01", amount="100.01", payment="P1"), "refund-exceeds-payment"),
        ([PAID, entry("refund", "02-01", id="1", amount="60.00", payment="P1")],
         entry("refund", "02-02", id="2", amount="40.01", payment="P1"), "refund-exceeds-payment"),
        ([], entry("refund", "02-01", amount="100.01", payment="P1"), None),
        # corrections
        ([BILL], entry("credit_note", "02-01", amount="100.01", bill="B1"), "credit-exceeds-bill"),
        ([BILL, entry("credit_note", "02-01", id="1", amount="60.00", bill="B1")],
         entry("credit_note", "02-02", id="2", amount="40.01", bill="B1"), "credit-exceeds-bill"),
        ([], entry("credit_note", "02-01", amount="100.01", bill="B1"), None),
        ([BILL], entry("adjustment", "02-01", amount="-100.01", bill="B1"), "adjustment-exceeds-bill"),
        ([BILL], entry("adjustment", "02-01", amount="0", bill="B1"), "adjusts-nothing"),
        # disputes
        ([BILL], entry("dispute", "01-10", amount="100.01", bill="B1"), "dispute-exceeds-bill"),
        ([BILL, DISPUTE], entry("dispute", "01-11", id="D2", amount="40.01", bill="B1"),
         "dispute-exceeds-bill"),
        ([BILL, DISPUTE, entry("dispute_resolved", "01-12", dispute="D1", outcome="rejected")],
         entry("dispute", "01-13", id="D2", amount="40.01", bill="B1"), None),
        ([BILL, DISPUTE, entry("dispute_resolved", "01-12", id="1", dispute="D1", outcome="rejected")],
         entry("dispute_resolved", "01-13", id="2", dispute="D1", outcome="upheld"), "already-resolved"),
        ([BILL, DISPUTE], entry("dispute_resolved", "01-09", dispute="D1", outcome="upheld"),
         "before-its-cause"),
        # promises, holds, deposits, acts, plans
        ([], entry("promise", "02-10", amount="1.00", by="2026-02-09"), "promise-in-the-past"),
        ([], entry("hold", "02-10", hold="disaster", until="2026-02-10"), "hold-without-days"),
        ([HOLD], entry("hold", "02-19", id="H2", hold="disaster"), "hold-overlaps"),
        ([HOLD], entry("hold", "02-20", id="H2", hold="disaster"), None),
        ([HOLD], entry("hold", "02-10", id="H2", hold="hardship"), None),
        ([HOLD], entry("hold", "02-10", id="H2", hold="disaster", bill="B1"), None),
        ([HOLD, entry("hold_released", "02-05", id="1", hold="H1")],
         entry("hold", "02-05", id="H2", hold="disaster"), None),
        ([HOLD], entry("hold_released", "01-31", hold="H1"), "before-its-cause"),
        ([], entry("deposit", "02-01", amount="1.00", move="applied"), None),
        ([], entry("act", "02-01", act="force", actor="anna", reason="x"), "act-without-step"),
        ([], entry("act", "02-01", act="stop", actor="anna", reason="x"), None),
        ([BILL], entry("plan_ended", "02-01", plan="B1"), "not-a-plan"),
    ],
)  # fmt: skip
def test_what_is_refused_and_what_is_taken(known: list[Entry], new: Entry, code: str | None) -> None:
    found = entry_problems(TERMS, known, new)
    assert [problem.code for problem in found] == ([code] if code else [])
    for problem in found:
        assert problem.message.endswith(".")
        assert problem.entry == f"{new.kind} {new.id}"
        assert problem.advice


def test_the_sentence_says_what_is_left() -> None:
    found = entry_problems(
        TERMS, [BILL, DISPUTE], entry("dispute", "01-11", id="D2", amount="50.00", bill="B1")
    )
    assert found[0].message == "Of bill `B1` 40.00 can be disputed; 50.00 is more than that."
    assert found[0].field == "amount"
    assert found[0].advice == "write at most 40.00"


FINE = [
    ("CNY", "128.401", "`amount` is 128.401; an amount in CNY has at most 2 decimals."),
    ("CNY", "128.400", None),
    ("JPY", "128.5", "`amount` is 128.5; an amount in JPY has no decimals."),
    ("JPY", "128", None),
    ("KWD", "128.401", None),
    ("KWD", "128.4015", "`amount` is 128.4015; an amount in KWD has at most 3 decimals."),
    ("CNY", "99999999999999999999999999999999.99", None),
    ("XXX", "128.40123", None),
]


@pytest.mark.parametrize(("currency", "amount", "said"), FINE)
def test_an_amount_is_no_finer_than_its_currency(currency: str, amount: str, said: str | None) -> None:
    terms = TERMS.model_copy(update={"currency": currency})
    problems = entry_problems(terms, [], entry("payment", "01-20", amount=amount))
    assert [problem.message for problem in problems] == ([said] if said else [])


def test_parts_of_an_amount_are_no_finer_either() -> None:
    new = entry("payment", "01-20", amount="10.00", pays=[{"bill": "B7", "amount": "1.005"}])
    (problem,) = entry_problems(TERMS, [], new)
    assert (problem.code, problem.field, problem.advice) == (
        "finer-than-currency", "pays/0/amount", "write 1.00, if that is meant",
    )  # fmt: skip
