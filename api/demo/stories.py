"""What happens on an account of the sample ledger: bills every month, and the story of its payments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from api.demo.draws import Draws
from api.demo.profiles import FIRST_MONTH, HORIZON, MONTHS, Profile
from api.demo.rates import days_late
from engine.ledger.entries import Bill, Entry, EntryAdapter

CENT = Decimal("0.01")
FLOOD = date(2026, 7, 2)
"""The day on which everybody in one region is held."""


@dataclass(slots=True)
class Book:
    """The entries of one account while its story is told."""

    profile: Profile
    draws: Draws
    entries: list[Entry] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    last_bill: date = HORIZON
    """No bill after this day: a line that was ended is not billed."""

    def instant(self, day: date, hour: int, minute: int = 0) -> datetime:
        """Return a local time of the account as an aware instant."""
        return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(self.profile.zone))

    def add(
        self, kind: str, entry_id: str, day: date, *, received: datetime | None = None, **fields: Any
    ) -> None:
        """Note one entry; without `received`, it becomes known on its day, in office hours."""
        at = received or self.instant(day, 9 + self.pick(0, 8, entry_id), self.pick(0, 59, entry_id, "m"))
        self.entries.append(EntryAdapter.validate_python(
            {"kind": kind, "id": entry_id, "value_date": day, "received_at": at, **fields},
        ))  # fmt: skip

    def pick(self, low: int, high: int, *purpose: object) -> int:
        """Draw a whole number for this account."""
        return self.draws.integer(low, high, self.profile.account, *purpose)

    def pay(self, bill: Bill, day: date, share: Decimal = Decimal(1), tag: str = "1") -> str:
        """Note a payment of a share of a bill and return its id."""
        self.pay_part(bill, day, (bill.amount * share).quantize(CENT, ROUND_HALF_UP), tag)
        return _id("P", bill, tag)

    def pay_part(self, bill: Bill, day: date, amount: Decimal, tag: str) -> None:
        """Note a payment of an amount towards a bill."""
        self.add("payment", _id("P", bill, tag), day, amount=amount, method=self.profile.method)

    def catch_up(self, bills: list[Bill], day: date) -> list[Bill]:
        """Pay all bills in a row that are due by a day, in one payment; return the others."""
        due = [b for b in bills if b.due_date <= day]
        total = sum((b.amount for b in due), Decimal(0))
        self.add("payment", _id("P", due[0], "all"), day, amount=total, method="bank_transfer")
        return [b for b in bills if b.due_date > day]

    def promptly(self, bills: list[Bill]) -> None:
        """Pay each bill up to ten days before its due date."""
        for bill in bills:
            self.pay(bill, bill.due_date - timedelta(days=self.pick(0, 10, bill.id)))


def tell(profile: Profile, draws: Draws) -> list[Entry]:
    """Return the entries of one account up to the horizon, in order of their received instants."""
    book = Book(profile, draws)
    if profile.deposit:
        book.add("deposit", f"D-{profile.account}", FIRST_MONTH, move="held", amount=profile.deposit)
    book.bills = list(_bills(book))
    before, since = book.bills[: profile.starts], book.bills[profile.starts :]
    book.promptly(before)
    book.promptly(_TELLERS[profile.story](book, since))
    end = book.instant(HORIZON, 23, 59)
    entries = [
        e for e in book.entries
        if e.received_at <= end and not (isinstance(e, Bill) and e.value_date > book.last_bill)
    ]  # fmt: skip
    return sorted(entries, key=lambda e: (e.received_at, e.kind, e.id))


def _id(letter: str, bill: Bill, tag: str = "") -> str:
    return f"{letter}{bill.id[1:]}" + (f"-{tag}" if tag else "")


def _bills(book: Book) -> Iterator[Bill]:
    profile = book.profile
    for month in range(MONTHS):
        year, number = divmod(FIRST_MONTH.month - 1 + month, 12)
        issued = date(FIRST_MONTH.year + year, number + 1, profile.cycle_day)
        swing = Decimal(book.pick(85, 130, "usage", month)) / 100
        cents = Decimal(book.pick(0, 99, "cents", month)) * CENT
        bill_id = f"B-{profile.account[1:]}-{issued:%y%m}"
        book.add(
            "bill", bill_id, issued, received=book.instant(issued, 2, 30),
            bill_no=f"{issued:%Y%m}{profile.account}", amount=(profile.base * swing).quantize(CENT) + cents,
            due_date=issued + timedelta(days=profile.days_to_pay),
        )  # fmt: skip
        last = book.entries[-1]
        assert isinstance(last, Bill)
        yield last


def _late(low: int, high: int) -> Callable[[Book, list[Bill]], list[Bill]]:
    """Tell of one bill that stays open for some days and is paid with all that fell due meanwhile."""

    def story(book: Book, bills: list[Bill]) -> list[Bill]:
        return book.catch_up(bills, bills[0].due_date + timedelta(days=book.pick(low, high, "late")))

    return story


def _prompt(_book: Book, bills: list[Bill]) -> list[Bill]:
    return bills


def _reminded(book: Book, bills: list[Bill]) -> list[Bill]:
    late = days_late(book.draws.fraction(book.profile.account, "late"), at_most=18)
    return book.catch_up(bills, bills[0].due_date + timedelta(days=late))


def _lost(book: Book, bills: list[Bill]) -> list[Bill]:
    """Never pays again; after three months without service there is nothing left to bill."""
    book.last_bill = bills[0].due_date + timedelta(days=100)
    return []


def _doubled(book: Book, bills: list[Bill]) -> list[Bill]:
    """Pays the same bill twice by two ways; half of them ask for the money back."""
    bill, *rest = bills
    day = bill.due_date - timedelta(days=4)
    book.pay(bill, day)
    again = book.pay(bill, day + timedelta(days=1), tag="2")
    if book.pick(0, 1, "refund"):
        back = day + timedelta(days=12)
        book.add("refund", _id("R", bill), back, amount=bill.amount, payment=again)
    return rest


def _posted_late(book: Book, bills: list[Bill]) -> list[Bill]:
    """Pays on the last day, and the bank passes the news on some days later."""
    bill, *rest = bills
    known = book.instant(bill.due_date + timedelta(days=book.pick(2, 5, "posted")), 11)
    way = "bank_transfer"
    book.add("payment", _id("P", bill, "1"), bill.due_date, received=known, amount=bill.amount, method=way)
    return rest


def _partial(book: Book, bills: list[Bill]) -> list[Bill]:
    """Pays half in time and the rest with the next bill or a little later."""
    bill, *rest = bills
    book.pay(bill, bill.due_date, share=Decimal("0.5"))
    paid = book.entries[-1]
    assert paid.kind == "payment"
    day = bill.due_date + timedelta(days=book.pick(14, 29, "rest"))
    book.pay_part(bill, day, bill.amount - paid.amount, "2")
    return rest


def _returned(book: Book, bills: list[Bill]) -> list[Bill]:
    """A direct debit that bounces, and is paid by transfer."""
    bill, *rest = bills
    paid = book.pay(bill, bill.due_date)
    back = bill.due_date + timedelta(days=5)
    book.add("payment_returned", _id("X", bill), back, payment=paid, reason="bounced")
    book.pay(bill, back + timedelta(days=book.pick(6, 14, "again")), tag="2")
    return rest


def _chargeback(book: Book, bills: list[Bill]) -> list[Bill]:
    """A card payment is charged back weeks later: the debt is open again at its true age."""
    bill, *rest = bills
    paid = book.pay(bill, bill.due_date - timedelta(days=1))
    back = bill.due_date + timedelta(days=24)
    book.add("payment_returned", _id("X", bill), back, payment=paid, reason="chargeback")
    if book.pick(0, 1, "reversed"):
        book.add("return_reversed", _id("V", bill), back + timedelta(days=9), returned=_id("X", bill))
    else:
        book.pay(bill, back + timedelta(days=12), tag="2")
    return rest


def _disputed(book: Book, bills: list[Bill]) -> list[Bill]:
    """Disagrees with a part, pays the rest late; half of the disputes are upheld and credited."""
    bill, *rest = bills
    part = (bill.amount * Decimal("0.4")).quantize(CENT)
    said = bill.due_date + timedelta(days=2)
    book.add("dispute", _id("Q", bill), said, bill=bill.id, amount=part, reason="roaming")
    rest_paid = bill.due_date + timedelta(days=book.pick(9, 16, "rest"))
    book.pay_part(bill, rest_paid, bill.amount - part, "1")
    ends = bill.due_date + timedelta(days=book.pick(20, 34, "ends"))
    upheld = book.pick(0, 1, "upheld") == 1
    outcome = "upheld" if upheld else "rejected"
    book.add("dispute_resolved", _id("Z", bill), ends, dispute=_id("Q", bill), outcome=outcome)
    if upheld:
        book.add("credit_note", _id("N", bill), ends, bill=bill.id, amount=part, reason="roaming")
    else:
        book.pay_part(bill, ends + timedelta(days=6), part, "2")
    return rest


def _kept(book: Book, bills: list[Bill]) -> list[Bill]:
    bill = bills[0]
    made = bill.due_date + timedelta(days=book.pick(5, 12, "made"))
    by = made + timedelta(days=9)
    book.add("promise", _id("M", bill), made, amount=bill.amount, by=by, author="desk-2")
    return book.catch_up(bills, by - timedelta(days=book.pick(0, 2, "early")))


def _broken(book: Book, bills: list[Bill]) -> list[Bill]:
    bill = bills[0]
    made = bill.due_date + timedelta(days=book.pick(5, 9, "made"))
    by = made + timedelta(days=10)
    book.add("promise", _id("M", bill), made, amount=bill.amount, by=by, author="desk-3")
    return book.catch_up(bills, bill.due_date + timedelta(days=book.pick(38, 44, "late")))


def _hardship(book: Book, bills: list[Bill]) -> list[Bill]:
    """Falls ill: the ladder is held for a month and the customer is marked as vulnerable."""
    bill = bills[0]
    since = bill.due_date + timedelta(days=book.pick(8, 15, "since"))
    book.add("fact", _id("F", bill), since, name="vulnerable", value=True)
    until = since + timedelta(days=30)
    book.add("hold", _id("H", bill), since, hold="hardship", until=until, reason="illness", author="desk-1")
    return book.catch_up(bills, until + timedelta(days=book.pick(3, 12, "late")))


def _disaster(book: Book, bills: list[Bill]) -> list[Bill]:
    """A flood in one region: everybody there is held for twelve days, then pays."""
    bill = bills[0]
    since = max(bill.due_date + timedelta(days=6), FLOOD)
    until = since + timedelta(days=12)
    book.add("hold", _id("H", bill), since, hold="disaster", until=until, reason="flood", author="operations")
    return book.catch_up(bills, until + timedelta(days=book.pick(2, 9, "late")))


def _corrected(book: Book, bills: list[Bill]) -> list[Bill]:
    """Pays what is right; the wrong part of the bill is credited when billing has looked into it."""
    bill, *rest = bills
    wrong = (bill.amount * Decimal("0.45")).quantize(CENT)
    book.pay_part(bill, bill.due_date, bill.amount - wrong, "1")
    found = bill.due_date + timedelta(days=book.pick(8, 24, "found"))
    book.add("credit_note", _id("N", bill), found, bill=bill.id, amount=wrong, reason="wrong tariff")
    return rest


def _chronic(book: Book, bills: list[Bill]) -> list[Bill]:
    """Pays every bill, and each after the next one has fallen due: always in arrears, always moving."""
    slow = bills[:5]
    for bill in slow:
        book.pay(bill, bill.due_date + timedelta(days=book.pick(33, 40, bill.id)))
    return bills[5:]


_TELLERS: dict[str, Callable[[Book, list[Bill]], list[Bill]]] = {
    "prompt": _prompt, "doubled": _doubled, "posted_late": _posted_late, "reminded": _reminded,
    "noticed": _late(21, 29), "barred": _late(36, 42), "suspended": _late(54, 80), "lost": _lost,
    "partial": _partial, "returned": _returned, "chargeback": _chargeback, "disputed": _disputed,
    "kept": _kept, "broken": _broken, "hardship": _hardship, "disaster": _disaster,
    "corrected": _corrected, "chronic": _chronic,
}  # fmt: skip
