"""What is open after a history: each kind of entry, alone and together."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, Inexact

import pytest

from engine.ledger import Entry, position_at
from tests.engine.ledger.making import TERMS, entry, opens, position

B1 = entry("bill", "01-05", id="B1", due="01-25", amount="100.00")
B2 = entry("bill", "02-05", id="B2", due="02-25", amount="100.00")
B3 = entry("bill", "02-06", id="B3", due="02-25", amount="100.00")
PARTS = entry(
    "bill", "01-05", id="B9", due="03-25", amount="90.00",
    instalments=[{"due_date": date(2026, m, 25), "amount": "30.00"} for m in (1, 2, 3)],
)  # fmt: skip


def pay(on: str, amount: str, received: str = "", name: str = "P1", **shares: str) -> Entry:
    pays = [{"bill": bill.replace("_", "/"), "amount": part} for bill, part in shares.items()]
    return entry("payment", on, received, id=name, amount=amount, pays=pays)


@pytest.mark.parametrize(
    ("history", "open_", "credit"),
    [
        # oldest due date first, ties by id
        ([B1, B2, B3, pay("03-01", "150.00")], {"B2": "50.00", "B3": "100.00"}, "0.00"),
        ([B3, B2, pay("03-01", "150.00")], {"B3": "50.00"}, "0.00"),
        # named shares first, the rest oldest first
        ([B1, B2, pay("03-01", "130.00", B2="100.00")], {"B1": "70.00"}, "0.00"),
        # a share that is more than its bill goes on to the oldest
        ([B1, B2, pay("03-01", "150.00", B2="150.00")], {"B1": "50.00"}, "0.00"),
        # leftovers are credit which later bills take
        ([B1, pay("01-20", "130.00"), B2], {"B2": "70.00"}, "0.00"),
        ([B1, pay("01-20", "130.00")], {}, "30.00"),
        # a share for a bill that has not come yet waits for it and pays nothing else
        ([B1, pay("01-20", "130.00", B2="100.00")], {"B1": "70.00"}, "100.00"),
        ([B1, pay("01-20", "130.00", B2="100.00"), B2], {"B1": "70.00"}, "0.00"),
        # instalments are debts of their own
        ([PARTS], {"B9/1": "30.00", "B9/2": "30.00", "B9/3": "30.00"}, "0"),
        ([PARTS, pay("01-20", "40.00")], {"B9/2": "20.00", "B9/3": "30.00"}, "0.00"),
        ([PARTS, pay("01-20", "40.00", B9_3="30.00")], {"B9/1": "20.00", "B9/2": "30.00"}, "0.00"),
        ([PARTS, pay("01-20", "40.00", B9="40.00")], {"B9/2": "20.00", "B9/3": "30.00"}, "0.00"),
        # credit notes
        ([B1, entry("credit_note", "02-01", amount="30.00", bill="B1")], {"B1": "70.00"}, "0"),
        ([B1, pay("01-20", "100.00"), entry("credit_note", "02-01", amount="30.00", bill="B1")],
         {}, "30.00"),
        ([B1, pay("01-20", "90.00"), entry("credit_note", "02-01", amount="30.00", bill="B1")],
         {}, "20.00"),
        ([B1, entry("credit_note", "02-01", amount="30.00")], {"B1": "70.00"}, "0.00"),
        # adjustments
        ([B1, entry("adjustment", "02-01", amount="30.00", bill="B1")], {"B1": "130.00"}, "0"),
        ([B1, entry("adjustment", "02-01", amount="-30.00", bill="B1")], {"B1": "70.00"}, "0"),
        ([B1, pay("01-20", "130.00"), entry("adjustment", "02-01", amount="10.00", bill="B1")],
         {}, "20.00"),
        # refunds: from credit first, else the named payment's debts open again
        ([B1, pay("01-20", "130.00"), entry("refund", "02-01", amount="30.00", payment="P1")], {}, "0.00"),
        ([B1, pay("01-20", "130.00"), entry("refund", "02-01", amount="50.00", payment="P1")],
         {"B1": "20.00"}, "0.00"),
        ([B1, pay("01-20", "100.00"), entry("refund", "02-01", amount="40.00")], {"B1": "40.00"}, "0.00"),
        ([entry("refund", "02-01", amount="40.00"), B2, pay("02-06", "100.00")], {"B2": "40.00"}, "0.00"),
        # payments that come back, and stand again
        ([B1, pay("01-20", "130.00"), entry("payment_returned", "02-01", payment="P1")],
         {"B1": "100.00"}, "0"),
        ([B1, pay("01-20", "130.00"), B2, entry("payment_returned", "02-10", payment="P1")],
         {"B1": "100.00", "B2": "100.00"}, "0"),
        ([B1, pay("01-20", "130.00"), entry("payment_returned", "02-01", id="R", payment="P1"),
          entry("return_reversed", "02-03", returned="R")], {}, "30.00"),
        ([B1, pay("01-20", "100.00"), entry("payment_returned", "02-01", id="R", payment="P1"),
          pay("02-02", "60.00", name="P2"), entry("return_reversed", "02-03", returned="R")], {}, "60.00"),
        # the return of a payment that is not known yet waits for it
        ([B1, entry("payment_returned", "01-10", payment="P1")], {"B1": "100.00"}, "0"),
        ([B1, entry("payment_returned", "01-10", payment="P1"), pay("01-20", "100.00")],
         {"B1": "100.00"}, "0"),
        # drafts never count; issued ones do
        ([entry("bill", "01-05", id="D", due="01-25", amount="9.00", draft=True)], {}, "0"),
        ([entry("bill", "01-05", id="D", due="01-25", amount="9.00", draft=True),
          entry("bill_issued", "01-08", bill="D")], {"D": "9.00"}, "0"),
        # deposits pay as money does
        ([B1, entry("deposit", "01-01", id="1", amount="60.00", move="held"),
          entry("deposit", "02-01", id="2", amount="60.00", move="applied")], {"B1": "40.00"}, "0.00"),
        # what is disputed is paid last; what is written off not at all unless it is named
        ([B1, B2, entry("dispute", "01-10", bill="B1", amount="80.00"), pay("03-01", "100.00")],
         {"B1": "80.00", "B2": "20.00"}, "0.00"),
        ([B1, entry("write_off_mark", "02-01", bill="B1"), pay("02-02", "60.00")], {"B1": "100.00"}, "60.00"),
        ([B1, entry("write_off_mark", "02-01", bill="B1"), pay("02-02", "60.00", B1="60.00")],
         {"B1": "40.00"}, "0.00"),
        ([B1, entry("write_off_mark", "02-01", id="1", bill="B1"), pay("02-02", "60.00"),
          entry("write_off_mark", "02-03", id="2", bill="B1", marked=False)], {"B1": "40.00"}, "0.00"),
    ],
)  # fmt: skip
def test_what_is_open_and_what_is_credit(history: list[Entry], open_: dict[str, str], credit: str) -> None:
    found = position(*history, on="06-30")
    assert opens(found) == open_
    assert found.credit == Decimal(credit)


PLAN = entry(
    "bill", "02-10", id="PL", due="04-10", amount="100.00", category="plan", replaces=["B1"],
    instalments=[{"due_date": date(2026, m, 10), "amount": "50.00"} for m in (3, 4)],
)  # fmt: skip


@pytest.mark.parametrize(
    ("history", "open_"),
    [
        ([B1, PLAN], {"PL/1": "50.00", "PL/2": "50.00"}),
        ([PLAN, B1], {"PL/1": "50.00", "PL/2": "50.00"}),
        ([B1, PLAN, pay("03-01", "60.00")], {"PL/2": "40.00"}),
        ([B1, PLAN, entry("plan_ended", "03-20", plan="PL")], {"B1": "100.00"}),
        ([B1, PLAN, pay("03-01", "60.00"), entry("plan_ended", "03-20", plan="PL")], {"B1": "40.00"}),
        ([B1, B2, PLAN, entry("plan_ended", "03-20", plan="PL")], {"B1": "100.00", "B2": "100.00"}),
    ],
)
def test_a_plan_takes_the_place_of_bills_until_it_is_given_up(
    history: list[Entry], open_: dict[str, str]
) -> None:
    found = position(*history, on="06-30")
    assert opens(found) == open_
    by_id = {debt.id: debt for debt in found.debts}
    if "B1" in open_:
        assert by_id["B1"].due_date == date(2026, 1, 25)


def test_a_debt_that_is_open_again_keeps_its_age_and_says_why() -> None:
    returned = entry("payment_returned", "02-10", payment="P1", reason="chargeback")
    debt = position(B1, pay("01-20", "100.00"), returned, on="02-20").debts[0]
    assert (debt.due_date, debt.reopened_on, debt.reopened_by) == (
        date(2026, 1, 25), date(2026, 2, 10), "chargeback",
    )  # fmt: skip
    refund = entry("refund", "02-10", amount="10.00", payment="P1")
    debt = position(B1, pay("01-20", "100.00"), refund, on="02-20").debts[0]
    assert (debt.open, debt.reopened_on, debt.reopened_by) == (Decimal(10), date(2026, 2, 10), "refund")


def test_a_payment_that_stands_again_settles_on_its_first_day() -> None:
    history = [
        B1, pay("02-20", "100.00"), entry("payment_returned", "02-22", id="R", payment="P1"),
        entry("return_reversed", "02-24", returned="R"),
    ]  # fmt: skip
    debt = position(*history, on="03-01").debts[0]
    assert (debt.settled_on, debt.reopened_on, debt.reopened_by) == (date(2026, 2, 20), None, "")


def test_nothing_counts_before_it_is_known_nor_before_its_day() -> None:
    late = pay("01-20", "100.00", received="02-10")
    early = pay("02-20", "50.00", received="02-01", name="P2")
    assert opens(position(B1, B2, late, early, on="02-09")) == {"B1": "100.00", "B2": "100.00"}
    assert opens(position(B1, B2, late, early, on="02-10")) == {"B2": "100.00"}
    assert position(B1, B2, late, early, on="02-10").next_value_date == date(2026, 2, 20)
    assert opens(position(B1, B2, late, early, on="02-20")) == {"B2": "50.00"}
    assert position(B1, B2, late, early, on="02-20").next_value_date is None


def test_the_day_is_that_of_the_customer() -> None:
    at = datetime(2026, 1, 25, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    assert position_at(TERMS, [B1], at).today == date(2026, 1, 26)


def test_credit_notes_without_a_bill_can_be_left_out() -> None:
    note = entry("credit_note", "02-01", amount="30.00")
    debt = position(B1, note, on="03-01").debts[0]
    assert (debt.open, debt.without_credit) == (Decimal("70.00"), Decimal("100.00"))
    covered = position(B1, entry("credit_note", "02-01", amount="130.00"), on="06-30").debts
    assert [(debt.open, debt.without_credit) for debt in covered] == [(Decimal(0), Decimal("100.00"))]
    paid = position(B1, note, pay("02-05", "100.00"), on="02-20")
    assert (paid.debts[0].without_credit, paid.credit) == (None, Decimal("30.00"))


def test_disputes_promises_and_holds_stand_in_the_position() -> None:
    history = [
        B1, entry("dispute", "01-10", id="D", bill="B1", amount="40.00"),
        entry("promise", "02-10", id="PR", amount="60.00", by="2026-02-20"),
        pay("02-12", "25.00"),
        entry("hold", "02-11", id="H", hold="disaster", until="2026-03-01"),
        entry("hold_released", "02-15", hold="H"),
        entry("feed", "02-11", id="1", complete_to="2026-02-11T09:00:00+08:00"),
        entry("feed", "02-12", id="2", complete_to="2026-02-12T09:00:00+08:00"),
        entry("act", "02-12", id="A", act="stop", actor="anna", reason="complaint"),
    ]  # fmt: skip
    found = position(*history, on="02-16")
    assert found.debts[0].disputed == Decimal("40.00")
    assert (found.disputes[0].remaining, found.disputes[0].outcome) == (Decimal("40.00"), "")
    promise = found.promises[0]
    assert (promise.paid, promise.overdue) == (Decimal("25.00"), Decimal("60.00"))
    assert promise.paid_by == ((date(2026, 2, 12), Decimal("25.00")),)
    assert (found.holds[0].since, found.holds[0].until) == (date(2026, 2, 11), date(2026, 2, 15))
    assert found.feeds["payments"].day == 12
    assert found.acts[0].actor == "anna"
    assert found.version == 9


def test_an_upheld_dispute_stays_out_until_its_credit_note() -> None:
    dispute = entry("dispute", "01-10", id="D", bill="B1", amount="40.00")
    end = entry("dispute_resolved", "02-01", dispute="D", outcome="upheld")
    note = entry("credit_note", "02-05", amount="40.00", bill="B1")
    before = position(B1, dispute, end, on="02-04").debts[0]
    after = position(B1, dispute, end, note, on="02-06").debts[0]
    assert (before.open, before.disputed) == (Decimal(100), Decimal(40))
    assert (after.open, after.disputed) == (Decimal(60), Decimal(0))
    for outcome in ("rejected", "withdrawn"):
        over = entry("dispute_resolved", "02-01", dispute="D", outcome=outcome)
        assert position(B1, dispute, over, on="02-04").debts[0].disputed == 0


def test_the_last_word_on_an_action_counts_and_a_request_never_outweighs_it() -> None:
    def said(name: str, status: str, at: str, received: str = "") -> Entry:
        return entry("receipt", at, received, id=name, key="k", status=status, at=f"2026-{at}T10:00:00+08:00")

    words = [
        said("1", "done", "02-02", "02-09"),
        said("2", "requested", "02-03"),
        said("3", "failed", "02-01"),
    ]
    assert position(*words, on="02-10").receipts[0].status == "done"
    assert position(*words, on="02-08").receipts[0].status == "failed"
    withdrawn = said("4", "withdrawn", "02-05")
    assert position(*words, withdrawn, on="02-10").receipts[0].status == "withdrawn"


def test_a_write_off_that_was_carried_out_takes_out_what_was_past_due() -> None:
    key = "case/A1/1/account/write_off/1/write_off/do"
    done = entry("receipt", "02-10", key=key, status="done", at="2026-02-10T10:00:00+08:00")
    found = {debt.id: debt.written_off for debt in position(B1, B2, done, on="02-20").debts}
    assert found == {"B1": True, "B2": False}


def test_an_amount_that_does_not_fit_is_an_error_and_never_rounded() -> None:
    huge = entry("bill", "01-05", id="H", due="01-25", amount="9" * 33)
    tiny = entry("adjustment", "01-06", bill="H", amount="0." + "0" * 33 + "1")
    with pytest.raises(Inexact):
        position(huge, tiny, on="02-01")


# fees and late news


def test_money_pays_principal_before_fees_and_what_is_undisputed_before_what_is_disputed() -> None:
    fee = entry("bill", "01-01", id="F", due="01-10", amount="10", category="fee")
    late = entry("bill", "01-01", id="L", due="01-11", amount="10", category="late_fee")
    bill = entry("bill", "01-05", id="B", due="01-25", amount="100")
    doubt = entry("dispute", "01-26", id="D", amount="40", bill="B")
    paid = [entry("payment", f"02-0{n}", id=f"P{n}", amount="20") for n in range(1, 8)]
    left = [opens(position(fee, late, bill, doubt, *paid[:n], on="02-10")) for n in range(8)]
    assert left[3] == {"F": "10", "L": "10", "B": "40"}
    assert left[4] == {"B": "40"}
    assert left[6] == {}
    named = entry("payment", "02-01", amount="10", pays=[{"bill": "F", "amount": "10"}])
    assert opens(position(fee, bill, named, on="02-10")) == {"B": "100"}


def test_money_that_names_a_bill_which_has_not_come_is_told() -> None:
    bill = entry("bill", "01-05", id="B", due="01-25", amount="100")
    paid = entry("payment", "01-20", id="P", amount="50", pays=[{"bill": "B9", "amount": "30"}])
    found = position(bill, paid, on="02-10")
    assert [(name, str(amount)) for name, amount in found.waiting] == [("B9", "30")]
    assert (str(found.credit), opens(found)) == ("30", {"B": "80"})
    back = entry("payment_returned", "02-01", payment="P")
    assert position(bill, paid, back, on="02-10").waiting == ()


@pytest.mark.parametrize(
    ("heard", "on", "stays"),
    [
        ("01-20", "02-10", False),  # known in time
        ("03-01", "03-02", True),  # paid in time, and told when steps may have been taken
        ("03-01", "05-31", True),
        ("03-01", "06-02", False),  # everybody has looked at it since
    ],
)
def test_a_debt_that_was_settled_in_time_is_told_when_that_became_known_late(
    heard: str, on: str, stays: bool
) -> None:
    bill = entry("bill", "01-05", id="B", due="01-25", amount="100")
    paid = entry("payment", "01-20", heard, amount="100")
    assert [debt.id for debt in position(bill, paid, on=on).debts] == (["B"] if stays else [])


@pytest.mark.parametrize(
    ("more", "overdue"),
    [
        ([], "100.00"),
        ([entry("write_down", "02-13", bill="B1", amount="40.00")], "100.00"),
        ([entry("adjustment", "02-13", bill="B1", amount="40.00")], "100.00"),
        ([entry("credit_note", "02-13", bill="B1", amount="40.00")], "60.00"),
        ([entry("dispute", "02-11", id="D1", bill="B1", amount="40.00")], "60.00"),
        ([entry("dispute", "02-13", id="D1", bill="B1", amount="40.00")], "100.00"),
        ([entry("dispute", "02-13", id="D1", bill="B1", amount="40.00"),
          entry("dispute_resolved", "02-14", dispute="D1", outcome="upheld")], "60.00"),
    ],
)  # fmt: skip
def test_a_promise_is_for_what_was_past_due_when_it_was_made(more: list[Entry], overdue: str) -> None:
    promised = entry("promise", "02-12", id="PR1", amount="50.00", by="2026-02-20")
    (promise,) = position(B1, promised, *more, on="02-15").promises
    assert promise.overdue == Decimal(overdue)


def test_what_facts_were_is_told_only_when_one_was_told_late() -> None:
    first = entry("fact", "01-01", "01-01", id="F1", name="segment", value="sme")
    second = entry("fact", "02-01", "02-01", id="F2", name="segment", value="key")
    assert position(first, second, on="02-15").dated_facts == ()
    late = entry("fact", "02-03", "02-05", id="F3", name="exempt", value=True)
    found = position(first, second, late, on="02-15").dated_facts
    assert [(fact.name, fact.since, fact.value) for fact in found] == [
        ("segment", date(2026, 1, 1), "sme"),
        ("segment", date(2026, 2, 1), "key"),
        ("exempt", date(2026, 2, 3), True),
    ]
