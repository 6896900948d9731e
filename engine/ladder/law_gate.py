"""The law at run time: what refuses a step whatever the policy says, each time with the clause named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from engine.ladder.case import Case, minutes
from engine.ladder.clock import FOREVER
from engine.ladder.contact import Closed
from engine.ladder.law import Clause
from engine.ladder.lawful_contact import harms, lacks_opt_out, sues, validates
from engine.ladder.memory import do_of, token_of
from engine.ladder.model import LadderRow
from engine.workdays import DayNotCovered


def law_closed(case: Case, row: LadderRow, day: int) -> Closed | None:
    """Return the clause of the law in force that forbids a row on a day, in words; None: it is lawful."""
    return next(_forbidding(case, row, day), None)


def _forbidding(case: Case, row: LadderRow, day: int) -> Iterator[Closed]:
    if row.level == "terminated":
        yield from _too_early_to_end(case, day)
    elif row.interrupts:
        past_due = case.view.on(day).days_past_due
        for clause in case.law.clauses_on("interruption"):
            yield from _days(case, clause, day, past_due, "past due for")
    if row.interrupts:
        yield from _other_calendar(case)
    yield from _validation(case, row, day)
    for clause in case.law.clauses_on("legal_action"):
        if sues(row, clause):
            yield from _days(case, clause, day, case.view.on(day).days_past_due, "past due for")
    for clause in case.law.clauses_on("opt_out"):
        if lacks_opt_out(case.policy, row, clause):
            yield Closed(f"{case.law.cited(clause)}: the text does not say how to end such messages")


def _too_early_to_end(case: Case, day: int) -> Iterator[Closed]:
    since = _suspended_since(case)
    for clause in case.law.clauses_on("termination"):
        if since is None:
            yield Closed(f"{case.law.cited(clause)}: the service was never suspended")
        else:
            yield from _days(case, clause, day, day - since, "suspended for")


def _days(case: Case, clause: Clause, day: int, days: int, what: str) -> Iterator[Closed]:
    if clause.days is None or clause.days.holds(days):
        return
    later = [turn for turn in clause.days.turns() if turn > days]
    retry = (day + min(later) - days, minutes(case.policy.case.hour)) if later else None
    yield Closed(f"{case.law.cited(clause)}: {what} {days} days, which is not {clause.days.text}", retry)


def _suspended_since(case: Case) -> int | None:
    days = [since for row in case.rows if row.demands == "suspended" and (since := row.waits_from)]
    return min(days).toordinal() if days else None


def _other_calendar(case: Case) -> Iterator[Closed]:
    named = case.policy.interruptions.calendar
    for clause in case.law.clauses_on("working_days"):
        if named and named != clause.calendar:
            counted = f"working days are those of calendar {clause.calendar}, not of {named}"
            yield Closed(f"{case.law.cited(clause)}: {counted}")


# the notice that comes before every other


def _validation(case: Case, row: LadderRow, day: int) -> Iterator[Closed]:
    for clause in case.law.clauses_on("validation"):
        speaks = any(item.do == "notify" for item in row.do)
        if validates(row, clause) or not (speaks or harms(row)):
            continue
        for debt in _asked_of(case, row, day):
            sent = _validated_on(case, clause, debt)
            if sent is None:
                about = f" for {debt}" if any(item.do == "sell" for item in row.do) else ""
                yield Closed(
                    f"{case.law.cited(clause)}: the notice `{clause.template}` was not given yet{about}"
                )
            elif harms(row):
                yield from _in_validation(case, clause, sent, day)


def _asked_of(case: Case, row: LadderRow, day: int) -> tuple[str, ...]:
    """Return the debts of which a notice is asked: the oldest; of a sale all, for it is of all (rule 6)."""
    measures = case.view.on(day)
    if any(item.do == "sell" for item in row.do):
        return measures.debts
    return (measures.anchor.debt if measures.anchor else "",)


def _validated_on(case: Case, clause: Clause, debt: str) -> date | None:
    """Return the day on which the notice was given that names a debt; `""`: any."""
    for row in case.rows:
        texts = [token_of(key).split(".")[-1] for key in row.keys if do_of(key) == "notify"]
        named = not debt or debt in row.debts
        if clause.template in texts and row.state == "done" and row.done_on and named and not row.skipped:
            return row.done_on
    return None


def validated_from(case: Case, debt: str) -> int:
    """Return the first day on which a debt may be acted on after the law's notice; FOREVER: not known yet."""
    days = [0]
    for clause in case.law.clauses_on("validation"):
        sent = _validated_on(case, clause, debt)
        try:
            days.append(_answered_by(case, clause, sent).toordinal() + 1 if sent else FOREVER)
        except DayNotCovered:
            days.append(FOREVER)
    return max(days)


def _answered_by(case: Case, clause: Clause, sent: date) -> date:
    assert clause.period is not None  # it needs it
    return clause.period.after(_received(case, sent, clause.received))


def _in_validation(case: Case, clause: Clause, sent: date, day: int) -> Iterator[Closed]:
    try:
        ends = _answered_by(case, clause, sent)
    except DayNotCovered as error:
        yield Closed(f"{case.law.cited(clause)}: {error}", task="calendar")
        return
    if day <= ends.toordinal():
        said = f"the notice of {sent} can be answered through {ends}"
        retry = (ends.toordinal() + 1, minutes(case.policy.case.hour))
        yield Closed(f"{case.law.cited(clause)}: {said}", retry)


def _received(case: Case, sent: date, working_days: int) -> date:
    """Return the day on which a notice is taken to have been received; weekends never count."""
    day = sent
    for _ in range(working_days):
        day += timedelta(days=1)
        while not (case.calendar.is_working(day) if case.calendar.covers else day.weekday() < 5):
            day += timedelta(days=1)
    return day
