"""What makes an entry refusable: a stable code and a sentence for each rule.

News may come in any order, so an entry that speaks of something not yet known is taken and waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from engine.ledger import refusals_bills, refusals_money, refusals_plans, refusals_promises
from engine.ledger.account import Terms
from engine.ledger.entries import KINDS, Bill, Entry, Hold, Refund
from engine.ledger.refusals_common import Finding
from engine.ledger.refusals_money import check_decimals, check_money_is_there
from engine.model import Model
from engine.text import Period

NOTHING_ENDS: Mapping[str, Period] = {}


class EntryProblem(Model):
    """Why an entry is refused."""

    code: str
    """Stable name of the rule, in kebab case."""
    message: str
    """One sentence for the caller."""
    entry: str
    """The refused entry: `kind id`."""
    field: str = ""
    """The field that is wrong, when there is one."""
    advice: str = ""
    """What to do about it, for whoever wrote the entry."""


def entry_problems(
    terms: Terms, entries: Sequence[Entry], new: Entry, lasts: Mapping[str, Period] = NOTHING_ENDS
) -> list[EntryProblem]:
    """Return why `new` may not join the entries of the account; an empty list lets it in.

    An entry that is already there, word for word, is no problem: doubled news changes nothing. `lasts`: after
    how long a hold without an end is over, by its kind, as the account's policy says with `for`.
    """
    same = next((e for e in entries if (e.kind, e.id) == (new.kind, new.id)), None)
    if same is not None:
        if same.model_copy(update={"received_at": new.received_at}) == new:
            return []
        text = f"Account `{terms.account}` already has a {new.kind} `{new.id}` that says something else."
        advice = "give it an id of its own"
        return [_problem(new, Finding("entry-conflict", text, "id", advice))]
    known = [entry for entry in entries if entry.kind in _NEEDED]
    of_money = (*check_decimals(terms.currency, new), *check_money_is_there(terms, new))
    beside = _beside_all(terms, entries, new)
    return [_problem(new, finding) for finding in (*of_money, *_findings(known, new, lasts), *beside)]


def _problem(new: Entry, finding: Finding) -> EntryProblem:
    code, message, field, advice = finding
    return EntryProblem(code=code, message=message, entry=f"{new.kind} {new.id}", field=field, advice=advice)


_NEEDED = frozenset(
    ("bill", "bill_issued", "payment", "payment_returned", "return_reversed", "refund", "credit_note",
     "adjustment", "plan_ended", "dispute", "dispute_resolved", "promise", "promise_withdrawn", "hold",
     "hold_released", "deposit", "fee_waived", "write_down", "recovery")
)  # fmt: skip
NEEDS: Mapping[str, frozenset[str]] = {
    "bill": frozenset(("bill",)),
    **dict.fromkeys(("payment", "recovery", "fact", "feed", "act", "write_off_mark", "demand"), frozenset()),
    "deposit_review": frozenset(),
}
"""Kinds that are judged beside entries of these kinds only, and their twin; all others beside all."""


def needs_of(new: Entry) -> frozenset[str] | None:
    """Return the kinds of entries beside which an entry is judged, but for its twin; None: beside all."""
    return None if isinstance(new, Bill) and new.replaces else NEEDS.get(new.kind)


EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
"""Days outside are mistakes: clocks and waits could not count with them."""
_DAYS = {
    kind.model_fields["kind"].default: [
        name for name in ("value_date", "due_date", "by", "until") if name in kind.model_fields
    ]
    for kind in KINDS
}
"""The fields of each kind that are days."""


def _check_days(new: Entry) -> Iterator[Finding]:
    days: list[tuple[str, date | None]] = [(name, getattr(new, name)) for name in _DAYS[new.kind]]
    if isinstance(new, Bill):
        days += [("instalments", part.due_date) for part in new.instalments]
    for name, day in days:
        if day is not None and not EARLIEST <= day < LATEST:
            text = f"`{name}` is {day}; days are from {EARLIEST} to {LATEST}."
            advice = "write the day of the entry"
            yield Finding("day-out-of-range", text, name, advice)


def _findings(known: list[Entry], new: Entry, lasts: Mapping[str, Period]) -> Iterator[Finding]:
    yield from _check_days(new)
    if isinstance(new, Hold):
        yield from refusals_promises.check_hold(known, new, lasts)
        return
    rule = _RULES.get(new.kind)
    if rule:
        yield from rule(known, new)


def _beside_all(terms: Terms, entries: Sequence[Entry], new: Entry) -> Iterator[Finding]:
    """Yield what is wrong beside the book of the account: what is open of bills, what money there is."""
    if isinstance(new, Bill):
        yield from refusals_plans.check_plan(terms, entries, new)
    elif isinstance(new, Refund):
        yield from refusals_money.check_money_behind(terms, entries, new)


_RULES: Mapping[str, Callable[..., Iterator[Finding]]] = {
    "bill": refusals_bills.check_bill,
    "bill_issued": refusals_bills.check_issued,
    "credit_note": refusals_bills.check_credit_note,
    "adjustment": refusals_bills.check_adjustment,
    "fee_waived": refusals_bills.check_waived,
    "write_down": refusals_bills.check_written_down,
    "plan_ended": refusals_bills.check_plan_ended,
    "payment": refusals_money.check_payment,
    "payment_returned": refusals_money.check_returned,
    "return_reversed": refusals_money.check_reversed,
    "refund": refusals_money.check_refund,
    "deposit": refusals_money.check_deposit,
    "dispute": refusals_promises.check_dispute,
    "dispute_resolved": refusals_promises.check_dispute_resolved,
    "contact": refusals_promises.check_contact,
    "promise": refusals_promises.check_promise,
    "promise_withdrawn": refusals_promises.check_promise_withdrawn,
    "hold_released": refusals_promises.check_hold_released,
    "act": refusals_promises.check_act,
}
