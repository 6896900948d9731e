"""Notices before the due date: a sweep of its own, bill by bill, void once the due date begins.

No case is opened for it. What was asked before is told by the caller, so that each notice goes out once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, Inexact, localcontext
from zoneinfo import ZoneInfo

from engine.ladder.actions import figures, hours
from engine.ladder.case import Case, Moment, facts_hold, minutes
from engine.ladder.channels import language, resolved
from engine.ladder.clock import FOREVER
from engine.ladder.gates import row_gate
from engine.ladder.ladders_from_yaml import BEFORE_DUE
from engine.ladder.measure import OUTSIDE
from engine.ladder.memory import ends_contract
from engine.ladder.model import NO_TIME, CollectionsPolicy, LadderRow, Release, ReminderRow
from engine.ladder.scope import WHOLE, item_of
from engine.ladder.state import Action, Position, Taken
from engine.ladder.stepping import PRECISION
from engine.ladder.threshold import NumberTest
from engine.ledger.account import AccountPosition, Debt, Received
from engine.source import Span

_NOWHERE = Span("", 1, 1)
_ANY = NumberTest("-", _NOWHERE)


@dataclass(frozen=True, slots=True)
class Reminders:
    """The notices that are due now, and when the next one can be if nothing else comes."""

    actions: tuple[Action, ...]
    look_at: datetime | None


def reminder_source(account: str) -> str:
    """Return what stands in place of a case in the keys of an account's notices before the due date."""
    return f"{BEFORE_DUE}/{account}"


def is_reminder(key: str) -> bool:
    """Tell whether an action's key is of a notice before the due date."""
    return key.startswith(f"{BEFORE_DUE}/")


def reminders(
    policy: CollectionsPolicy, position: Position, at: datetime, asked: Collection[str]
) -> Reminders:
    """Return the notices that are due at `at` for bills that are not due yet; `asked` are keys asked before.

    Of rows that have come together, late, only the last is taken; a bill is never announced less urgently
    than it was. The caps of `contact` hold, over everything that was sent, and hold a notice up to a later
    day; whoever is exempt, on hold, or has no contract any more, gets none.
    """
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        return _reminders(policy, position, at, asked)


def reminder_void(policy: CollectionsPolicy, position: Position, at: datetime, key: str) -> str:
    """Return why a notice that waits to be sent is not due any more, in a sentence; empty: it is."""
    for debt in position.account.debts:
        if key.startswith(f"{reminder_source(position.account.terms.account)}/{debt.id}/{BEFORE_DUE}/"):
            return _why_not(_case(policy, position, at, (), debt), debt)
    return "The bill is settled."


def _reminders(
    policy: CollectionsPolicy, position: Position, at: datetime, asked: Collection[str]
) -> Reminders:
    if not policy.before_due or _contract_is_over(position.account):
        return Reminders((), None)
    actions: list[Action] = []
    case = _case(policy, position, at, (), None)
    later: list[Moment] = []
    value_date = position.account.next_value_date
    if value_date:
        later.append((value_date.toordinal(), minutes(policy.case.hour)))
    for debt in sorted(position.account.debts, key=lambda debt: (debt.due_date, debt.id)):
        if case.treatment and _asks_for(case, debt):
            # What is asked for in this look counts under the caps of the next bill.
            so_far = [action.key for action in actions]
            asked_now, moments = _of_debt(_case(policy, position, at, so_far, debt), debt, asked)
            actions += asked_now
            later += moments
    after = [moment for moment in later if case.now < moment < (FOREVER, 0)]
    return Reminders(tuple(actions), case.instant(min(after)) if after else None)


def _case(
    policy: CollectionsPolicy, position: Position, at: datetime, asked: Collection[str], debt: Debt | None
) -> Case:
    """Return the account as the case of a bill would see it, with what is asked for in this look."""
    sent = tuple(Received(key=key, status="requested", at=at, received_at=at) for key in asked)
    account = position.account.model_copy(update={"receipts": (*position.account.receipts, *sent)})
    day = at.astimezone(ZoneInfo(account.terms.timezone)).date()
    around = Position(account, position.law, position.calendar)
    item = item_of(policy.case, debt) if debt else WHOLE
    taken = Taken(case="", item=item, opened_at=at, opened_on=day)
    return Case(policy, taken, around, at)


def _amount(debt: Debt) -> Decimal:
    return debt.open - debt.disputed


def _asks_for(case: Case, debt: Debt) -> bool:
    """Tell whether a bill is of a kind, and of an amount, that is announced at all."""
    least = case.policy.case.ignore_below
    return (
        debt.category not in OUTSIDE
        and not debt.written_off
        and debt.due_date.toordinal() > case.today
        and _amount(debt) > 0
        and _amount(debt) >= least
    )


def _why_not(case: Case, debt: Debt) -> str:
    if not case.treatment:
        return "The customer is exempt."
    if _contract_is_over(case.account):
        return "The contract is terminated."
    if debt.due_date.toordinal() <= case.today:
        return f"`{debt.id}` was due on {debt.due_date}: a notice before it is void."
    if not _asks_for(case, debt):
        return f"Of `{debt.id}` {_amount(debt)} is open and undisputed: nothing is left to be announced."
    if held := _held(case, debt, case.today):
        return f"{held[0][0].upper()}{held[0][1:]}."
    return ""


def _contract_is_over(account: AccountPosition) -> bool:
    """Tell whether the contract was terminated, and no person has resumed it since."""
    ended = [r.at for r in account.receipts if r.status == "done" and ends_contract(r.key)]
    resumed = [act.received_at for act in account.acts if act.act == "resume"]
    return bool(ended) and not any(at > max(ended) for at in resumed)


def _held(case: Case, debt: Debt, day: int) -> tuple[str, int] | None:
    """Return what keeps a bill from being announced on a day, and the day on which that is over."""
    if stop := case.stopped():
        return f"{stop.actor} stopped the ladder: {stop.reason}", FOREVER
    for held in case.view.held:
        if held.blocks(day) and held.bill in ("", debt.bill, debt.id):
            return f"hold `{held.id}` ({held.rules.kind}) is in force", min(held.days[1] + 1, FOREVER)
    return None


def _of_debt(case: Case, debt: Debt, asked: Collection[str]) -> tuple[list[Action], list[Moment]]:
    """Return the notices of one bill that are due now, and the moments at which others can be."""
    due, start = debt.due_date.toordinal(), minutes(case.policy.case.hour)
    moments = [(due - row.days, start) for row in case.policy.before_due]
    found = _row_now(case, due, start)
    if found is None:
        return [], moments
    row, entry = found
    later = tuple(_prefix(case, debt, number) for number in range(entry, len(case.policy.before_due) + 1))
    if any(key.startswith(later) for key in asked):
        return [], moments
    if held := _held(case, debt, case.today):
        return [], [*moments, *([(held[1], start)] if held[1] < due else [])]
    definition = _definition(row)
    if gate := row_gate(case, definition, case.now, fresh=True):
        return [], [*moments, *([gate.retry] if gate.retry and gate.retry < (due, 0) else [])]
    void = case.instant((due, 0))
    before, _ = hours(case, definition, row.do[0], False)
    if before and before >= void:
        return [], moments
    return list(_actions(case, debt, row, entry, before, void)), moments


def _row_now(case: Case, due: int, start: int) -> tuple[ReminderRow, int] | None:
    """Return the last row that has come for this customer, with its number among the days of the table."""
    days = list(dict.fromkeys(row.days for row in case.policy.before_due))
    for number in range(len(days), 0, -1):
        if (due - days[number - 1], start) <= case.now:
            for row in case.policy.before_due:
                if row.days == days[number - 1] and facts_hold(row.facts, case.account):
                    return row, number
    return None


def _prefix(case: Case, debt: Debt, entry: int) -> str:
    return f"{reminder_source(case.account.terms.account)}/{debt.id}/{BEFORE_DUE}/{entry}/"


def _definition(row: ReminderRow) -> LadderRow:
    """Return a row as gates know one: a notice that nothing rests on."""
    release = Release("none", row.span)
    return LadderRow(BEFORE_DUE, 0, row.span, _ANY, _ANY, _ANY, _ANY, row.facts, "", NO_TIME, row.do, release)


def _actions(
    case: Case, debt: Debt, row: ReminderRow, entry: int, before: datetime | None, void: datetime
) -> Iterator[Action]:
    stated = figures(case, _definition(row)) | {
        "debts": debt.id,
        "next_due": debt.due_date.isoformat(),
        "next_due_amount": str(_amount(debt)),
        "last_day": debt.due_date.isoformat(),
    }
    for item in (resolved(case, written, 1) for written in row.do):
        yield Action(
            key=f"{_prefix(case, debt, entry)}{item.token}/do", do=item.do, args=item.args,
            item=debt.id, step=BEFORE_DUE,
            severe=True,  # derived again before every attempt: whoever has paid is not reminded
            debts=(debt.id,), amount=_amount(debt), figures=stated, not_before=before, not_after=void,
            language=language(case, item.args[1]),
        )  # fmt: skip
