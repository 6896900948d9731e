"""Which debts a contact was about, and whether the customer had agreed to be called about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from engine.ladder.case import Case
from engine.ladder.ladders_from_yaml import BEFORE_DUE
from engine.ladder.model import LadderRow
from engine.text import Period


@dataclass(frozen=True, slots=True)
class Made:
    """One contact that counts, with its local day in the account's zone."""

    day: int
    channel: str
    outcome: str
    inbound: bool
    account: str
    """The account of the customer that it was about; empty: this one."""
    at: datetime
    text: str = ""
    pending: bool = False
    bills: frozenset[str] | None = None
    """The bills (or instalments) of that account that it was about; None: all of them."""
    consent: str = ""
    """given, withdrawn: what the customer said in it of being called."""

    @property
    def own(self) -> bool:
        """Tell whether it was about this account."""
        return not self.account


def bills_of_key(case: Case, key: str) -> frozenset[str] | None:
    """Return what one of the account's own notices was about; None: it cannot be told apart from the rest."""
    for row in (*case.rows, *case.left):
        if key in row.keys:
            return frozenset(row.debts) or None
    account, rules = case.account.terms.account, case.policy.case
    before_due = key.startswith(f"{BEFORE_DUE}/{account}/")
    rest = key.removeprefix(f"{BEFORE_DUE if before_due else 'case'}/{account}/")
    if rest == key or (rules.grain == "account" and not before_due):
        return None
    item = rest.rsplit("/", 4)[0]
    return frozenset((item if before_due else item.partition("/")[2],))


# for each debt


def each_debt(case: Case, row: LadderRow, made: Sequence[Made], day: int) -> dict[str, list[Made]]:
    """Return what was made about each bill that a row's notice of a day would name.

    What is announced before it is due counts with all that was made about the account, under the name "".
    """
    named = {debt.id: debt for debt in case.account.debts}
    wanted = [named[one] for one in case.view.on(day).debts if one in named]
    known = {debt.bill for debt in case.account.debts if debt.open > 0}
    own = [m for m in made if m.own]
    if not wanted or row.step == BEFORE_DUE:
        return {"": own}
    return {
        debt.bill: [m for m in own if _is_about(m, debt.bill, known, is_plan=debt.category == "plan")]
        for debt in wanted
    }


def _is_about(one: Made, bill: str, known: Iterable[str], *, is_plan: bool) -> bool:
    """Tell whether a contact was about a bill; what a plan has taken over, the plan is about."""
    if one.bills is None or any(_names(name, bill) for name in one.bills):
        return True
    return is_plan and not all(any(_names(name, other) for other in known) for name in one.bills)


def _names(name: str, bill: str) -> bool:
    return name == bill or name.startswith(f"{bill}/")


# consent


def has_agreed(
    made: Iterable[Made], bill: str | None, lasts: Period | None, day: int, at: datetime | None = None,
    account: str = "",
) -> bool:  # fmt: skip
    """Tell whether the customer has agreed to be called about a bill on a day, its own day counted.

    `bill` None: about whatever it is; `at`: by what had been said until then; `account`: another one of his
    accounts. What he said of one account says nothing of another.
    """
    if lasts is None:
        return False
    said = [
        m for m in made
        if m.account == account and m.consent and (at is None or m.at <= at) and _concerns(m, bill)
    ]  # fmt: skip
    last = max(said, key=lambda m: (m.at, m.consent), default=None)
    return last is not None and last.consent == "given" and _lasts(last.day, lasts, day)


def _concerns(said: Made, bill: str | None) -> bool:
    if said.bills is None:
        return True
    return said.consent == "withdrawn" if bill is None else any(_names(name, bill) for name in said.bills)


def _lasts(since: int, lasts: Period, day: int) -> bool:
    return lasts.after(date.fromordinal(since)).toordinal() > day


def is_agreed_call(one: Made, made: Sequence[Made], lasts: Period | None, bill: str | None = None) -> bool:
    """Tell whether a call was made with consent: about a bill, or about all that it spoke of.

    Of a call about another account the consent about that account counts: a cap on all calls to a customer
    leaves it out as the law leaves it out of its own.
    """
    if one.channel != "call" or lasts is None:
        return False
    bills: Iterable[str | None] = (bill,) if bill else (one.bills or (None,))
    return all(has_agreed(made, name, lasts, one.day, one.at, one.account) for name in bills)
