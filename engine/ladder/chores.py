"""What a person is asked to see to: receipts that do not come, holds that have lasted long enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from engine.ladder.actions import first_day, key_of, restored_within, task
from engine.ladder.case import Case, later, minutes
from engine.ladder.clock import FOREVER, hold_rules
from engine.ladder.late_fee import CHARGES, LATE_FEE, owes_only_fees
from engine.ladder.memory import LOST, Row, do_of, token_of
from engine.ladder.model import LadderRow
from engine.ladder.state import Action, BookedFee
from engine.ledger.account import LEVELS
from engine.text import Period


def deadlines(case: Case) -> Iterator[tuple[datetime, Action]]:
    """Yield the instants by which receipts are awaited, each with the task if it does not come."""
    for row in case.rows:
        if row.deposit and row.state == "done" and row.done_at:
            action = task(case, row.step, row.entry, "deposit_not_booked")
            if action.key not in case.taken.told:
                yield later(row.done_at, case.policy.confirm.within), action
    yield from _unanswered(case)
    for row in (*case.rows, *case.left):
        if row.state == "requested" and row.left_on is None:
            for key in row.keys:
                if row.words.get(key, "requested") == "requested" and do_of(key) not in ("task", "approve"):
                    asked_at = row.asked_at or row.requested_at
                    yield from _missing(case, row, key, later(asked_at, case.policy.confirm.within))
        if row.undone_at:
            for key in row.undo_keys:
                if row.words.get(key, "requested") == "requested":
                    service = do_of(key) in ("service", "terminate")
                    within = restored_within(case) if service else case.policy.confirm.within
                    yield from _missing(case, row, key, later(row.undone_at, within))


def _missing(case: Case, row: Row, key: str, by: datetime) -> Iterator[tuple[datetime, Action]]:
    way = key.rpartition("/")[2]
    asked = task(case, row.step, row.entry, "missing_receipt", token_of(key), way)
    # named after the case that asked first: another one that goes on with it does not tell it again
    parts = (key.rsplit("/", 4)[0], *asked.key.rsplit("/", 4)[1:])
    action = asked.model_copy(update={"key": "/".join(parts)})
    if action.key not in case.taken.told:
        yield by, action.model_copy(update={"debts": row.debts})


def _unanswered(case: Case) -> Iterator[tuple[datetime, Action]]:
    """Yield the instants by which billing answers for late fees and interest, and for taking them back.

    After that a fee that was asked for counts no longer.
    """
    patience = case.policy.confirm.within.days + 1
    start = minutes(case.policy.case.hour)
    for fee in case.fees:
        if (fee.foreign and fee.reversed_on is None) or not is_unanswered(case, fee):
            continue
        by = case.instant(((fee.reversed_on or fee.asked_on).toordinal() + patience, start))
        care = case.taken.care_of
        mine = fee.key.startswith((f"{case.taken.case}/", f"{care.case}/" if care else f"{case.taken.case}/"))
        if mine or by >= case.taken.opened_at:  # else a case before this one has told of it
            key = _last_asked(fee)
            args = ("missing_receipt", token_of(key), key.rpartition("/")[2])
            task_key, step = _unanswered_task(key), key.rsplit("/", 4)[1]
            yield by, Action(key=task_key, do="task", args=args, step=step, item=fee.debt, debts=(fee.debt,))


def is_unanswered(case: Case, fee: BookedFee) -> bool:
    """Tell whether billing has not said what became of a fee, or of its reversal, and nobody was told so."""
    key = _last_asked(fee)
    answer = case.receipts.get(key)
    return (answer is None or answer.status == "requested") and _unanswered_task(key) not in case.taken.told


def _last_asked(fee: BookedFee) -> str:
    return f"{fee.key.rpartition('/')[0]}/undo" if fee.reversed_on else fee.key


def _unanswered_task(key: str) -> str:
    head, step, entry, token, way = key.rsplit("/", 4)
    return f"{head}/{step}/{entry}/task.missing_receipt.{token}.{way}/do"


def unallocated(case: Case) -> Iterator[Action]:
    """Yield what a person is told at once of money for unknown bills that would end what is in force."""
    waiting = sum((amount for _, amount in case.account.waiting), Decimal(0))
    if not waiting or case.own_level() == "open" or not _ends_it(case, waiting):
        return
    row = max((row for row in case.rows), key=lambda row: LEVELS.index(row.demands))
    for bill, _ in case.account.waiting:
        token = "task.unallocated_payment"
        key = key_of(case, row.step, row.entry, token, item=bill)
        if key not in case.taken.told:
            args = ("unallocated_payment",)
            yield Action(key=key, do="task", args=args, step=row.step, item=bill, debts=row.debts)


def not_booked(case: Case) -> Iterator[Action]:
    """Yield what a person is told at once of charges that billing did not book, or not reverse, as asked."""
    mine = [case.taken.case, *([case.taken.care_of.case] if case.taken.care_of else [])]
    for receipt in case.account.receipts:
        name = next((name for name in mine if receipt.key.startswith(f"{name}/")), "")
        if receipt.status not in LOST or not name:
            continue
        head, step, entry, token, way = receipt.key.rsplit("/", 4)
        if step in CHARGES and do_of(receipt.key) == "fee":
            debt, what = head[len(name) + 1 :], "undo_failed" if way == "undo" else "not_booked"
            key = f"{head}/{step}/{entry}/task.{what}.{token}/do"
            if key not in case.taken.told:
                args = (what, token)
                yield Action(key=key, do="task", args=args, step=step, item=debt, debts=(debt,))


def _ends_it(case: Case, waiting: Decimal) -> bool:
    measures = case.view.on(case.today)
    if case.policy.case.closes.holds(measures.values(measures.overdue - waiting)):
        return True
    for row in case.rows:
        definition = case.definition(row)
        condition = definition.release.condition if definition else None
        if definition and condition and row.demands != "open":
            part = case.part_held(row, definition, measures, case.noticed(definition, case.today) or ())
            if condition.holds(measures.values(part - waiting)):
                return True
    return False


def hold_chores(case: Case) -> Iterator[tuple[int, str, Action]]:
    """Yield the days on which a hold asks for a person, with what is told of it."""
    for held in case.view.held:
        rules = held.rules
        step = f"hold.{rules.kind}"
        if rules.then and held.open_ended and held.days[1] < FOREVER:
            action = _chore(case, step, held.id, rules.then)
            if action.key not in case.taken.told:
                yield held.days[1], rules.kind, action
        if rules.review and held.days[1] > case.today:
            number, on = 0, date.fromordinal(held.days[0])
            while (on := rules.review.after(on)).toordinal() < held.days[1]:
                number += 1
                action = _chore(case, step, held.id, "review", str(number))
                if action.key not in case.taken.told:
                    yield on.toordinal(), rules.kind, action
                if on.toordinal() > case.today:
                    break


DISPUTE_REVIEW = Period(days=90)
"""How often a person is asked about a dispute that takes out a part, where the policy says nothing."""


def dispute_chores(case: Case) -> Iterator[tuple[int, str, Action]]:
    """Yield the days on which a dispute that is not over asks for a person: unresolved, or not credited."""
    every = hold_rules(case.policy, "dispute").review or DISPUTE_REVIEW
    for dispute in case.account.disputes:
        number, on = 0, dispute.resolved_on or dispute.since
        what = "credit" if dispute.outcome == "upheld" else "resolve"
        while dispute.remaining and on.toordinal() <= case.today:
            number, on = number + 1, every.after(on)
            action = _chore(case, "hold.dispute", dispute.id, what, str(number))
            if action.key not in case.taken.told:
                yield on.toordinal(), "dispute", action


FEES_REVIEW = Period(days=30)
"""How long after its due date a fee may keep a case open by itself before a person is asked."""


def fee_chores(case: Case) -> Iterator[tuple[int, str, Action]]:
    """Yield the day on which a person is asked about a case that only unpaid fees keep open."""
    unpaid = [due for due, amount in case.view.fees if amount > 0]
    if unpaid and owes_only_fees(case):
        action = task(case, LATE_FEE, 1, "unpaid_fees")
        if action.key not in case.taken.told:
            yield FEES_REVIEW.after(date.fromordinal(max(unpaid))).toordinal(), "fees", action


STANDS_STILL = Period(days=30)
"""How long a debt may stand still on the ladder before a person is asked ..."""
STANDS_STILL_EACH = Period(days=90)
"""... and how often after that."""


def stands_still(case: Case) -> Iterator[tuple[int, Action]]:
    """Yield the days on which a person is asked about a debt for which nothing follows any more (rule 6)."""
    last = case.moved_up_on or case.taken.opened_on.toordinal()
    reached = case.reached(case.today)
    step = case.ladder.rows[reached].step if reached >= 0 else "case"
    on, number = STANDS_STILL.after(date.fromordinal(last)), 1
    while True:
        action = task(case, step, max(1, case.entries.get(step, 0)), "stands_still", str(number))
        if action.key not in case.taken.told:
            yield on.toordinal(), action
        if on.toordinal() > case.today:
            return
        on, number = STANDS_STILL_EACH.after(on), number + 1


def goes_further(case: Case) -> bool:
    """Tell whether a row can still come that was never taken for the oldest debt, if nothing is paid.

    Notices that lapse and are sent again are no way out of standing still.
    """
    anchor = case.view.on(case.today).anchor
    taken = (row for row in case.rows if anchor and anchor.debt in row.debts and (row.done_on or row.keys))
    done = {row.step for row in taken if case.asked_again_on(row) >= FOREVER}
    return any(row.step not in done and _can_come(case, row) for row in case.ladder.rows)


def _can_come(case: Case, row: LadderRow) -> bool:
    step: LadderRow | None = row
    for _ in case.ladder.rows:
        if step is None:
            return True
        taken = case.taken_row(step.step)
        if not case.counts(taken, case.today) and not case.is_over(step):
            if taken and case.is_declined(taken, case.today) and case.asked_again_on(taken) >= FOREVER:
                return False
            if case.barred(step, case.today) or first_day(case, step, case.today) is None:
                return False
        step = case.ladder.by_step.get(step.after)
    return True


def is_with_somebody(case: Case) -> bool:
    """Tell whether a person or an agency has the debt that is the anchor already."""
    standing = (row for row in case.rows if not row.skipped and case.counts(row, case.today))
    return any(do_of(key) in ("task", "place") and row.words.get(key) != "withdrawn"
               for row in standing for key in row.keys)  # fmt: skip


def chores(case: Case) -> tuple[tuple[int, str, Action], ...]:
    """Return the days from which a person is asked for something, with what is told of it."""
    return (*hold_chores(case), *dispute_chores(case), *fee_chores(case))


def _chore(case: Case, step: str, hold: str, *what: str) -> Action:
    token = ".".join(("task", *what))
    return Action(key=key_of(case, step, 1, token, item=hold), do="task", args=what, step=step, item=hold)
