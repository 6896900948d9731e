"""Where a case can move: rows that it leaves at once, and the one row that it may take next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from engine.ladder.actions import task
from engine.ladder.approvals import approved, is_approved, is_only_proposed
from engine.ladder.case import Case, Moment, minutes
from engine.ladder.channels import attempts, failed_announcement
from engine.ladder.gates import Gate, case_gate, row_gate, run_gate
from engine.ladder.late_fee import counted_fees
from engine.ladder.law_gate import law_closed
from engine.ladder.memory import Row
from engine.ladder.model import LadderRow
from engine.ladder.noticed import lawful_for
from engine.ladder.state import Action
from engine.ladder.threshold import Condition
from engine.ladder.waits import is_since_due, ready_on
from engine.ledger.entries import Act


@dataclass(slots=True)
class Leaving:
    """Rows that leave, each with the reason in words."""

    rows: list[tuple[Row, str]] = field(default_factory=list)
    closes: bool = False
    """Everything that opened the case is gone."""


@dataclass(slots=True)
class Climb:
    """The row that may be taken now, if any, and what keeps others from it."""

    row: LadderRow | None = None
    act: Act | None = None
    """The act of a person that takes it out of turn."""
    gate: Gate | None = None
    """What keeps the whole case from going up."""
    notes: dict[str, str] = field(default_factory=dict)
    retries: list[Moment] = field(default_factory=list)
    goes_on: bool = False
    """A row that a person has approved can go on."""
    tasks: list[Action] = field(default_factory=list)
    stale: Moment | None = None
    """When news of payments is missing: the moment at which it is looked for again."""

    def tasks_untold(self, told: tuple[str, ...]) -> list[Action]:
        """Return the tasks for a person that were not asked for yet."""
        return [task for task in self.tasks if task.key not in told]


def closes(case: Case, day: int) -> bool:
    """Tell whether so little is owed that the case is over: disputed and held parts are still owed."""
    condition = case.policy.case.closes
    holds = closes_without_fees(case, day)
    if not holds and condition.is_lost_above("overdue"):
        return False  # fees only add to what is owed
    fees = counted_fees(case, day, "closes")
    return condition.holds(case.view.kept(day).values(_owed(case, day) + fees)) if fees else holds


def closes_without_fees(case: Case, day: int) -> bool:
    """Tell whether the case would be over if no late fee grew."""
    return case.policy.case.closes.holds(case.view.kept(day).values(_owed(case, day)))


def _owed(case: Case, day: int) -> Decimal:
    return sum((s.amount for s in case.view.slices if s.due < day), Decimal(0))


def _released(case: Case, row: Row, definition: LadderRow, condition: Condition, day: int) -> bool:
    """Tell whether a row's exit holds for the debt that it speaks of: the part of its age, and its fees."""
    measures = case.view.kept(day)
    fees = counted_fees(case, day, "release")
    more = _noticed_since(case, definition, day)
    if condition.holds(measures.values(case.part_held(row, definition, measures, more) + fees)):
        return True
    # A dispute keeps what was taken; paying all that is not disputed ends it all the same.
    clear = case.view.on(day)
    part = case.part_held(row, definition, clear, more)
    return _paid_since(case, row) and condition.holds(clear.values(part + fees))


def _noticed_since(case: Case, definition: LadderRow, day: int) -> tuple[str, ...]:
    """Return the debts that a notice names whose time is over: for those, too, a cut may stand."""
    return lawful_for(case, definition, case.noticed(definition, day) or (), day)


def _paid_since(case: Case, row: Row) -> bool:
    """Tell whether money has come in for what a row was taken for, since it was taken."""
    paid = (on for debt in case.account.debts if debt.id in row.debts for on, by in debt.paid if by > 0)
    return any(on >= row.requested_on for on in paid)


def leaving(case: Case, day: int) -> Leaving:
    """Return the rows that leave on a day: down is immediate (rule 2)."""
    found = Leaving()
    if any(absorbed(case, row) and _ends(row) for row in case.rows):
        return found  # written off or sold: the case ends and undoes nothing
    if not case.treatment:
        found.rows = [(row, "the customer is exempt") for row in case.rows if not absorbed(case, row)]
        return found
    found.closes = closes(case, day)
    kinds = [held.rules for held in case.active_holds(day) if held.rules.taken == "release"]
    warranted = max(case.warranted(day), case.warranted(day, keep=True))
    noticed = max(warranted, case.warranted(day, held=True))  # a held bill is owed: what told of it stands
    for row in case.rows:
        definition = case.definition(row)
        holding = noticed if definition and definition.notifies and row.level is None else warranted
        if why := _why_leaves(case, row, day, found.closes, holding, [rules.kind for rules in kinds]):
            found.rows.append((row, why))
    return found


def absorbed(case: Case, row: Row) -> bool:
    """Tell whether a row stands for good, whatever ladder the customer gets later (rule 6)."""
    definition = case.definition(row)
    if row.ends_contract:
        return True
    if row.state != "done":
        return False
    return _ends(row) or (definition is not None and definition.final)


def _why_leaves(
    case: Case, row: Row, day: int, closing: bool, warranted: int, released_by: list[str]
) -> str:  # fmt: skip
    definition = case.definition(row)
    if absorbed(case, row):
        return ""
    if row.state == "withdrawn":
        return "it was withdrawn"
    if definition is None:
        return f"ladder `{case.ladder.name}` has no such step"
    if closing:
        return f"`{case.policy.case.closes.text}` holds: the case closes"
    if is_only_proposed(row) and row.ladder not in ("", case.ladder.name):
        return f"it was proposed by ladder `{row.ladder}`, which the customer is on no longer"
    if released_by and row.level is not None and not row.lifted:
        return f"hold `{released_by[0]}` releases what was taken"
    if is_approved(row) and _unnoticed(case, definition, day):
        return "the notice that it rests on has lapsed"
    release = definition.release
    if is_only_proposed(row):
        release = replace(release, condition=None)  # there is no effect to release
    if release.condition is not None and row.step in case.released:
        return f"`{release.condition.text}` held on {case.released[row.step]}, as is known now"
    if release.condition is not None and not row.lifted:  # what is lifted has no effect left to release
        if _released(case, row, definition, release.condition, day):
            return f"`{release.condition.text}` holds for the part of the debt that has this age"
        return ""
    if warranted < definition.index and not row.forced:
        return "the level fell below it"
    if row.level is not None and not row.lifted and _stands_for_nothing(case, row, definition, day):
        return "nothing is left of what its notice has named"
    return ""


def _stands_for_nothing(case: Case, row: Row, definition: LadderRow, day: int) -> bool:
    if case.noticed(definition) is None:
        return False
    more = _noticed_since(case, definition, day)
    return not case.part_held(row, definition, case.view.kept(day), more)


def climb(case: Case, moment: Moment, *, fresh: bool = False) -> Climb:
    """Return the one row that may be taken at a moment, or what keeps each wanted one from it."""
    found = Climb()
    if not case.treatment or any(absorbed(case, r) and _ends(r) for r in case.rows):
        return found
    going = approved(case, moment, fresh=fresh)
    found.goes_on, found.retries = bool(going.rows), going.retries
    found.gate = case_gate(case, moment)
    if found.gate:
        if found.gate.retry:
            found.retries.append(found.gate.retry)
        found.notes |= dict(_forced_unlawfully(case, moment[0]))
        return found
    if _forced(case, moment, found, fresh):
        return found
    measures = case.view.on(moment[0])
    if measures.anchor and case.policy.case.closes.holds(measures.values(measures.overdue)):
        return found  # beside a dispute or a held bill: nothing is done for so little
    wanted = wanted_steps(case, moment[0])
    for row in case.ladder.rows:
        if case.holds(row, moment[0]) and (why := case.barred(row, moment[0])):
            found.notes[row.step] = why
        if row.step in wanted and _eligible(case, row, moment, found, fresh):
            found.row = row
            return found
    return found


def _ends(row: Row) -> bool:
    return row.in_force("write_off") or row.in_force("sell")


def _forced(case: Case, moment: Moment, found: Climb, fresh: bool) -> bool:
    for act in case.acts:
        if act.act in ("force", "skip") and not case.has_heard(act):
            row = case.ladder.by_step.get(act.step)
            if row is None or _stands(case, row, act, moment[0]):
                continue
            gate = _over(case, row) or run_gate(case, row, moment[0])
            gate = gate or row_gate(case, row, moment, fresh=fresh) or _unnoticed(case, row, moment[0])
            if gate and act.act == "force":
                _note(found, row, gate)
                continue
            found.row, found.act = row, act
            return True
    return False


def _forced_unlawfully(case: Case, day: int) -> Iterator[tuple[str, str]]:
    """Yield what a person forces and the law forbids, for a look at which nothing is taken anyway."""
    for act in case.acts:
        row = case.ladder.by_step.get(act.step)
        if act.act != "force" or row is None or case.has_heard(act) or _stands(case, row, act, day):
            continue
        if closed := law_closed(case, row, day):
            yield row.step, closed.why


def _over(case: Case, row: LadderRow) -> Gate | None:
    return Gate("the contract was terminated before") if case.is_over(row) else None


def _unnoticed(case: Case, row: LadderRow, day: int) -> Gate | None:
    """Nothing is cut without its notice, nor before that notice's wait and last day are over (rule 2)."""
    found = case.notice_before(row) if row.interrupts else None
    if found is None:
        return None
    notice, behind = found
    sent = case.taken_row(notice.step)
    if sent is None or sent.done_on is None or not case.counts(sent, day):
        return Gate(f"waits for the notice `{notice.step}` to be done")
    start = minutes(case.policy.case.hour)
    ready = ready_on(behind.wait, sent.done_on, case.due_of_anchor(day)).toordinal()
    if sent.last_day and sent.last_day.toordinal() + 1 > ready:
        ready = sent.last_day.toordinal() + 1
        why = f"`{notice.step}` of {sent.done_on} gave time to pay until {sent.last_day}"
    else:
        why = f"waits for {behind.wait} since `{notice.step}` done {sent.done_on}"
    if ready > day:
        return Gate(why, (ready, start))
    if not _is_thin(case, row, case.noticed(row, day), day):
        return None
    rest = [one for one in case.rows if one.step == notice.step and case.stands(one, day)]
    later = [ready for one in rest if (ready := case.ready_on(one, behind, day)) > day]
    if later:
        last = date.fromordinal(min(later) - 1)
        why = f"`{notice.step}` gave time to pay until {last} for a part of what is past due"
        return Gate(why, (min(later), start))
    return Gate(f"`{notice.step}` of {sent.done_on} named too little of what is past due")


def _is_thin(case: Case, row: LadderRow, noticed: tuple[str, ...] | None, day: int) -> bool:
    """Tell whether a row's amount is reached only with debts that its notices did not name."""
    measures = case.view.on(day)
    named = measures.part(row, noticed)
    return row.overdue.reached_by(measures.part(row)) and not row.overdue.reached_by(named)


def _stands(case: Case, row: LadderRow, act: Act, day: int) -> bool:
    taken = case.taken_row(row.step)
    if taken is None or (taken.skipped and act.act == "force"):
        return False
    return taken.state == "requested" or case.counts(taken, day)


def wanted_steps(case: Case, day: int) -> set[str]:
    """Return rows above the reached one whose cells hold, and what must be done (again) before them.

    Notices are due again, whatever was reached, for a part that came back from a rejected dispute.
    """
    reached = case.reached(day)
    above = [row for row in case.ladder.rows if row.index > reached and case.holds(row, day)]
    above = [row for row in above if not case.is_over(row)]
    if case.policy.case.when_late == "jump":
        above = above[-1:]  # what lies between is left out unless a row that is wanted names it in `after`
    taken = [row for row in case.rows if row is case.taken_row(row.step)]
    again = [d for row in taken if case.is_outdated(row, day) and (d := case.definition(row))]
    above += [row for row in again if case.holds(row, day) and not case.is_over(row)]
    return {step for row in above for step in _missing(case, row, day)}


def _repeated(case: Case, notice: LadderRow, day: int) -> list[str]:
    """Return a notice that still stands and is to name more, with what has to be done again before it."""
    before = case.ladder.by_step.get(notice.after)
    return [notice.step, *(_missing(case, before, day) if before else ())]


def _missing(case: Case, row: LadderRow, day: int) -> list[str]:
    """Return a row with the steps before it that do not count; none when one of them cannot come."""
    steps: list[str] = []
    step = row.step
    while step and not case.counts(taken := case.taken_row(step), day):
        if case.is_declined(taken, day) or case.barred(case.ladder.by_step[step], day):
            return []
        if not case.is_over(case.ladder.by_step[step]):
            steps.append(step)
        step = case.ladder.by_step[step].after
    for cut in [case.ladder.by_step[step] for step in steps if case.ladder.by_step[step].interrupts]:
        notice = case.notice_before(cut)
        if notice and notice[0].step not in steps:
            steps += _missing(case, notice[0], day)  # none when it still stands for the anchor
            sent = case.taken_row(notice[0].step)
            if sent and notice[0].step not in steps and _is_thin(case, cut, case.noticed(cut), day):
                steps += _repeated(case, notice[0], day)
    return steps


def _eligible(case: Case, row: LadderRow, moment: Moment, found: Climb, fresh: bool) -> bool:
    day = moment[0]
    start = minutes(case.policy.case.hour)
    if not case.holds(row, day):
        return False
    if row.after and not case.is_over(case.ladder.by_step[row.after]):
        before = case.taken_row(row.after)
        if before is None or before.waits_from is None or not case.counts(before, day):
            anchor = case.view.on(day).anchor
            named = f" for {anchor.debt}" if anchor else ""
            found.notes[row.step] = f"waits for `{row.after}` to be done{named}"
            return False
        ready = ready_on(row.wait, before.waits_from, case.due_of_anchor(day)).toordinal()
        if ready > day:
            found.notes[row.step] = f"waits for {row.wait} since `{row.after}` done {before.waits_from}"
            found.retries.append((ready, start))
            return False
    if not row.after and is_since_due(row.wait):
        due = case.due_of_anchor(day)
        ready = ready_on(row.wait, due, due).toordinal()
        if ready > day:
            found.notes[row.step] = f"waits for {row.wait}"
            found.retries.append((ready, start))
            return False
    sent = next((r for r in case.rows if r.step == row.step and r.announces and r.state == "requested"), None)
    if sent:
        found.notes[row.step] = f"was asked for on {sent.requested_on} and is not confirmed"
        return False
    if gate := _unnoticed(case, row, day):
        # A notice may have stated the day of the law: then the law is the reason, and is named first.
        law = law_closed(case, row, day)
        _note(found, row, replace(gate, why=f"{law.why}; {gate.why}") if law else gate)
        return False
    taken = (failed_announcement(case, row) if row.places else None) or case.taken_row(row.step)
    if taken and case.is_declined(taken, day):
        found.notes[row.step] = f"declined by a person on {taken.requested_on} or later"
        return False
    if taken and taken.state in ("failed", "expired", "suppressed") and not taken.declined:
        if taken.tries >= attempts(case, row):
            found.notes[row.step] = f"{taken.state} {taken.tries} times: a person has to see to it"
            found.tasks.append(task(case, row.step, taken.entry, "undeliverable"))
            return False
        if taken.requested_on.toordinal() >= day:
            found.retries.append((day + 1, start))
            found.notes[row.step] = f"{taken.state} on {taken.requested_on}: again tomorrow"
            return False
    in_force = taken is not None and case.is_in_force(taken)
    gate = run_gate(case, row, day) or row_gate(case, row, moment, fresh=fresh, in_force=in_force)
    if gate is None:
        return True
    _note(found, row, gate)
    if gate.task:
        found.tasks.append(task(case, row.step, case.entries.get(row.step, 0) + 1, gate.task))
    return False


def _note(found: Climb, row: LadderRow, gate: Gate) -> None:
    found.notes[row.step] = gate.why
    if gate.retry:
        found.retries.append(gate.retry)
        if gate.stale:
            found.stale = min(found.stale or gate.retry, gate.retry)
