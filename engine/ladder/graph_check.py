"""The model check: every ladder walked as a whole, before a policy is released.

What is found is certain: a step out of reach by intervals, and what the machine itself does with one debt of
each kind that stays as it is. What would take more than that is named as not decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.ladder.check import chain
from engine.ladder.graph import Piece, together
from engine.ladder.graph_facts import Customers, customers, told
from engine.ladder.graph_links import check_reach
from engine.ladder.graph_plays import LONGEST, MOST, Course, course, debtors, is_met, last_turn
from engine.ladder.model import CollectionsPolicy, Ladder, LadderRow
from engine.source import Problem, Severity, Span, sort_problems


def check_graph(policy: CollectionsPolicy) -> tuple[Problem, ...]:
    """Return what is wrong with how the steps of a policy hang together, over all debts and customers.

    Errors stop a release: a debt that ends nowhere, a step that nothing reaches, a cut that flips on and off.
    """
    return sort_problems(_problems(policy))


def _problems(policy: CollectionsPolicy) -> Iterator[Problem]:
    known = customers(policy)
    yield from _treatment(policy, known)
    left = MOST
    for ladder in policy.ladders.values():
        if not ladder.complete or not ladder.rows:
            continue
        lost = dict(check_reach(policy, ladder, known))
        yield from lost.values()
        yield from _endless_cuts(policy, ladder)
        whom = known.by_ladder.get(ladder.name, frozenset())
        kinds = list(debtors(policy, ladder, whom))
        if len(kinds) > left:
            why = f"{len(kinds)} kinds of debts can be told apart, more than {left}"
            yield _undecided(f"where each debt of ladder `{ladder.name}` ends: {why}", ladder.span)
            continue
        left -= len(kinds)
        courses = [course(policy, ladder, kind) for kind in kinds]
        ends = _ends(ladder, courses)
        if last_turn(policy, ladder) <= LONGEST:
            yield from ends
        elif next(ends, None):
            why = f"a row of it comes more than {LONGEST:,} days after the due date"
            yield _undecided(f"where each debt of ladder `{ladder.name}` ends: {why}", ladder.span)
        yield from _flips(ladder, courses)
        yield from _overtaken(policy, ladder, courses, set(lost))


def _undecided(what: str, span: Span) -> Problem:
    return Problem("not-decided", f"it was not decided {what}", span, severity=Severity.INFO)


# who gets which ladder


def _treatment(policy: CollectionsPolicy, known: Customers) -> Iterator[Problem]:
    span = policy.spans.get("treatment", Span("", 1, 1))
    for why in known.undecided:
        yield _undecided(f"which customers get which ladder: {why}", span)
    if known.undecided:
        return
    for index, row in enumerate(policy.treatment):
        if index not in known.hit:
            message = (
                f"no customer comes to this row for ladder `{row.ladder}`: the rows above take everybody"
            )
            advice = "move it up, or remove it"
            yield Problem("treatment-shadowed", message, row.span, advice, Severity.WARNING)
    named = {row.ladder for row in policy.treatment}
    for name, found in known.by_ladder.items():
        if not found and name in named:
            message = f"no customer gets the ladder `{name}`: the rows of `treatment` above take everybody"
            advice = "let a row that names it stand above"
            yield Problem("unreachable-ladder", message, policy.ladders[name].span, advice, Severity.WARNING)


# exits


def _endless_cuts(policy: CollectionsPolicy, ladder: Ladder) -> Iterator[Problem]:
    """Warn of exits that no debt ever meets: the cut then stands until the case closes."""
    for row in ladder.rows:
        exit_ = row.release.condition
        if exit_ is None:
            continue
        amounts = [t.bounds for clause in exit_.any_of for t in clause if t.name == "overdue"]
        if amounts and all(b.high is not None and b.high <= 0 and not b.hold(0) for b in amounts):
            message = f"`{exit_.text}` never holds: `{row.step}` ends only when the case closes"
            advice = f"write when it ends: `{policy.case.closes.text}`"
            yield Problem("release-never", message, row.release.span, advice)


# what becomes of debts that stay as they are


def _ends(ladder: Ladder, courses: list[Course]) -> Iterator[Problem]:
    """Tell of amounts that end nowhere, once for all numbers of bills and customers of whom it is true."""
    kinds = dict.fromkeys((one.debtor.bills, one.debtor.customer) for one in courses)
    dead = [one for one in courses if not one.ends and not one.circles]
    groups: dict[Piece, list[Course]] = {}
    for kind in kinds:
        group = [one for one in dead if (one.debtor.bills, one.debtor.customer) == kind]
        for piece in together([one.debtor.piece for one in group]):
            groups.setdefault(piece, []).append(next(one for one in group if one.debtor.piece.within(piece)))
    for piece, examples in groups.items():
        first = examples[0]
        bills = {one.debtor.bills for one in examples} != {count for count, _ in kinds}
        whose = {one.debtor.customer for one in examples} != {customer for _, customer in kinds}
        yield _dead_end(ladder, piece, first, bills=bills, whose=whose)


def _dead_end(ladder: Ladder, piece: Piece, one: Course, *, bills: bool, whose: bool) -> Problem:
    rows = [row for row in ladder.rows if row.step in one.first]
    last = max(rows, key=lambda row: one.first[row.step], default=None)
    count = one.debtor.bills
    more = f" in {count} unpaid bill{'s' if count > 1 else ''}" if bills else ""
    more += f" of a customer with {told(one.debtor.customer)}" if whose else ""
    after = f"after `{last.step}` no step ends it" if last else "no step is taken for it that ends it"
    message = f"a debt `{piece}`{more} ends nowhere in ladder `{ladder.name}`: {after} or asks a person"
    advice = (
        "add a step for it that is `final`, such as `approve(small_write_off), write_off`, or a `task(...)`"
    )
    return Problem("dead-end", message, last.span if last else ladder.span, advice)


def _flips(ladder: Ladder, courses: list[Course]) -> Iterator[Problem]:
    for one in courses:
        if one.circles:
            message = f"ladder `{ladder.name}` asks for more and more for a debt `{one.debtor.piece}`"
            yield Problem(
                "goes-in-circles", message, ladder.span, "look for an exit that meets its own entry"
            )
            return
    most: Counter[str] = Counter()
    example: dict[str, Course] = {}
    for one in courses:
        for step, times in one.times.items():
            if times > most[step]:
                most[step], example[step] = times, one
    for row in ladder.rows:
        if row.interrupts and most[row.step] > 1 and row.release.condition:
            piece = example[row.step].debtor.piece
            message = (
                f"`{row.step}` is taken and released again and again for a debt `{piece}` that stays as it "
                f"is: `{row.release.condition.text}` holds while its own cells hold"
            )
            yield Problem("flips", message, row.release.span, "let it end only where its cells do not hold")


def _overtaken(
    policy: CollectionsPolicy, ladder: Ladder, courses: list[Course], lost: set[str]
) -> Iterator[Problem]:  # fmt: skip
    """Warn of steps that come too late: for no debt that stays as it is are they ever taken."""
    taken = {step for one in courses for step in one.first}
    for row in ladder.rows:
        before = list(chain(ladder, row))
        if row.step in taken or any(step in lost for step in (row.step, *(b.step for b in before))):
            continue
        if any(b.step not in taken for b in before):
            continue
        meant = [c for c in courses if all(is_met(r, c.debtor) for r in (row, *before))]
        ends = [r for r in ladder.rows[: row.index] if r.final and r not in before]
        above = [r for r in (*ladder.rows[row.index + 1 :], *ends) if any(r.step in c.first for c in meant)]
        if not meant or not above:
            continue
        first = _earliest(above, meant)
        message = (
            f"`{row.step}` is never taken for a debt that stays as it is: `{first.step}` is reached before it"
        )
        advice = f"move it below `{first.step}`, or let `{first.step}` come `after` it"
        if first.index < row.index:
            advice = f"let `{first.step}` leave to it what it is for, or remove it"
        yield Problem("overtaken", message, row.span, advice, Severity.WARNING)


def _earliest(rows: list[LadderRow], courses: list[Course]) -> LadderRow:
    return min(rows, key=lambda row: min((c.first.get(row.step, 9_999) for c in courses), default=9_999))
