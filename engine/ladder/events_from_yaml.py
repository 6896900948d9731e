"""Lines of a history to entries: `{on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}`.

The first key after `on` says what happened and names it; the table below lists every kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from engine.ladder.ladders_from_yaml import CHANNELS
from engine.ladder.model import CollectionsPolicy
from engine.ladder.sections_from_yaml import clock
from engine.ladder.simulate import Event, Reply
from engine.ledger.account import LEVELS, Contacted
from engine.ledger.entries import EntryAdapter
from engine.ledger.refusals import EARLIEST, LATEST
from engine.source import Span
from engine.text import ListNode, MapNode, Node, Reader, ScalarNode, did_you_mean, optional
from engine.text.currency import CODES, currency_advice
from engine.text.reading import key_advice, kind

MORNING = time(8)
"""When news of a day comes in unless the line says otherwise: before the day's run."""
RECEIVED = "received_at"
"""As the API calls it; lines may say `received`."""
WHEN = ("on", "at", "received", RECEIVED, "id", "currency")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?")
_DAY = len("2026-02-03")
_WITH_CURRENCY = re.compile(r"([A-Za-z]{3})? ?(-?\d+(?:\.\d+)?)(?(1)| ?([A-Za-z]{3}))")
Fields = Mapping[str, Node]
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of line: the entry it makes, what it must and may say, and how it is read."""

    kind: str
    needs: tuple[str, ...]
    may: tuple[str, ...]
    read: Callable[[HistoryReader, Node, Fields], Values]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history as it was read: what became known, and the parts that say so."""

    event: Event
    verb: str
    fields: Fields
    span: Span
    currency: str = ""
    """Of which account it speaks; that of the policy unless the line says otherwise."""

    def place(self, field: str) -> Span:
        """Return where a field of the entry stands; the line's own word where the line has no such key."""
        node = self.fields.get(_KEYS.get(field, field), self.fields[self.verb])
        return node.inner if isinstance(node, ScalarNode) else node.span


_KEYS = {"value_date": "on", "due_date": "due"}
"""Fields of entries that lines call by another name."""


class HistoryReader(Reader):
    """Reads the lines of one history; ids that are not given are counted."""

    def __init__(
        self, zone: ZoneInfo, policies: Mapping[str, CollectionsPolicy], currencies: Sequence[str]
    ) -> None:
        super().__init__()
        self.zone, self.policies, self.currencies = zone, policies, currencies
        self.count: dict[str, int] = {}

    def named(self, kind: str, letter: str) -> str:
        """Return the next id of a kind: `P1`, `P2`."""
        self.count[kind] = self.count.get(kind, 0) + 1
        return f"{letter}{self.count[kind]}"

    def currency(self, fields: Fields) -> str:
        """Return the currency that a line or an expectation is in: without a word, that of the policy."""
        own = self.currencies[0]
        node = fields.get("currency")
        text = own if node is None else self.text(node, "`currency`")
        if node is None or text is None or text in self.currencies:
            return text or own
        if text not in CODES:
            self.error("not-a-currency", f"`{text}` is not a currency", node.span, currency_advice(text))
        else:
            stated = " and ".join(self.currencies)
            message = f"amounts are stated in {stated} here, and by no policy in {text}"
            advice = (
                f"name the policy that states them, below `policy:` of this file: `currencies: {{{text}: "
                "...}`, by what it is called or as a text beside the cases; or add a line to the portfolio"
            )
            self.error("no-amounts-in", message, node.span, advice)
        return own

    def decimal(
        self,
        node: Node,
        what: str,
        minimum: Decimal | int | None = None,
        maximum: Decimal | int | None = None,
    ) -> Decimal | None:
        """Read a number; an amount that names another currency is told where a currency is said."""
        found = _WITH_CURRENCY.fullmatch(node.text.strip()) if isinstance(node, ScalarNode) else None
        code, number = ((found[1] or found[3]).upper(), found[2]) if found else ("", "")
        if found and code in CODES and code != self.currencies[0]:
            message = f"{what} is `{getattr(node, 'text', '')}`, not a number"
            advice = f"write `{number}`, and beside it `currency: {code}`"
            self.error("not-a-number", message, node.span, advice)
            return None
        return super().decimal(node, what, minimum, maximum)

    def local(self, day: date, hour: time | None) -> datetime:
        """Return a local time as an instant."""
        naive = datetime.combine(day, hour or MORNING)
        return naive.replace(tzinfo=self.zone).astimezone(ZoneInfo("UTC")).astimezone(self.zone)

    def date(self, node: Node, what: str) -> date | None:
        """Read a day that a ledger can count with."""
        day = super().date(node, what)
        if day is not None and not EARLIEST <= day < LATEST:
            self.error("day-out-of-range", f"{what} is {day}", node.span, f"write a day from {EARLIEST} on")
            return None
        return day

    def instant(self, node: Node, what: str) -> datetime | None:
        """Read a local day, perhaps with a time: `2026-02-03`, `2026-02-03 14:00`; or with an offset."""
        text = self.text(node, what)
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
            if found and EARLIEST <= found.date() < LATEST:
                if found.tzinfo:
                    return found.astimezone(self.zone)
                return self.local(found.date(), found.time() if len(text) > _DAY else None)
        except ValueError:  # a day or an hour that there is not
            pass
        self.error("not-an-instant", f"{what} is `{text}`", node.span, "write `2026-02-03 14:00`")
        return None

    # lines

    def line(self, node: Node) -> Line | None:
        """Read one line of a history."""
        if not isinstance(node, MapNode):
            advice = "write `{on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}`"
            self.error("not-an-event", f"a line of a history is {kind(node)}, not a map", node.span, advice)
            return None
        verb_key = next((key for key, _ in node.entries if key.text not in WHEN), None)
        if verb_key is None or verb_key.text not in VERBS:
            self._unknown_event(node, verb_key)
            return None
        verb = VERBS[verb_key.text]
        before = len(self.problems)
        fields = self.fields(
            node,
            f"`{verb_key.text}`",
            ["on", verb_key.text, *verb.needs],
            ["at", "received", RECEIVED, "id", "currency", *verb.may],
        )
        if fields is None or len(self.problems) > before:
            return None
        self._check_when(verb, fields)
        before = len(self.problems)
        currency = self.currency(fields)
        if len(self.problems) > before:
            return None
        event = self._event(verb_key.text, verb, fields, node.span)
        return Line(event, verb_key.text, fields, node.span, currency) if event else None

    def _unknown_event(self, node: Node, key: ScalarNode | None) -> None:
        if key is None:
            advice = "add what happened: `bill: B1`, `payment: 300.00`, `dispute: D1` ..."
            self.error("unknown-event", "the line does not say what happened", node.span, advice)
            return
        advice = key_advice(key.text, VERBS, of="what can happen")
        self.error("unknown-event", f"nothing called `{key.text}` can happen", key.span, advice)

    def _check_when(self, verb: Verb, fields: Fields) -> None:
        """Note two words on when a line became known: only a contact has an hour besides."""
        said = [key for key in ("received", RECEIVED) if key in fields]
        if len(said) > 1:
            advice = "remove one of them"
            self.error("received-twice", "`received_at` is `received`", fields[said[1]].span, advice)
        elif said and "at" in fields and verb.kind != "contact":
            message = f"`at` is not looked at: `{said[0]}` says when the line became known"
            advice = f"remove `at`; an hour stands behind the day: `{said[0]}: 2026-02-03 14:00`"
            self.warn("received-twice", message, fields["at"].span, advice)

    def _event(self, name: str, verb: Verb, fields: Fields, span: Span) -> Event | None:
        before = len(self.problems)
        day = self.date(fields["on"], "`on`")
        hour = optional(fields, "at", lambda n, w: clock(self, n, w), "`at`")
        said = RECEIVED if RECEIVED in fields else "received"
        received = optional(fields, said, self.instant, f"`{said}`")
        values = verb.read(self, fields[name], fields)
        if day is None or len(self.problems) > before:
            return None
        at = received or self.local(day, hour)
        if hour and not received and at.time() != hour:
            message = f"there is no {hour:%H:%M} on {day} in {self.zone}: clocks go forward"
            self.warn("no-such-hour", message, fields["at"].span, f"it is read as {at:%H:%M}; write that")
        text = _told(name, fields)
        if verb.kind == "policy":
            return Event(at, text, policy=values["policy"])
        if verb.kind == "reply":
            return Event(at, text, reply=Reply(**values))
        if verb.kind == "contact":
            values["at"] = self.local(day, hour)
            if elsewhere := values.pop("account"):
                del values["id"], values["actor"]
                return Event(at, text, contact=Contacted(account=elsewhere, **values))
        if "id" in fields:
            values["id"] = self.text(fields["id"], "`id`")
        try:
            entry = EntryAdapter.validate_python(
                {"kind": verb.kind, "value_date": day, "received_at": at, **_moments(values, at)}
            )
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"][1:])
            message = f"`{name}`: `{where}` {first['msg'].lower()}"
            place = fields[where].span if where in fields else span
            self.error("not-an-entry", message, place, f"correct `{where}`")
            return None
        return Event(at, text, entry=entry)


def _moments(values: Values, at: datetime) -> Values:
    return {key: at if value is NOW else value for key, value in values.items()}


NOW = object()


def _told(name: str, fields: Fields) -> str:
    more = [key for key in fields if key not in (name, "on", "at", "received", RECEIVED, "currency")]
    return ", ".join([f"{name} {_plain(fields[name])}", *(f"{key} {_plain(fields[key])}" for key in more)])


def _plain(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, ListNode):
        return "[" + ", ".join(_plain(item) for item in node.items) + "]"
    return "{" + ", ".join(f"{key.text}: {_plain(value)}" for key, value in node.entries) + "}"


# how each kind is read


def _amount(r: HistoryReader, node: Node) -> Decimal | None:
    amount = r.decimal(node, "the amount")
    if amount is not None and amount <= 0:
        advice = "what goes the other way has a line of its own: `refund`, `returned`, `credit_note`"
        r.error("not-positive", f"the amount is {amount}; it must be above 0", node.span, advice)
        return None
    return amount


def _text(r: HistoryReader, fields: Fields, name: str) -> str:
    return optional(fields, name, r.text, f"`{name}`") or ""


def _word(r: HistoryReader, fields: Fields, name: str, what: str, words: tuple[str, ...]) -> str | None:
    return optional(fields, name, lambda node, _: r.choice(node, what, words), f"`{name}`")


def _instalments(
    r: HistoryReader, fields: Fields, key: str = "instalments", what: str = "an instalment"
) -> list[Values]:  # fmt: skip
    found = []
    for item in r.items(fields[key], f"`{key}`") if key in fields else ():
        part = r.fields(item, what, ["due", "amount"]) or {}
        if len(part) == 2:
            found.append({"due_date": r.date(part["due"], "`due`"), "amount": _amount(r, part["amount"])})
    return found


def _bill(r: HistoryReader, node: Node, f: Fields) -> Values:
    parts = _instalments(r, f)
    due = r.date(f["due"], "`due`") if "due" in f else None
    if due is None and parts:
        due = max((part["due_date"] for part in parts if part["due_date"]), default=None)
    if due is None:
        r.error("missing-key", "a bill needs `due` or `instalments`", node.span, "add `due: 2026-01-25`")
    return {
        "id": r.text(node, "`bill`"),
        "amount": _amount(r, f["amount"]),
        "due_date": due,
        "instalments": parts,
        "category": _word(r, f, "category", "a category of bills", CATEGORIES) or "normal",
        "service": _text(r, f, "service"),
        "draft": bool(optional(f, "draft", r.boolean, "`draft`")),
    }


def _plan(r: HistoryReader, node: Node, f: Fields) -> Values:
    values = _bill(r, node, f)
    replaced = r.list_of(f["replaces"], "`replaces`", r.text)
    for name in ("charges", "down_payment"):
        if name in f:
            values[name] = _amount(r, f[name])
    return values | {"category": "plan", "replaces": replaced}


def _payment(r: HistoryReader, node: Node, f: Fields) -> Values:
    shares = [
        {"bill": key.text, "amount": _amount(r, value)}
        for key, value in (r.entries(f["pays"], "`pays`") if "pays" in f else ())
    ]
    return {"id": r.named("payment", "P"), "amount": _amount(r, node), "pays": shares,
            "service": _text(r, f, "service")}  # fmt: skip


def _reference(letter: str, kind: str, field: str) -> Callable[[HistoryReader, Node, Fields], Values]:
    def read(r: HistoryReader, node: Node, f: Fields) -> Values:
        values: Values = {"id": r.named(kind, letter), field: r.text(node, f"`{field}`")}
        if "reason" in f:
            values["reason"] = _text(r, f, "reason")
        return values

    return read


def _returned(r: HistoryReader, node: Node, f: Fields) -> Values:
    reason = _word(r, f, "reason", "a reason why payments come back", ("bounced", "chargeback", "cancelled"))
    return {
        "id": r.named("returned", "R"), "payment": r.text(node, "`payment`"), "reason": reason or "bounced",
    }  # fmt: skip


def _resolved(r: HistoryReader, node: Node, f: Fields) -> Values:
    outcome = _word(r, f, "outcome", "an outcome of disputes", ("upheld", "rejected", "withdrawn"))
    return {"id": r.named("resolved", "S"), "dispute": r.text(node, "`dispute`"), "outcome": outcome}


def _of_amount(
    letter: str, kind: str, *fields: str, signed: bool = False
) -> Callable[[HistoryReader, Node, Fields], Values]:  # fmt: skip
    def read(r: HistoryReader, node: Node, f: Fields) -> Values:
        amount = r.decimal(node, "the amount") if signed else _amount(r, node)
        values: Values = {"id": r.named(kind, letter), "amount": amount}
        return values | {name: _text(r, f, name) for name in fields if name in f}

    return read


def _dispute(r: HistoryReader, node: Node, f: Fields) -> Values:
    return {
        "id": r.text(node, "`dispute`"), "bill": _text(r, f, "bill"), "amount": _amount(r, f["amount"]),
        "reason": _text(r, f, "reason"),
    }  # fmt: skip


def _promise(r: HistoryReader, node: Node, f: Fields) -> Values:
    return {
        "id": r.text(node, "`promise`"), "amount": _amount(r, f["amount"]), "by": r.date(f["by"], "`by`"),
        "milestones": _instalments(r, f, "milestones", "a milestone"),
    }  # fmt: skip


def _hold(r: HistoryReader, node: Node, f: Fields) -> Values:
    return {
        "id": r.named("hold", "H"), "hold": r.text(node, "`hold`"), "bill": _text(r, f, "bill"),
        "until": optional(f, "until", r.date, "`until`"), "reason": _text(r, f, "reason"),
        "author": _text(r, f, "by"),
    }  # fmt: skip


def _fact(r: HistoryReader, node: Node, f: Fields) -> Values:
    value = f["value"]
    found: object = None
    if isinstance(value, ListNode):
        found = r.list_of(value, "`value`", r.text)
    elif isinstance(value, ScalarNode) and not value.is_null:
        number = value.style == "plain" and value.text.lstrip("-").isdigit()
        found = value.boolean if value.boolean is not None else int(value.text) if number else value.text
    return {"id": r.named("fact", "F"), "name": r.text(node, "`fact`"), "value": found}


def _feed(r: HistoryReader, node: Node, f: Fields) -> Values:
    complete = optional(f, "complete_to", r.instant, "`complete_to`")
    feed = r.choice(node, "a feed", ("payments", "bills"))
    return {"id": r.named("feed", "feed-"), "feed": feed, "complete_to": complete or NOW}


def _reply(r: HistoryReader, node: Node, f: Fields) -> Values:
    words = ("done", "failed", "suppressed", "expired", "withdrawn")
    return {
        "action": r.text(node, "`receipt`"), "status": r.choice(f["status"], "a status", words),
        "until": optional(f, "until", r.date, "`until`"),
    }  # fmt: skip


def _act(name: str) -> Callable[[HistoryReader, Node, Fields], Values]:
    def read(r: HistoryReader, node: Node, f: Fields) -> Values:
        step = r.text(node, f"`{name}`") or ""
        return {
            "id": r.named("act", "act-"), "act": name, "step": "" if name in ("stop", "resume") else step,
            "actor": _text(r, f, "by"), "reason": _text(r, f, "reason"),
            "item": _text(r, f, "bill") or _text(r, f, "service"),
        }  # fmt: skip

    return read


def _contact(r: HistoryReader, node: Node, f: Fields) -> Values:
    by = r.choice(node, "a channel", (*CHANNELS, "visit"))
    default = "attempted" if by in ("call", "visit") else "sent"
    return {
        "id": r.named("contact", "contact-"), "channel": by, "account": _text(r, f, "account"),
        "outcome": _word(r, f, "outcome", "an outcome of contacts", OUTCOMES) or default,
        "direction": _word(r, f, "direction", "a direction", ("out", "in")) or "out",
        "actor": _text(r, f, "by"), "bills": (bill,) if (bill := _text(r, f, "bill")) else (),
        "consent": _word(r, f, "consent", "what is said of consent", CONSENTS) or "",
    }  # fmt: skip


def _mark(r: HistoryReader, node: Node, f: Fields) -> Values:
    bill = r.text(node, "`write_off_mark`") or ""
    marked = optional(f, "marked", r.boolean, "`marked`")
    return {"id": r.named("mark", "W"), "bill": "" if bill == "all" else bill, "marked": marked is not False}


def _demand(r: HistoryReader, node: Node, f: Fields) -> Values:
    return {
        "id": r.named("demand", "L"), "source": r.text(node, "`demand`"),
        "level": r.choice(f["level"], "a level of service", LEVELS), "reason": _text(r, f, "reason"),
    }  # fmt: skip


def _deposit(r: HistoryReader, node: Node, f: Fields) -> Values:
    return {
        "id": r.named("deposit", "dep-"), "amount": _amount(r, node),
        "move": r.choice(f["move"], "a move of a deposit", MOVES),
    }  # fmt: skip


def _reviewed(r: HistoryReader, node: Node, f: Fields) -> Values:
    return {
        "id": r.named("review", "DV"), "outcome": r.choice(node, "an outcome of reviews", REVIEWED),
        "amount": r.decimal(f["amount"], "the amount", minimum=0), "reason": _text(r, f, "reason"),
    }  # fmt: skip


def _policy(r: HistoryReader, node: Node, f: Fields) -> Values:
    name = r.text(node, "`policy`") or ""
    if name not in r.policies:
        advice = did_you_mean(name, r.policies, of="policies beside these cases")
        r.error("unknown-policy", f"there is no policy text `{name}`", node.span, advice or "add the file")
    policy = r.policies.get(name)
    on = r.date(f["on"], "`on`")
    if policy and on and policy.effective_from > on:
        message = f"`{name}` comes into force on {policy.effective_from}, not on {on}"
        r.error("not-in-force", message, node.span, f"write `on: {policy.effective_from}`, or a later day")
    return {"policy": policy}


MOVES = ("requested", "held", "topped_up", "interest", "released", "applied")
"""What can happen to a deposit."""
CATEGORIES = ("normal", "fee", "late_fee", "interest")
OUTCOMES = ("attempted", "conversation", "sent", "not_connected")
CONSENTS = ("given", "withdrawn")
REVIEWED = ("keep", "top_up", "release")
BILL_MAY = ("due", "instalments", "category", "service", "draft")
_ABOUT = ("bill", "service")
"""Which case an act is about, where an account has several."""
VERBS: dict[str, Verb] = {
    "bill": Verb("bill", ("amount",), BILL_MAY, _bill),
    "issued": Verb("bill_issued", (), (), _reference("I", "issued", "bill")),
    "plan": Verb("bill", ("amount", "replaces", "instalments"), ("due", "charges", "down_payment"), _plan),
    "plan_ended": Verb("plan_ended", (), ("reason",), _reference("E", "plan_ended", "plan")),
    "payment": Verb("payment", (), ("pays", "service"), _payment),
    "returned": Verb("payment_returned", (), ("reason",), _returned),
    "return_reversed": Verb("return_reversed", (), (), _reference("V", "reversed", "returned")),
    "refund": Verb("refund", (), ("payment",), _of_amount("Z", "refund", "payment")),
    "credit_note": Verb("credit_note", (), ("bill", "reason"), _of_amount("C", "credit", "bill", "reason")),
    "adjustment": Verb(
        "adjustment", ("bill",), ("reason",), _of_amount("J", "adjust", "bill", "reason", signed=True)
    ),
    "fee_waived": Verb("fee_waived", ("bill",), ("reason",), _of_amount("FW", "waived", "bill", "reason")),
    "write_down": Verb("write_down", ("bill",), ("reason",), _of_amount("WD", "down", "bill", "reason")),
    "recovery": Verb(
        "recovery", (), ("bill", "collector"), _of_amount("RC", "recovery", "bill", "collector")
    ),
    "dispute": Verb("dispute", ("bill", "amount"), ("reason",), _dispute),
    "resolved": Verb("dispute_resolved", ("outcome",), (), _resolved),
    "promise": Verb("promise", ("amount", "by"), ("milestones",), _promise),
    "promise_withdrawn": Verb("promise_withdrawn", (), (), _reference("X", "withdrawn", "promise")),
    "hold": Verb("hold", (), ("until", "bill", "reason", "by"), _hold),
    "released": Verb("hold_released", (), ("by",), _reference("O", "released", "hold")),
    "fact": Verb("fact", ("value",), (), _fact),
    "feed": Verb("feed", (), ("complete_to",), _feed),
    "receipt": Verb("reply", ("status",), ("until",), _reply),
    "force": Verb("act", ("by", "reason"), _ABOUT, _act("force")),
    "skip": Verb("act", ("by", "reason"), _ABOUT, _act("skip")),
    "stop": Verb("act", ("by", "reason"), _ABOUT, _act("stop")),
    "resume": Verb("act", ("by", "reason"), _ABOUT, _act("resume")),
    "confirm": Verb("act", ("by", "reason"), _ABOUT, _act("confirm")),
    "contact": Verb("contact", (), ("outcome", "direction", "account", "bill", "consent", "by"), _contact),
    "write_off_mark": Verb("write_off_mark", (), ("marked",), _mark),
    "demand": Verb("demand", ("level",), ("reason",), _demand),
    "deposit": Verb("deposit", ("move",), (), _deposit),
    "deposit_review": Verb("deposit_review", ("amount",), ("reason",), _reviewed),
    "policy": Verb("policy", (), (), _policy),
}
