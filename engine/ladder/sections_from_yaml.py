"""The sections of a collections policy beside its ladders: case, holds, contact, hours, promises, fees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Literal

from engine.ladder.from_feel import read_condition
from engine.ladder.model import (
    CaseRules,
    ConfirmRules,
    HoldRules,
    InterruptionRules,
    PromiseRules,
    RunDay,
)
from engine.ladder.threshold import Condition
from engine.text import ListNode, Node, Period, Reader, ScalarNode, optional
from engine.text.meant import advice_on

ANCHORS = ("invoice_date", "oldest_due_date", "latest_due_date_at_entry", "entry_date")
_RUN_DAY = re.compile(r"[1-9]|1[0-9]|2[0-8]")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_HOURS = re.compile(r"PT(\d{1,4})H")
_COVERS = re.compile(r"(\d+(?:\.\d+)?) of overdue")

_CASE_NEEDED = ("opens", "closes")
_CASE_MORE = (
    "grain", "scope", "anchor", "ignore_below", "credits", "runs", "hour", "binding", "when_late", "revive",
    "reopened_age",
)  # fmt: skip


def read_case(reader: Reader, node: Node) -> CaseRules | None:
    """Read `case`: what one is, when it opens and closes, when it is looked at."""
    fields = reader.fields(node, "`case`", _CASE_NEEDED, _CASE_MORE)
    if fields is None:
        return None
    opens = _condition(reader, fields, "opens", ("overdue", "age", "days_past_due", "unpaid_bills"))
    closes = _condition(reader, fields, "closes", ("overdue",))
    grain = choice(reader, fields, "grain", "a grain", ("account", "invoice", "instalment"))
    scope = choice(reader, fields, "scope", "a scope", ("account", "service"))
    binding = choice(reader, fields, "binding", "a binding", ("pin", "adopt"))
    late = choice(reader, fields, "when_late", "a way to catch up", ("step_by_step", "jump"))
    anchor = choice(reader, fields, "anchor", "an anchor", ANCHORS) or "oldest_due_date"
    counted = choice(reader, fields, "credits", "a way to count credits", ("net", "allocated_only"))
    ignore = optional(fields, "ignore_below", lambda n, w: reader.decimal(n, w, 0), "`ignore_below`")
    if opens is None or closes is None:
        return None
    return CaseRules(
        opens, closes,
        anchor=_anchor(anchor),
        grain="invoice" if grain == "invoice" else "instalment" if grain == "instalment" else "account",
        scope="service" if scope == "service" else "account",
        binding="adopt" if binding == "adopt" else "pin",
        ignore_below=ignore or Decimal(0),
        credits="allocated_only" if counted == "allocated_only" else "net",
        when_late="jump" if late == "jump" else "step_by_step",
        runs=_runs(reader, fields["runs"]) if "runs" in fields else "daily",
        hour=optional(fields, "hour", lambda n, w: clock(reader, n, w), "`hour`") or time(9),
        revive=optional(fields, "revive", span_of(reader), "`revive`"),
        reopened_age=_reopened(reader, fields["reopened_age"]) if "reopened_age" in fields else {},
    )  # fmt: skip


def _anchor(
    text: str,
) -> Literal["invoice_date", "oldest_due_date", "latest_due_date_at_entry", "entry_date"]:
    match text:
        case "invoice_date" | "latest_due_date_at_entry" | "entry_date":
            return text
        case _:
            return "oldest_due_date"


def _condition(
    reader: Reader, fields: Mapping[str, Node], name: str, names: tuple[str, ...]
) -> Condition | None:  # fmt: skip
    node = fields.get(name)
    found = reader.scalar(node, f"`{name}`") if node else None
    return read_condition(reader, found.text, found.inner, names) if found else None


def _only_later(reader: Reader, fields: Mapping[str, Node]) -> None:
    """Refuse to move an interruption to an earlier day: before the one that its notice has stated."""
    node = fields.get("shift")
    if node and reader.choice(node, "a way to move an interruption", ("later", "earlier")) == "earlier":
        message = (
            "`shift: earlier` would cut before the day until which the notice has given time to pay, "
            "and before the day from which age, wait and the law allow it"
        )
        advice = "write `shift: later`; to cut before the days off, write a lower `age` or `wait` in the row"
        reader.error("shift-earlier", message, node.span, advice)


def choice(
    reader: Reader, fields: Mapping[str, Node], name: str, what: str, options: tuple[str, ...]
) -> str | None:
    """Read one of some words if the key is there."""
    return optional(fields, name, lambda node, _: reader.choice(node, what, options), f"`{name}`")


def clock(reader: Reader, node: Node, what: str) -> time | None:
    """Read a time of day written as `09:00`."""
    text = reader.text(node, what)
    if text is None:
        return None
    found = _CLOCK.fullmatch(text)
    if not found:
        advice = advice_on(text, "a time", "write hours and minutes of the day: `09:00`")
        reader.error("not-a-time", f"{what} is `{text}`, not a time of day", node.span, advice)
        return None
    return time(int(found[1]), int(found[2]))


LONGEST = Period(months=1200)
"""No span of time in a policy is longer than a hundred years."""


def fits(period: Period, *, least: int = 1) -> bool:
    """Tell whether a span of time is one that a ladder can count with."""
    days = period.days + 28 * period.months
    return least <= days and period.months <= LONGEST.months and period.days <= 36_600


def span_of(reader: Reader, *, least: int = 1) -> Callable[[Node, str], Period | None]:
    """Return the method that reads a span of calendar time, at least a day unless `least` is 0."""

    def read(node: Node, what: str) -> Period | None:
        period = reader.period(node, what)
        if period is None or fits(period, least=least):
            return period
        message = f"{what} is {period}, out of range"
        reader.error("span-out-of-range", message, node.span, "write `P1D` to `P100Y`")
        return None

    return read


def read_hours_of_day(reader: Reader, node: Node, what: str, example: str) -> tuple[time, time] | None:
    """Read hours of a day: `21:00-08:00`, perhaps over midnight."""
    text = reader.text(node, what)
    first, _, last = (text or "").partition("-")
    found = _CLOCK.fullmatch(first), _CLOCK.fullmatch(last)
    if found[0] and found[1]:
        start, end = (time(int(m[1]), int(m[2])) for m in found if m)
        if start != end:
            return start, end
    if text is not None:
        reader.error("not-hours", f"{what} is `{text}`, not hours of a day", node.span, f"write `{example}`")
    return None


def _runs(reader: Reader, node: Node) -> Literal["daily", "month_end"] | tuple[RunDay, ...]:
    if isinstance(node, ListNode):
        days: list[RunDay] = list(reader.list_of(node, "`runs`", lambda n, _: _run_day(reader, n)))
        if not node.items:
            advice = "write `daily`, `month_end` or days of each month: `[15, month_end]`"
            reader.error("no-run", "`runs` names no day: the ladder would never run", node.span, advice)
        return tuple(sorted(set(days), key=str)) or "daily"
    found = reader.choice(node, "a way to run", ("daily", "month_end"))
    return "month_end" if found == "month_end" else "daily"


def _run_day(reader: Reader, node: Node) -> RunDay | None:
    text = reader.text(node, "a day of `runs`") or ""
    if text == "month_end":
        return "month_end"
    if _RUN_DAY.fullmatch(text):
        return int(text)
    advice = "write a day of each month, 1 to 28, or `month_end` for its last day: `[15, month_end]`"
    reader.error("not-a-run", f"`{text}` is not a day on which a ladder can run", node.span, advice)
    return None


def _reopened(reader: Reader, node: Node) -> dict[str, Literal["original", "event_date"]]:
    fields = reader.fields(node, "`reopened_age`", (), ("refund", "chargeback")) or {}
    found: dict[str, Literal["original", "event_date"]] = {}
    for name, value in fields.items():
        word = reader.choice(value, "an age", ("original", "event_date"))
        found[name] = "event_date" if word == "event_date" else "original"
    return found


def read_holds(reader: Reader, node: Node) -> dict[str, HoldRules]:
    """Read `holds`: for each kind what it does to the clock and to steps taken."""
    found: dict[str, HoldRules] = {}
    for key, value in reader.entries(node, "`holds`"):
        rules = _hold(reader, key, value)
        if rules:
            found[rules.kind] = rules
    return found


def _hold(reader: Reader, key: ScalarNode, node: Node) -> HoldRules | None:
    kind = reader.slug(key, "a kind of hold")
    what = f"hold `{key.text}`"
    more = ("taken", "for", "then", "review", "scope", "rejected", "fees", "contact")
    fields = reader.fields(node, what, ["clock"], more)
    if fields is None or kind is None:
        return None
    lasts = optional(fields, "for", span_of(reader), f"`for` of {what}")
    then = _call(reader, fields["then"], "task") if "then" in fields else ""
    if (lasts is None) != (then == ""):
        advice = "write both: `for: P30D, then: task(review)`"
        reader.error("hold-unclear", f"{what} has only one of `for` and `then`", node.span, advice)
    if "scope" in fields:
        reader.choice(fields["scope"], "a scope of holds", ("disputed part", "account"))
    minus_hold, renotice = _rejected(reader, fields["rejected"]) if "rejected" in fields else (True, False)
    return HoldRules(
        kind,
        clock="stops" if _says(reader, fields, "clock", ("runs", "stops")) == "stops" else "runs",
        taken="release" if _says(reader, fields, "taken", ("keep", "release")) == "release" else "keep",
        span=key.span,
        lasts=lasts,
        then=then,
        review=optional(fields, "review", span_of(reader), f"`review` of {what}"),
        minus_hold=minus_hold,
        renotice=renotice,
        fees_stop=_says(reader, fields, "fees", ("stop", "run")) == "stop",
        no_contact=_says(reader, fields, "contact", ("none",)) == "none",
    )


def _says(reader: Reader, fields: Mapping[str, Node], name: str, words: tuple[str, ...]) -> str | None:
    return choice(reader, fields, name, f"a value of `{name}`", words)


def _rejected(reader: Reader, node: Node) -> tuple[bool, bool]:
    fields = reader.fields(node, "`rejected`", ["age"], ["then"]) or {}
    age = choice(reader, fields, "age", "an age", ("minus_hold", "original"))
    then = choice(reader, fields, "then", "a value of `then`", ("renotice",))
    return age != "original", then == "renotice"


def _call(reader: Reader, node: Node, name: str) -> str:
    text = reader.text(node, f"`{name}`") or ""
    found = re.fullmatch(rf"{name}\(([a-z][a-z0-9_]*)\)", text)
    if not found:
        reader.error("not-an-action", f"`{text}` is not a {name}", node.span, f"write `{name}(review)`")
        return ""
    return found[1]


def read_interruptions(reader: Reader, node: Node) -> InterruptionRules:
    """Read `interruptions`: hours and days on which service may be cut."""
    fields = reader.fields(node, "`interruptions`", (), ("window", "not_before", "calendar", "shift")) or {}
    _only_later(reader, fields)
    eves = ("weekend", "holiday")
    before = (
        reader.list_of(
            fields["not_before"], "`not_before`", lambda n, _: reader.choice(n, "a kind of day", eves)
        )
        if "not_before" in fields
        else ()
    )
    window = optional(
        fields, "window", lambda n, w: read_hours_of_day(reader, n, w, "09:00-16:00"), "`window`"
    )
    if window and window[0] > window[1]:
        reader.error(
            "window-overnight", "the window runs over midnight", fields["window"].span, "write `09:00-16:00`"
        )
    calendar = optional(fields, "calendar", reader.text, "`calendar`") or ""
    if before and not calendar:
        reader.error(
            "calendar-missing",
            "`not_before` needs a `calendar`",
            fields["not_before"].span,
            "add `calendar: CN`",
        )
    return InterruptionRules(window, before, calendar)


def read_promises(reader: Reader, node: Node) -> PromiseRules | None:
    """Read `promise_to_pay`: which promises are accepted, and when one is broken."""
    more = ("covers", "tolerance", "grace", "per_year")
    fields = reader.fields(node, "`promise_to_pay`", ["max_days"], more)
    if fields is None or "max_days" not in fields:
        return None
    days = reader.integer(fields["max_days"], "`max_days`", 1, 366)
    covers = Decimal(0)
    if "covers" in fields:
        text = reader.text(fields["covers"], "`covers`") or ""
        found = _COVERS.fullmatch(text)
        if found and Decimal(found[1]) <= 1:
            covers = Decimal(found[1])
        else:
            reader.error(
                "not-a-share",
                f"`{text}` is not a share of what is owed",
                fields["covers"].span,
                "write `0.5 of overdue`",
            )
    tolerance = optional(fields, "tolerance", lambda n, w: reader.decimal(n, w, 0, 1), "`tolerance`")
    if tolerance == 1:
        message = "with a `tolerance` of 1 every promise is kept, also when nothing is paid"
        reader.error("promise-never-broken", message, fields["tolerance"].span, "write `0.05` for 5 percent")
    return PromiseRules(
        days or 1, covers, tolerance or Decimal(0),
        optional(fields, "grace", span_of(reader, least=0), "`grace`") or Period(),
        optional(fields, "per_year", lambda n, w: reader.integer(n, w, 0, 366), "`per_year`"),
    )  # fmt: skip


def read_fees(reader: Reader, node: Node) -> dict[str, Decimal]:
    """Read `fees`: the amount of each fee that a ladder names."""
    found: dict[str, Decimal] = {}
    for key, value in reader.entries(node, "`fees`"):
        amount = reader.decimal(value, f"fee `{key.text}`", 0)
        if reader.slug(key, "the name of a fee"):
            found[key.text] = amount or Decimal(0)  # one that cannot be read is there all the same
    return found


def read_confirm(reader: Reader, node: Node) -> ConfirmRules:
    """Read `confirm`: how long receipts may take before a person is asked."""
    fields = reader.fields(node, "`confirm`", (), ("within", "restored_within")) or {}
    within = _duration(reader, fields["within"]) if "within" in fields else None
    restored = _duration(reader, fields["restored_within"]) if "restored_within" in fields else None
    return ConfirmRules(within or timedelta(days=2), restored or timedelta(hours=36))


def _duration(reader: Reader, node: Node) -> timedelta | None:
    text = reader.text(node, "a time for receipts") or ""
    period, found = Period.parse(text), _HOURS.fullmatch(text)
    if found and int(found[1]):
        return timedelta(hours=int(found[1]))
    if period and not period.months and period.days:
        return timedelta(days=period.days)
    if found or (period and not period.months):
        message = f"`{text}` leaves no time for a receipt: a person would be asked for each action"
        reader.error("no-time-for-receipts", message, node.span, "write `PT36H` or `P2D`")
        return None
    reader.error("not-a-duration", f"`{text}` is not hours or days", node.span, "write `PT36H` or `P2D`")
    return None


def read_freshness(reader: Reader, node: Node) -> Period | None:
    """Read `freshness`: how old the news of payments may be before something severe."""
    fields = reader.fields(node, "`freshness`", ["payments"]) or {}
    return optional(fields, "payments", span_of(reader), "`payments`")
