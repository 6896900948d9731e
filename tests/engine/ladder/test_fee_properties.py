"""Random histories: what customers are charged, once and for a reason, and what late news takes back."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from engine.ladder.simulate import Played
from engine.ladder.state import Action
from engine.ledger import Entry
from engine.ledger.entries import Adjustment, Bill
from tests.engine.ladder.test_properties import END, FIRST, SLOW, bills, entry_on, histories
from tests.engine.ladder.world import played
from tests.engine.ledger.making import ZONE

RATE = Decimal("0.003")


def charged(found: Played) -> list[tuple[date, Action]]:
    """Return every fee that was asked for or reversed, by local day."""
    return [
        (look.at.astimezone(ZONE).date(), action)
        for look in found.looks
        for action in look.step.actions
        if action.do == "fee"
    ]


def net(found: Played) -> Decimal:
    """Return what is left of all fees after their reversals."""
    return sum((-a.amount if a.undo else a.amount for _, a in charged(found)), Decimal(0))


@given(histories())
@SLOW
def test_a_suspension_is_charged_at_most_once_and_only_when_it_was_confirmed(history: list[Entry]) -> None:
    found = played(history, END)
    cut = {a.key.rsplit("/", 2)[0] for k in found.looks for a in k.step.actions if a.do == "service"}
    asked = [a for _, a in charged(found) if a.step != "late_fee"]
    times = Counter(action.key.rsplit("/", 2)[0] for action in asked if not action.undo)
    assert set(times) <= cut
    assert all(count == 1 for count in times.values())
    back = [action.key.rpartition("/")[0] for action in asked if action.undo]
    assert set(back) <= {action.key.rpartition("/")[0] for action in asked if not action.undo}
    assert len(set(back)) == len(back)


@given(histories())
@SLOW
def test_late_fees_of_a_debt_are_never_more_than_one_count_of_days_gives(history: list[Entry]) -> None:
    found = played(history, END)
    owed = {entry.id: entry.amount for entry in history if isinstance(entry, Bill)}
    due = {entry.id: entry.due_date for entry in history if isinstance(entry, Bill)}
    for entry in history:
        if isinstance(entry, Adjustment) and entry.amount > 0 and entry.bill in owed:
            owed[entry.bill] += entry.amount
    total: dict[str, Decimal] = {}
    for day, action in charged(found):
        if action.step == "late_fee":
            sign = -1 if action.undo else 1
            total[action.item] = total.get(action.item, Decimal(0)) + sign * action.amount
            most = RATE * owed[action.item] * (day - due[action.item]).days
            assert 0 <= total[action.item] <= min(most + Decimal("0.005"), owed[action.item])


@given(bills(), st.lists(st.integers(0, 100), min_size=6, max_size=6))
@SLOW
def test_who_paid_in_time_is_left_with_nothing_when_that_becomes_known(
    owed: list[Entry], late: list[int]
) -> None:
    paid = []
    for bill, days in zip(owed, late, strict=False):
        assert isinstance(bill, Bill)
        on = (bill.due_date - FIRST).days - 1
        payment = entry_on("payment", on, 8, f"P-{bill.id}", amount=bill.amount)
        heard = datetime.combine(bill.due_date + timedelta(days=days), time(11), ZONE)
        paid.append(payment.model_copy(update={"received_at": heard}))
    found = played([*owed, *paid], END)
    if not found.looks:
        return
    last = found.looks[-1]
    assert (last.step.open, last.step.taken.level, last.step.taken.ended) == (False, "open", "cured")
    if last.step.taken.case.endswith("/1") and last.at >= max(entry.received_at for entry in paid):
        assert net(found) == 0


@given(histories(), st.randoms(use_true_random=False))
@SLOW
def test_the_order_of_what_arrives_at_one_instant_changes_nothing(
    history: list[Entry], random: Random
) -> None:
    instants = [entry.model_copy(update={"received_at": at_noon(entry.received_at)}) for entry in history]
    mixed = list(instants)
    random.shuffle(mixed)
    assert asked(played(mixed, END)) == asked(played(instants, END))


def at_noon(at: datetime) -> datetime:
    """Return the noon of an instant's local day, when everything of the day arrives."""
    return datetime.combine(at.astimezone(ZONE).date(), time(12), ZONE)


def asked(found: Played) -> list[tuple[datetime, str, Decimal]]:
    """Return everything that was asked for, with its amount."""
    return [(look.at, action.key, action.amount) for look in found.looks for action in look.step.actions]


@given(bills(), st.lists(st.tuples(st.integers(10, 300), st.integers(0, 60)), max_size=4))
@SLOW
def test_payments_told_late_end_in_the_same_level_as_payments_told_at_once(
    owed: list[Entry], pays: list[tuple[int, int]]
) -> None:
    amounts = ("15.00", "50.00", "95.00", "600.00")
    prompt = [entry_on("payment", day, 8, f"P{n}", amount=amounts[n]) for n, (day, _) in enumerate(pays)]
    heard = [entry.received_at + timedelta(days=days) for entry, (_, days) in zip(prompt, pays, strict=True)]
    late = [e.model_copy(update={"received_at": at}) for e, at in zip(prompt, heard, strict=True)]
    end = FIRST + timedelta(days=700)
    found = played([*owed, *late], end)
    news = max(heard, default=None)
    if news and any(k.step.taken.level == "terminated" for k in found.looks if k.at < news):
        return  # nothing restores service after that, and a person is asked
    assert level_at_the_end(found) == level_at_the_end(played([*owed, *prompt], end))


def level_at_the_end(found: Played) -> str:
    """Return the level of service that is left when everything has been heard."""
    return found.looks[-1].step.taken.level if found.looks else "open"


@given(histories())
@SLOW
def test_the_receiver_was_told_the_level_that_the_case_demands(history: list[Entry]) -> None:
    found = played(history, END)
    told = "open"
    for look in found.looks:
        for action in look.step.actions:
            told = action.args[0] if action.do == "service" else told
        if all(row.state == "done" for row in look.step.taken.rows):
            assert look.step.taken.level == told
