"""How the world answers in a timeline: receipts, the payment feed, outages, checks, zone, allocation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.ladder.events_from_yaml import HistoryReader
from engine.ladder.expected import Expectation
from engine.ladder.model import CollectionsPolicy
from engine.ladder.simulate import Receiver
from engine.ledger.allocation import PRINCIPAL_FIRST, AllocationRule
from engine.text import ListNode, Node, Reader, optional

RECEIVERS: tuple[Receiver, ...] = ("done same day", "none", "explicit")


class World(TypedDict):
    """What a scenario says of the world."""

    receiver: Receiver
    fresh: bool
    outages: tuple[tuple[datetime, datetime], ...]
    checks: tuple[datetime, ...]


def world(reader: HistoryReader, fields: Mapping[str, Node], policy: CollectionsPolicy) -> World:
    """Read what a case says of receipts, the payment feed, outages and checks."""
    feed = optional(fields, "payments_feed", lambda n, _: reader.choice(n, "a feed", ("fresh", "silent")), "")
    receiver = optional(fields, "receipts", lambda n, _: reader.choice(n, "a receiver", RECEIVERS), "")
    return {
        "receiver": next((r for r in RECEIVERS if r == receiver), "done same day"),
        "fresh": feed != "silent",
        "outages": tuple(_outages(reader, fields["outage"])) if "outage" in fields else (),
        "checks": _checks(reader, fields["checks"], policy) if "checks" in fields else (),
    }


def check_world(
    reader: HistoryReader, fields: Mapping[str, Node], world: World, expect: Sequence[Expectation]
) -> None:  # fmt: skip
    """Note checks and outages that change nothing, because all days that are looked at come before them."""
    last = max((one.day for one in expect), default=date.max)
    advice = "expect something on that day or later, or remove it"
    begins = [("outage", start) for start, _ in world["outages"]]
    for key, at in [*begins, *(("checks", check) for check in world["checks"])]:
        if at.date() > last:
            message = f"{at.date()} comes after the last day of which something is expected, {last}"
            reader.warn("after-the-end", message, fields[key].span, advice)


_BY_SERVICE = re.compile(r"by_service(?:\(([^()]*)\))?")


def allocation(reader: Reader, node: Node) -> AllocationRule:
    """Read how money is spread: `oldest_first`, `by_service(voice, internet)`."""
    text = reader.text(node, "`allocation`") or "principal_first"
    if found := _BY_SERVICE.fullmatch(text):
        services = [name.strip() for name in (found[1] or "").split(",") if name.strip()]
        return AllocationRule(rule="by_service", services=tuple(dict.fromkeys(services)))
    if text not in ("principal_first", "oldest_first"):
        reader.error("unknown-allocation", f"`{text}` is no rule of allocation", node.span,
                     "write `principal_first`, `oldest_first` or `by_service(voice, internet)`")  # fmt: skip
    return AllocationRule(rule="oldest_first") if text == "oldest_first" else PRINCIPAL_FIRST


def zone(reader: Reader, fields: Mapping[str, Node], policy: CollectionsPolicy) -> ZoneInfo:
    """Return the time zone of a case: its own, or that of the policy."""
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
