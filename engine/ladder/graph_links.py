"""Steps that cannot be reached: by their own cells or by the way to them, each with its reason and advice."""

from __future__ import annotations

from collections.abc import Iterator

from engine.ladder.check import chain
from engine.ladder.graph import (
    Days,
    ages,
    amounts_meet,
    first_day,
    last_day,
    lies_above,
    merged_days,
    pieces,
    stretch_from,
    whole_days,
)
from engine.ladder.graph_facts import Customers, passes
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.ladder.waits import longest, shortest, shortest_since_due
from engine.source import Problem, Span


def check_reach(policy: CollectionsPolicy, ladder: Ladder, known: Customers) -> Iterator[tuple[str, Problem]]:
    """Yield each step that nothing can reach, with what is wrong; what comes after it is not said again."""
    lost: set[str] = set()
    for row in ladder.rows:
        if any(before.step in lost for before in chain(ladder, row)):
            continue
        found = _own(policy, ladder, row, known) or _way(policy, ladder, row, known)
        if found is not None:
            lost.add(row.step)
            yield row.step, found


def _never(row: LadderRow, span: Span, why: str, advice: str, code: str = "step-never-reached") -> Problem:
    return Problem(code, f"`{row.step}` is never reached: {why}", span, advice)


# a row by itself


def _own(policy: CollectionsPolicy, ladder: Ladder, row: LadderRow, known: Customers) -> Problem | None:
    for name, test in (
        ("age", row.age), ("days_past_due", row.days_past_due), ("unpaid_bills", row.unpaid_bills)
    ):  # fmt: skip
        if not whole_days(test):
            why = f"`{name}` is 1 or more once a case is open, which is not `{test.text}`"
            return _never(row, test.span, why, f"write `>= 1` or more in column `{name}`, or `-`")
    if found := _age_past_due(policy, row):
        return found
    closes = policy.case.closes
    if closes.names == {"overdue"} and not row.overdue.always:
        owed = [p.amount for p in pieces(policy, ladder) if not closes.holds({"overdue": p.amount})]
        if not any(row.overdue.holds(amount) for amount in owed):
            why = f"where the amount is `{row.overdue.text}` the case closes (`{closes.text}`)"
            return _never(row, row.overdue.span, why, "let it hold for amounts at which a case stays open")
    return _facts(ladder, row, known)


def _age_past_due(policy: CollectionsPolicy, row: LadderRow) -> Problem | None:
    if policy.case.anchor == "invoice_date" or row.age.always or row.days_past_due.always:
        return None
    most = last_day(whole_days(row.days_past_due))
    least = first_day(whole_days(row.age))
    if most is None or least <= most:
        return None
    why = f"a debt of age {least} is at least {least} days past due, not `{row.days_past_due.text}`"
    return _never(row, row.days_past_due.span, why, "write `-` in one of the two columns")


def _facts(ladder: Ladder, row: LadderRow, known: Customers) -> Problem | None:
    whom = known.by_ladder.get(ladder.name, frozenset())
    if not row.facts or not whom or any(passes(row.facts, one) for one in whom):
        return None
    cells = [cell for cell in row.facts if cell.tests.tests]
    alone = next((c for c in cells if not any(passes((c,), one) for one in whom)), cells[0])
    why = f"no customer with ladder `{ladder.name}` has `{alone.name}` {alone.text}"
    if len(cells) > 1 and any(passes((alone,), one) for one in whom):
        why = f"no customer with ladder `{ladder.name}` passes its cells on facts together"
    return _never(row, alone.span, why, "write `-`, or let `treatment` choose the ladder for such customers")


# the way from the step before


def _way(policy: CollectionsPolicy, ladder: Ladder, row: LadderRow, known: Customers) -> Problem | None:
    before = ladder.by_step.get(row.after)
    if before is None:
        return None
    return (
        _facts_apart(ladder, before, row, known)
        or _too_late(policy, before, row)
        or _lapsed(policy, before, row)
        or _left_between(policy, ladder, before, row)
        or _grown(policy, ladder, before, row)
    )


def _facts_apart(ladder: Ladder, before: LadderRow, row: LadderRow, known: Customers) -> Problem | None:
    whom = known.by_ladder.get(ladder.name, frozenset())
    both = (*before.facts, *row.facts)
    if not row.facts or not before.facts or not whom or any(passes(both, one) for one in whom):
        return None
    cell = next(cell for cell in row.facts if cell.tests.tests)
    why = f"whoever passes its cells on facts does not pass those of `{before.step}`, which comes before"
    advice = f"let it come `after` a step for the same customers, or write the cells of `{before.step}` alike"
    return _never(row, cell.span, why, advice)


def _too_late(policy: CollectionsPolicy, before: LadderRow, row: LadderRow) -> Problem | None:
    most = last_day(ages(policy, row))
    since = shortest_since_due(row.wait)
    least = max(first_day(ages(policy, before)) + shortest(row.wait), since)
    if most is None or least <= most:
        return None
    cell = row.age if not row.age.always else row.days_past_due
    way = (
        f"{row.wait} after `{before.step}`" if row.wait.days or row.wait.months else f"after `{before.step}`"
    )
    why = f"{way} a debt is at least {least} days old, which is not `{cell.text}`"
    return _never(row, cell.span, why, f"write `>= {least}` or more, or wait less", "wait-past-age")


def _lapsed(policy: CollectionsPolicy, before: LadderRow, row: LadderRow) -> Problem | None:
    valid = policy.contact.valid
    sent = last_day(ages(policy, before))
    if valid is None or not before.notifies or sent is None:
        return None
    least = first_day(ages(policy, row))
    if least <= sent + longest(valid):
        return None
    why = (
        f"`{before.step}` is sent until day {sent} and valid for {valid}, "
        f"and `{row.step}` comes on day {least} at the earliest"
    )
    cell = row.age if not row.age.always else row.days_past_due
    return _never(
        row, cell.span, why, f"let `{before.step}` be sent later, or be valid longer", "notice-lapses"
    )


def _left_between(
    policy: CollectionsPolicy, ladder: Ladder, before: LadderRow, row: LadderRow
) -> Problem | None:  # fmt: skip
    """Tell of a gap in days over which nothing holds, so that what was done before is left behind."""
    if before.release.kind == "condition" or before.final:
        return None  # it stands until its exit holds
    standing = [span for other in ladder.rows[before.index :] for span in whole_days(other.age)]
    start: list[Days] = whole_days(before.age)
    there = stretch_from(merged_days(standing), start)
    aim = whole_days(row.age)
    if any(low <= (high if high is not None else low) and _meets(there, (low, high)) for low, high in aim):
        return None
    if first_day(aim) < first_day(start):
        return None  # ages fall when the oldest debt is paid
    left = last_day(there)
    why = (
        f"`{before.step}` is left again on day {(left or 0) + 1}, when no row from it on holds, "
        f"and `{row.step}` comes on day {first_day(aim)} at the earliest"
    )
    advice = f"let `{before.step}` hold until then: `>= {first_day(start)}` in column `age`"
    return _never(row, row.age.span, why, advice, "left-between")


def _meets(days: list[Days], span: Days) -> bool:
    return any(
        (high is None or span[0] <= high) and (span[1] is None or low <= span[1]) for low, high in days
    )


def _grown(policy: CollectionsPolicy, ladder: Ladder, before: LadderRow, row: LadderRow) -> Problem | None:
    """Tell of a step for more money than the step before was taken for: a bill that is new is too young."""
    if amounts_meet(row.overdue, before.overdue) or not lies_above(row.overdue, before.overdue):
        return None
    if first_day(ages(policy, row)) <= 1 or before.release.kind == "condition":
        return None
    start = first_day(ages(policy, row))
    keeps = (other for other in ladder.rows[before.index + 1 :] if first_day(ages(policy, other)) < start)
    if any(amounts_meet(other.overdue, row.overdue) for other in keeps):
        return None  # another step can hold what was done until the new bill is old enough
    why = (
        f"`{before.step}`, which comes before, is only taken for `{before.overdue.text}`, and is left before "
        f"a debt that grows to `{row.overdue.text}` has come to this age"
    )
    advice = (
        f"let it come `after` a step that is taken for `{row.overdue.text}`, or write `-` in `{before.step}`"
    )
    return _never(row, row.overdue.span, why, advice)
