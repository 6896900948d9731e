"""One look at a case: what is warranted, what was reached, what follows from it, when to look again."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Inexact, localcontext

from engine.ladder.actions import ask, asked_items, task, undo, untold
from engine.ladder.again import asked_again, goes_on
from engine.ladder.announcing import announce, can_be_skipped, is_forced_again, to_announce
from engine.ladder.approvals import approved, is_only_proposed
from engine.ladder.case import Case, later, minutes
from engine.ladder.chores import (
    chores,
    deadlines,
    goes_further,
    is_unanswered,
    is_with_somebody,
    not_booked,
    stands_still,
    unallocated,
)
from engine.ladder.late_fee import Booking, fee_key, fees_to_book
from engine.ladder.memory import Row, absorb, do_of
from engine.ladder.model import CollectionsPolicy, LadderRow
from engine.ladder.moves import Climb, Leaving, absorbed, climb, closes, leaving, wanted_steps
from engine.ladder.noticed import taken_for
from engine.ladder.placing import items_of, more_to_place, place, to_place
from engine.ladder.reviving import revived
from engine.ladder.righting import put_right
from engine.ladder.state import Action, BookedFee, Position, Step, Taken
from engine.ladder.telling import trace_of
from engine.ladder.wake import next_instant, next_wake
from engine.ledger.position import SETTLED_DAYS

PRECISION = 60
"""Digits of amounts in a ladder's arithmetic; a sum that does not fit raises `decimal.Inexact`."""


def step(policy: CollectionsPolicy, taken: Taken, position: Position, at: datetime) -> Step:
    """Return what follows for a case from what was taken and what is known at `at`.

    Pure: the same arguments give the same step for ever. Raises `decimal.Inexact` for amounts of more
    than 60 digits.
    """
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        case = Case(policy, taken, position, at)
        if taken.ended:
            return Step(taken=taken, open=False, trace=trace_of(case, Leaving(), Climb()))
        found = _care(case) if taken.care_of else _step(case)
        return found.model_copy(update={"actions": _scoped(case, found.actions)}) if taken.item else found


def _scoped(case: Case, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Say of each action what the case is about, where an account has several cases."""
    about = {"service": case.service}
    return tuple(
        action.model_copy(update=about | ({"item": case.taken.item} if action.item == "account" else {}))
        for action in actions
    )


def _step(case: Case) -> Step:
    case.left = [row for row in case.left if _is_remembered(case, row)]
    standing = _revive(case)
    actions = put_right(case)
    left = leaving(case, case.today)
    if left.rows:
        actions += undo(case, left.rows)
    for row in standing:
        if row not in case.rows:
            row.left_on = None  # this bounce brought it back once; it does not do so again
    _hear(case)
    actions += _go_on(case)
    up = after = climb(case, case.now)
    for _ in case.ladder.rows:
        if after.row is None:
            break
        up = after
        actions += _take(case, after.row, after)
        after = climb(case, case.now)  # nothing more, unless what was taken had nothing to do
    again = to_announce(case, case.now)
    actions += announce(case, again)
    after.retries += again.retries
    rest = to_place(case, case.now)
    for definition, debts in rest.rows:
        actions += place(case, definition, debts)
    actions += [action for asked in rest.tasks for action in untold(case, asked)]
    after.retries += rest.retries
    actions += asked_again(case)
    actions += _chores(case, after)
    ended = _ended(case)
    actions += _what_stands(case, ended)
    wake = None if ended else next_wake(case, after)
    if not ended and (wake is None or not goes_further(case)):
        asked = _ask_somebody(case, after, actions)
        wake = min((at for at in (wake, asked) if at), default=None)
    kept = _kept(case, actions, ended)
    return Step(
        taken=kept, actions=tuple(actions), wake_at=wake, open=not ended, trace=trace_of(case, left, up)
    )


def _care(case: Case) -> Step:
    """Hear what became known late about a case that has ended: nothing goes up, what was wrong goes back."""
    assert case.taken.care_of is not None  # by whom it is called
    actions = put_right(case)
    actions += asked_again(case)
    actions += [action for by, action in deadlines(case) if by <= case.at]
    actions += not_booked(case)
    for booking in fees_to_book(case, case.today):
        actions += _book(case, booking)
    pending = any(row.undo_pending for row in case.left) or any(goes_on(case, row) for row in case.rows)
    pending = pending or any(fee.reversed_on and is_unanswered(case, fee) for fee in case.fees)
    starts = case.now[1] >= minutes(case.policy.case.hour) and case.opens(case.today)
    ended = "" if pending and not starts else case.taken.care_of.ended
    case.notes.append(f"looks after case `{case.taken.care_of.case}`, which has ended")
    kept = _kept(case, actions, ended)
    wake = None if ended else next_instant(case)
    trace = trace_of(case, Leaving(), Climb())
    return Step(taken=kept, actions=tuple(actions), wake_at=wake, open=not ended, trace=trace)


def _what_stands(case: Case, ended: str) -> list[Action]:
    """Ask a person about service that stays cut when the debt was given up: nothing restores it by itself."""
    level = case.own_level()
    if ended not in ("written_off", "sold") or level in ("open", "terminated"):
        return []
    row = next(row for row in case.rows if row.in_force("write_off") or row.in_force("sell"))
    return untold(case, task(case, row.step, row.entry, "service_stands", level))


def _ask_somebody(case: Case, up: Climb, actions: list[Action]) -> datetime | None:
    """Ask a person about a debt for which nothing follows any more; return when to ask (again)."""
    waits = up.gate is not None and up.gate.retry is None
    if waits or up.row or up.tasks or case.view.on(case.today).anchor is None or not case.treatment:
        return None
    if is_with_somebody(case):
        return None
    start = minutes(case.policy.case.hour)
    for day, action in stands_still(case):
        if (day, start) > case.now:
            return case.instant((day, start))
        actions.append(action)
    return None


def _revive(case: Case) -> list[Row]:
    standing = revived(case)
    for row in standing:
        case.left = [other for other in case.left if other is not row]
        case.notes.append(f"`{row.step}` of {row.requested_on} stands again: the payment bounced")
        row.left_on = None
        case.rows.append(row)
    for row in (*standing, *case.left) if standing else ():
        case.entries[row.step] = max(row.entry, case.entries.get(row.step, 0))
    case.sort_rows()
    return standing


def _hear(case: Case) -> None:
    """Carry out acts of people that need no room on the ladder: approvals, and skips that go nowhere."""
    for act in case.acts:
        if act.id in case.taken.heard:
            continue
        proposed = (one for one in case.rows if one.step == act.step and is_only_proposed(one))
        row = next(proposed, None) or case.taken_row(act.step)
        if row is not None and act.received_at < row.requested_at:
            row = None
        if act.act == "confirm" and row is not None and row.declined:
            case.heard.append(act.id)
            case.notes.append(f"{act.actor} approved `{act.step}` too late: a person had declined it")
        elif act.act == "skip" and row is not None and is_only_proposed(row):
            row.decline(case.at)
            absorb(row, case.definition(row), {}, case.policy, case.zone)
            case.heard.append(act.id)
            case.notes.append(f"{act.actor} declined `{act.step}`: {act.reason}")
        elif act.act == "confirm" and row is not None:
            row.words |= {key: "done" for key in row.keys if do_of(key) == "approve"}
            absorb(row, case.definition(row), {}, case.policy, case.zone)
            case.heard.append(act.id)
            case.notes.append(f"{act.actor} approved `{act.step}`: {act.reason}")
        elif act.act in ("force", "skip") and act.step not in case.ladder.by_step:
            case.heard.append(act.id)
            case.notes.append(f"{act.actor} named `{act.step}`, which ladder `{case.ladder.name}` has not")
        elif act.act == "skip" and _rests_on_it(case, case.ladder.by_step[act.step]):
            case.heard.append(act.id)
            case.notes.append(f"{act.actor} may not skip `{act.step}`: an interruption rests on this notice")
        elif act.act == "force" and _stands_already(case, case.ladder.by_step[act.step]):
            case.heard.append(act.id)
            case.notes.append(f"{act.actor} forced `{act.step}`, which stands: nothing is done twice")


def _rests_on_it(case: Case, notice: LadderRow) -> bool:
    """Tell whether a notice may not be skipped: harm rests on it, and it is still to be sent as a step."""
    if not notice.required:
        return False
    return not can_be_skipped(case, notice) or notice.step in wanted_steps(case, case.today)


def _stands_already(case: Case, definition: LadderRow) -> bool:
    """Tell whether a step that a person forces is done, and nothing is new for which it could be done."""
    taken = case.taken_row(definition.step)
    done = taken is not None and taken.state == "done" and not taken.skipped
    return done and case.counts(taken, case.today) and not is_forced_again(case, definition)


def _go_on(case: Case) -> list[Action]:
    """Ask for what stands behind an approval that was given, and for the fees of what is confirmed."""
    actions: list[Action] = []
    found = approved(case, case.now)
    for row, definition in found.rows:
        row.debts = taken_for(case, definition) or row.debts  # what it names when it goes out
        actions += ask(case, row, definition, items_of(case, row, definition))
    case.notes += found.notes
    for row in case.rows:
        standing = case.definition(row)
        if standing and row.fees_due and row.state == "done" and not row.lifted:
            items = [item for item in standing.do if item.token in row.fees_due]
            row.fees_due = ()
            actions += ask(case, row, standing, items)
    return actions


def _take(case: Case, definition: LadderRow, up: Climb) -> list[Action]:
    debts = taken_for(case, definition)
    existing = case.taken_row(definition.step)
    case.moved_up_on = case.today
    if up.act:
        case.heard.append(up.act.id)
        case.notes.append(f"{up.act.actor}: {up.act.act} `{definition.step}`: {up.act.reason}")
    skips = up.act is not None and up.act.act == "skip"
    actions: list[Action] = []
    if existing and skips and case.is_in_force(existing) and not absorbed(case, existing):
        actions = undo(case, [(existing, "skipped")])  # nor does it stand for the debt that is next
        existing = None
    if (
        existing
        and case.is_in_force(existing)
        and definition.places
        and (more := more_to_place(case, definition, debts))
    ):
        if definition.interrupts:
            existing.debts = tuple(dict.fromkeys((*existing.debts, *debts)))
        return [*actions, *place(case, definition, more)]
    if existing and case.is_in_force(existing):
        existing.debts = tuple(dict.fromkeys((*existing.debts, *debts)))
        existing.stood_on = date.fromordinal(case.today)
        case.notes.append(f"`{definition.step}` is in force and now stands for {', '.join(debts)}")
        return []
    entry = case.entries.get(definition.step, 0) + 1
    case.entries[definition.step] = entry
    row = Row(
        definition.step, entry, case.at, date.fromordinal(case.today), debts=debts,
        tries=existing.tries + 1 if existing and existing.state != "done" else 1,
        forced=up.act is not None, ladder=case.ladder.name,
    )  # fmt: skip
    case.rows = [o for o in case.rows if o is not existing and not _is_told_anew(row, o)]
    if existing and existing.undo_pending:
        existing.left_on = date.fromordinal(case.today)
        case.left.append(existing)
    case.rows.append(row)
    case.sort_rows()
    if skips:
        row.skipped = True
        _done_now(case, row)
        return actions
    items = asked_items(case, row, definition)
    if not items:
        _done_now(case, row)
        return []
    row.fees_due = tuple(i.token for i in definition.do if i.do == "fee" and i not in items)
    return ask(case, row, definition, items)


def _is_told_anew(row: Row, before: Row) -> bool:
    """Tell whether a notice names all that one before it was sent again for."""
    return (
        before.announces
        and not before.in_force("place")
        and before.step == row.step
        and set(before.debts) <= set(row.debts)
    )


def _done_now(case: Case, row: Row) -> None:
    row.state, row.done_at, row.done_on = "done", case.at, date.fromordinal(case.today)


def _chores(case: Case, up: Climb) -> list[Action]:
    tasks = [action for by, action in deadlines(case) if by <= case.at]
    start = minutes(case.policy.case.hour)
    tasks += [action for on, _, action in chores(case) if (on, start) <= case.now]
    tasks += [*unallocated(case), *not_booked(case)]
    tasks += up.tasks_untold(case.taken.told)
    for booking in fees_to_book(case, case.today):
        tasks += _book(case, booking)
    return tasks


def _book(case: Case, booking: Booking) -> list[Action]:
    """Return what billing is asked for a settled debt, and keep in mind what it was asked."""
    by = later(case.at, case.policy.confirm.within)
    debt, kind = booking.debt.id, booking.kind
    asked = [
        Action(
            key=f"{fee.key.rpartition('/')[0]}/undo", do="fee", args=(kind,), item=debt, step=kind,
            debts=(debt,), undo=True, amount=fee.amount, confirm_by=by,
        )
        for fee in booking.wrong
    ]  # fmt: skip
    today = date.fromordinal(case.today)
    wrong = [fee.model_copy(update={"reversed_on": today}) for fee in booking.wrong]
    case.fees = [*(fee for fee in case.fees if fee not in booking.wrong), *wrong]
    if booking.amount:
        key = fee_key(case, debt, kind)
        asked.append(
            Action(
                key=key, do="fee", args=(kind,), item=debt, step=kind, severe=True, debts=(debt,),
                amount=booking.amount, confirm_by=by,
            )
        )  # fmt: skip
        case.fees.append(BookedFee(key=key, debt=debt, amount=booking.amount, asked_on=today))
    return asked


def _ended(case: Case) -> str:
    """Return how the case has ended; empty while anything is owed, or left to be confirmed."""
    for row in case.rows:
        if row.state == "done" and row.in_force("write_off"):
            return "written_off"
        if row.state == "done" and row.in_force("sell"):
            return "sold"
    if any(row.undo_pending for row in case.left):
        return ""
    if any(goes_on(case, row) for row in case.rows):
        return ""
    final = [row for row in case.rows if absorbed(case, row)]
    if len(final) < len(case.rows):
        return ""
    if not case.treatment:
        return "terminated" if final else "stopped"
    if closes(case, case.today):
        return "terminated" if final else "cured"
    return ""


def _kept(case: Case, actions: list[Action], ended: str) -> Taken:
    told = [action.key for action in actions if action.do == "task"]
    told = [key for key in told if not any(key in row.keys for row in case.rows)]
    left = [row for row in case.left if _is_remembered(case, row)]
    return case.taken.model_copy(
        update={
            "ladder": case.ladder.name,
            "rows": tuple(row.frozen() for row in case.rows),
            "left": tuple(row.frozen() for row in left),
            "entries": case.entries,
            "moved_up_on": date.fromordinal(case.moved_up_on) if case.moved_up_on else None,
            "level": case.own_level(),
            "ended": ended,
            "ended_on": date.fromordinal(case.today) if ended else None,
            "heard": (*case.taken.heard, *case.heard),
            "fees": tuple(fee for fee in case.fees if fee.reversed_on is None or is_unanswered(case, fee)),
            "told": (*case.taken.told, *told),
        }
    )


def _is_remembered(case: Case, row: Row) -> bool:
    """Tell whether a row that left can still matter, whenever the case is looked at."""
    if row.undo_pending or _may_return(case, row):
        return True
    recent = row.left_on is not None and case.today - row.left_on.toordinal() <= SETTLED_DAYS
    # Late news can still show that it was never due, or that its undoing had no effect after all.
    return recent and bool(row.fees or row.undo_keys)


def _may_return(case: Case, row: Row) -> bool:
    period = case.policy.case.revive
    if period is None or row.left_on is None or row.state != "done":
        return False
    return period.after(row.left_on).toordinal() >= case.today
