"""Steps seen with what became known since: was a row due on the day on which it was taken (rules 7 and 11)?

News comes late: a payment with a value date before the step, a bill that is corrected, a dispute that is
upheld. Late news ends as in-order news would have: what was never due is withdrawn, its fee reversed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from engine.ladder.case import Case, treatment_of
from engine.ladder.disputed import taken_out
from engine.ladder.late_fee import counted_fees
from engine.ladder.measure import Measures, View
from engine.ladder.memory import Row, do_of
from engine.ladder.model import INTERRUPTIONS, LadderRow
from engine.ledger.account import AccountPosition, Debt, DisputedPart
from engine.ledger.position import SETTLED_DAYS

ZERO = Decimal(0)
TAKEN_BACK = INTERRUPTIONS | {"place", "fee"}
"""Effects that a row which was never due does not keep; a notice that was sent stays sent."""


def was_wrong(case: Case, row: Row, *, at_first: bool = False) -> bool:
    """Tell whether a row with an effect was never due, by what is known now; or not when it was taken first.

    Of a row that a person took out of turn the time is the person's, the debt is not: it has to have been
    past due. A row whose debts are no longer known to the ledger was looked at when they were.
    """
    if row.skipped or row.wrongful or row.state == "withdrawn" or _under_another_text(case, row):
        return False
    if not any(do_of(key) in TAKEN_BACK for key in row.keys):
        return False
    ladder = case.policy.ladders.get(row.ladder or case.taken.ladder)
    definition = ladder.by_step.get(row.step) if ladder else None
    if _is_forgotten(case, row):
        return False
    if row.foreign or definition is None:
        return row.foreign and not _was_owed(case, row.requested_on)
    if row.announces and not _were_owed(case, row):
        return True  # it was placed by itself, whatever else was owed
    days = [row.requested_on] + ([row.stood_on] if row.stood_on and not at_first else [])
    was_right = _could_be_forced if row.forced else _was_due
    return not any(was_right(case, then, day) for day in days for then in rows_then(case, definition, day))


def released_before(case: Case, row: Row) -> date | None:
    """Return the day on which a row's exit held, by what is known now, though nobody knew it then.

    Told in time, the payment of that day had ended the row's effect; nothing has come back since.
    """
    definition = case.definition(row)
    condition = definition.release.condition if definition else None
    if definition is None or condition is None or row.lifted or row.state == "withdrawn":
        return None
    if _under_another_text(case, row):
        return None
    since = row.due_from or row.requested_on
    first = max(since, date.fromordinal(case.today) - timedelta(days=SETTLED_DAYS))
    moved = [change for debt in case.account.debts for change in debt.moved if change[0] >= first]
    back = max((on for on, by in moved if by < 0), default=first - timedelta(days=1))
    for day in sorted({on for on, by in moved if by > 0 and back < on and on.toordinal() < case.today}):
        seen = View(case.policy, account_as_of(case.account, day, evening=True), case.taken.opened_anchor)
        measures = seen.kept(day.toordinal())
        fees = counted_fees(case, day.toordinal(), "release")
        noticed = case.noticed(definition, day.toordinal()) or ()
        part = case.part_held(row, definition, measures, noticed)
        if condition.holds(measures.values(part + fees)):
            return day
    return None


def _under_another_text(case: Case, row: Row) -> bool:
    """Tell whether a row was taken by a text that the case has left: this one cannot say it was wrong."""
    return case.taken.adopted_at is not None and row.requested_at < case.taken.adopted_at


def _is_forgotten(case: Case, row: Row) -> bool:
    known = {debt.id for debt in case.account.debts}
    old = row.requested_on < date.fromordinal(case.today) - timedelta(days=SETTLED_DAYS)
    return old and not known.issuperset(row.debts)


def _was_due(case: Case, row: LadderRow, day: date) -> bool:
    on = day.toordinal()
    seen = View(case.policy, account_as_of(case.account, day), case.taken.opened_anchor).on(on)
    return not was_held(case, on) and is_reached(row, seen)


def _were_owed(case: Case, row: Row) -> bool:
    """Tell whether any of a row's debts was past due on the day on which it was taken."""
    on = row.requested_on.toordinal()
    view = View(case.policy, account_as_of(case.account, row.requested_on), case.taken.opened_anchor)
    return view.on(on).overdue_of(row.debts) > 0


def _was_owed(case: Case, day: date) -> bool:
    """Tell whether enough was past due on a day for a case to be open."""
    on = day.toordinal()
    seen = View(case.policy, account_as_of(case.account, day), case.taken.opened_anchor).on(on)
    return seen.anchor is not None and not case.policy.case.closes.holds(seen.values(seen.overdue))


def _could_be_forced(case: Case, row: LadderRow, day: date) -> bool:
    """Tell whether a person could take a row: something was past due, and its notice had not lapsed.

    A notice lapses when so little is left that nothing from it on is warranted; a dispute keeps it.
    """
    on = day.toordinal()
    view = View(case.policy, account_as_of(case.account, day), case.taken.opened_anchor)
    seen = view.on(on)
    if seen.anchor is None or case.policy.case.closes.holds(seen.values(seen.overdue)) or was_held(case, on):
        return False
    found = case.notice_before(row) if row.interrupts else None
    if found is None or case.ladder.by_step.get(row.step) is not row:
        return True
    sent = next((r for r in (*case.rows, *case.left) if r.step == found[0].step), None)
    if sent and sent.forced:
        return True
    above = case.ladder.rows[found[0].index :]
    return any(is_reached(other, measures) for other in above for measures in (seen, view.kept(on)))


def rows_then(case: Case, row: LadderRow, day: date) -> Iterator[LadderRow]:
    """Yield the row as the customer's ladder of a day has it, by facts that became known late.

    In doubt within the day a step was right: by the facts before that day, and by those of it.
    """
    facts = case.account.dated_facts
    if not facts or day < date.fromordinal(case.today) - timedelta(days=SETTLED_DAYS):
        yield row
        return
    for last in (day - timedelta(days=1), day):
        known = {fact.name: fact.value for fact in facts if fact.since <= last}
        ladder = treatment_of(case.policy, case.account.model_copy(update={"facts": known}))
        if ladder and (then := case.policy.ladders[ladder].by_step.get(row.step)):
            yield then


def was_held(case: Case, on: int) -> bool:
    """Tell whether a hold or a promise of an earlier day kept the case from going up on a day."""
    if any(not held.bill and held.days[0] < on and held.blocks(on) for held in case.view.held):
        return True
    made = (p for p in case.promises(on) if p.promise.made_on.toordinal() < on <= p.last.toordinal())
    return any(found.state in ("active", "kept") for found in made)


def is_reached(row: LadderRow, seen: Measures) -> bool:
    """Tell whether the debt of a day had come to a row: its age, its bills, the amount of that age."""
    if seen.anchor is None:
        return False
    part = seen.part(row)
    return (
        row.age.reached_by(seen.age)
        and row.days_past_due.reached_by(seen.days_past_due)
        and row.unpaid_bills.reached_by(seen.unpaid_bills)
        and row.overdue.reached_by(part)
    )


def account_as_of(account: AccountPosition, day: date, *, evening: bool = False) -> AccountPosition:
    """Return the account as a step saw it on a day, had it known what is known now.

    In doubt within the day a step was right: money came in after it, and went back before it.
    """
    disputes = tuple(_dispute_as_of(d, day) for d in account.disputes if d.since < day)
    debts = _contested([_debt_as_of(debt, day, evening) for debt in account.debts], account.disputes, day)
    holds = tuple(hold for hold in account.holds if hold.since < day)
    return account.model_copy(update={"debts": debts, "disputes": disputes, "holds": holds, "today": day})


def _contested(debts: list[Debt], disputes: tuple[DisputedPart, ...], day: date) -> tuple[Debt, ...]:
    """Return debts with what was disputed of them on a day: each dispute once, over the debts of its bill."""
    room = {debt.id: debt.open for debt in debts}
    for dispute in disputes:
        if amount := _disputed_then(dispute, day):
            taken_out(dispute, amount, debts, room)
    return tuple(debt.model_copy(update={"disputed": debt.open - room[debt.id]}) for debt in debts)


def _debt_as_of(debt: Debt, day: date, evening: bool) -> Debt:
    later = (by for on, by in debt.moved if on > day or (on == day and by > 0 and not evening))
    since = sum(later, ZERO)
    strict = None if debt.without_credit is None else debt.without_credit + since
    back = debt.reopened_on is not None and debt.reopened_on > day
    return debt.model_copy(
        update={
            "open": max(ZERO, debt.open + since),
            "without_credit": strict,
            "written_off": debt.written_off_on is not None and debt.written_off_on < day,
            "reopened_on": None if back else debt.reopened_on,
        }
    )


def _dispute_as_of(dispute: DisputedPart, day: date) -> DisputedPart:
    if dispute.resolved_on is None or dispute.resolved_on <= day or dispute.outcome == "upheld":
        return dispute
    return dispute.model_copy(update={"outcome": "", "resolved_on": None})


def _disputed_then(dispute: DisputedPart, day: date) -> Decimal:
    """Return what a dispute took out: what is upheld was never owed, not even before it was disputed."""
    if dispute.outcome == "upheld":
        return dispute.remaining
    over = dispute.resolved_on is not None and dispute.resolved_on <= day
    return ZERO if over or dispute.since >= day else dispute.amount
