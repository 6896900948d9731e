"""A policy against a law pack: each row that could break a clause, with the clause named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_UP, Decimal
from functools import cache, partial

from engine.ladder.check import chain
from engine.ladder.law import Clause, LawPack
from engine.ladder.lawful_contact import contact_problems
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow, LateFeeRules
from engine.ladder.soonest import Soonest, without_calendar
from engine.ladder.waits import longest, shortest, shortest_since_due
from engine.ladder.walked import Walked
from engine.ledger.charges import BASES
from engine.source import Problem, Severity, Span
from engine.text import Period
from engine.workdays import no_calendar

PAID: Mapping[str, Decimal | int] = {"overdue": Decimal(0), "age": 0, "days_past_due": 0, "unpaid_bills": 0}
"""What a ladder sees when everything is paid."""
_ON_DAYS = ("interruption", "termination", "legal_action", "validation")
"""Rules that keep a step from coming too early: what comes without them is held against them."""


def check_law(policy: CollectionsPolicy, law: LawPack) -> tuple[Problem, ...]:
    """Return what of the policy breaks the law pack; such a policy is not released.

    Days are worst cases, as they come: the first on which a debt that nobody pays is interrupted, and the
    fewest between suspension and termination, whatever has put the suspension off. A pack without clauses is
    told as a note, so that nobody takes silence for a check.
    """
    return tuple(_problems(policy, law))


def _problems(policy: CollectionsPolicy, law: LawPack) -> Iterator[Problem]:
    span = policy.spans.get("regulation", Span("", 1, 1))
    if policy.regulation != law.name:
        message = f"the policy names `{policy.regulation}`, not `{law.name}`"
        yield Problem("other-law", message, span, "check it against the law pack that it names")
    elif not law.clauses:
        message = f"law pack `{law.name}` has no clauses: no rule of a regulator is checked or enforced"
        yield Problem("no-law", message, span, severity=Severity.INFO)
    for ladder in policy.ladders.values():
        walked = cache(partial(_walked, policy, law, ladder))
        for row in ladder.rows:
            if row.level == "terminated":
                yield from _terminations(policy, law, ladder, row)
            elif row.interrupts:
                yield from _interruptions(policy, law, ladder, row, walked)
            yield from _restorations(law, row)
    yield from _late_fees(policy, law)
    yield from _confirmations(policy, law)
    yield from _calendars(policy, law)
    yield from contact_problems(policy, law, lambda *said: _broken(law, *said))


def _late_fees(policy: CollectionsPolicy, law: LawPack) -> Iterator[Problem]:
    for fee, clause in ((fee, clause) for fee in policy.charges for clause in law.clauses_on("late_fee")):
        most = max(rate.share for rate in fee.every)
        if clause.rate is not None and most > clause.rate * BASES[fee.basis]:
            yield _too_much(policy, law, clause, fee, most)
        if clause.grace is not None and _days_of(fee.grace) < _days_of(clause.grace):
            name = "the late fee" if fee.kind == "late_fee" else "interest"
            text = f"{name} begins {_days_of(fee.grace)} days after the due date"
            span = policy.place(f"{fee.kind}.from", fee.kind)
            yield _broken(law, clause, text, span, f"write `from: due + {clause.grace}`, or later")
    yield from _together(policy, law)


def _together(policy: CollectionsPolicy, law: LawPack) -> Iterator[Problem]:
    """Yield charges, each lawful by itself, that grow on the same days to more than the law allows."""
    charges = sorted(policy.charges, key=lambda fee: _days_of(fee.grace))
    start = max((_days_of(fee.grace) for fee in charges), default=0)
    growing = [f for f in charges if f.lasts is None or _days_of(f.grace) + longest(f.lasts) > start]
    rates = [max(rate.share for rate in fee.every) / BASES[fee.basis] for fee in growing]
    for clause in law.clauses_on("late_fee"):
        if clause.rate is None or len(rates) < 2 or max(rates) > clause.rate or sum(rates) <= clause.rate:
            continue
        whole = sum(rates, Decimal(0)).quantize(Decimal("0.000001"), ROUND_UP)
        text = f"the late fee and interest together are {whole} a day, more than {clause.rate}"
        span = policy.place(f"{charges[-1].kind}.rate")
        yield _broken(law, clause, text, span, "write less, so that both together keep to it")


def _too_much(
    policy: CollectionsPolicy, law: LawPack, clause: Clause, fee: LateFeeRules, most: Decimal
) -> Problem:  # fmt: skip
    assert clause.rate is not None  # asked before
    span = policy.place(f"{fee.kind}.rate")
    if fee.basis == "day":
        text = f"the late fee is {most} a day, more than {clause.rate}"
        return _broken(law, clause, text, span, f"write `rate: {clause.rate} per day`, or less")
    allowed = clause.rate * BASES[fee.basis]
    text = f"interest is {most} a year ({fee.basis}), more than {clause.rate} a day"
    return _broken(law, clause, text, span, f"write `rate: {allowed} per year`, or less")


def _days_of(period: Period) -> int:
    return period.days + 28 * period.months


def _confirmations(policy: CollectionsPolicy, law: LawPack) -> Iterator[Problem]:
    for clause in law.clauses_on("restoration"):
        if clause.within is not None and policy.confirm.restored_within >= clause.within:
            span = policy.place("confirm.restored_within", "confirm")
            text = "a person hears of a missing restoration only when the time of the law is over"
            advice = f"write `restored_within: {_sooner(clause.within)}`, or less"
            yield _broken(law, clause, text, span, advice)


def _sooner(within: timedelta) -> str:
    """Return half of the time that the law allows: somebody has to restore the service in the rest."""
    return f"PT{max(1, int(within / timedelta(hours=2)))}H"


def _restorations(law: LawPack, row: LadderRow) -> Iterator[Problem]:
    """Yield the rows whose service would stay cut although everything is paid."""
    condition = row.release.condition
    for clause in law.clauses_on("restoration"):
        if row.interrupts and condition is not None and not condition.holds(PAID):
            text = f"`{row.step}` goes on when everything is paid: `{condition.text}` does not hold then"
            yield _broken(law, clause, text, row.release.span, "let it hold at 0: `overdue < 5.00`")


def _calendars(policy: CollectionsPolicy, law: LawPack) -> Iterator[Problem]:
    named = policy.interruptions.calendar
    for clause in law.clauses_on("working_days"):
        if named and named != clause.calendar:
            text = f"working days are counted by calendar `{named}`"
            span = policy.place("interruptions.calendar")
            yield _broken(law, clause, text, span, f"write `calendar: {clause.calendar}`")


def _interruptions(
    policy: CollectionsPolicy, law: LawPack, ladder: Ladder, row: LadderRow, walked: Callable[[int], Walked]
) -> Iterator[Problem]:  # fmt: skip
    for clause in law.clauses_on("interruption"):
        days = earliest_days(policy, ladder, row)
        if clause.days is None or clause.days.holds(days):
            continue
        found = walked(clause.days.lowest) if ladder.complete else None
        if found is not None and found.is_met(row.index):  # else only debts come to it that change meanwhile
            reach = found.reach.get(row.index)
            days = reach.earliest if reach else clause.days.lowest
        if not clause.days.holds(days):
            text = f"`{row.step}` can interrupt {days} days past due, which is not {clause.days.text}"
            column = "days_past_due" if row.age.always or policy.case.anchor == "invoice_date" else "age"
            cell = row.age if column == "age" else row.days_past_due
            advice = f"write `>= {clause.days.lowest}` in column `{column}`"
            yield _broken(law, clause, text, row.span if cell.always else cell.span, advice)


def _walked(policy: CollectionsPolicy, law: LawPack, ladder: Ladder, until: int) -> Walked:
    """Walk a ladder to a day past due as runs, waits and steps come, the bounds that are checked aside."""
    rules = tuple(clause for clause in law.clauses if clause.rule not in _ON_DAYS)
    return Walked(without_calendar(policy), ladder, replace(law, clauses=rules), no_calendar(), until)


def _terminations(
    policy: CollectionsPolicy, law: LawPack, ladder: Ladder, row: LadderRow
) -> Iterator[Problem]:  # fmt: skip
    for clause in law.clauses_on("termination"):
        days = fewest = days_suspended(ladder, row)
        if days is not None and fewest is not None and clause.days and not clause.days.holds(fewest):
            days = _walked_since(policy, ladder, row)
        if days is None or fewest is None:
            text = f"`{row.step}` terminates a service that was never suspended"
            cut = next((other.step for other in ladder.rows if other.level == "suspended"), None)
            advice = f"let it come `after` `{cut}`" if cut else "add a step with `service(suspended)` before"
            yield _broken(law, clause, text, row.span, advice)
        elif clause.days and not clause.days.holds(days):
            text = f"`{row.step}` can terminate {days} days after suspension, which is not {clause.days.text}"
            wait = clause.days.lowest - (fewest - shortest(row.wait))
            yield _broken(law, clause, text, row.wait_place, f"write `P{wait}D` in column `wait`")


def earliest_days(policy: CollectionsPolicy, ladder: Ladder, row: LadderRow) -> int:
    """Return days past due before which no row can be taken: its own cells, and what comes before.

    They are a floor: runs, months and other steps can make it later, never sooner.
    """
    by_age = row.age.lowest if policy.case.anchor != "invoice_date" else 0
    days = max(1, row.days_past_due.lowest, by_age)
    before = next(chain(ladder, row), None)
    if before is not None:
        days = max(days, earliest_days(policy, ladder, before) + shortest(row.wait))
        days = max(days, shortest_since_due(row.wait))
    return days


def days_suspended(ladder: Ladder, row: LadderRow) -> int | None:
    """Return a floor of the days between the suspension and a row after it; None: no suspension."""
    days, wait = 0, row.wait
    for before in chain(ladder, row):
        days += shortest(wait)
        if before.level == "suspended":
            return days
        wait = before.wait
    return None


def _walked_since(policy: CollectionsPolicy, ladder: Ladder, row: LadderRow) -> int:
    cut = next(before for before in chain(ladder, row) if before.level == "suspended")
    return min(Soonest(policy, ladder, cut, row).gaps())


def _broken(law: LawPack, clause: Clause, text: str, span: Span, advice: str) -> Problem:
    said = clause.title.get("en") or next(iter(clause.title.values()), "")
    related = ((f"clause `{clause.id}`: {said} [{clause.source}]", clause.span),)
    return Problem("breaks-law", f"{text} (law pack `{law.name}`)", span, advice, related=related)
