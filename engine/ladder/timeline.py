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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.ladder.events_from_yaml import HistoryReader
from engine.ladder.from_yaml import load_collections
from engine.ladder.law import LawPack
from engine.ladder.model import CollectionsPolicy
from engine.ladder.simulate import GoesInCircles, Look, Played, Receiver, Scenario, looks_on, play, show
from engine.ladder.timeline_report import CaseResult, Mismatch, TimelineReport
from engine.ledger.account import LEVELS, Terms
from engine.ledger.entries import Entry
from engine.ledger.refusals import entry_problems
from engine.policy import Texts
from engine.source import Span, has_errors, sort_problems
from engine.text import ListNode, Node, Reader, optional, read_yaml
from engine.workdays import Calendar

RECEIVERS: tuple[Receiver, ...] = ("done same day", "none", "explicit")
EXPECTED = (
    "do", "since", "reached", "warranted", "ladder", "level", "wake", "open", "ended", "overdue", "disputed",
    "age", "days_past_due", "late_fee", "rows", "credit", "says", "figures", "case",
)  # fmt: skip
MEASURED = ("overdue", "disputed", "age", "days_past_due", "credit", "warranted", "reached", "ladder")
"""What is measured in the evening of the day; everything else is as of the last step."""
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true at the end of a local day."""

    day: date
    since: date
    """The first day of which `do` speaks."""
    span: Span
    fields: Mapping[str, Node]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One case as it was read."""

    name: str
    span: Span
    scenario: Scenario
    expect: tuple[Expectation, ...]


def run_timelines(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, data: bytes, file: str,
    *, texts: Texts | None = None,
) -> TimelineReport:  # fmt: skip
    """Run every timeline of a file; `texts` holds other policy texts that histories name."""
    reader = Reader()
    loaded = read_yaml(data, file)
    reader.take(loaded.problems)
    timelines = list(_timelines(reader, policy, loaded.policy, texts or {})) if loaded.policy else []
    problems = sort_problems(reader.problems)
    if has_errors(problems):
        return TimelineReport(policy.name, file, (), problems)
    results = tuple(_run(policy, law, calendar, timeline) for timeline in timelines)
    return TimelineReport(policy.name, file, results, problems)


# reading


def _timelines(
    reader: Reader, policy: CollectionsPolicy, node: Node, texts: Texts
) -> Iterator[Timeline]:  # fmt: skip
    fields = reader.fields(node, "a file of cases", ["policy", "cases"])
    if fields is None:
        return
    name = optional(fields, "policy", reader.text, "`policy`")
    if name is not None and name != policy.name:
        message = f"these cases are for `{name}`; the policy is `{policy.name}`"
        reader.error("other-policy", message, fields["policy"].span)
    seen: dict[str, Span] = {}
    for item in reader.items(fields["cases"], "`cases`") if "cases" in fields else ():
        timeline = _timeline(reader, policy, item, texts)
        if timeline is None:
            continue
        if timeline.name in seen:
            related = (("the first one stands here", seen[timeline.name]),)
            reader.error("duplicate-case", "two cases have the same sentence", timeline.span, related=related)
        seen[timeline.name] = timeline.span
        yield timeline


_MAY = ("timezone", "receipts", "payments_feed", "outage", "checks")


def _timeline(
    reader: Reader, policy: CollectionsPolicy, node: Node, texts: Texts
) -> Timeline | None:  # fmt: skip
    fields = reader.fields(node, "a case", ["case", "history", "expect"], _MAY)
    if fields is None or not {"case", "history", "expect"} <= set(fields):
        return None
    before = len(reader.problems)
    name = reader.text(fields["case"], "the sentence of a case") or ""
    zone = _zone(reader, fields, policy)
    history = HistoryReader(zone, _policies(reader, fields["history"], texts))
    events = [history.event(item) for item in history.items(fields["history"], "`history`")]
    expect = tuple(_expectations(history, fields["expect"]))
    feed = optional(fields, "payments_feed", lambda n, _: reader.choice(n, "a feed", ("fresh", "silent")), "")
    receiver = optional(fields, "receipts", lambda n, _: reader.choice(n, "a receiver", RECEIVERS), "")
    outages = tuple(_outages(reader, history, fields["outage"])) if "outage" in fields else ()
    checks = _checks(history, fields["checks"], policy) if "checks" in fields else ()
    reader.take(history.problems)
    if len(reader.problems) > before or not expect:
        if not expect and len(reader.problems) == before:
            reader.error("expects-nothing", "the case expects nothing", node.span, "add `expect: [...]`")
        return None
    end = max(expectation.day for expectation in expect) + timedelta(days=1)
    horizon = history.local(end, time(0))
    for item, event in zip(history.items(fields["history"], "`history`"), events, strict=True):
        if event and event.at >= horizon:
            advice = "expect something on that day or later, or remove the line"
            reader.error("after-the-end", "this comes after the last expectation", item.span, advice)
            return None
    terms = Terms(account="A1", customer="C1", currency=policy.currency, timezone=str(zone))
    scenario = Scenario(
        terms, tuple(event for event in events if event),
        end=horizon - timedelta(microseconds=1),
        receiver=next((r for r in RECEIVERS if r == receiver), "done same day"),
        fresh=feed != "silent", outages=outages, checks=checks,
        probes=tuple(sorted({_evening(history, expectation.day) for expectation in expect})),
    )  # fmt: skip
    return Timeline(name, node.span, scenario, expect)


def _evening(history: HistoryReader, day: date) -> datetime:
    """Return the last second of a local day."""
    return history.local(day, time(23, 59, 59))


def _zone(reader: Reader, fields: Mapping[str, Node], policy: CollectionsPolicy) -> ZoneInfo:
    text = optional(fields, "timezone", reader.text, "`timezone`") or policy.timezone
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reader.error("not-a-timezone", f"`{text}` is not a time zone", fields["timezone"].span)
        return ZoneInfo(policy.timezone)


def _policies(reader: Reader, history: Node, texts: Texts) -> dict[str, CollectionsPolicy]:
    """Return the other policy texts that a history names, each read and checked."""
    found: dict[str, CollectionsPolicy] = {}
    if not isinstance(history, ListNode):
        return found
    for item in history.items:
        named = getattr(item, "get", lambda _: None)("policy")
        name = getattr(named, "text", "")
        if name in texts and name not in found:
            loaded = load_collections(texts, name)
            reader.take(loaded.problems)
            if loaded.policy:
                found[name] = loaded.policy
    return found


def _outages(
    reader: Reader, history: HistoryReader, node: Node
) -> Iterator[tuple[datetime, datetime]]:  # fmt: skip
    items = node.items if isinstance(node, ListNode) else (node,)
    for item in items:
        fields = reader.fields(item, "`outage`", ["from", "until"]) or {}
        start = optional(fields, "from", history.instant, "`from`")
        end = optional(fields, "until", history.instant, "`until`")
        if start and end and start < end:
            yield start, end
        elif start and end:
            reader.error("outage-backwards", "the outage ends before it begins", item.span)


def _checks(history: HistoryReader, node: Node, policy: CollectionsPolicy) -> tuple[datetime, ...]:
    days = history.list_of(node, "`checks`", history.date)
    return tuple(sorted(history.local(day, policy.case.hour) for day in days))


def _expectations(reader: Reader, node: Node) -> Iterator[Expectation]:
    for item in reader.items(node, "`expect`"):
        fields = reader.fields(item, "an expectation", ["on"], EXPECTED)
        day = optional(fields or {}, "on", reader.date, "`on`")
        if fields is None or day is None:
            continue
        since = optional(fields, "since", reader.date, "`since`") or day
        if since > day:
            advice = "write an earlier day, or remove `since`"
            reader.error("since-after-on", f"`since` is {since}, after {day}", fields["since"].span, advice)
        yield Expectation(
            day, since, item.span, {k: v for k, v in fields.items() if k not in ("on", "since")}
        )


# running


def _run(
    policy: CollectionsPolicy, law: LawPack, calendar: Calendar, timeline: Timeline
) -> CaseResult:  # fmt: skip
    refused = _refused(timeline)
    try:
        played = play(policy, law, calendar, timeline.scenario)
    except GoesInCircles as error:
        return CaseResult(
            timeline.name, timeline.span, (Mismatch(timeline.span, "end", "quiet", str(error)),), ()
        )
    zone = ZoneInfo(timeline.scenario.terms.timezone)
    found = [m for expectation in timeline.expect for m in _compare(expectation, played, zone)]
    for action in played.unheard:
        found.append(Mismatch(timeline.span, "receipt", action, "it was never asked for"))
    story = tuple((at.astimezone(zone), text) for at, text in played.told)
    return CaseResult(timeline.name, timeline.span, (*refused, *found), story)


def _refused(timeline: Timeline) -> list[Mismatch]:
    """Return entries of the history that a ledger would refuse: a timeline must be possible."""
    found: list[Mismatch] = []
    known: list[Entry] = []
    for event in timeline.scenario.events:
        if event.entry is not None:
            for problem in entry_problems(timeline.scenario.terms, known, event.entry):
                found.append(
                    Mismatch(timeline.span, "history", "an entry that a ledger takes", problem.message)
                )
            known.append(event.entry)
    return found


def _compare(expectation: Expectation, played: Played, zone: ZoneInfo) -> Iterator[Mismatch]:
    until = [look for look in played.looks if look.at.astimezone(zone).date() <= expectation.day]
    last = until[-1] if until else None
    for name, node in expectation.fields.items():
        reader = Reader()
        wanted = _wanted(reader, name, node)
        got = _got(name, node, expectation, until, last, played, zone)
        if reader.problems:
            yield Mismatch(node.span, name, "something that can be read", reader.problems[0].message)
        elif wanted != got and not _contained(name, wanted, got):
            yield Mismatch(node.span, f"{expectation.day} {name}", wanted, got)


def _wanted(reader: Reader, name: str, node: Node) -> str:
    if isinstance(node, ListNode):
        return "\n".join(reader.list_of(node, f"`{name}`", reader.text))
    if name == "figures":
        return "\n".join(
            f"{key.text}: {reader.text(value, name)}" for key, value in reader.entries(node, name)
        )
    return reader.text(node, f"`{name}`") or ""


def _contained(name: str, wanted: str, got: str) -> bool:
    if name in ("says", "figures"):
        return all(any(line in said for said in got.splitlines()) for line in wanted.splitlines())
    if name == "wake":
        return got.startswith(f"{wanted} ")
    return False


def _got(
    name: str, node: Node, expectation: Expectation, until: list[Look], last: Look | None, played: Played,
    zone: ZoneInfo,
) -> str:  # fmt: skip
    if name == "do":
        looks = [look for look in until if look.at.astimezone(zone).date() >= expectation.since]
        return _asked(looks, stated=_states_amounts(node))
    if last is None:
        return {"open": "false"}.get(name, "no case has opened")
    evening = (look for at, look in played.probed.items() if at.astimezone(zone).date() == expectation.day)
    probe = next(evening, last)
    shown = probe if name in MEASURED else last
    return _value(name, shown, list(looks_on(until, expectation.day, zone)) or [probe], zone)


def _states_amounts(node: Node) -> bool:
    items = node.items if isinstance(node, ListNode) else (node,)
    return any(getattr(item, "text", "")[-3:-2] == "." for item in items)


def _asked(looks: list[Look], *, stated: bool) -> str:
    lines = []
    for look in looks:
        for action in look.step.actions:
            amount = f" {action.amount}" if stated and action.amount else ""
            lines.append(show(action) + amount)
    return "\n".join(lines) or NOTHING


def _value(name: str, last: Look, day: list[Look], zone: ZoneInfo) -> str:
    trace, taken = last.step.trace, last.step.taken
    match name:
        case "reached" | "warranted":
            return str(getattr(trace, name) or NOTHING)
        case "ladder":
            return trace.ladder
        case "level":
            return next(level for level in LEVELS if level == taken.level)
        case "wake":
            wake = last.step.wake_at
            return f"{wake.astimezone(zone):%Y-%m-%d %H:%M}" if wake else "never"
        case "open":
            return "true" if last.step.open else "false"
        case "ended":
            return taken.ended or NOTHING
        case "overdue" | "disputed" | "age" | "days_past_due":
            return str(getattr(trace, name))
        case "credit":
            return str(last.position.credit)
        case "rows":
            return "\n".join(row.step for row in taken.rows) or NOTHING
        case "case":
            return taken.case.rpartition("/")[2]
        case "late_fee":
            return next(
                (a.figures["late_fee"] for k in reversed(day) for a in k.step.actions if a.figures), ""
            )
        case "figures":
            return "\n".join(f"{k}: {v}" for lk in day for a in lk.step.actions for k, v in a.figures.items())
        case _:
            notes = [note for look in day for note in look.step.trace.notes]
            rows = [f"{row.step}: {row.note}" for look in day for row in look.step.trace.rows]
            return "\n".join([*notes, *rows])
