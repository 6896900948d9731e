"""A policy against the clauses of a law pack on contact: hours, calls, opting out, validation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import time

from engine.ladder.channels import OPTED_OUT
from engine.ladder.check import chain
from engine.ladder.contact import TIMEZONE
from engine.ladder.ladders_from_yaml import PREFERRED
from engine.ladder.law import Clause, LawPack
from engine.ladder.model import CollectionsPolicy, DoItem, Ladder, LadderRow
from engine.ladder.soonest import Soonest
from engine.source import Problem, Span
from engine.text import Period

Broken = Callable[[Clause, str, Span, str], Problem]
"""Makes the problem of a clause: what breaks it, where, and what to do."""
FAR = 100_000
"""More days past due than any debt has."""


# what a row is


def harms(row: LadderRow) -> bool:
    """Tell whether a row does more to the customer than to speak."""
    return row.interrupts or any(item.do in ("place", "sell") for item in row.do)


def validates(row: LadderRow, clause: Clause) -> bool:
    """Tell whether a row is the notice by which a debt can be disputed."""
    return any(item.do == "notify" and item.args[1] == clause.template for item in row.do)


def sues(row: LadderRow, clause: Clause) -> bool:
    """Tell whether a row takes a debt to court."""
    return any(item.do == "place" and item.args[0] in clause.acts for item in row.do)


def reached_by(policy: CollectionsPolicy, item: DoItem) -> tuple[str, ...]:
    """Return the channels on which a notice may go out."""
    first = () if item.args[0] == PREFERRED else (item.args[0],)
    return tuple(dict.fromkeys((*first, *policy.contact.fallback)))


def lacks_opt_out(policy: CollectionsPolicy, row: LadderRow, clause: Clause) -> bool:
    """Tell whether a row sends a text on a channel of the clause that does not state `{opt_out}`."""
    return any(True for item in row.do for _ in _without_opt_out(policy, item, clause))


def _without_opt_out(policy: CollectionsPolicy, item: DoItem, clause: Clause) -> Iterator[str]:
    if item.do != "notify" or not set(reached_by(policy, item)) & set(clause.channels):
        return
    for language, text in policy.templates.get(item.args[1], {}).items():
        if "{opt_out}" not in text:
            yield language


# the clauses


def contact_problems(policy: CollectionsPolicy, law: LawPack, broken: Broken) -> Iterator[Problem]:
    """Yield what of a policy breaks a clause on contact."""
    start = policy.spans.get("contact", policy.spans.get("policy", Span("", 1, 1)))
    rows = policy.rows()
    notices = [item for row in rows for item in row.do if item.do == "notify"]
    notices += [item for reminder in policy.before_due for item in reminder.do if item.do == "notify"]
    used = {by for item in notices for by in reached_by(policy, item)}
    for clause in law.clauses:
        match clause.rule:
            case "contact_hours":
                if used & set(clause.channels):
                    yield from _hours(policy, clause, broken, start)
            case "contact_frequency":
                if used & set(clause.channels):
                    yield from _frequency(policy, clause, broken, start)
                    yield from _consent(policy, clause, broken, start)
            case "after_conversation":
                if used & set(clause.channels):
                    yield from _conversation(policy, clause, broken, start)
                    yield from _consent(policy, clause, broken, start)
            case "opt_out":
                yield from _opt_out(policy, clause, broken, notices)
            case "cease_contact":
                if not any(hold.no_contact for hold in policy.holds.values()):
                    place = policy.spans.get("holds", start)
                    text = "no kind of hold ends all contact"
                    yield broken(clause, text, place, "add `cease_contact: {clock: runs, contact: none}`")
            case _:
                pass
    for ladder in policy.ladders.values():
        for row in ladder.rows:
            for clause in law.clauses_on("validation"):
                yield from _validation(clause, broken, policy, ladder, row)
            for clause in law.clauses_on("legal_action"):
                if sues(row, clause):
                    yield from _too_old(clause, broken, row)


def _hours(policy: CollectionsPolicy, clause: Clause, broken: Broken, start: Span) -> Iterator[Problem]:
    assert clause.hours is not None  # it needs them
    wanted = f"{_clock(clause.hours[1])}-{_clock(clause.hours[0])}"
    quiet = policy.contact.quiet
    text = "hours of contact are those of the account: the policy does not read where the customer is"
    yield from _undeclared(policy, clause, broken, start, TIMEZONE, "string", text)
    advice = f"write `quiet_hours: {wanted}`, or more"
    if quiet is None:
        advice = f"add `quiet_hours: {wanted}`, or more, to `contact`"
        yield broken(clause, "the policy has no quiet hours", start, advice)
    elif not _covers(quiet, (clause.hours[1], clause.hours[0])):
        text = f"customers are spoken to outside {_clock(clause.hours[0])}-{_clock(clause.hours[1])}"
        yield broken(clause, text, policy.contact.spans.get("quiet_hours", start), advice)


def _undeclared(
    policy: CollectionsPolicy, clause: Clause, broken: Broken, start: Span, name: str, kind: str, text: str
) -> Iterator[Problem]:  # fmt: skip
    """Yield a fact about customers that a clause asks for and the policy does not read."""
    if name not in policy.facts:
        advice = f"write `{name}: {{type: {kind}, optional: true}}` in `facts`"
        yield broken(clause, text, policy.spans.get("facts", start), advice)


def _consent(policy: CollectionsPolicy, clause: Clause, broken: Broken, start: Span) -> Iterator[Problem]:
    """Yield a consent to calls that lasts longer than the clause lets it."""
    lasts, least = policy.contact.consent, clause.consent
    if lasts is None or "call" not in clause.channels:
        return
    if least is None or lasts.days + 31 * lasts.months > least.days + 28 * least.months:
        text = f"who has agreed to be called is called for {lasts}"
        advice = f"write `consent: {least}`, or less" if least else "remove `consent`"
        yield broken(clause, text, policy.contact.spans.get("consent", start), advice)


def _clock(at: time) -> str:
    return f"{at:%H:%M}"


def _covers(quiet: tuple[time, time], needed: tuple[time, time]) -> bool:
    """Tell whether quiet hours lie around the hours of a night."""
    if quiet[0] < quiet[1]:
        return False  # by day; the night that a law means runs over midnight
    return quiet[0] <= needed[0] and quiet[1] >= needed[1]


def _frequency(policy: CollectionsPolicy, clause: Clause, broken: Broken, start: Span) -> Iterator[Problem]:
    assert clause.most is not None  # it needs it
    most, period = clause.most
    for by in clause.channels:
        caps = [(number, over) for kind, number, over in policy.contact.caps if kind == by]
        if any(_as_strict(number, over, most, period) for number, over in caps):
            continue
        text = f"`{by}` is not capped at {most} in {period}" if caps else f"`{by}` has no cap"
        place = policy.contact.spans.get(f"caps.{by}", policy.contact.spans.get("caps", start))
        advice = f"write `{by}: {most} per {period}`, or less"
        advice = advice if caps else f"add `{by}: {most} per {period}`, or less, to `caps`"
        yield broken(clause, text, place, advice)


def _as_strict(number: int, over: Period, most: int, period: Period) -> bool:
    """Tell whether a cap allows no more in any stretch of the law's days than the law does."""
    days, wanted = over.days + 28 * over.months, period.days + 31 * period.months
    return number * -(-wanted // days) <= most


def _conversation(
    policy: CollectionsPolicy, clause: Clause, broken: Broken, start: Span
) -> Iterator[Problem]:
    assert clause.period is not None  # it needs it
    rest = policy.contact.after_conversation
    wanted = clause.period.days + 31 * clause.period.months
    if rest is None or rest.days + 28 * rest.months < wanted:
        place = policy.contact.spans.get("after_conversation", start)
        text = f"customers are called within {clause.period} of a conversation"
        yield broken(clause, text, place, f"write `after_conversation: {clause.period}`, or more")


def _opt_out(
    policy: CollectionsPolicy, clause: Clause, broken: Broken, notices: list[DoItem]
) -> Iterator[Problem]:  # fmt: skip
    told = set()
    start = policy.spans.get("policy", Span("", 1, 1))
    if any(set(reached_by(policy, item)) & set(clause.channels) for item in notices):
        text = "the policy does not read on which channels a customer wants no messages any more"
        yield from _undeclared(policy, clause, broken, start, OPTED_OUT, "list of string", text)
    for item in notices:
        for language in _without_opt_out(policy, item, clause):
            if (item.args[1], language) not in told:
                told.add((item.args[1], language))
                text = f"`templates/{item.args[1]}.{language}.txt` does not say how to end such messages"
                yield broken(clause, text, item.span, "state `{opt_out}` in the text")


def _validation(
    clause: Clause, broken: Broken, policy: CollectionsPolicy, ladder: Ladder, row: LadderRow
) -> Iterator[Problem]:
    assert clause.period is not None  # it needs it
    if validates(row, clause):
        for item in row.do:
            wrong = set(reached_by(policy, item)) - set(clause.channels) if item.do == "notify" else set()
            if item.args[1:] == (clause.template,) and (wrong or item.args[0] == PREFERRED):
                text = f"`{item}` may go out by {' or '.join(sorted(wrong)) or 'any channel'}"
                yield broken(clause, text, item.span, f"send it by {' or '.join(clause.channels)}")
        return
    if not _acts(row):
        return
    notice = next((before for before in chain(ladder, row) if validates(before, clause)), None)
    if notice is not None:
        yield from _too_soon(clause, broken, row, Soonest(policy, ladder, notice, row))
        return
    if any(_acts(before) for before in chain(ladder, row)):
        return  # told at the first of them
    text = f"`{row.step}` can come before the notice `{clause.template}`"
    first = next((r.step for r in ladder.rows if validates(r, clause)), "")
    advice = (
        f"let it come `after` `{first}`" if first else f"add a step with `notify(letter, {clause.template})`"
    )
    yield broken(clause, text, row.span, advice)


def _acts(row: LadderRow) -> bool:
    return harms(row) or any(item.do == "notify" for item in row.do)


def _too_soon(clause: Clause, broken: Broken, row: LadderRow, soonest: Soonest) -> Iterator[Problem]:
    found = list(soonest.answered(clause)) if harms(row) else []
    days = min((days for days, least in found if days < least), default=None)
    if days is not None:
        text = f"`{row.step}` can come {days} days after the notice `{clause.template}`"
        advice = f"let at least {max(least for _, least in found)} days lie between them in `wait`"
        yield broken(clause, text, row.wait_place, advice)


def _too_old(clause: Clause, broken: Broken, row: LadderRow) -> Iterator[Problem]:
    if clause.days is None or not row.days_past_due.holds(FAR) or clause.days.holds(FAR):
        ends = [b.high for b in row.days_past_due.any_of if b.high is not None]
        if clause.days is None or all(clause.days.holds(int(high)) for high in ends):
            return
    text = f"`{row.step}` can go to court for a debt that is not {clause.days.text} days past due"
    cell = row.days_past_due
    advice = f"write `{clause.days.text}` in column `days_past_due`"
    yield broken(clause, text, row.span if cell.always else cell.span, advice)
