"""Debts that come to the age of a notice after it was sent: it is sent again, for them as well.

A cut rests on a notice for each debt for which it stands (rule 2). Who owes several bills is told of each as
it comes to the age of the notice, whatever step was reached for the oldest: nobody who pays an older bill is
told of the next one sooner than who does not. It is no step up: it uses up no day and no run, it holds up
nothing that follows for debts named before, and the time that it gives runs for those that are new in it.
The same goes for a notice that the law puts before all others: each debt has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from engine.ladder.actions import ask, asked_items, task, untold
from engine.ladder.caps import contact_closed
from engine.ladder.case import Case, Moment, minutes
from engine.ladder.channels import attempts, failed_announcement
from engine.ladder.gates import person_gate, row_gate, run_on
from engine.ladder.measure import Slice
from engine.ladder.memory import Row
from engine.ladder.model import LadderRow
from engine.ladder.noticed import told_of_each, unannounced
from engine.ladder.state import Action


@dataclass(slots=True)
class Announced:
    """The notices that are sent again at a moment, and when to look again for those that cannot be yet."""

    notices: list[tuple[LadderRow, tuple[Slice, ...]]] = field(default_factory=list)
    retries: list[Moment] = field(default_factory=list)
    tasks: list[Action] = field(default_factory=list)


def to_announce(case: Case, moment: Moment, *, fresh: bool = False) -> Announced:
    """Return the notices that are sent again at a moment for debts that none of them has named."""
    found = Announced()
    day = moment[0]
    measures = case.view.on(day)
    if not case.treatment or not case.rows or measures.anchor is None or person_gate(case, day):
        return found
    if case.policy.case.closes.holds(measures.values(measures.overdue)):
        return found
    for notice in told_of_each(case):
        wanted = not case.is_over(notice) and case.holds(notice, day) and _was_sent(case, notice)
        if wanted and (new := unannounced(case, notice, day)):
            _try(case, notice, new, moment, found, fresh=fresh)
    return found


def announce(case: Case, found: Announced) -> list[Action]:
    """Ask for the notices; each names all that is past due."""
    actions, spoke = [action for asked in found.tasks for action in untold(case, asked)], False
    for notice, new in found.notices:
        if spoke and (closed := contact_closed(case, notice, case.today)):
            found.retries += [closed.retry] if closed.retry else []
            continue  # a cap has room for the one before it, and for no more
        failed = failed_announcement(case, notice)
        entry = case.entries.get(notice.step, 0) + 1
        case.entries[notice.step] = entry
        row = Row(
            notice.step, entry, case.at, date.fromordinal(case.today),
            debts=case.view.on(case.today).debts, tries=failed.tries + 1 if failed else 1,
            ladder=case.ladder.name, announces=True,
        )  # fmt: skip
        case.rows = [other for other in case.rows if other is not failed]
        case.rows.append(row)
        case.sort_rows()
        case.notes.append(f"`{notice.step}` is sent again: it has not named {', '.join(_names(new))}")
        spoken = [item for item in asked_items(case, row, notice) if item.do in ("notify", "approve")]
        actions += ask(case, row, notice, spoken)
        spoke = True
    return actions


def _names(parts: tuple[Slice, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.debt for part in parts))


def _was_sent(case: Case, notice: LadderRow) -> bool:
    """Tell whether a notice was sent in this stretch of arrears: it stands, or what is cut rests on it."""
    if any(row.step == notice.step and row.state == "done" and not row.skipped for row in case.rows):
        return True
    cuts = (d for row in case.rows if row.demands != "open" and (d := case.definition(row)))
    return any((first := case.notice_before(cut)) is not None and first[0] is notice for cut in cuts)


def _try(
    case: Case, notice: LadderRow, new: tuple[Slice, ...], moment: Moment, found: Announced, *, fresh: bool
) -> None:
    day, start = moment[0], minutes(case.policy.case.hour)
    mine = [row for row in (*case.rows, *case.left) if row.step == notice.step]
    if any(row.state == "requested" for row in mine if row.left_on is None):
        return
    failed = failed_announcement(case, notice)
    if failed and failed.tries >= attempts(case, notice):
        found.tasks.append(task(case, notice.step, failed.entry, "undeliverable"))
        return
    first = max([day, *(row.requested_on.toordinal() + 1 for row in mine)])
    first = run_on(case, notice, first)
    if moment < (first, start):
        found.retries.append((first, start))
        return
    gate = row_gate(case, notice, moment, fresh=fresh)
    if gate is None:
        found.notices.append((notice, new))
        return
    if gate.retry:
        found.retries.append(gate.retry)
    if gate.task:
        found.tasks.append(task(case, notice.step, case.entries.get(notice.step, 0) + 1, gate.task))
