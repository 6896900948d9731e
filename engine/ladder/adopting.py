"""Going over to another text of the policy while a case is open (rule 10).

A case that opened under `binding: adopt` goes over on the day on which the next text comes into force.
Rows map by name; what a step was renamed to, or that it is given up, stands in `maps` of the new text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Inexact, localcontext

from engine.ladder.case import Case
from engine.ladder.model import CollectionsPolicy, Ladder
from engine.ladder.opening import entered
from engine.ladder.renaming import GIVEN_UP, entries_of, joined, names_of, renamed, steps_of
from engine.ladder.state import Position, Step, StepTrace, Taken
from engine.ladder.stepping import PRECISION
from engine.source import Problem, Span
from engine.text import Node, Reader, did_you_mean


def read_maps(reader: Reader, node: Node, ladders: Mapping[str, Ladder]) -> dict[str, str]:
    """Read `maps`: what became of the steps that the text before had and this one has not."""
    found: dict[str, str] = {}
    known = {step for ladder in ladders.values() for step in ladder.by_step}
    complete = all(ladder.complete for ladder in ladders.values())
    for key, value in reader.entries(node, "`maps`"):
        new = reader.text(value, f"what `{key.text}` became")
        if new is None:
            continue
        if complete and new != GIVEN_UP and new not in known:
            advice = did_you_mean(new, [*known, GIVEN_UP], of="steps")
            reader.error("unknown-step", f"`maps` names `{new}`, which no ladder has", value.span, advice)
        elif complete and ladders and all(key.text in ladder.by_step for ladder in ladders.values()):
            message = f"every ladder still has the step `{key.text}`, so nothing becomes of it"
            reader.error("step-still-there", message, key.span, "remove the line, or rename the step")
        else:
            found[key.text] = new
    return found


def adopts(old: CollectionsPolicy, new: CollectionsPolicy) -> bool:
    """Tell whether a case that is bound to one text goes over to another that is in force now."""
    return old.case.binding == "adopt" and old.name == new.name and old.digest != new.digest


def check_adoption(old: CollectionsPolicy, new: CollectionsPolicy) -> tuple[Problem, ...]:
    """Return why open cases could not go over from the text in force to a new one; empty: they can."""
    return tuple(_unmapped(old, new)) if adopts(old, new) else ()


def _unmapped(old: CollectionsPolicy, new: CollectionsPolicy) -> Iterator[Problem]:
    case = new.spans.get("case", Span("policy.yaml", 1, 1))
    for name in ("grain", "scope"):
        before, after = getattr(old.case, name), getattr(new.case, name)
        if before != after:
            message = f"open cases are about one {before} each, and would be about one {after}"
            advice = f"write `{name}: {before}`, or publish under another name"
            yield Problem("adoption-changes-case", message, case, advice)
    if old.currency != new.currency:
        message = f"open cases count in {old.currency}, and would count in {new.currency}"
        span = new.spans.get("currency", case)
        yield Problem("adoption-changes-case", message, span, "publish under another name")
    seen: set[str] = set()
    for ladder in old.ladders.values():
        there = steps_of(new, ladder.name)
        for step in ladder.by_step:
            if step in there or step in new.maps or step in seen:
                continue
            seen.add(step)
            near = did_you_mean(step, there, of="steps")
            advice = f"add `maps: {{{step}: <its new name>}}`, or `maps: {{{step}: none}}` to give it up"
            message = (
                f"open cases go over to this text, and it has no step `{step}`, which the text in force "
                f"(version {old.version}) has in ladder `{ladder.name}`"
            )
            span = _place(new, ladder.name)
            yield Problem("step-removed", message, span, f"{advice}; {near}" if near else advice)


def _place(new: CollectionsPolicy, ladder: str) -> Span:
    found = new.ladders.get(ladder)
    return found.span if found else new.spans.get("ladders", Span("policy.yaml", 1, 1))


def adopt(
    old: CollectionsPolicy, new: CollectionsPolicy, taken: Taken, position: Position, at: datetime
) -> Step:
    """Return a case gone over from one text to another: its rows renamed, nothing asked for yet.

    The next look derives everything anew under the new text; nothing is cut on the same day.
    """
    names = names_of(new, taken)
    gone_over = taken.model_copy(
        update={
            "rows": joined(renamed(taken.rows, names)),
            "left": renamed(taken.left, names),
            "entries": entries_of(taken, names),
            "opened_anchor": _anchor(old, new, taken, position, at),
            "adopted_at": at,
        }
    )
    notes = [f"goes over to version {new.version} of `{new.name}`, from version {old.version}"]
    notes += [f"`{step}` is `{name}` now" for step, name in names.items() if name != step]
    notes += [f"`{row.step}` is given up" for row in taken.rows if new.maps.get(row.step) == GIVEN_UP]
    trace = StepTrace(ladder=taken.ladder, today=position.account.today, notes=tuple(notes))
    return Step(taken=gone_over, wake_at=None, trace=trace)


def _anchor(
    old: CollectionsPolicy, new: CollectionsPolicy, taken: Taken, position: Position, at: datetime
) -> date | None:
    if old.case.anchor == new.case.anchor:
        return taken.opened_anchor
    if new.case.anchor == "entry_date":
        return taken.opened_on
    with localcontext() as context:
        context.prec, context.traps[Inexact] = PRECISION, True
        return entered(Case(new, taken.model_copy(update={"opened_anchor": None}), position, at))
