"""Dated timelines beside a collections policy: any history, and what must follow on stated days.

    policy: consumer-collections
    cases:
      - case: Pays after the reminder and is left alone
        history:
          - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}
          - {on: 2026-02-02, payment: 300.00}
        expect:
          - {on: 2026-01-28, do: ["reminder notify(sms, reminder) 300.00"], wake: 2026-02-14}
          - {on: 2026-02-02, ended: cured}

The whole format is described in `policies/collections/README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.ladder.comparing import compare
from engine.ladder.events_from_yaml import HistoryReader, Line
from engine.ladder.expected import Expectation, read_expectations
from engine.ladder.expected_place import check_acts, check_expectations
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.possible import UNALLOCATED, check_history, names_of
from engine.ladder.simulate import GoesInCircles, Played, Receiver, Scenario, Side, play_together, show
from engine.ladder.timeline_report import CaseResult, Mismatch, TimelineReport
from engine.ladder.timeline_sides import Neighbours, Treated, read_currencies, read_sides
from engine.ladder.words import Words
from engine.ledger.account import Terms
from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.ledger.entries import Act, FactSet
from engine.policy import Loaded, Texts
from engine.source import Span, has_errors, sort_problems
from engine.text import ListNode, Node, Reader, did_you_mean, optional, read_yaml
from engine.workdays import Calendar

RECEIVERS: tuple[Receiver, ...] = ("done same day", "none", "explicit")


@dataclass(frozen=True, slots=True)
class Timeline:
    """One case as it was read."""

    name: str
    span: Span
    scenario: Scenario
    lines: tuple[Line, ...]
    expect: tuple[Expectation, ...]
    beside: tuple[Beside, ...] = ()
    """The customer's accounts in other currencies."""


@dataclass(frozen=True, slots=True)
class Beside:
    """An account in another currency, with its own policy and its own part of the history."""

    currency: str
    treated: Treated
    scenario: Scenario
    lines: tuple[Line, ...]


def run_timelines(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, data: bytes, file: str,
    *, texts: Texts | None = None, beside: Neighbours | None = None,
) -> TimelineReport:  # fmt: skip
    """Run every timeline of a file.

    `texts` holds other policy texts that histories name, `beside` the policies of other folders, by name.
    """
    read = read_timelines(policy, data, file, texts or {}, beside)
    if read.policy is None:
        return TimelineReport(policy.name, file, (), read.problems)
    results = tuple(run_timeline(policy, law, calendar, timeline) for timeline in read.policy)
    return TimelineReport(policy.name, file, results, read.problems)


def read_timelines(
    policy: CollectionsPolicy, data: bytes, file: str, texts: Texts, beside: Neighbours | None = None
) -> Loaded[tuple[Timeline, ...]]:
    """Read every timeline of a file.

    `texts` holds other policy texts that histories name, `beside` the policies of other folders, by name.
    """
    reader = Reader()
    loaded = read_yaml(data, file)
    reader.take(loaded.problems)
    timelines = tuple(_timelines(reader, policy, loaded.policy, texts, beside or {})) if loaded.policy else ()
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else timelines, problems)


# reading


def _timelines(
    reader: Reader, policy: CollectionsPolicy, node: Node, texts: Texts, beside: Neighbours
) -> Iterator[Timeline]:  # fmt: skip
    fields = reader.fields(node, "a file of cases", ["policy", "cases"], ["currencies"])
    if fields is None:
        return
    name = optional(fields, "policy", reader.text, "`policy`")
    if name is not None and name != policy.name:
        message = f"these cases are for `{name}`; the policy is `{policy.name}`"
        reader.error("other-policy", message, fields["policy"].span, f"write `policy: {policy.name}`")
    treated = {policy.currency: Treated(policy)}
    if "currencies" in fields:
        treated |= read_currencies(reader, policy, fields["currencies"], texts, beside)
        if has_errors(reader.problems):
            return  # lines in a currency that could not be read would be told for nothing
    seen: dict[str, Span] = {}
    for item in reader.items(fields["cases"], "`cases`") if "cases" in fields else ():
        timeline = _timeline(reader, treated, item, texts)
        if timeline is None:
            continue
        if timeline.name in seen:
            related = (("the first one stands here", seen[timeline.name]),)
            message, advice = "two cases have the same sentence", "say in one of them what is different"
            reader.error("duplicate-case", message, timeline.span, advice, related)
        seen[timeline.name] = timeline.span
        yield timeline


_MAY = ("timezone", "allocation", "receipts", "payments_feed", "outage", "checks")


def _timeline(
    reader: Reader, treated: Mapping[str, Treated], node: Node, texts: Texts
) -> Timeline | None:  # fmt: skip
    fields = reader.fields(node, "a case", ["case", "history", "expect"], _MAY)
    if fields is None or not {"case", "history", "expect"} <= set(fields):
        return None
    before = len(reader.problems)
    name = reader.text(fields["case"], "the sentence of a case") or ""
    own, *others = treated
    zone = _zone(reader, fields, treated[own].policy)
    by = {currency: one.policy for currency, one in treated.items()}
    sides = read_sides(reader, by, fields["history"], texts)
    history = HistoryReader(zone, sides.texts, tuple(by))
    found = [history.line(item) for item in history.items(fields["history"], "`history`")]
    whole = not has_errors(history.problems)  # else others miss the line that cannot be read
    words = sides.words()
    lines = {currency: _lines_of(currency, found, words) for currency in by}
    expect = tuple(read_expectations(history, words, fields["expect"]))
    read = {currency: _world(history, fields, by[currency]) for currency in by}
    allocation = _allocation(reader, fields["allocation"]) if "allocation" in fields else PRINCIPAL_FIRST
    terms = {currency: _terms(currency, own, zone, allocation) for currency in by}
    if whole:
        told = any(UNALLOCATED in line for one in expect for wanted in one.wanted for line in wanted.lines)
        if not has_errors(history.problems):
            _check_end(history, [line for line in found if line], expect, fields["expect"])
            _check_world(history, fields, read[own], expect)
            check_expectations(history, sides, lines, expect)
        names = {currency: names_of(line.event.entry for line in lines[currency]) for currency in by}
        for currency in by:
            check_acts(history, sides.policies(currency), lines[currency])
            beside = {other: known for other, known in names.items() if other != currency}
            check_history(
                history, terms[currency], words[currency], lines[currency], unallocated=told, beside=beside
            )
    reader.take(history.problems)
    if has_errors(reader.problems[before:]):
        return None
    end = history.local(max(one.day for one in expect) + timedelta(days=1), time(0))
    scenarios = {
        currency: Scenario(
            terms[currency], tuple(line.event for line in lines[currency]),
            end=end - timedelta(microseconds=1),
            probes=tuple(sorted({_evening(history, one.day) for one in expect})), **read[currency],
        )
        for currency in by
    }  # fmt: skip
    return Timeline(
        name, fields["case"].span, scenarios[own], lines[own], expect,
        tuple(Beside(other, treated[other], scenarios[other], lines[other]) for other in others),
    )  # fmt: skip


def _terms(currency: str, own: str, zone: ZoneInfo, allocation: AllocationRule) -> Terms:
    account = "A1" if currency == own else f"A1.{currency}"
    return Terms(account=account, customer="C1", currency=currency, timezone=str(zone), allocation=allocation)


def _lines_of(currency: str, found: Sequence[Line | None], words: Mapping[str, Words]) -> tuple[Line, ...]:
    """Return the lines about the account in a currency; a fact is of the customer, so of every account."""
    return tuple(line for line in found if line and currency in _accounts(line, words))


def _accounts(line: Line, words: Mapping[str, Words]) -> Iterable[str]:
    entry = line.event.entry
    if not isinstance(entry, FactSet) or "currency" in line.fields:
        return (line.currency,)
    return [currency for currency, known in words.items() if entry.name in known.facts] or (line.currency,)


class _World(TypedDict):
    receiver: Receiver
    fresh: bool
    outages: tuple[tuple[datetime, datetime], ...]
    checks: tuple[datetime, ...]


def _world(reader: HistoryReader, fields: Mapping[str, Node], policy: CollectionsPolicy) -> _World:
    feed = optional(fields, "payments_feed", lambda n, _: reader.choice(n, "a feed", ("fresh", "silent")), "")
    receiver = optional(fields, "receipts", lambda n, _: reader.choice(n, "a receiver", RECEIVERS), "")
    return {
        "receiver": next((r for r in RECEIVERS if r == receiver), "done same day"),
        "fresh": feed != "silent",
        "outages": tuple(_outages(reader, fields["outage"])) if "outage" in fields else (),
        "checks": _checks(reader, fields["checks"], policy) if "checks" in fields else (),
    }


def _check_end(
    reader: HistoryReader, lines: Sequence[Line], expect: Sequence[Expectation], node: Node
) -> None:  # fmt: skip
    if not expect:
        reader.error("expects-nothing", "the case expects nothing", node.span, "add `expect: [...]`")
        return
    last = max(one.day for one in expect)
    end = reader.local(last + timedelta(days=1), time(0))
    for line in lines:
        if line.event.at >= end:
            message = f"this comes after the last day of which something is expected, {last}"
            reader.error(
                "after-the-end",
                message,
                line.place("value_date"),
                "expect something on that day or later, or remove it",
            )


def _check_world(
    reader: HistoryReader, fields: Mapping[str, Node], world: _World, expect: Sequence[Expectation]
) -> None:  # fmt: skip
    """Note checks and outages that change nothing, because all days that are looked at come before them."""
    last = max((one.day for one in expect), default=date.max)
    advice = "expect something on that day or later, or remove it"
    begins = [("outage", start) for start, _ in world["outages"]]
    for key, at in [*begins, *(("checks", check) for check in world["checks"])]:
        if at.date() > last:
            message = f"{at.date()} comes after the last day of which something is expected, {last}"
            reader.warn("after-the-end", message, fields[key].span, advice)


def _evening(history: HistoryReader, day: date) -> datetime:
    """Return the last second of a local day."""
    return history.local(day, time(23, 59, 59))


_BY_SERVICE = re.compile(r"by_service(?:\(([^()]*)\))?")


def _allocation(reader: Reader, node: Node) -> AllocationRule:
    """Read how money is spread: `oldest_first`, `by_service(voice, internet)`."""
    text = reader.text(node, "`allocation`") or "principal_first"
    if found := _BY_SERVICE.fullmatch(text):
        services = [name.strip() for name in (found[1] or "").split(",") if name.strip()]
        return AllocationRule(rule="by_service", services=tuple(dict.fromkeys(services)))
    if text not in ("principal_first", "oldest_first"):
        reader.error("unknown-allocation", f"`{text}` is no rule of allocation", node.span,
                     "write `principal_first`, `oldest_first` or `by_service(voice, internet)`")  # fmt: skip
    return AllocationRule(rule="oldest_first") if text == "oldest_first" else PRINCIPAL_FIRST


def _zone(reader: Reader, fields: Mapping[str, Node], policy: CollectionsPolicy) -> ZoneInfo:
    text = optional(fields, "timezone", reader.text, "`timezone`") or policy.timezone
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = "write a region and a city of the IANA time zone database: `Asia/Shanghai`, `Europe/Berlin`"
        reader.error("not-a-timezone", f"`{text}` is not a time zone", fields["timezone"].span, advice)
        return ZoneInfo(policy.timezone)


def _outages(reader: HistoryReader, node: Node) -> Iterator[tuple[datetime, datetime]]:
    items = node.items if isinstance(node, ListNode) else (node,)
    if not items:
        reader.error("empty", "`outage` is empty", node.span, "write `{from: 2026-01-20, until: 2026-03-20}`")
    for item in items:
        fields = reader.fields(item, "`outage`", ["from", "until"]) or {}
        start = optional(fields, "from", reader.instant, "`from`")
        end = optional(fields, "until", reader.instant, "`until`")
        if start and end and start < end:
            yield start, end
        elif start and end:
            advice = "write the earlier day in `from`"
            reader.error("outage-backwards", "the outage ends before it begins", fields["until"].span, advice)


def _checks(history: HistoryReader, node: Node, policy: CollectionsPolicy) -> tuple[datetime, ...]:
    days = history.list_of(node, "`checks`", history.date)
    if isinstance(node, ListNode) and not node.items:
        history.error("empty", "`checks` is empty", node.span, "write `[2026-03-02, 2026-03-03]`")
    return tuple(sorted(history.local(day, policy.case.hour) for day in days))


# running


def run_timeline(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, timeline: Timeline
) -> CaseResult:  # fmt: skip
    """Play one timeline and compare what came with what is expected."""
    sides = [Side(policy, law, calendar, timeline.scenario)]
    for one in timeline.beside:
        of = one.treated
        sides.append(Side(of.policy, of.law or law, of.calendar or calendar, one.scenario))
    try:
        played = play_together(sides)
    except GoesInCircles as error:
        circle = Mismatch(timeline.span, "the end", ("nothing more to do",), (str(error),))
        return CaseResult(timeline.name, timeline.span, (circle,), ())
    return judged(timeline, played)


def judged(timeline: Timeline, played: Sequence[Played]) -> CaseResult:
    """Compare what came of a timeline, in each of its accounts, with what is expected."""
    zone = ZoneInfo(timeline.scenario.terms.timezone)
    by = {one.terms.currency: one for one in played}
    found = [*_unheard(timeline.lines, played[0])]
    for beside, one in zip(timeline.beside, played[1:], strict=True):
        found += _unheard(beside.lines, one)
    several = len(played) > 1
    for expectation in timeline.expect:
        found += compare(expectation, by[expectation.currency], zone, several=several)
    return CaseResult(timeline.name, timeline.span, tuple(found), _story(played, zone), _walked(played[0]))


def _story(played: Sequence[Played], zone: ZoneInfo) -> tuple[tuple[datetime, str], ...]:
    """Return what happened by local instant; what is told of an account beside begins with its currency."""
    own = played[0].terms.currency
    story = [
        (at.astimezone(zone), text if one.terms.currency == own else f"{one.terms.currency}: {text}")
        for one in played
        for at, text in one.told
    ]
    return tuple(sorted(story, key=lambda told: told[0]))


def _walked(played: Played) -> frozenset[tuple[str, str]]:
    return frozenset(
        (look.step.trace.ladder, row.step)
        for look in played.looks
        for row in (*look.step.taken.rows, *look.step.taken.left)
    )


def _unheard(lines: Iterable[Line], played: Played) -> Iterator[Mismatch]:
    """Yield lines of the history that met nothing: receipts of what was not asked for, idle approvals."""
    heard = {act for look in played.looks for act in look.step.taken.heard}
    for line in lines:
        reply, entry = line.event.reply, line.event.entry
        if reply is not None and any(reply is other for other in played.unheard):
            asked = [show(a) for k in played.looks if k.at <= line.event.at for a in k.step.actions]
            why = did_you_mean(reply.action, asked, of="asked for by then") or "nothing was asked for by then"
            said = (f"`{reply.action}` was not asked for by then",)
            yield Mismatch(line.place("receipt"), "receipt", (reply.action,), said, (why,))
        elif isinstance(entry, Act) and entry.act == "confirm" and entry.id not in heard:
            said = (f"no approval of `{entry.step}` was waiting then",)
            yield Mismatch(
                line.place("confirm"), "confirm", (f"`{entry.step}` to wait for an approval",), said
            )
