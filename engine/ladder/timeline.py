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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.ladder.comparing import compare
from engine.ladder.events_from_yaml import HistoryReader, Line
from engine.ladder.expected import Expectation, read_expectations
from engine.ladder.expected_place import check_acts, check_expectations
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.possible import UNALLOCATED, check_history, names_of
from engine.ladder.simulate import GoesInCircles, Played, Scenario, Side, play_together, show
from engine.ladder.timeline_report import CaseResult, Mismatch, TimelineReport
from engine.ladder.timeline_sides import (
    Around,
    Neighbours,
    Sides,
    Treated,
    named_currencies,
    read_currencies,
    read_sides,
)
from engine.ladder.timeline_world import World, allocation, check_world, world, zone
from engine.ladder.words import Words
from engine.ledger.account import Terms
from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.ledger.entries import Act, FactSet
from engine.policy import Loaded, Texts
from engine.source import Span, has_errors, sort_problems
from engine.text import Node, Reader, did_you_mean, optional, read_yaml
from engine.workdays import Calendar


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
    *, texts: Texts | None = None, beside: Neighbours | None = None, named: Mapping[str, str] | None = None,
) -> TimelineReport:  # fmt: skip
    """Run every timeline of a file.

    `texts` holds other policy texts that histories name, `beside` the policies of other folders, by name,
    `named` those that the portfolio names for accounts in each currency.
    """
    read = read_timelines(policy, data, file, texts or {}, beside, named)
    if read.policy is None:
        return TimelineReport(policy.name, file, (), read.problems)
    results = tuple(run_timeline(policy, law, calendar, timeline) for timeline in read.policy)
    return TimelineReport(policy.name, file, results, read.problems)


def read_timelines(
    policy: CollectionsPolicy, data: bytes, file: str, texts: Texts, beside: Neighbours | None = None,
    named: Mapping[str, str] | None = None,
) -> Loaded[tuple[Timeline, ...]]:  # fmt: skip
    """Read every timeline of a file.

    `texts` holds other policy texts that histories name, `beside` the policies of other folders, by name,
    `named` those that the portfolio names for accounts in each currency.
    """
    around = Around(policy, texts, beside or {}, named or {})
    reader = Reader()
    loaded = read_yaml(data, file)
    reader.take(loaded.problems)
    timelines = tuple(_timelines(reader, around, loaded.policy)) if loaded.policy else ()
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else timelines, problems)


# reading


def _timelines(reader: Reader, around: Around, node: Node) -> Iterator[Timeline]:
    policy = around.own
    fields = reader.fields(node, "a file of cases", ["policy", "cases"], ["currencies"])
    if fields is None:
        return
    name = optional(fields, "policy", reader.text, "`policy`")
    if name is not None and name != policy.name:
        message = f"these cases are for `{name}`; the policy is `{policy.name}`"
        reader.error("other-policy", message, fields["policy"].span, f"write `policy: {policy.name}`")
    before = len(reader.problems)
    treated = {policy.currency: Treated(policy)}
    if "currencies" in fields:
        treated |= read_currencies(reader, around, fields["currencies"])
    if "cases" in fields:
        treated |= named_currencies(reader, around, fields["cases"], treated)
    if has_errors(reader.problems[before:]):
        return  # lines in a currency that could not be read would be told for nothing
    seen: dict[str, Span] = {}
    for item in reader.items(fields["cases"], "`cases`") if "cases" in fields else ():
        timeline = _timeline(reader, treated, item, around.texts)
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
    by = {currency: one.policy for currency, one in treated.items()}
    sides = read_sides(reader, by, fields["history"], texts)
    case = _read_case(
        HistoryReader(zone(reader, fields, next(iter(by.values()))), sides.texts, tuple(by)), sides, fields
    )
    reader.take(case.history.problems)
    if has_errors(reader.problems[before:]):
        return None
    own, *others = by
    scenarios = {currency: _scenario(case, currency) for currency in by}
    return Timeline(
        name, fields["case"].span, scenarios[own], case.lines[own], case.expect,
        tuple(Beside(other, treated[other], scenarios[other], case.lines[other]) for other in others),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Case:
    """The parts of one case as they were read, by currency."""

    history: HistoryReader
    lines: Mapping[str, tuple[Line, ...]]
    expect: tuple[Expectation, ...]
    worlds: Mapping[str, World]
    terms: Mapping[str, Terms]


def _read_case(history: HistoryReader, sides: Sides, fields: Mapping[str, Node]) -> _Case:
    """Read the parts of a case; what is wrong stands in `history.problems`."""
    found = [history.line(item) for item in history.items(fields["history"], "`history`")]
    whole = not has_errors(history.problems)  # else others miss the line that cannot be read
    words = sides.words()
    lines = {currency: _lines_of(currency, found, words) for currency in sides.by}
    expect = tuple(read_expectations(history, words, fields["expect"]))
    worlds = {currency: world(history, fields, policy) for currency, policy in sides.by.items()}
    rule = allocation(history, fields["allocation"]) if "allocation" in fields else PRINCIPAL_FIRST
    terms = {currency: _terms(currency, history, rule) for currency in sides.by}
    case = _Case(history, lines, expect, worlds, terms)
    if whole:
        if not has_errors(history.problems):
            _check_end(history, [line for line in found if line], expect, fields["expect"])
            check_world(history, fields, worlds[history.currencies[0]], expect)
            check_expectations(history, sides, lines, expect)
        _check_histories(case, sides, words)
    return case


def _check_histories(case: _Case, sides: Sides, words: Mapping[str, Words]) -> None:
    told = any(UNALLOCATED in line for one in case.expect for wanted in one.wanted for line in wanted.lines)
    names = {code: names_of(line.event.entry for line in lines) for code, lines in case.lines.items()}
    for currency, lines in case.lines.items():
        check_acts(case.history, sides.policies(currency), lines)
        beside = {other: known for other, known in names.items() if other != currency}
        check_history(
            case.history, case.terms[currency], words[currency], lines, unallocated=told, beside=beside
        )


def _scenario(case: _Case, currency: str) -> Scenario:
    end = case.history.local(max(one.day for one in case.expect) + timedelta(days=1), time(0))
    return Scenario(
        case.terms[currency], tuple(line.event for line in case.lines[currency]),
        end=end - timedelta(microseconds=1),
        probes=tuple(sorted({_evening(case.history, one.day) for one in case.expect})),
        **case.worlds[currency],
    )  # fmt: skip


def _terms(currency: str, history: HistoryReader, rule: AllocationRule) -> Terms:
    account = "A1" if currency == history.currencies[0] else f"A1.{currency}"
    return Terms(
        account=account, customer="C1", currency=currency, timezone=str(history.zone), allocation=rule
    )


def _lines_of(currency: str, found: Sequence[Line | None], words: Mapping[str, Words]) -> tuple[Line, ...]:
    """Return the lines about the account in a currency; a fact is of the customer, so of every account."""
    return tuple(line for line in found if line and currency in _accounts(line, words))


def _accounts(line: Line, words: Mapping[str, Words]) -> Iterable[str]:
    entry = line.event.entry
    if not isinstance(entry, FactSet) or "currency" in line.fields:
        return (line.currency,)
    return [currency for currency, known in words.items() if entry.name in known.facts] or (line.currency,)


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


def _evening(history: HistoryReader, day: date) -> datetime:
    """Return the last second of a local day."""
    return history.local(day, time(23, 59, 59))


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
