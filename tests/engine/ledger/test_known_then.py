"""As known then: the position of any day as known on any other, whatever came in, in any order, how often."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from engine.ledger import Entry, allocation_report, facts_at, position_at
from engine.ledger.entries import Entry as EntryUnion
from engine.ledger.known import known_entries
from tests.engine.ledger.making import _VALUES, FIRST, LATE, TERMS, entries, entry, noon, position

HISTORIES = st.lists(entries(), max_size=14)
DAYS = st.integers(-10, 300).map(lambda n: FIRST + timedelta(days=n))
INSTANTS = st.builds(noon, DAYS, st.integers(0, 23))


def test_random_histories_have_every_kind_of_entry() -> None:
    classes = get_args(get_args(EntryUnion)[0])
    assert {one.model_fields["kind"].default for one in classes} == set(_VALUES) - {"plan"}


@given(HISTORIES, INSTANTS, DAYS)
def test_what_came_in_later_rewrites_nothing(history: list[Entry], at: datetime, as_of: object) -> None:
    heard = [one for one in history if one.received_at <= at]
    assert position_at(TERMS, history, at, as_of=as_of) == position_at(TERMS, heard, at, as_of=as_of)  # type: ignore[arg-type]  # a day
    assert facts_at(TERMS, history, as_of, at) == facts_at(TERMS, heard, as_of, at)  # type: ignore[arg-type]  # a day
    assert allocation_report(TERMS, history, at) == allocation_report(TERMS, heard, at)


@given(HISTORIES, INSTANTS, DAYS)
def test_what_is_dated_later_does_not_count_yet(history: list[Entry], at: datetime, as_of: object) -> None:
    found = position_at(TERMS, history, at, as_of=as_of)  # type: ignore[arg-type]  # a day
    dated = [one for one in history if one.received_at <= at]
    counted = [one for one in known_entries(dated, at) if one.value_date <= as_of]  # type: ignore[operator]  # a day
    alone = position_at(TERMS, counted, at, as_of=as_of)  # type: ignore[arg-type]  # a day
    same = {"version": found.version, "next_value_date": found.next_value_date}
    assert alone.model_copy(update=same) == found


@given(HISTORIES, INSTANTS)
def test_a_position_is_of_the_day_on_which_it_is_known(history: list[Entry], at: datetime) -> None:
    found = position_at(TERMS, history, at)
    assert position_at(TERMS, history, at, as_of=found.today) == found


@given(HISTORIES, st.data())
def test_any_order_and_any_doubling_end_in_one_position(history: list[Entry], data: st.DataObject) -> None:
    known = known_entries(history, LATE)
    doubled = [
        one.model_copy(update={"received_at": one.received_at + timedelta(days=data.draw(st.integers(0, 9)))})
        for one in data.draw(st.lists(st.sampled_from(known), max_size=5))
    ] if known else []  # fmt: skip
    shuffled = data.draw(st.permutations([*known, *doubled]))
    assert position_at(TERMS, shuffled, LATE) == position_at(TERMS, known, LATE)
    assert facts_at(TERMS, shuffled, LATE.date(), LATE) == facts_at(TERMS, known, LATE.date(), LATE)
    assert allocation_report(TERMS, shuffled, LATE) == allocation_report(TERMS, known, LATE)


@given(HISTORIES, st.data())
def test_any_order_of_arrival_ends_in_one_position(history: list[Entry], data: st.DataObject) -> None:
    """The instants are dealt anew: what an account owes in the end does not depend on who was first."""
    known = known_entries(history, LATE)
    instants = data.draw(st.permutations([one.received_at for one in known]))
    dealt = [one.model_copy(update={"received_at": at}) for one, at in zip(known, instants, strict=True)]
    owed, again = position_at(TERMS, known, LATE), position_at(TERMS, dealt, LATE)
    assert [(d.id, d.open, d.written_off) for d in owed.debts if d.open] == [
        (d.id, d.open, d.written_off) for d in again.debts if d.open
    ]
    assert (owed.credit, owed.deposit, owed.waiting) == (again.credit, again.deposit, again.waiting)


def test_a_correction_that_comes_late_changes_today_and_not_what_was_known() -> None:
    bill = entry("bill", "01-05", id="B1", amount="100", due="01-25")
    late = entry("payment", "01-20", received="03-01", id="P1", amount="100")
    before = position(bill, late, on="02-10")
    assert [d.open for d in before.debts] == [100]
    then = position_at(TERMS, [bill, late], noon(FIRST + timedelta(days=80)), as_of=before.today)
    assert [(str(d.open), str(d.settled_on)) for d in then.debts] == [("0", "2026-01-20")]
