"""Positions of random histories: order and doubling never matter, and no money is lost or made."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry, allocation_report, deposit_at, facts_at, position_at
from engine.ledger.entries import Refund
from engine.ledger.history import write_book
from engine.ledger.known import known_entries
from tests.engine.ledger.making import FIRST, LATE, TERMS, entries

HISTORIES = st.lists(entries(), max_size=14)


@given(HISTORIES, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_position(history: list[Entry], random: object) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert position_at(TERMS, shuffled, LATE) == position_at(TERMS, history, LATE)


@given(HISTORIES, st.data())
def test_news_told_again_later_changes_nothing(history: list[Entry], data: st.DataObject) -> None:
    known = known_entries(history, LATE)
    again = [
        entry.model_copy(
            update={"received_at": entry.received_at + timedelta(days=data.draw(st.integers(0, 9)))}
        )
        for entry in known
    ]
    assert position_at(TERMS, [*again, *known], LATE) == position_at(TERMS, known, LATE)


@given(HISTORIES)
def test_what_was_known_then_is_not_rewritten(history: list[Entry]) -> None:
    then = LATE - timedelta(days=300)
    heard = [entry for entry in history if entry.received_at <= then]
    assert position_at(TERMS, history, then) == position_at(TERMS, heard, then)


@given(HISTORIES)
def test_money_is_neither_lost_nor_made(history: list[Entry]) -> None:
    book = write_book(known_entries(history, LATE))
    for debt in book.debts.values():
        paid = sum((fund.parts.get(debt.id, Decimal(0)) for fund in book.funds.values()), Decimal(0))
        assert min(debt.open, debt.amount, debt.moved, debt.pulled, debt.over) >= 0
        assert debt.open + paid + debt.moved == debt.amount
    for fund in book.funds.values():
        if fund.return_id:
            assert not fund.parts
            assert fund.free == 0
        else:
            spent = sum(fund.parts.values(), Decimal(0))
            assert spent + fund.free + fund.reserved + fund.given_back == fund.amount
            assert fund.given_back == sum((part for _, part in fund.refunds), Decimal(0))
            assert min(fund.free, fund.reserved, fund.given_back, *fund.parts.values(), Decimal(0)) >= 0


@given(HISTORIES)
def test_what_goes_out_came_in(history: list[Entry]) -> None:
    known = known_entries(history, LATE)
    book = write_book(known)
    received = sum((fund.amount for fund in book.funds.values()), Decimal(0))
    there = {kind: {e.id for e in known if e.kind == kind} for kind in ("payment", "recovery", "refund")}
    refunds = [e for e in known if isinstance(e, Refund)]
    waiting = {refund.id for refund in book.refunds}
    out: dict[str, Decimal] = {}
    for fund in book.funds.values():
        assert fund.given_back <= fund.amount
        for refund, part in fund.refunds:
            out[refund.id] = out.get(refund.id, Decimal(0)) + part
    for one in refunds:
        comes = not one.payment or one.payment in there["payment"] | there["recovery"]
        assert out.get(one.id, Decimal(0)) == (one.amount if comes and one.id not in waiting else 0)
    assert sum(out.values(), Decimal(0)) <= received


@given(HISTORIES)
def test_a_plan_asks_for_what_it_stands_for_and_one_that_is_given_up_for_nothing(
    history: list[Entry],
) -> None:
    book = write_book(known_entries(history, LATE))
    for debt in book.debts.values():
        assert not debt.moved or debt in book.plans[debt.plan].covered
    for plan in book.plans.values():
        covers = sum((debt.moved for debt in plan.covered if debt.plan == plan.id), Decimal(0))
        asks = sum((part.amount for part in plan.parts), Decimal(0))
        assert asks >= covers
        if plan.over:
            assert all(part.written_off for part in plan.parts if part.open)


@given(HISTORIES, st.integers(0, 300))
def test_no_deposit_is_ever_negative(history: list[Entry], days: int) -> None:
    on = FIRST + timedelta(days=days)
    assert position_at(TERMS, history, LATE, as_of=on).deposit == deposit_at(history, on, LATE).held >= 0


@given(HISTORIES)
def test_credit_is_left_only_when_nothing_else_can_take_it(history: list[Entry]) -> None:
    found = position_at(TERMS, history, LATE)
    book = write_book(known_entries(history, LATE))
    free = sum((fund.free for fund in book.funds.values() if not fund.return_id), Decimal(0))
    assert found.credit >= free >= 0
    if free:
        assert not [debt for debt in found.debts if debt.open and not debt.written_off]


@given(HISTORIES)
def test_the_report_says_the_same_as_the_position(history: list[Entry]) -> None:
    found = position_at(TERMS, history, LATE)
    report = allocation_report(TERMS, history, LATE)
    credit = sum((a.credit + a.waiting for a in report if not a.returned), Decimal(0))
    assert credit == found.credit


@given(HISTORIES)
def test_a_disputed_part_is_never_more_than_what_is_open(history: list[Entry]) -> None:
    for debt in position_at(TERMS, history, LATE).debts:
        assert 0 <= debt.disputed <= debt.open


@given(HISTORIES, st.randoms(use_true_random=False))
def test_facts_do_not_depend_on_the_order_either(history: list[Entry], random: object) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # as above
    as_of = LATE.date()
    assert facts_at(TERMS, shuffled, as_of, LATE) == facts_at(TERMS, history, as_of, LATE)
