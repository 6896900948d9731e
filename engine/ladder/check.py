"""What is wrong with a collections policy as a whole: names, order, what is never undone, what flips."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from engine.ladder.check_facts import check_fact_cells
from engine.ladder.check_notices import check_notices
from engine.ladder.model import FINAL, NO_TIME, CollectionsPolicy, DoItem, Ladder, LadderRow
from engine.ladder.threshold import Bounds, Condition, NumberTest, Term
from engine.ladder.waits import is_since_due, shortest
from engine.ledger.account import LEVELS
from engine.source import Problem, Severity, Span, has_errors
from engine.text import Reader, did_you_mean, suggest

_OR = re.compile(r"\s+or\s+")


def check(reader: Reader, policy: CollectionsPolicy) -> None:
    """Note every mistake that can be seen without a law pack."""
    for ladder in policy.ladders.values():
        if ladder.complete:
            _check_order(reader, ladder)
        for row in ladder.rows:
            _check_row(reader, policy, ladder, row)
    for reminder in policy.before_due:
        for item in reminder.do:
            _check_item(reader, policy, item, reminder.do)
    _note_texts_elsewhere(reader, policy)
    _check_treatment(reader, policy)
    check_fact_cells(reader, policy)
    _check_hours(reader, policy)
    _check_case(reader, policy)
    _check_bills(reader, policy)
    check_notices(reader, policy)
    _check_steps(reader, policy)
    for charge in policy.charges:
        for kind in charge.stops_in:
            if kind not in policy.holds:
                advice = did_you_mean(kind, policy.holds, of="kinds of hold")
                span = policy.place(f"{charge.kind}.stops_in.{kind}", charge.kind)
                reader.error("unknown-hold", f"`stops_in` names `{kind}`, which is no hold", span, advice)


# the order of rows


def _check_order(reader: Reader, ladder: Ladder) -> None:
    for row in ladder.rows:
        if row.after and row.after not in ladder.by_step:
            advice = did_you_mean(row.after, ladder.by_step, of="steps")
            message = f"step `{row.step}` comes after `{row.after}`, which this ladder has not"
            reader.error("unknown-step", message, row.after_place, advice)
        elif row.after and ladder.by_step[row.after].index >= row.index:
            _note_loop(reader, ladder, row)
        elif not row.after and row.wait != NO_TIME and not is_since_due(row.wait):
            message = f"step `{row.step}` waits {row.wait}, but after no other step"
            advice = "write `-` here, name a step in `after`, or count from the due date: `due + P30D`"
            reader.error("wait-without-after", message, row.wait_place, advice)
        if row.after in ladder.by_step and ladder.by_step[row.after].index < row.index:
            _note_younger(reader, ladder, row)
            _note_idle(reader, ladder, row)


def _note_younger(reader: Reader, ladder: Ladder, row: LadderRow) -> None:
    """Doubt a row that asks for less age than the step before it: its own bound never says anything."""
    for name in ("age", "days_past_due"):
        own: NumberTest = getattr(row, name)
        asked = [(one.step, getattr(one, name)) for one in chain(ladder, row)]
        step, before = next(((step, test) for step, test in asked if not test.always), ("", own))
        if step and not own.always and own.lowest < before.lowest:
            asks = f"`{row.step}` asks for `{name} {own.text}`"
            message = f"{asks}, the step `{step}` before it for `{before.text}`"
            advice = f"write `{before.text}` or more, or `-` if `after` and `wait` shall say when"
            reader.warn("younger-than-before", message, own.span, advice)


def _note_loop(reader: Reader, ladder: Ladder, row: LadderRow) -> None:
    path = [row.step]
    while (step := ladder.by_step[path[-1]].after) and step in ladder.by_step and step not in path:
        path.append(step)
    if step == row.step:
        if len(path) == 1:
            message = f"step `{row.step}` comes after itself"
            reader.error("after-loop", message, row.after_place, _earlier(ladder, row))
            return
        shown = " after ".join([*path, row.step])
        message = f"the steps wait for each other: {shown}"
        reader.error("after-loop", message, row.after_place, _earlier(ladder, row))
    else:
        message = f"step `{row.step}` comes after `{row.after}`, which stands below it"
        reader.error("after-below", message, row.after_place, _earlier(ladder, row))


def _earlier(ladder: Ladder, row: LadderRow) -> str:
    """Return the advice to let a row come after what stands above it."""
    if row.index == 0:
        return "write `-`: no step stands above it"
    return f"write a step that stands above it, such as `{ladder.rows[row.index - 1].step}`, or `-`"


def chain(ladder: Ladder, row: LadderRow) -> Iterator[LadderRow]:
    """Yield the steps that come before a row, the nearest first; stops at a circle."""
    seen = {row.step}
    while row.after and row.after in ladder.by_step and row.after not in seen:
        row = ladder.by_step[row.after]
        seen.add(row.step)
        yield row


# one row


def _check_row(reader: Reader, policy: CollectionsPolicy, ladder: Ladder, row: LadderRow) -> None:
    for item in row.do:
        _check_item(reader, policy, item, row.do)
    final = [item for item in row.do if item.do in FINAL or item.level == "terminated"]
    if final and not row.final:
        advice = "write `final` in `release when`"
        reader.error("final-with-release", f"`{final[0]}` cannot be taken back", row.release.span, advice)
    elif row.final and not final:
        advice = "write when it ends: `overdue < 5.00`, or `-` for a notice"
        reader.error(
            "final-without-end", f"`{row.step}` ends nothing that would be final", row.release.span, advice
        )
    elif row.interrupts and row.release.kind != "condition" and not row.final:
        message = f"`{row.step}` interrupts, and nothing says when that ends"
        reader.error("no-release", message, row.release.span, "write the exit: `overdue < 5.00`")
    if any(item.do == "place" for item in row.do) and row.release.kind not in ("recall", "final"):
        message = f"`{row.step}` places the debt, and nothing says that it is recalled"
        reader.error("no-recall", message, row.release.span, "write `recall`")
    if row.release.condition and _meets(row.overdue.any_of, row.release.condition):
        message = f"`{row.release.condition.text}` holds for amounts at which `{row.step}` is taken"
        amounts = [bounds.low for bounds in row.overdue.any_of if bounds.low is not None]
        advice = "let it go below the entry amount only"
        advice += f": `overdue < {min(amounts)}`, or less" if amounts else ""
        reader.error("release-meets-entry", message, row.release.span, advice)
    if ladder.complete and row.interrupts and _unannounced(ladder, row):
        message = f"`{row.step}` interrupts, and no notice comes before it"
        reader.error("no-notice", message, row.span, "let it come `after` a step that notifies")
    _check_validity(reader, policy, ladder, row)


def _note_idle(reader: Reader, ladder: Ladder, row: LadderRow) -> None:
    """Doubt a row that only asks for a level of service which a step on its way has brought already."""
    if any(item.level is None for item in row.do):
        return
    for before in chain(ladder, row):
        if before.index < row.index and LEVELS.index(before.level) >= LEVELS.index(row.level):
            message = f"`{row.step}` has no effect: service is `{before.level}` since `{before.step}`"
            advice = "write the level that it shall bring, such as `service(suspended)`, or remove the row"
            reader.warn("level-in-force", message, row.span, advice)
            return


def _unannounced(ladder: Ladder, row: LadderRow) -> bool:
    """Tell whether a row is the first to interrupt on its way, and no notice comes before it."""
    before = list(chain(ladder, row))
    top = before[-1] if before else row
    broken = top.after != ""  # an unknown step, or a circle: said elsewhere
    return not broken and not any(earlier.notifies or earlier.interrupts for earlier in before)


def _note_texts_elsewhere(reader: Reader, policy: CollectionsPolicy) -> None:
    """Note once that a policy has no texts, at the first notice, with how many there are."""
    lists = [*(reminder.do for reminder in policy.before_due), *(row.do for row in policy.rows())]
    items = [item for items in lists for item in items if item.do == "notify"]
    if not items or policy.templates:
        return
    first = min(items, key=lambda item: item.span)
    more = f" and of {len(items) - 1} more" if len(items) > 1 else ""
    message = f"there is no `templates/`: the receiver holds the text of `{first}`{more}"
    reader.take([Problem("text-elsewhere", message, first.span, severity=Severity.INFO)])


def _check_item(
    reader: Reader, policy: CollectionsPolicy, item: DoItem, row: tuple[DoItem, ...]
) -> None:  # fmt: skip
    if item.do == "notify" and not policy.templates:
        return  # said once of the policy
    if item.do == "notify" and item.args[1] not in policy.templates:
        near = suggest(item.args[1], policy.templates)
        advice = did_you_mean(item.args[1], policy.templates, of="templates")
        advice = f"did you mean `notify({item.args[0]}, {near})`?" if near else advice
        message = f"`{item}` needs the text `templates/{item.args[1]}.en.txt`"
        reader.error("unknown-template", message, item.span, advice or "add the file")
    if item.do == "fee" and item.args[0] not in policy.fees:
        near = suggest(item.args[0], policy.fees)
        advice = did_you_mean(item.args[0], policy.fees, of="fees")
        advice = advice or f"add `fees: {{{item.args[0]}: 5.00}}`"
        advice = f"did you mean `fee({near})`?" if near else advice
        reader.error("unknown-fee", f"`fees` has no `{item.args[0]}`", item.span, advice)
    if item.do == "approve" and item is not row[0]:
        others = ", ".join(str(other) for other in row if other is not item)
        advice = f"write it first: `{item}, {others}`"
        reader.error("approve-not-first", f"`{item}` stands behind what it should hold up", item.span, advice)


def _meets(entry: tuple[Bounds, ...], release: Condition) -> bool:
    """Tell whether some amount both enters and leaves; only bounds on the amount are compared."""
    exits = [
        t.bounds for clause in release.any_of for t in clause if t.name == "overdue" and len(clause) == 1
    ]
    return any(_overlap(a, b) for a in entry for b in exits)


def _overlap(a: Bounds, b: Bounds) -> bool:
    return _below(a, b) and _below(b, a)


def _below(a: Bounds, b: Bounds) -> bool:
    """Tell whether the low end of `a` is not above the high end of `b`."""
    if a.low is None or b.high is None or a.low < b.high:
        return True
    return a.low == b.high and a.low_closed and b.high_closed


def _check_validity(reader: Reader, policy: CollectionsPolicy, ladder: Ladder, row: LadderRow) -> None:
    valid = policy.contact.valid
    before = ladder.by_step.get(row.after)
    if valid and before and before.notifies:
        longest = valid.days + 31 * valid.months
        if shortest(row.wait) > longest:
            message = f"`{row.step}` waits {row.wait} after a notice that is valid for {valid} only"
            advice = f"wait `{valid}` or less, or write `valid: {row.wait}` or more in `contact`"
            reader.error("notice-expires-first", message, row.span, advice)


# the rest


def _check_hours(reader: Reader, policy: CollectionsPolicy) -> None:
    window, quiet, hour = policy.interruptions.window, policy.contact.quiet, policy.case.hour
    if window and window[0] < window[1] <= hour and any(row.interrupts for row in policy.rows()):
        message = f"the daily run at {hour:%H:%M} is after the window {window[0]:%H:%M}-{window[1]:%H:%M}"
        span = policy.place("case.hour", "interruptions.window")
        advice = f"write `hour: {window[0]:%H:%M}` in `case`, or a window that ends later"
        reader.error("hour-after-window", f"{message}: nothing is ever cut", span, advice)
    if quiet and quiet[0] < quiet[1]:
        message = f"notices go out between {quiet[1]:%H:%M} and {quiet[0]:%H:%M} only, over night"
        span, turned = policy.place("contact.quiet_hours"), f"{quiet[1]:%H:%M}-{quiet[0]:%H:%M}"
        reader.warn("quiet-by-day", message, span, f"write when nobody is disturbed: `{turned}`")


def _check_treatment(reader: Reader, policy: CollectionsPolicy) -> None:
    used = set()
    before = len(reader.problems)
    for row in policy.treatment:
        used.add(row.ladder)
        if row.ladder not in policy.ladders and row.ladder != "none":
            advice = did_you_mean(row.ladder, [*policy.ladders, "none"], of="ladders")
            reader.error("unknown-ladder", f"there is no ladder `{row.ladder}`", row.span, advice)
    unread = not policy.treatment and has_errors(reader.problems)  # what is wrong with its table was told
    if not unread and all(any(cell.tests.tests for cell in row.cells) for row in policy.treatment):
        last = policy.treatment[-1].span if policy.treatment else None
        span = last or policy.spans.get("treatment", Span("", 1, 1))
        cells = " | ".join("-" * (len(policy.treatment[-1].cells) if policy.treatment else 1))
        advice = f"add a last row: `| {cells} || {next(iter(policy.ladders), 'none')} |`"
        reader.error("treatment-gap", "the treatment does not name a ladder for everybody", span, advice)
    for ladder in policy.ladders.values() if len(reader.problems) == before and not unread else ():
        if ladder.name not in used:
            message = f"no customer gets the ladder `{ladder.name}`"
            reader.warn("unused-ladder", message, ladder.span, "name it in `treatment`, or remove it")


def _check_steps(reader: Reader, policy: CollectionsPolicy) -> None:
    known = [row.step for row in policy.rows()]
    if not all(ladder.complete for ladder in policy.ladders.values()):
        return  # a step may stand in a row or a ladder that could not be read, which was told
    for step in policy.steps:
        if step not in known:
            advice = did_you_mean(step, known, of="steps")
            span = policy.spans[f"steps.{step}"]
            reader.error("unknown-step", f"`steps` names `{step}`, which no ladder has", span, advice)


def _check_case(reader: Reader, policy: CollectionsPolicy) -> None:
    case = policy.case
    never = [
        _never_holds(reader, "opens", case.opens, "`overdue >= 20.00 and age >= 1`", "no case ever opens"),
        _never_holds(reader, "closes", case.closes, "`overdue < 5.00`", "no case closes when all is paid"),
    ]
    opens, closes = (
        _of_amount(case.opens),
        [c for c in case.closes.any_of if {t.name for t in c} == {"overdue"}],
    )
    owed = Bounds(low=Decimal(0), low_closed=False)
    both = (_possible((*one, *other), owed) for one in opens for other in closes)
    meet = not any(never) and any(both)
    if meet and not all(opens):
        message = (
            f"`opens: {case.opens.text}` asks for no amount in a part: no case opens for debts for which "
            f"`closes: {case.closes.text}` holds"
        )
        advice = "ask for an amount in each alternative, such as `overdue >= 20.00 and age >= 1`"
        reader.warn("opens-without-amount", message, case.opens.span, advice)
    elif meet:
        message = f"`closes: {case.closes.text}` holds for amounts at which a case opens"
        low = min(
            (t.bounds.low for clause in opens for t in clause if t.bounds.low is not None), default=None
        )
        advice = "close below the opening amount only"
        advice += "" if low is None else f": `overdue < {low}`, or less"
        reader.error("closes-meets-opens", message, case.closes.span, advice)


def _of_amount(condition: Condition) -> list[tuple[Term, ...]]:
    """Return what each alternative of a condition asks of the amount; nothing: any amount will do."""
    return [tuple(t for t in clause if t.name == "overdue") for clause in condition.any_of]


def _never_holds(reader: Reader, key: str, condition: Condition, example: str, then: str) -> bool:
    """Note a condition that no debt meets."""
    possible = [_possible(clause, Bounds(low=Decimal(0))) for clause in condition.any_of]
    if any(possible):
        _note_idle_parts(reader, key, condition, possible)
        return False
    why, advice = "nothing that is compared is ever below 0", f"compare with an amount above 0: {example}"
    if not any(_possible(clause, Bounds()) for clause in condition.any_of):
        why, advice = "no number meets all its parts", f"let the parts leave something over: {example}"
    message = f"`{key}: {condition.text}` never holds, for {why}: {then}"
    reader.error("never-holds", message, condition.span, advice)
    return True


def _note_idle_parts(reader: Reader, key: str, condition: Condition, possible: Sequence[bool]) -> None:
    """Warn of alternatives of an `or` that no debt meets, while others do."""
    parts = _OR.split(condition.text)
    ends = [0, *(found.end() for found in _OR.finditer(condition.text))]
    each = len(parts) == len(possible)  # with brackets one alternative may stand for several
    for number, holds in enumerate(possible):
        if not holds:
            text, start = (parts[number], ends[number]) if each else (condition.text, 0)
            message = f"`{text}` never holds, for no number meets all its parts: `{key}` does without it"
            advice = "remove this alternative, or let its parts leave something over"
            reader.warn("part-never-holds", message, condition.span.shifted(start, len(text)), advice)


def _possible(clause: tuple[Term, ...], every: Bounds) -> bool:
    """Tell whether some number within `every` meets all terms of a clause, for each quantity."""
    names = {term.name for term in clause}
    found = ([every, *(t.bounds for t in clause if t.name == name)] for name in names)
    return all(_overlap(a, b) for bounds in found for a, b in combinations(bounds, 2))


def _check_bills(reader: Reader, policy: CollectionsPolicy) -> None:
    """Where a case is about one bill, the number of unpaid bills is always one."""
    if policy.case.grain == "account":
        return
    what = "one bill" if policy.case.grain == "invoice" else "one instalment"
    message = f"with `grain: {policy.case.grain}` a case is about {what}: `unpaid_bills` is always 1"
    spans = [row.unpaid_bills.span for row in policy.rows() if not row.unpaid_bills.always]
    if "unpaid_bills" in policy.case.opens.names:
        spans.insert(0, policy.case.opens.span)
    for span in spans:
        reader.error("always-one-bill", message, span, "test `age` or `overdue`, or write `grain: account`")
