"""Debts that come to the age of a notice after it was sent: it is sent again, for them as well.

A cut rests on a notice for each debt for which it stands (rule 2). Who owes several bills is told of each as
it comes to the age of the notice, whatever step was reached for the oldest: nobody who pays an older bill is
told of the next one sooner than who does not. It is no step up: it uses up no day and no run, it holds up
nothing that follows for debts named before, and the time that it gives runs for those that are new in it.
The same goes for a notice that the law puts before all others: each debt has its own.

People act on it as on a step (rule 13). Who forces it has it sent for all that is past due, whatever its age;
who skips it has it not sent for what has come to its age, and then no cut rests on it for that either.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from engine.ladder.noticed import is_lawful, is_rested_on, told_of_each, unannounced
from engine.ladder.state import Action
from engine.ledger.entries import Act


@dataclass(frozen=True, slots=True)
class Repeated:
    """A notice that is sent again, or skipped, for what is new in it."""

    notice: LadderRow
    new: tuple[Slice, ...]
    act: Act | None = None
    """The act of a person that forces or skips it."""

    @property
    def is_skipped(self) -> bool:
        """Tell whether a person has it not sent."""
        return self.act is not None and self.act.act == "skip"


@dataclass(slots=True)
class Announced:
    """The notices that are sent again at a moment, and when to look again for those that cannot be yet."""

    notices: list[Repeated] = field(default_factory=list)
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
        if case.is_over(notice) or not was_sent(case, notice):
            continue
        for again in _due_again(case, notice, day):
            _try(case, again, moment, found, fresh=fresh)
    return found


def _due_again(case: Case, notice: LadderRow, day: int) -> Iterator[Repeated]:
    """Yield a notice with what has come to its age, or with all that is past due when a person forces it."""
    acts = {
        act.act: act for act in reversed(case.acts) if act.step == notice.step and not case.has_heard(act)
    }
    forced, skipped = acts.get("force"), acts.get("skip")
    failed = failed_announcement(case, notice)
    if (forced or (failed and failed.forced)) and (unnamed := unannounced(case, notice, day, any_age=True)):
        yield Repeated(notice, unnamed, forced)
    elif case.holds(notice, day) and (new := unannounced(case, notice, day)):
        yield Repeated(notice, new, skipped if can_be_skipped(case, notice) else None)


def announce(case: Case, found: Announced) -> list[Action]:
    """Ask for the notices; each names all that is past due."""
    actions, spoke = [action for asked in found.tasks for action in untold(case, asked)], False
    for again in found.notices:
        notice = again.notice
        if spoke and not again.is_skipped and (closed := contact_closed(case, notice, case.today)):
            found.retries += [closed.retry] if closed.retry else []
            continue  # a cap has room for the one before it, and for no more
        failed = failed_announcement(case, notice)
        row = Row(
            notice.step, _entered(case, notice), case.at, date.fromordinal(case.today),
            debts=case.view.on(case.today).debts, tries=failed.tries + 1 if failed else 1,
            forced=again.act is not None or (failed is not None and failed.forced),
            ladder=case.ladder.name, announces=True,
        )  # fmt: skip
        case.rows = [other for other in case.rows if other is not failed]
        case.rows.append(row)
        case.sort_rows()
        if again.act:
            case.heard.append(again.act.id)
            case.notes.append(f"{again.act.actor}: {again.act.act} `{notice.step}`: {again.act.reason}")
        if again.is_skipped:
            row.state, row.skipped, row.debts = "suppressed", True, _names(again.new)
            case.notes.append(f"`{notice.step}` is not sent again for {', '.join(row.debts)}")
            continue
        case.notes.append(f"`{notice.step}` is sent again: it has not named {', '.join(_names(again.new))}")
        spoken = [item for item in asked_items(case, row, notice) if item.do in ("notify", "approve")]
        actions += ask(case, row, notice, spoken)
        spoke = True
    return actions


def _entered(case: Case, notice: LadderRow) -> int:
    entry = case.entries.get(notice.step, 0) + 1
    case.entries[notice.step] = entry
    return entry


def _names(parts: tuple[Slice, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.debt for part in parts))


def was_sent(case: Case, notice: LadderRow) -> bool:
    """Tell whether a notice was sent in this stretch of arrears: it stands, or what is cut rests on it."""
    if any(row.step == notice.step and row.state == "done" and not row.skipped for row in case.rows):
        return True
    cuts = (d for row in case.rows if row.demands != "open" and (d := case.definition(row)))
    return any((first := case.notice_before(cut)) is not None and first[0] is notice for cut in cuts)


def can_be_skipped(case: Case, notice: LadderRow) -> bool:
    """Tell whether a person may skip a notice on which a cut rests: where it was sent before, by no law."""
    return is_rested_on(case, notice) and was_sent(case, notice) and not is_lawful(case, notice)


def is_forced_again(case: Case, notice: LadderRow) -> bool:
    """Tell whether forcing a notice that stands has an object: something past due that it has not named."""
    return notice in told_of_each(case) and bool(unannounced(case, notice, case.today, any_age=True))


def _try(case: Case, again: Repeated, moment: Moment, found: Announced, *, fresh: bool) -> None:
    notice, day, start = again.notice, moment[0], minutes(case.policy.case.hour)
    mine = [row for row in (*case.rows, *case.left) if row.step == notice.step]
    if any(row.state == "requested" for row in mine if row.left_on is None):
        return
    if again.is_skipped:
        found.notices.append(again)
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
        found.notices.append(again)
        return
    if gate.retry:
        found.retries.append(gate.retry)
    if gate.task:
        found.tasks.append(task(case, notice.step, case.entries.get(notice.step, 0) + 1, gate.task))
